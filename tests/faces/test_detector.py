"""Faces are found where they were drawn, quietly and offline."""

import subprocess
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import people
from demosaic.errors import PROBLEM, DemosaicError
from demosaic.faces import short_range
from demosaic.faces.detector import Face, FaceDetector
from demosaic.faces.engines import make_detector
from demosaic.faces.short_range import ShortRangeDetector
from demosaic.imaging.arrays import Pixels, resize
from demosaic.imaging.decoding import read_image

PHOTOS = Path(__file__).parents[3] / "shared" / "photos"

needs_mediapipe = pytest.mark.skipif(
    find_spec("mediapipe") is None, reason="needs the extra mediapipe"
)
ENGINES = ["opencv", pytest.param("mediapipe", marks=needs_mediapipe)]


@pytest.fixture(scope="module", params=ENGINES)
def detector(request: pytest.FixtureRequest) -> FaceDetector:
    return make_detector(request.param)


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


def test_a_drawn_face_is_found_in_its_box(detector: FaceDetector) -> None:
    photo = people.photo(0, 0, 0)
    (face,) = detector.detect(photo.image)
    assert near(face, photo.faces[0], 0.25)
    assert 0.5 < face.score <= 1


def test_the_keypoints_are_where_they_were_drawn(detector: FaceDetector) -> None:
    photo = people.photo(0, 0, 0)
    (face,) = detector.detect(photo.image)
    drawn = photo.faces[0]
    assert len(face.keypoints) == 6
    for (x, y), (true_x, true_y) in zip(face.keypoints[:4], drawn.keypoints[:4], strict=True):
        assert np.hypot(x - true_x, y - true_y) < 0.12 * drawn.box[2]
    assert face.keypoints[0][0] < face.keypoints[1][0]  # the person's right is on our left


def test_both_faces_of_a_photo_are_found_the_most_certain_first(
    detector: FaceDetector,
) -> None:
    photo = two_people()
    first, second = detector.detect(photo.image)
    assert first.score >= second.score
    for drawn in photo.faces:
        assert near(first, drawn, 0.3) or near(second, drawn, 0.3)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_an_empty_picture_has_no_faces(level: int, detector: FaceDetector) -> None:
    assert detector.detect(np.full((300, 400, 3), level, np.uint8)) == []


def test_noise_of_any_size_has_no_faces(detector: FaceDetector) -> None:
    for shape in ((1, 1, 3), (17, 300, 3), (301, 7, 3)):
        image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        assert detector.detect(image) == []


def test_a_view_is_seen_like_its_copy(detector: FaceDetector) -> None:
    image = people.photo(0, 0, 0).image
    mirrored = image[:, ::-1]
    assert detector.detect(mirrored) == detector.detect(mirrored.copy())
    assert len(detector.detect(mirrored)) == 1


def test_a_higher_bar_leaves_the_less_certain_out() -> None:
    photo = two_people()
    scores = [face.score for face in ShortRangeDetector(0.5).detect(photo.image)]
    between = (scores[0] + scores[1]) / 2
    assert [face.score for face in ShortRangeDetector(between).detect(photo.image)] == scores[:1]


@pytest.mark.parametrize(
    ("package", "problem"),
    [
        (None, "mediapipe is not installed: leave --detector out, which finds the same faces, or "),
        (ModuleSpec("mediapipe", None, is_package=True), "carries no face model: leave --detector"),
    ],
)
def test_a_mediapipe_that_cannot_detect_is_refused_with_the_way_out(
    package: ModuleSpec | None, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: package)
    with pytest.raises(DemosaicError) as caught:
        make_detector("mediapipe")
    assert problem in str(caught.value)
    assert "pip install '" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == PROBLEM


def test_a_missing_network_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone.onnx"
    monkeypatch.setattr(short_range, "NETWORK", gone)
    with pytest.raises(DemosaicError, match=rf"cannot read {gone} .*: install demosaic again"):
        make_detector()


# The two engines


def turned(image: Pixels) -> Iterator[Pixels]:
    """The picture in its four turns."""
    return (np.ascontiguousarray(np.rot90(image, turns)) for turns in range(4))


def assert_same(image: Pixels, one: FaceDetector, other: FaceDetector) -> int:
    """Both find the same faces in a picture; how many."""
    ours, theirs = one.detect(image), other.detect(image)
    assert [face.box for face in ours] == [face.box for face in theirs]
    for our, their in zip(ours, theirs, strict=True):
        assert our.score == pytest.approx(their.score, abs=1e-5)
        assert np.abs(np.subtract(our.keypoints, their.keypoints)).max() < 0.01  # px
    return len(ours)


@needs_mediapipe
def test_both_engines_find_the_same_faces_of_drawn_people() -> None:
    engines = make_detector("opencv"), make_detector("mediapipe")
    found = 0
    for number in range(6):
        image = people.photo(0, number, 0).image
        height, width = image.shape[:2]
        for share in (1, 0.61, 0.3):
            small = resize(image, round(width * share), round(height * share))
            found += sum(assert_same(view, *engines) for view in turned(small))
    assert found > 50


@needs_mediapipe
@pytest.mark.skipif(not PHOTOS.is_dir(), reason="needs photos of real people beside the checkout")
def test_both_engines_find_the_same_faces_of_real_people() -> None:
    engines = make_detector("opencv"), make_detector("mediapipe")
    photos = sorted(PHOTOS.rglob("*.jpg"))[::60]
    found = sum(assert_same(view, *engines) for path in photos for view in turned(read_image(path)))
    assert found > len(photos)


@needs_mediapipe
def test_the_network_is_made_from_mediapipes_own_file(tmp_path: Path) -> None:
    pytest.importorskip("tflite")
    script = Path(__file__).parents[2] / "tools" / "convert_face_model.py"
    made = tmp_path / "made.onnx"
    subprocess.run([sys.executable, script, made], capture_output=True, check=True)
    assert made.read_bytes() == short_range.NETWORK.read_bytes()


# Quiet and offline

QUIET = """
import sys
import people
from demosaic.faces.engines import make_detector
print(len(make_detector(sys.argv[1]).detect(people.photo(0, 0, 0).image)))
"""


@pytest.mark.parametrize("engine", ENGINES)
def test_a_detector_writes_nothing_to_the_screen(engine: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", QUIET, engine],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(people.__file__).parent,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "1\n", "")
