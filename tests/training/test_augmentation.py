"""Faces pixelated at random: every way occurs, within its range, and is described truly."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from demosaic.config.rules import Sampler
from demosaic.imaging.arrays import Pixels, to_float
from demosaic.imaging.geometry import Box
from demosaic.models.inputs import Observation
from demosaic.mosaic.pixelate import sample
from demosaic.training.augmentation import (
    BLOCKS,
    DEGRADATION,
    DegradationConfig,
    Example,
    draw_example,
    draw_grid,
    draw_region,
    pixelate_at_random,
    vary,
)

SIDE = 64


def wave(seed: int = 0, side: int = SIDE) -> Pixels:
    """Soft waves with some texture."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] / side
    a, b, c = rng.uniform(2, 9, (3, 3, 1, 1))
    planes = np.sin(a * x + b) * np.cos(c * y)
    picture = 127 + 100 * planes + rng.normal(0, 8, planes.shape)
    return np.ascontiguousarray(np.clip(picture, 0, 255).astype(np.uint8).transpose(1, 2, 0))


def example(
    seed: int, face: Pixels | None = None, config: DegradationConfig = DEGRADATION
) -> Example:
    return draw_example(
        wave() if face is None else face, np.random.default_rng(seed), config=config
    )


def undamaged(sampler: Sampler = "mean") -> DegradationConfig:
    """Neither JPEG nor resizing, one sampler; of any shape."""
    return DegradationConfig(plain=0.0, jpeg=0.0, resized=0.0, samplers={sampler: 1.0})


STILL = DegradationConfig(turn=0.0, scale=0.0, shift=0.0, gain=0.0, offset=0.0)
"""Neither turn, scale, shift, nor other light: at most the mirror."""


@pytest.fixture(scope="module")
def many() -> list[Observation]:
    """Observations of one picture, drawn three hundred times."""
    return [pixelate_at_random(wave(), np.random.default_rng(seed)) for seed in range(300)]


def sides(observed: Observation) -> set[int]:
    """The sides of the whole cells of an observation, height and width."""
    counts = [(axis.averaging > 0).sum(1) for axis in (observed.down, observed.across)]
    return {int(count[1]) for count in counts if len(count) > 2}


# The same again


@pytest.mark.parametrize("seed", range(5))
def test_the_same_random_numbers_draw_the_same_example(seed: int) -> None:
    first, again, other = example(seed), example(seed), example(seed + 100)
    assert np.array_equal(first.target, again.target)
    for name in ("seen", "hidden", "guide", "colours", "box", "consistency"):
        assert np.array_equal(getattr(first.observation, name), getattr(again.observation, name)), (
            name
        )
    assert not np.array_equal(first.target, other.target)


def test_the_face_given_is_left_as_it_is() -> None:
    face = wave()
    before = face.copy()
    for seed in range(20):
        example(seed, face)
    assert np.array_equal(face, before)


def test_pixelating_leaves_the_target_as_it_is() -> None:
    target = wave()
    before = target.copy()
    for seed in range(40):
        pixelate_at_random(target, np.random.default_rng(seed))
    assert np.array_equal(target, before)


# Variety


def test_every_observation_is_of_the_whole_picture_and_in_range(many: list[Observation]) -> None:
    for observed in many:
        assert observed.seen.shape == (3, SIDE, SIDE)
        assert observed.seen.dtype == np.float32
        assert np.abs(observed.colours).max() <= 1
        assert np.isfinite(observed.seen).all()
        assert set(np.unique(observed.hidden)) <= {0, 1}


def test_the_box_is_inside_holds_all_that_is_hidden_and_lies_about_the_middle(
    many: list[Observation],
) -> None:
    for observed in many:
        box = observed.box
        assert box.inside(wave())
        assert min(box.width, box.height) >= SIDE * 3 // 8
        inside = observed.hidden[0, box.y : box.y + box.height, box.x : box.x + box.width]
        assert inside.sum() == observed.hidden.sum() > 0
        for start, length in ((box.x, box.width), (box.y, box.height)):
            assert abs(start + length / 2 - SIDE / 2) <= 0.15 * SIDE + 1


def test_every_block_drawn_is_within_the_range_and_both_ends_come() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_grid(rng, BLOCKS) for _ in range(3000)]
    widths, heights = {grid.width for grid in drawn}, {grid.height for grid in drawn}
    assert widths == {*range(BLOCKS[0], BLOCKS[1] + 1)}
    assert heights <= widths
    assert {BLOCKS[0], BLOCKS[1]} <= heights
    square = np.mean([grid.width == grid.height for grid in drawn])
    assert 0.65 < square < 0.85
    assert 0.45 < np.mean([(grid.left, grid.top) == (0, 0) for grid in drawn]) < 0.6
    assert all(0.62 * grid.width - 1 < grid.height < 1.61 * grid.width for grid in drawn)
    small = np.mean([grid.width < 12 for grid in drawn])
    assert 0.4 < small < 0.6  # as many below the geometric middle as above


