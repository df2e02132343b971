"""The two kinds of model behind one interface; what they restore is tested with restoring."""

from dataclasses import replace

import numpy as np
import pytest

from demosaic.config.restoration import RestoreConfig
from demosaic.detection.region import filled
from demosaic.errors import DemosaicError
from demosaic.imaging.geometry import Box
from demosaic.models.model import Model
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import cell_colours
from doubles import COMPUTE, a_model, drawing_model, mosaicked, our_model

GRID = Grid.square(4)
BOTH = pytest.mark.parametrize("model", [a_model(), our_model(size=32)], ids=["seed", "default"])


@BOTH
def test_a_filled_mosaic_has_the_size_of_its_box(model: Model) -> None:
    image = mosaicked(40, 48, GRID)
    region = filled(Box(4, 8, 24, 20), GRID)
    colours = cell_colours(image[8:28, 4:28], GRID)
    made = model.fill(image, region, colours, RestoreConfig(), COMPUTE)
    assert made.shape == (3, 20, 24)
    assert made.dtype == np.float32


def test_faces_come_at_each_realism_if_there_are_two_stages() -> None:
    faces, realisms = [mosaicked(32, 32, GRID, seed) for seed in range(3)], (0.0, 0.5, 1.0)
    for model, expected in (
        (a_model(), {None}),
        (our_model(sharp=False), {None}),
        (our_model(), {0.0, 0.5, 1.0}),
    ):
        made = model.fill_faces(faces, [GRID] * 3, realisms, COMPUTE)
        assert set(made) == expected
        assert {face.shape for faces in made.values() for face in faces} == {(3, 32, 32)}


def test_faces_between_two_realisms_are_their_blend() -> None:
    faces = [mosaicked(32, 32, GRID)]
    made = our_model().fill_faces(faces, [GRID], (0.0, 0.25, 1.0), COMPUTE)
    blend = 0.75 * made[0.0][0] + 0.25 * made[1.0][0]
    assert np.allclose(made[0.25][0], blend, rtol=0, atol=1e-6)


def test_each_seed_fills_a_mosaic_in_another_way_and_always_the_same() -> None:
    image, model = mosaicked(40, 48, GRID), drawing_model(32)
    region = filled(Box(4, 8, 24, 20), GRID)
    colours = cell_colours(image[8:28, 4:28], GRID)
    one, other, again = (
        model.fill(image, region, colours, RestoreConfig(realism=0.3, seed=seed), COMPUTE)
        for seed in (1, 2, 1)
    )
    assert np.array_equal(one, again)
    assert float(np.abs(one - other).mean()) > 0.01


@pytest.mark.parametrize("model", [our_model(size=32), drawing_model(32)], ids=["old", "flow"])
def test_the_best_mean_depends_less_on_where_a_mosaic_lies(model: Model) -> None:
    """For a picture and the same picture mirrored, the results are more alike."""
    image = mosaicked(40, 48, GRID)
    region = filled(Box.whole(image), GRID)

    def difference(config: RestoreConfig) -> float:
        there, back = (
            model.fill(picture, region, cell_colours(picture, GRID), config, COMPUTE)
            for picture in (image, np.ascontiguousarray(image[:, ::-1]))
        )
        return float(np.abs(there - back[:, :, ::-1]).mean())

    usual, best = RestoreConfig(realism=0), RestoreConfig(realism=0, quality="best")
    assert 0 < difference(best) < 0.7 * difference(usual)


def test_the_best_draw_takes_more_steps() -> None:
    image, model = mosaicked(40, 48, GRID), drawing_model(32)
    region = filled(Box.whole(image), GRID)
    colours = cell_colours(image, GRID)
    usual = model.fill(image, region, colours, RestoreConfig(), COMPUTE)
    best = model.fill(image, region, colours, RestoreConfig(quality="best"), COMPUTE)
    assert float(np.abs(usual - best).mean()) > 1e-4


@pytest.mark.parametrize("model", [a_model(), our_model(size=32)], ids=["seed", "default"])
def test_without_draws_every_seed_gives_the_same(model: Model) -> None:
    made = model.draw_face(mosaicked(32, 32, GRID), GRID, [1, 2, 3], COMPUTE)
    assert made.shape == (3, 3, 32, 32)
    assert np.array_equal(made[0], made[1]) and np.array_equal(made[0], made[2])
    assert not model.draws


def test_draws_of_a_face_are_those_that_its_seeds_give_alone() -> None:
    observed, model = mosaicked(40, 40, GRID), drawing_model()
    made = model.draw_face(observed, GRID, [7, 8], COMPUTE, realism=0.5)
    assert made.shape == (2, 3, 40, 40)
    alone = model.fill_faces([observed], [GRID], [0.5], COMPUTE, seed=8)[0.5][0]
    assert np.allclose(made[1], alone, rtol=0, atol=1e-4)
    assert model.draws


def test_a_model_of_other_pictures_fills_no_mosaic() -> None:
    model = a_model(block=None)
    assert not model.undoes_mosaics
    image = mosaicked(32, 32, GRID)
    with pytest.raises(DemosaicError, match="restores whole pictures only"):
        region, colours = filled(Box.whole(image), GRID), cell_colours(image, GRID)
        model.fill(image, region, colours, RestoreConfig(), COMPUTE)


def test_only_a_model_of_other_pictures_translates() -> None:
    image = mosaicked(21, 33, GRID)
    assert a_model(block=None).translate(image, COMPUTE).shape == (21, 33, 3)
    with pytest.raises(DemosaicError, match="undoes mosaics only"):
        our_model().translate(image, COMPUTE)


def test_the_kinds_say_what_they_were_trained_on() -> None:
    model = a_model(block=6)
    assert (model.blocks, model.undoes_mosaics) == ((6, 6), True)
    ours = our_model()
    assert ours.blocks == (4, 32)
    assert not replace(ours, card=replace(ours.card, blocks=None)).undoes_mosaics
