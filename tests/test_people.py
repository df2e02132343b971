"""The drawn people: the same every time, found where they were drawn, upright when read."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

import people
from demosaic.faces.short_range import ShortRangeDetector

ROOT = Path(__file__).parent.parent


def overlap(first: tuple[float, ...], second: tuple[float, ...]) -> float:
    """Intersection over union of two boxes given as x, y, width, height."""
    width = min(first[0] + first[2], second[0] + second[2]) - max(first[0], second[0])
    height = min(first[1] + first[3], second[1] + second[3]) - max(first[1], second[1])
    shared = max(width, 0) * max(height, 0)
    return shared / (first[2] * first[3] + second[2] * second[3] - shared)


@pytest.fixture(scope="module")
def photos() -> list[people.Photo]:
    """Two photos of each of twelve people."""
    return [people.photo(7, number, shot) for number in range(12) for shot in range(2)]


def test_the_same_seed_draws_the_same_picture() -> None:
    first, again = people.photo(3, 1, 0), people.photo(3, 1, 0)
    assert np.array_equal(first.image, again.image)
    assert (first.faces, first.path) == (again.faces, again.path)


def test_another_seed_draws_another_person() -> None:
    assert people.person(3, 1) != people.person(4, 1)


def test_a_person_stays_the_same_in_every_photo() -> None:
    assert people.person(3, 1) == people.person(3, 1)
    shown = {people.photo(3, 1, shot).faces[0].person for shot in range(3)}
    assert shown == {1}


def test_mediapipe_finds_the_drawn_faces_where_they_were_drawn(
    photos: list[people.Photo],
) -> None:
    detector = ShortRangeDetector(min_score=0.5)
    drawn = found = extra = 0
    for photo in photos:
        boxes = [face.box for face in detector.detect(photo.image)]
        seen = [(box.x, box.y, box.width, box.height) for box in boxes]
        hits = [any(overlap(face.box, box) > 0.5 for box in seen) for face in photo.faces]
        drawn, found = drawn + len(hits), found + sum(hits)
        extra += max(len(seen) - len(hits), 0)
    assert found >= 0.97 * drawn
    assert extra <= 1


def test_eyes_lie_inside_the_box_and_the_right_one_is_on_the_left(
    photos: list[people.Photo],
) -> None:
    for face in (face for photo in photos for face in photo.faces):
        x, y, width, height = face.box
        (right, right_y), (left, left_y) = face.keypoints[:2]
        assert x < right < left < x + width
        assert y < min(right_y, left_y) < max(right_y, left_y) < y + height


def test_photos_and_faces_have_the_promised_sizes(photos: list[people.Photo]) -> None:
    for photo in photos:
        assert photo.image.dtype == np.uint8
        assert 400 <= max(photo.image.shape[:2]) <= 1000
        assert all(120 <= face.box[2] <= 420 for face in photo.faces)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photo_read_with_its_orientation_is_upright(
    orientation: int, tmp_path: Path
) -> None:
    image = np.arange(6 * 4 * 3, dtype=np.uint8).reshape(6, 4, 3)
    photo = people.Photo(image, (), orientation, "person-000/2020/photo-00.png")
    with Image.open(people.save(photo, tmp_path)) as stored:
        upright = np.asarray(ImageOps.exif_transpose(stored))
    assert np.array_equal(upright, image)


def test_about_one_photo_in_eight_shows_two_people() -> None:
    counts = [people.layout(0, number, 0).count for number in range(2000)]
    assert 0.10 < counts.count(2) / 2000 < 0.14
    assert 0.02 < counts.count(0) / 2000 < 0.04


def test_about_one_photo_in_seven_is_stored_turned() -> None:
    turned = [people.layout(0, number, 0).orientation != 1 for number in range(2000)]
    assert 0.12 < sum(turned) / 2000 < 0.18


def test_workers_do_not_change_the_bytes(tmp_path: Path) -> None:
    alone = people.draw(tmp_path / "alone", people=1, photos=2, seed=5, workers=1)
    shared = people.draw(tmp_path / "shared", people=1, photos=2, seed=5, workers=2)
    assert [path.read_bytes() for path in alone] == [path.read_bytes() for path in shared]


def test_the_command_line_says_what_it_drew(tmp_path: Path) -> None:
    command = [sys.executable, "examples/people.py", str(tmp_path), "--people", "1"]
    said = subprocess.run(
        [*command, "--photos", "1"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert said.stdout == f"drew 1 photos of 1 people in {tmp_path}\n"
    assert len(list(tmp_path.glob("person-000/*/photo-00.*"))) == 1