def test_whole_pictures_boxes_and_ellipses_all_come(many: list[Observation]) -> None:
    def kind(observed: Observation) -> str:
        if observed.hidden.all():
            return "whole"
        filled = observed.hidden.sum() / (observed.box.width * observed.box.height)
        if filled == 1:
            return "box"
        assert abs(filled - np.pi / 4) < 0.07
        return "ellipse"

    kinds = [kind(observed) for observed in many]
    shares = {name: kinds.count(name) / len(kinds) for name in sorted(set(kinds))}
    rest = 0.55  # that are not plain
    expected = {"whole": 0.45 + rest / 2, "box": rest / 4, "ellipse": rest / 4}
    assert shares == pytest.approx(expected, abs=0.06)


def test_an_ellipse_hides_the_middle_of_its_box_and_not_its_corners() -> None:
    config = DegradationConfig(whole=0.0, boxes=0.0)
    for seed in range(20):
        box, hidden = draw_region(SIDE, np.random.default_rng(seed), config)
        inside = hidden[box.y : box.y + box.height, box.x : box.x + box.width]
        assert inside.sum() == hidden.sum()
        assert inside[box.height // 2, box.width // 2]
        assert not inside[[0, 0, -1, -1], [0, -1, 0, -1]].any()
        assert inside[box.height // 2, [1, -2]].all() and inside[[1, -2], box.width // 2].all()


def test_not_every_mosaic_is_trusted_and_most_are(many: list[Observation]) -> None:
    trusted = np.mean([observed.consistency for observed in many])
    assert {observed.consistency for observed in many} == {0.0, 1.0}
    assert trusted == pytest.approx(1 - 0.55 * 0.3 * 0.6, abs=0.04)


def test_a_top_left_pixel_is_always_treated_as_a_mean() -> None:
    config = replace(undamaged("top-left"), trusted=0.0)
    drawn = [pixelate_at_random(wave(), np.random.default_rng(seed), config) for seed in range(20)]
    assert {observed.consistency for observed in drawn} == {1.0}


def test_half_of_all_mosaics_are_plain_and_are_undamaged(many: list[Observation]) -> None:
    target = to_float(wave())

    def is_plain(observed: Observation) -> bool:
        if not observed.hidden.all():
            return False
        means = observed.down.averaging @ target @ observed.across.averaging.T
        return bool(np.abs(observed.colours - means).max() <= 0.5 / 127.5 + 1e-5)

    assert 0.4 < np.mean([is_plain(observed) for observed in many]) < 0.55


def test_easy_examples_are_plain_mosaics_of_middling_cells() -> None:
    for seed in range(40):
        drawn = draw_example(wave(), np.random.default_rng(seed), easy=1.0)
        observed = drawn.observation
        assert sides(observed) <= {*range(8, 21)}
        assert observed.hidden.all()
        means = observed.down.averaging @ to_float(drawn.target) @ observed.across.averaging.T
        assert np.abs(observed.colours - means).max() <= 0.5 / 127.5 + 1e-5


# What a mosaic is made of


def test_a_plain_mosaic_of_means_has_the_cells_of_its_target() -> None:
    for seed in range(60):
        drawn = example(seed, config=undamaged())
        observed, box = drawn.observation, drawn.observation.box
        levels = to_float(drawn.target)[
            :, box.y : box.y + box.height, box.x : box.x + box.width
        ].astype(np.float64)
        means = observed.down.averaging @ levels @ observed.across.averaging.T
        mask = observed.hidden[0, box.y : box.y + box.height, box.x : box.x + box.width]
        touched = (observed.down.averaging @ mask @ observed.across.averaging.T) > 0
        assert np.abs(observed.colours - means)[:, touched].max() <= 0.5 / 127.5 + 1e-5
        assert observed.consistency == 1
        visible = observed.hidden[0] == 0
        assert np.array_equal(observed.seen[:, visible], to_float(drawn.target)[:, visible])


def test_a_jpeg_damages_the_whole_picture_but_not_the_target() -> None:
    config = DegradationConfig(
        plain=0.0, jpeg=1.0, resized=0.0, qualities=(40, 40), whole=0.0, boxes=1.0
    )
    drawn = example(0, config=config)
    visible = drawn.observation.hidden[0] == 0
    difference = np.abs(drawn.observation.seen - to_float(drawn.target))[:, visible] * 127.5
    assert 1 < difference.mean() < 20
    assert difference.max() < 128


def test_a_resized_mosaic_has_nearly_the_same_cells() -> None:
    config = replace(undamaged(), whole=1.0)
    before, after = (
        [pixelate_at_random(wave(), np.random.default_rng(seed), one) for seed in range(20)]
        for one in (config, replace(config, resized=1.0))
    )
    for sharp, blurred in zip(before, after, strict=True):
        assert sharp.colours.shape == blurred.colours.shape
        assert np.abs(sharp.colours - blurred.colours).mean() * 127.5 < 6
    assert any(not np.array_equal(a.colours, b.colours) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("sampler", ["mean", "centre", "top-left", "linear"])
def test_the_sampler_drawn_is_the_one_the_mosaic_is_made_with(sampler: Sampler) -> None:
    config = replace(undamaged(sampler), whole=1.0)
    seed = 5
    observed = pixelate_at_random(wave(), np.random.default_rng(seed), config)
    rng = np.random.default_rng(seed)
    grid = draw_grid(rng, BLOCKS)
    expected = sample(wave(), grid, sampler) / 127.5 - 1
    assert np.allclose(observed.colours, expected, rtol=0, atol=1e-5)
    assert sides(observed) <= {grid.width, grid.height}


# What is done to the face


def test_a_face_is_mirrored_half_of_the_time() -> None:
    face = wave()
    mirrored = 0
    for seed in range(200):
        varied = vary(face, np.random.default_rng(seed), STILL)
        if np.array_equal(varied, face[:, ::-1]):
            mirrored += 1
        else:
            assert np.array_equal(varied, face)
    assert 80 <= mirrored <= 120


def spot(x: int, y: int) -> Pixels:
    """A bright spot on grey, at x, y from the middle."""
    face = np.full((SIDE, SIDE, 3), 90, np.uint8)
    face[SIDE // 2 + y - 2 : SIDE // 2 + y + 2, SIDE // 2 + x - 2 : SIDE // 2 + x + 2] = 190
    return face


def place(face: Pixels) -> NDArray[np.float64]:
    """Where the spot is, x and y from the middle."""
    weight = face[:, :, 0].astype(float)
    weight -= np.median(weight)
    weight[np.abs(weight) < 20] = 0
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5 - SIDE / 2
    total = weight.sum()
    found: NDArray[np.float64] = np.array([(x * weight).sum(), (y * weight).sum()]) / total
    return found


def test_a_face_is_turned_and_scaled_about_its_middle_within_limits() -> None:
    config = DegradationConfig(shift=0.0)
    turns, scales = [], []
    for seed in range(150):
        x, y = place(vary(spot(0, 20), np.random.default_rng(seed), config))
        turns.append(np.degrees(np.arctan2(x, y)))
        scales.append(np.hypot(x, y) / 20)
    assert max(turns) <= 5.6 and min(turns) >= -5.6
    assert max(turns) > 3.5 and min(turns) < -3.5
    assert max(scales) <= np.exp(0.08) * 1.02 and min(scales) >= np.exp(-0.08) * 0.98
    assert max(scales) > 1.05 and min(scales) < 0.95


def test_a_face_is_shifted_either_way_within_limits() -> None:
    config = DegradationConfig(turn=0.0, scale=0.0)
    rngs = map(np.random.default_rng, range(100))
    places = np.array([place(vary(spot(0, 0), rng, config)) for rng in rngs])
    assert np.abs(places).max() <= 0.04 * SIDE + 0.3
    assert places.max() > 0.027 * SIDE and places.min() < -0.027 * SIDE
    assert abs(np.corrcoef(places.T)[0, 1]) < 0.3


def test_the_light_changes_by_a_gain_and_an_offset_for_all_colours_alike() -> None:
    config = DegradationConfig(turn=0.0, scale=0.0, shift=0.0)
    face = np.full((8, 8, 3), (60, 120, 180), np.uint8)
    gains, offsets = [], []
    for seed in range(100):
        low, middle, high = vary(face, np.random.default_rng(seed), config)[0, 0].astype(float)
        assert abs(low - 2 * middle + high) <= 2
        gains.append((high - low) / 120)
        offsets.append(low - 60 * gains[-1])
    assert 0.84 <= min(gains) < 0.92 and 1.08 < max(gains) <= 1.16
    assert -13 <= min(offsets) < -8 and 8 < max(offsets) <= 13


def test_light_is_cut_at_black_and_white_and_never_wraps() -> None:
    for level in (0, 255):
        for seed in range(30):
            lit = vary(np.full((8, 8, 3), level, np.uint8), np.random.default_rng(seed))
            assert np.abs(lit.astype(int) - level).max() <= 52


def test_no_black_border_comes_into_the_face() -> None:
    face = np.full((SIDE, SIDE, 3), 128, np.uint8)
    for seed in range(30):
        varied = vary(face, np.random.default_rng(seed))
        assert np.ptp(varied) == 0
        assert varied.shape == face.shape
        assert varied.dtype == np.uint8


@pytest.mark.parametrize("side", [32, 33, 50])
def test_a_picture_of_any_size_is_drawn_from(side: int) -> None:
    for seed in range(20):
        drawn = example(seed, wave(side=side))
        assert drawn.target.shape == (side, side, 3)
        assert drawn.observation.seen.shape == (3, side, side)


def test_a_box_given_whole_is_the_picture() -> None:
    whole = [
        observed.box
        for seed in range(40)
        if (observed := pixelate_at_random(wave(), np.random.default_rng(seed))).hidden.all()
    ]
    assert set(whole) == {Box(0, 0, SIDE, SIDE)}
