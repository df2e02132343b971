"""Faces are found where they were drawn, quietly and offline."""

import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest

import people
from demosaic.errors import PROBLEM, DemosaicError
from demosaic.faces.detector import Face, MediaPipeDetector


@pytest.fixture(scope="module")
def detector() -> MediaPipeDetector:
    return MediaPipeDetector(0.5)


def near(face: Face, drawn: people.DrawnFace, share: float) -> bool:
    """Whether the boxes' centres and sides agree to within a share of the side."""
    x, y, side, _ = drawn.box
    box = face.box
    apart = (box.x + box.width / 2 - x - side / 2, box.y + box.height / 2 - y - side / 2)
    return max(*map(abs, apart), abs(box.width - side), abs(box.height - side)) < share * side


def two_people() -> people.Photo:
    return next(
        people.photo(0, number, 0) for number in range(50) if people.layout(0, number, 0).count == 2
    )


def test_a_drawn_face_is_found_in_its_box(detector: MediaPipeDetector) -> None:
    photo = people.photo(0, 0, 0)
    (face,) = detector.detect(photo.image)
    assert near(face, photo.faces[0], 0.25)
    assert 0.5 < face.score <= 1


def test_the_keypoints_are_where_they_were_drawn(detector: MediaPipeDetector) -> None:
    photo = people.photo(0, 0, 0)
    (face,) = detector.detect(photo.image)
    drawn = photo.faces[0]
    assert len(face.keypoints) == 6
    for (x, y), (true_x, true_y) in zip(face.keypoints[:4], drawn.keypoints[:4], strict=True):
        assert np.hypot(x - true_x, y - true_y) < 0.12 * drawn.box[2]
    assert face.keypoints[0][0] < face.keypoints[1][0]  # the person's right is on our left


def test_both_faces_of_a_photo_are_found_the_most_certain_first(
    detector: MediaPipeDetector,
) -> None:
    photo = two_people()
    first, second = detector.detect(photo.image)
    assert first.score >= second.score
    for drawn in photo.faces:
        assert near(first, drawn, 0.3) or near(second, drawn, 0.3)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_an_empty_picture_has_no_faces(level: int, detector: MediaPipeDetector) -> None:
    assert detector.detect(np.full((300, 400, 3), level, np.uint8)) == []


def test_noise_of_any_size_has_no_faces(detector: MediaPipeDetector) -> None:
    for shape in ((1, 1, 3), (17, 300, 3), (301, 7, 3)):
        image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        assert detector.detect(image) == []


def test_a_view_is_seen_like_its_copy(detector: MediaPipeDetector) -> None:
    image = people.photo(0, 0, 0).image
    mirrored = image[:, ::-1]
    assert detector.detect(mirrored) == detector.detect(mirrored.copy())
    assert len(detector.detect(mirrored)) == 1


def test_a_higher_bar_leaves_the_less_certain_out(detector: MediaPipeDetector) -> None:
    photo = two_people()
    scores = [face.score for face in detector.detect(photo.image)]
    between = (scores[0] + scores[1]) / 2
    assert [face.score for face in MediaPipeDetector(between).detect(photo.image)] == scores[:1]


def test_a_mediapipe_without_a_model_is_refused_with_one_that_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = ModuleSpec("mediapipe", None)
    bare.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr("importlib.util.find_spec", lambda name: bare)
    with pytest.raises(DemosaicError) as caught:
        MediaPipeDetector(0.5)
    assert "carries no face model" in str(caught.value)
    assert "pip install 'mediapipe==" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == PROBLEM


OFFLINE = """
import sys

def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.bind"):
        raise RuntimeError("no network here: " + event)

sys.addaudithook(refuse)
import people
from demosaic.faces.detector import MediaPipeDetector
print(len(MediaPipeDetector(0.5).detect(people.photo(0, 0, 0).image)))
"""


def test_a_detector_works_offline_and_writes_nothing_to_the_screen() -> None:
    examples = Path(people.__file__).parent
    ran = subprocess.run(
        [sys.executable, "-c", OFFLINE],
        capture_output=True,
        text=True,
        check=False,
        cwd=examples,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "1\n", "")
