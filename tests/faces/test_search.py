"""Every face of a photo is found once, small ones and turned ones too."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

import people
from demosaic.faces.detector import Face, FaceDetector
from demosaic.faces.search import find_faces, turned_upright
from demosaic.faces.short_range import ShortRangeDetector
from demosaic.imaging.arrays import Pixels, resize
from demosaic.imaging.geometry import Box, crop


@pytest.fixture(scope="module")
def detector() -> ShortRangeDetector:
    return ShortRangeDetector(0.5)


def group_photo(columns: int, rows: int, side: int) -> Pixels:
    """Rows of drawn heads, `side` px each; every eighth is the same person."""
    alone = (people.photo(0, number, 0) for number in range(50))
    heads = [resize(portrait(photo), side, side) for photo in alone if len(photo.faces) == 1][:8]
    numbers = np.arange(columns * rows).reshape(rows, columns) % 8
    return np.vstack([np.hstack([heads[number] for number in row]) for row in numbers])


def portrait(photo: people.Photo) -> Pixels:
    """The square round a drawn face, 2.2 times as wide; grey beyond the photo."""
    x, y, width, _ = photo.faces[0].box
    half = round(1.1 * width)
    wide = np.pad(photo.image, ((half, half), (half, half), (0, 0)), constant_values=128)
    left, top = round(x + width / 2), round(y + width / 2)
    return wide[top : top + 2 * half, left : left + 2 * half]


@pytest.fixture(scope="module")
def group() -> Pixels:
    """108 faces of about 36 px in 960 x 720 px: no look at the whole of it sees one."""
    return group_photo(12, 9, 80)


def cells_of(faces: Sequence[Face], side: int) -> list[tuple[int, int]]:
    """In which of a group photo's squares the middles of the faces lie."""
    middles = [(f.box.x + f.box.width / 2, f.box.y + f.box.height / 2) for f in faces]
    return [(int(x // side), int(y // side)) for x, y in middles]


def test_a_group_photo_gives_its_small_faces_each_once(
    group: Pixels, detector: ShortRangeDetector
) -> None:
    assert len(detector.detect(group)) == 0
    found = find_faces(group, detector)
    cells = cells_of(found, 80)
    assert len(set(cells)) >= 0.9 * 108
    assert len(cells) == len(set(cells))
    assert [face.score for face in found] == sorted((f.score for f in found), reverse=True)
    assert all(face.box.inside(group) and face.angle == 0 for face in found)
    for face, (column, row) in zip(found, cells, strict=True):
        assert all(column * 80 <= x < column * 80 + 80 for x, _ in face.keypoints[:4])
        assert all(row * 80 <= y < row * 80 + 80 for _, y in face.keypoints[:4])


@pytest.mark.parametrize("angle", [90, 180, 270])
def test_a_photo_that_lies_on_its_side_gives_its_face_and_its_angle(
    angle: int, detector: ShortRangeDetector
) -> None:
    for number in range(4):
        photo = people.photo(0, number, 0)
        upright = find_faces(photo.image, detector)[0]
        lying = np.rot90(photo.image, -angle // 90)
        face = find_faces(lying, detector)[0]
        assert face.angle == angle
        assert abs(face.score - upright.score) < 0.01
        piece = turned_upright(face, crop(lying, face.box))
        assert np.array_equal(piece, crop(photo.image, upright.box))
        height, width = photo.image.shape[:2]
        x, y = np.array(upright.keypoints).T
        there = {90: (height - y, x), 180: (width - x, height - y), 270: (y, width - x)}[angle]
        assert np.allclose(np.array(face.keypoints).T, there)


def test_a_lying_photo_gives_its_small_faces_too(detector: ShortRangeDetector) -> None:
    photo = group_photo(12, 9, 80)
    photo[80:480, 160:560] = 128
    photo[140:420, 220:500] = resize(portrait(people.photo(0, 0, 0)), 280, 280)
    found = find_faces(np.rot90(photo), detector)
    assert {face.angle for face in found} == {270}
    assert len(found) >= 0.9 * (1 + 108 - 25)


def test_upright_photos_are_not_turned(detector: ShortRangeDetector) -> None:
    for number in range(12):
        found = find_faces(people.photo(0, number, 1).image, detector)
        assert {face.angle for face in found} <= {0}


@dataclass
class Counting:
    """A detector that counts its looks."""

    detector: FaceDetector
    looks: int = 0

    def detect(self, image: Pixels) -> Sequence[Face]:
        self.looks += 1
        return self.detector.detect(image)


def test_a_small_photo_and_a_portrait_are_looked_at_once(detector: ShortRangeDetector) -> None:
    photo = people.photo(0, 0, 0).image
    for width in (250, 1000):
        counting = Counting(detector)
        image = resize(photo, width, round(width * photo.shape[0] / photo.shape[1]))
        assert len(find_faces(image, counting)) == 1
        assert counting.looks == 1


def test_a_large_photo_of_nobody_is_searched_in_vain_but_not_to_the_end(
    detector: ShortRangeDetector,
) -> None:
    counting = Counting(detector)
    assert find_faces(np.full((750, 1000, 3), 128, np.uint8), counting) == []
    assert counting.looks == 1 + 6 + 24 + 3
    counting.looks = 0
    assert find_faces(np.full((450, 600, 3), 128, np.uint8), counting) == []
    assert counting.looks == 1 + 3


UPRIGHT = ((20.0, 20.0), (40.0, 20.0), (30.0, 30.0), (30.0, 40.0), (10.0, 20.0), (50.0, 20.0))


@dataclass(frozen=True)
class Tilted:
    """A detector that finds one face in a photo as it is, and another when it is turned."""

    score: float
    turned: Face

    def detect(self, image: Pixels) -> Sequence[Face]:
        is_turned = image.shape[1] > image.shape[0]
        return [self.turned if is_turned else Face(Box(10, 10, 40, 40), self.score, UPRIGHT)]


@pytest.mark.parametrize(
    ("keypoints", "score", "turned_score", "angle"),
    [
        (UPRIGHT, 0.5, 0.61, 90),
        (UPRIGHT, 0.5, 0.59, 0),
        (UPRIGHT, 0.7, 0.76, 90),
        (UPRIGHT, 0.7, 0.74, 0),
        (UPRIGHT, 0.86, 0.99, 0),
        (tuple((y, x) for x, y in UPRIGHT), 0.5, 0.99, 0),
        (tuple((60 - x, 60 - y) for x, y in UPRIGHT), 0.5, 0.99, 0),
        ((*UPRIGHT[:2], (30.0, 45.0), *UPRIGHT[3:]), 0.5, 0.99, 0),
        ((*UPRIGHT[:2], (30.0, 15.0), *UPRIGHT[3:]), 0.5, 0.99, 0),
        ((UPRIGHT[1], UPRIGHT[0], *UPRIGHT[2:]), 0.5, 0.99, 0),
    ],
    ids=["sure enough", "unsure", "surer", "hardly surer", "upright for sure",
         "eyes below one another", "mouth above", "nose below the mouth", "nose above the eyes",
         "eyes changed over"],
)  # fmt: skip
def test_a_turn_needs_a_surer_face_with_its_parts_in_place(
    keypoints: tuple[tuple[float, float], ...], score: float, turned_score: float, angle: int
) -> None:
    turned = Face(Box(10, 10, 40, 40), turned_score, keypoints)
    (face,) = find_faces(np.zeros((200, 100, 3), np.uint8), Tilted(score, turned))
    assert face.angle == angle


@dataclass(frozen=True)
class Spots:
    """A detector of red squares that, as a real one, sees those of an eighth of a picture and
    more, and is the surer the larger they are in it.

    A square's green is its name; its blue, how sure it can be; its red, 254 where the eyes would
    be below the mouth.
    """

    def detect(self, image: Pixels) -> Sequence[Face]:
        red = image[image[..., 0] >= 254]
        found = [self.face(image, name) for name in np.unique(red[:, 1])]
        return [face for face in found if face.box.width >= max(image.shape[:2]) / 8]

    def face(self, image: Pixels, name: int) -> Face:
        rows, columns = np.nonzero((image[..., 0] >= 254) & (image[..., 1] == name))
        left, top = int(columns.min()), int(rows.min())
        # One pixel wider, so that what a picture's edge cuts off reaches over it.
        box = Box(left - 1, top - 1, int(np.ptp(columns)) + 3, int(np.ptp(rows)) + 3)
        kind, _, sure = image[rows[0], columns[0]]
        points = UPRIGHT if kind == 255 else tuple((x, 60 - y) for x, y in UPRIGHT)
        return Face(
            box,
            float(sure) / 255 * min(1.0, 4 * box.width / max(image.shape[:2])),
            tuple((left + x * box.width / 60, top + y * box.width / 60) for x, y in points),
        )


def spotted(*spots: tuple[int, int, int, tuple[int, int, int]]) -> list[Face]:
    """The faces found in a grey photo of 1,000 x 750 px with squares (x, y, side, colour)."""
    photo = np.full((750, 1000, 3), 128, np.uint8)
    for x, y, side, colour in spots:
        photo[y : y + side, x : x + side] = colour
    return find_faces(photo, Spots())


def test_a_face_seen_in_two_looks_is_found_once_by_the_surer_look() -> None:
    (face,) = spotted((300, 300, 130, (255, 1, 250)))
    assert face.box == Box(299, 299, 132, 132)
    assert face.score == pytest.approx(250 / 255)
    assert np.allclose(face.keypoints, 300 + np.array(UPRIGHT) * 132 / 60)


def test_a_tile_gives_only_whole_sure_faces_with_their_parts_in_place() -> None:
    assert len(spotted((300, 300, 80, (255, 1, 250)))) == 1
    assert spotted((300, 300, 80, (255, 1, 150))) == []
    assert spotted((300, 300, 80, (254, 1, 250))) == []
    (face,) = spotted((320, 200, 80, (255, 1, 250)))  # a tile ends at 250
    assert face.box == Box(319, 199, 82, 82)
    across_the_photo = [(x, 300, 70, (255, x // 10, 250)) for x in range(10, 900, 90)]
    found = spotted(*across_the_photo)
    assert sorted(face.box.x for face in found) == [x - 1 for x in range(10, 900, 90)]
    assert {face.box.width for face in found} == {72}


def test_nothing_is_found_inside_a_face() -> None:
    (face,) = spotted((300, 300, 150, (255, 1, 250)), (340, 340, 40, (255, 2, 255)))
    assert face.box.width == 152
