"""Several frames of a clip that show one mosaicked face, restored together."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest

import people
from demosaic.config.clips import ClipConfig
from demosaic.config.restoration import RestoreConfig
from demosaic.detection.region import Region, filled
from demosaic.errors import DemosaicError
from demosaic.evaluation.metrics import psnr
from demosaic.imaging.arrays import Floats, Pixels
from demosaic.imaging.geometry import Box, crop, paste
from demosaic.models.noise import CELLS, is_spectrum, spectrum_of, usual_spectra
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.operators import base
from demosaic.mosaic.pixelate import cell_colours, pixelated
from demosaic.mosaic.quantise import finish
from demosaic.restoration.fusion import Moved, averaged, fused
from demosaic.restoration.motion import Motion
from demosaic.restoration.registration import Known, agreeing
from demosaic.restoration.several_frames import frames_together, made_of, seen
from demosaic.restoration.sight import Sight, sight
from demosaic.restoration.window import Face, with_faces
from doubles import COMPUTE, our_model

SIDE, BLOCK = 144, 12
BOX, GRID = Box(24, 24, 96, 96), Grid.square(BLOCK)
PATH = [0, 3 + 2j, 5 + 5j, 9 + 4j, 7 - 1j]
"""Where the face is in each frame, pixels right and down."""


@pytest.fixture(scope="module")
def face() -> Pixels:
    photo = people.photo(0, 0, 0)
    x, y, *_ = (round(side) for side in photo.faces[0].box)
    return np.ascontiguousarray(photo.image[y - 20 : y + 180, x - 20 : x + 180])


def frame(face: Pixels, shift: complex, angle: float = 0.0) -> Pixels:
    """The face, moved in a frame."""
    turn = np.exp(1j * angle)
    motion = Motion(turn, 100 * (1 + 1j) - turn * (72 * (1 + 1j) + shift))
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(face, motion.matrix(0), (SIDE, SIDE), flags=flags), np.uint8)


def hidden(picture: Pixels) -> Pixels:
    return paste(picture, pixelated(crop(picture, BOX), GRID), BOX)


def look(picture: Pixels, region: Region | None = None) -> Sight:
    """A sight with the smooth picture of the cells in place of what a network makes of them."""
    region = region or filled(BOX, GRID)
    piece = crop(picture, region.box)
    colours = cell_colours(piece, region.grid)
    smooth = base(colours, region.grid, (piece.shape[0], piece.shape[1])).transpose(1, 2, 0)
    return sight(picture, region, np.ascontiguousarray(smooth), spectrum_of(usual_spectra(), BLOCK))


def faces_of(pictures: Sequence[Pixels], size: int = 8) -> list[Face]:
    frames = [(number, picture, [picture]) for number, picture in enumerate(pictures)]
    found = [here for *_, here in with_faces(frames, lambda _, one: look(one), size)]
    return [one for here in found for one in here if one]


def shown(levels: Floats, sight: Sight) -> Pixels:
    observed = cell_colours(crop(sight.picture, BOX), GRID)
    made = np.ascontiguousarray(levels.transpose(2, 0, 1)) / np.float32(127.5) - 1
    return finish(made, observed, GRID)


def gain(face: Face, truth: Pixels) -> float:
    """dB that other frames bring to a face."""
    target = crop(truth, BOX)
    together = fused(face.sight, face.others, averaged(face.sight, face.others))
    alone = psnr(shown(face.sight.mean, face.sight), target)
    return psnr(shown(together, face.sight), target) - alone


def test_frames_of_a_moving_face_show_more_of_what_was_really_there(face: Pixels) -> None:
    truths = [frame(face, shift) for shift in PATH]
    found = faces_of([hidden(truth) for truth in truths])
    assert [len(one.others) for one in found] == [3, 4, 4, 4, 4]
    assert gain(found[2], truths[2]) > 1.5
    together = fused(found[2].sight, found[2].others, averaged(found[2].sight, found[2].others))
    again = cell_colours(shown(together, found[2].sight), GRID)
    assert np.array_equal(again, cell_colours(crop(found[2].sight.picture, BOX), GRID))


def test_the_motion_is_found_from_the_cells_alone(face: Pixels) -> None:
    angles = [0, 0.01, 0.02, 0.01, 0]
    truths = [frame(face, shift, angle) for shift, angle in zip(PATH, angles, strict=True)]
    present = faces_of([hidden(truth) for truth in truths])[2]
    there = complex(72, 72) + np.array([PATH[number] for number in (0, 1, 3, 4)])
    motions = [other.motion for other in present.others]
    found = [motion.of(one) for motion, one in zip(motions, there, strict=True)]
    assert np.abs(np.array(found) - complex(72, 72) - PATH[2]).max() < 0.5
    turns = [np.angle(motion.turn) for motion in motions]
    assert turns == pytest.approx([-0.02, -0.01, -0.01, -0.02], abs=0.02)


def test_cells_that_move_with_the_face_lose_nothing(face: Pixels) -> None:
    truth = frame(face, 0)
    found = faces_of([hidden(truth)] * 4)[1]
    assert len(found.others) == 3
    assert gain(found, truth) > -0.05


def test_another_face_behind_a_cut_is_refused(face: Pixels) -> None:
    other = np.ascontiguousarray(face[::-1, :, ::-1])
    truths = [frame(face, 0), frame(face, 3 + 2j), frame(other, 0), frame(other, 2 + 1j)]
    found = faces_of([hidden(truth) for truth in truths])
    assert [len(one.others) for one in found] == [1, 1, 1, 1]
    partners = [one.others[0].sight.picture for one in found]
    expected = [hidden(truths[number]) for number in (1, 0, 3, 2)]
    assert np.array_equal(partners, expected)


def test_cells_that_contradict_the_present_frame_count_little(face: Pixels) -> None:
    speaking = face.copy()
    speaking[130:142, 90:110] = (90, 20, 30)
    quiet, loud = look(hidden(frame(face, 0))), look(hidden(frame(speaking, 3 + 2j)))
    other = agreeing(Known(quiet, []), loud, Motion(shift=-3 - 2j))
    assert other
    places = other.motion.of(loud.places)
    mouth = (abs(places.real - 72) < 12) & (abs(places.imag - 108) < 12)
    assert other.noise[mouth].max() > 10 * np.median(other.noise)
    assert gain(Face(quiet, [other]), frame(face, 0)) > -0.05


def test_a_window_has_so_many_frames_and_one_frame_is_alone(face: Pixels) -> None:
    pictures = [hidden(frame(face, shift)) for shift in PATH]
    assert [len(one.others) for one in faces_of(pictures, 3)] == [1, 2, 2, 2, 1]
    alone = Face(look(pictures[0]), [])
    assert made_of(alone, our_model(), RestoreConfig(), COMPUTE) is None


def test_the_network_draws_from_what_all_frames_show(face: Pixels) -> None:
    model = our_model()
    config = RestoreConfig(sampler="mean")
    picture = hidden(frame(face, 0))
    first = seen(picture, filled(BOX, GRID), config, model, COMPUTE)
    assert first
    noise = np.full(len(first.places), first.noise)
    found = Face(first, [Moved(first, Motion(shift=5 + 3j), noise)])
    for realism in (0.0, 0.5):
        made = made_of(found, model, replace(config, realism=realism), COMPUTE)
        assert made is not None and made.shape == (3, 96, 96)
        assert np.isfinite(made).all()


def test_cells_that_are_no_means_are_restored_frame_by_frame(face: Pixels) -> None:
    config = RestoreConfig(sampler="top-left")
    picture = hidden(frame(face, 0))
    assert seen(picture, filled(BOX, GRID), config, our_model(), COMPUTE) is None


def test_the_number_of_frames_is_an_option_and_can_be_one() -> None:
    usual, best = RestoreConfig(), RestoreConfig(quality="best")
    assert frames_together(ClipConfig(), usual) == 8
    assert frames_together(ClipConfig(), best) == 16
    assert frames_together(ClipConfig(window=3), best) == 3
    assert frames_together(ClipConfig(frames_alone=True), usual) == 1
    with pytest.raises(DemosaicError, match="--frames-alone and --window"):
        ClipConfig(window=3, frames_alone=True)


def test_a_model_without_a_measured_spectrum_has_the_usual_one() -> None:
    spectra = usual_spectra()
    assert spectra.shape == (len(CELLS), 65)
    assert is_spectrum(spectra)
    assert spectrum_of(spectra, 16).amplitudes == pytest.approx(spectra[CELLS.index(16)].tolist())


def test_motions_are_composed_and_turned_back() -> None:
    one = Motion.about(10 + 20j, np.array([1.0, 2.0, 0.1, 0.2]))
    other = Motion(1j, 3)
    points = np.array([1 + 2j, 5 - 4j])
    assert np.allclose(one.after(other).of(points), one.of(other.of(points)))
    assert np.allclose(one.back().of(one.of(points)), points)
