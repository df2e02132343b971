"""What a network is shown, against plain loops, and the theorems of putting the cells right."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from demosaic.imaging.arrays import Doubles, Floats, Mask, Pixels, to_float
from demosaic.imaging.geometry import Box
from demosaic.models.inputs import COARSE, GUIDES, MULTIPLE, Observation, Views, observe, views
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.operators import base, cells

SMALL = 3e-5  # float32 sums of a few hundred values of the order of one


def noise(seed: int, height: int, width: int) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def ellipse(height: int, width: int, box: Box) -> Mask:
    y, x = np.mgrid[:height, :width]
    down = (y + 0.5 - box.y) / box.height * 2 - 1
    across = (x + 0.5 - box.x) / box.width * 2 - 1
    mask: Mask = down**2 + across**2 <= 1
    return mask


def within(box: Box) -> tuple[slice, slice, slice]:
    """Of planes (C, H, W), the part in a box."""
    return slice(None), slice(box.y, box.y + box.height), slice(box.x, box.x + box.width)


def tensor(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def shown(*observations: Observation) -> Views:
    return views(observations)


@st.composite
def scenes(draw: st.DrawFn, *, whole: bool = False) -> tuple[Floats, Observation]:
    """A picture, and an observation of it whose cells are exactly its own.

    The mosaic is anywhere in it; of its box all is hidden, or random pixels, or an ellipse.
    """
    height, width = draw(st.integers(4, 45)), draw(st.integers(4, 45))
    grid = Grid(*(draw(st.integers(1, 20)) for _ in range(4)))
    truth = noise(draw(st.integers(0, 10_000)), height, width)
    y, x = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
    box = Box(x, y, draw(st.integers(1, width - x)), draw(st.integers(1, height - y)))
    kind = "all" if whole else draw(st.sampled_from(["all", "some", "ellipse"]))
    masks: dict[str, Callable[[], Mask | None]] = {
        "all": lambda: None,
        "some": lambda: np.random.default_rng(1).random((height, width)) < 0.7,
        "ellipse": lambda: ellipse(height, width, box),
    }
    consistency = 1.0 if whole else draw(st.sampled_from([1.0, 1.0, 0.5]))
    observed = observe(truth, grid, box=box, hidden=masks[kind](), consistency=consistency)
    exact = cells(to_float(truth)[within(box)].astype(np.float64), grid)
    return to_float(truth), replace(observed, colours=exact.astype(np.float32))


def fitting(observed: Observation, seed: int = 0, spread: float = 1.0) -> Tensor:
    """A picture as a network might give it back for this observation alone."""
    return spread * tensor(seed, *shown(observed).seen.shape)


def cropped(restored: Tensor, observed: Observation) -> Doubles:
    """The part of a batch of one that is picture, as precise as can be."""
    height, width = observed.seen.shape[1:]
    part: Doubles = restored[0, :, :height, :width].double().numpy()
    return part


def cells_of(observed: Observation, image: Doubles) -> Doubles:
    inside = image[within(observed.box)]
    means: Doubles = observed.down.averaging @ inside @ observed.across.averaging.T
    return means


# What is seen


@pytest.mark.parametrize(
    ("box", "grid"),
    [
        (None, Grid.square(4)),
        (None, Grid(5, 7, 2, 3)),
        (Box(3, 5, 21, 13), Grid.square(4)),
        (Box(3, 5, 21, 13), Grid(6, 4, 1, 2)),
        (Box(0, 10, 40, 1), Grid.square(9)),
    ],
)
def test_base_is_seen_in_the_box_and_the_picture_elsewhere(box: Box | None, grid: Grid) -> None:
    picture = noise(0, 30, 40)
    before = picture.copy()
    observed = observe(picture, grid, box=box)
    box = box or Box(0, 0, 40, 30)
    expected = to_float(picture)
    inside = within(box)
    colours = cells(expected[inside], grid)
    expected[inside] = base(colours, grid, (box.height, box.width))
    assert np.allclose(observed.seen, expected, rtol=0, atol=SMALL)
    assert np.allclose(observed.colours, colours, rtol=0, atol=SMALL)
    mask = np.zeros((1, 30, 40))
    mask[inside] = 1
    assert np.array_equal(observed.hidden, mask)
    assert (observed.box, observed.consistency) == (box, 1)
    assert np.array_equal(picture, before)


def test_of_an_ellipse_only_its_pixels_are_replaced() -> None:
    box = Box(4, 2, 24, 26)
    hidden = ellipse(32, 32, box)
    picture = noise(1, 32, 32)
    observed = observe(picture, Grid.square(6), box=box, hidden=hidden)
    visible = ~hidden
    assert np.array_equal(observed.hidden[0], hidden)
    assert np.array_equal(observed.seen[:, visible], to_float(picture)[:, visible])
    smooth = base(observed.colours, Grid.square(6), (26, 24))
    expected = np.zeros((3, 32, 32), np.float32)
    expected[within(box)] = smooth
    assert np.allclose(observed.seen[:, hidden], expected[:, hidden], rtol=0, atol=SMALL)


def test_pixels_outside_the_box_are_never_hidden() -> None:
    observed = observe(
        noise(1, 16, 16), Grid.square(4), box=Box(4, 4, 8, 8), hidden=np.ones((16, 16), bool)
    )
    assert observed.hidden.sum() == 64


def test_colours_are_the_means_of_hidden_pixels_or_of_all_where_none_is() -> None:
    """A plain loop over the cells, which begin at 3, 2 of the box and are cut by its edges."""
    box, grid = Box(5, 3, 22, 25), Grid(7, 6, 3, 2)
    hidden = ellipse(32, 32, box)
    picture = noise(2, 32, 32)
    observed = observe(picture, grid, box=box, hidden=hidden)
    levels = to_float(picture).astype(np.float64)
    kinds = set()
    for row, (top, bottom) in enumerate([(0, 2), (2, 8), (8, 14), (14, 20), (20, 25)]):
        for column, (left, right) in enumerate([(0, 3), (3, 10), (10, 17), (17, 22)]):
            cell = (slice(3 + top, 3 + bottom), slice(5 + left, 5 + right))
            of_cell, mask = levels[:, cell[0], cell[1]], hidden[cell]
            kinds.add((bool(mask.any()), bool(mask.all())))
            mean = of_cell[:, mask if mask.any() else ~mask].mean(1)
            assert np.allclose(observed.colours[:, row, column], mean, rtol=0, atol=SMALL)
    assert observed.colours.shape == (3, 5, 4)
    assert kinds == {(False, False), (True, False), (True, True)}


# The guide


def test_the_guide_tells_the_phase_in_the_cell() -> None:
    """At the middle of each 4 x 4 pixels, from the cell's corner at 8 + 3 down, 4 + 5 across."""
    observed = observe(noise(0, 40, 32), Grid(10, 7, 5, 3), box=Box(4, 8, 24, 20))
    assert observed.guide.shape == (GUIDES, 10, 8)
    for row in range(10):
        for column in range(8):
            y, x = 4 * row + 2, 4 * column + 2
            down = 2 * np.pi * (y - 11) / 7 if 8 < y < 28 else None
            across = 2 * np.pi * (x - 9) / 10 if 4 < x < 28 else None
            expected = [
                f(a) if a is not None else 0 for a in (down, across) for f in (np.sin, np.cos)
            ]
            assert np.allclose(observed.guide[:4, row, column], expected, rtol=0, atol=1e-5)


@given(st.integers(1, 40), st.integers(0, 39), st.integers(1, 8))
def test_the_phase_comes_again_after_each_cell_and_is_nothing_outside(
    cell: int, offset: int, points: int
) -> None:
    grid = Grid(4 * points, cell, 0, offset)
    guide = observe(noise(0, 48, 64), grid, box=Box(8, 12, 40, 24)).guide
    inside = np.zeros(guide.shape[1:], bool)
    inside[3:9] = True
    assert not guide[0:2, ~inside].any()
    assert np.allclose(np.square(guide[0:2]).sum(0)[inside], 1, rtol=0, atol=1e-5)
    across = guide[2:4, 0, 2:12]
    assert not guide[2:4, :, :2].any() and not guide[2:4, :, 12:].any()
    assert np.allclose(across[:, points:], across[:, :-points], rtol=0, atol=1e-5)


def test_the_guide_tells_the_cell_size_the_place_and_the_consistency() -> None:
    guide = observe(noise(0, 32, 40), Grid(32, 4), consistency=0.25).guide
    for plane, constant in ((4, -1), (5, 1), (8, 0.25)):
        assert np.allclose(guide[plane], constant, rtol=0, atol=1e-6)
    assert np.allclose(guide[6], np.linspace(-1, 1, 8)[:, None], rtol=0, atol=1e-6)
    assert np.allclose(guide[7], np.linspace(-1, 1, 10)[None, :], rtol=0, atol=1e-6)
    assert np.allclose(observe(noise(0, 8, 8), Grid.square(16)).guide[4:6], 1 / 3, atol=1e-6)


def test_a_side_that_is_no_multiple_has_a_point_for_its_rest() -> None:
    assert observe(noise(0, 33, 30), Grid.square(4)).guide.shape == (GUIDES, 9, 8)


# Putting the cells right


@given(scenes(), st.integers(0, 1000))
def test_what_is_visible_is_the_picture_bit_for_bit(
    scene: tuple[Floats, Observation], seed: int
) -> None:
    truth, observed = scene
    after = shown(observed).reconcile(fitting(observed, seed))
    height, width = truth.shape[1:]
    visible = observed.hidden[0] == 0
    assert np.array_equal(after[0, :, :height, :width].numpy()[:, visible], truth[:, visible])


@given(scenes(), st.integers(0, 1000))
def test_wholly_hidden_cells_get_exactly_the_means_observed(
    scene: tuple[Floats, Observation], seed: int
) -> None:
    _, observed = scene
    observed = replace(observed, consistency=1.0)
    after = cropped(shown(observed).reconcile(fitting(observed, seed)), observed)
    hidden = cells_of(observed, observed.hidden.astype(np.float64))[0] > 1 - 1e-6
    means = cells_of(observed, after)
    assert np.allclose(means[:, hidden], observed.colours[:, hidden], rtol=0, atol=SMALL)


@given(scenes(whole=True), st.integers(0, 1000))
def test_reconciling_again_changes_nothing(scene: tuple[Floats, Observation], seed: int) -> None:
    _, observed = scene
    batch = shown(observed)
    once = batch.reconcile(fitting(observed, seed))
    assert np.allclose(batch.reconcile(once), once, rtol=0, atol=SMALL)


@given(scenes(whole=True), st.integers(0, 1000))
def test_what_the_cells_lack_is_added_as_a_smooth_image(
    scene: tuple[Floats, Observation], seed: int
) -> None:
    """The nearest image that agrees would have whole cells moved, and their edges drawn."""
    _, observed = scene
    box = observed.box
    place = (..., slice(box.y, box.y + box.height), slice(box.x, box.x + box.width))
    guess = fitting(observed, seed)
    inside = cropped(guess, observed)[place]
    means = observed.down.averaging @ inside @ observed.across.averaging.T
    lacking = observed.colours - means
    smooth = observed.down.smoothing @ lacking @ observed.across.smoothing.T
    after = cropped(shown(observed).reconcile(guess), observed)[place]
    assert np.allclose(after, inside + smooth, rtol=0, atol=SMALL)


@given(scenes(whole=True), st.integers(0, 1000))
def test_the_truth_itself_stays_as_it_is(scene: tuple[Floats, Observation], seed: int) -> None:
    truth, observed = scene
    height, width = truth.shape[1:]
    guess = fitting(observed, seed)
    guess[0, :, :height, :width] = torch.from_numpy(truth)
    after = cropped(shown(observed).reconcile(guess), observed)
    assert np.allclose(after, truth, rtol=0, atol=SMALL)


@pytest.mark.parametrize("consistency", [0.0, 0.25, 1.0])
def test_the_pull_is_as_strong_as_the_consistency(consistency: float) -> None:
    picture = noise(3, 32, 32)
    observed = observe(picture, Grid.square(8), consistency=consistency)
    guess = fitting(observed)
    after = shown(observed).reconcile(guess)
    before, wanted = cells_of(observed, cropped(guess, observed)), observed.colours
    means = cells_of(observed, cropped(after, observed))
    assert np.allclose(means - before, consistency * (wanted - before), rtol=0, atol=SMALL)
    if not consistency:
        assert torch.equal(after, guess)


def test_gradients_reach_only_what_is_hidden() -> None:
    box = Box(4, 4, 20, 20)
    hidden = ellipse(32, 32, box)
    batch = shown(observe(noise(0, 32, 32), Grid.square(5), box=box, hidden=hidden))
    guess = tensor(0, 1, 3, 32, 32).requires_grad_()
    batch.reconcile(guess).square().sum().backward()  # type: ignore[no-untyped-call]
    assert guess.grad is not None
    assert np.array_equal((guess.grad[0].abs() > 0).any(0).numpy(), hidden)


# Batches


SINGLES = [
    observe(noise(0, 40, 30), Grid(5, 7, 2, 3)),
    observe(
        noise(1, 64, 64),
        Grid.square(4),
        box=Box(7, 9, 31, 40),
        hidden=ellipse(64, 64, Box(7, 9, 31, 40)),
    ),
    observe(noise(2, 33, 96), Grid.square(24), consistency=0.5),
    observe(noise(3, 5, 3), Grid.square(2), box=Box(1, 1, 2, 3)),
]


def test_a_batch_has_the_sides_of_the_largest_as_multiples() -> None:
    batch = views(SINGLES)
    assert batch.seen.shape == (4, 3, 64, 96)
    assert batch.hidden.shape == (4, 1, 64, 96)
    assert batch.guide.shape == (4, GUIDES, 64 // COARSE, 96 // COARSE)
    assert views(SINGLES[:1]).seen.shape == (1, 3, 64, 32)
    assert 64 % MULTIPLE == 96 % MULTIPLE == 0
    assert {value.dtype for value in vars(batch).values()} == {torch.float32}


@pytest.mark.parametrize("number", range(len(SINGLES)))
def test_in_a_batch_of_many_sizes_each_is_as_it_is_alone(number: int) -> None:
    observed = SINGLES[number]
    height, width = observed.seen.shape[1:]
    batch, alone = views(SINGLES), views([observed])
    for name, across in (("seen", 1), ("hidden", 1), ("guide", COARSE)):
        own = getattr(observed, name)
        rows, columns = -(-height // across), -(-width // across)
        for several in (getattr(batch, name)[number], getattr(alone, name)[0]):
            assert np.array_equal(several[:, :rows, :columns].numpy(), own)
    guess = tensor(number, 4, 3, 64, 96)
    side_by_side = batch.reconcile(guess)[number, :, :height, :width]
    expected = alone.reconcile(guess[[number], :, : alone.seen.shape[2], : alone.seen.shape[3]])
    torch.testing.assert_close(side_by_side, expected[0, :, :height, :width], rtol=0, atol=SMALL)


def test_a_smaller_picture_is_filled_up_with_its_edge() -> None:
    batch = views(SINGLES)
    assert torch.equal(batch.seen[0, :, :40, 30:], batch.seen[0, :, :40, 29:30].expand(3, 40, 66))
    assert torch.equal(batch.seen[0, :, 40:], batch.seen[0, :, 39:40].expand(3, 24, 96))


def test_what_fills_up_a_picture_is_left_alone_by_the_cells() -> None:
    batch = views(SINGLES[:1])
    guess = tensor(0, 1, 3, 64, 32)
    after = batch.reconcile(guess)
    assert torch.equal(after[:, :, 40:], guess[:, :, 40:])
    assert torch.equal(after[:, :, :, 30:], guess[:, :, :, 30:])
    assert not torch.equal(after[:, :, :40, :30], guess[:, :, :40, :30])


def test_every_tensor_is_handed_on() -> None:
    batch = views(SINGLES[:2])
    doubled = batch.each(lambda value: value.double())
    for name, value in vars(batch).items():
        found = getattr(doubled, name)
        assert found.dtype == torch.float64
        assert torch.equal(found, value.double())


@pytest.mark.parametrize("which", [slice(2), slice(1, None), slice(0, 4)])
def test_a_part_of_a_batch_is_those_of_it(which: slice) -> None:
    part, batch = views(SINGLES).part(which), views(SINGLES)
    for name, value in vars(batch).items():
        assert torch.equal(getattr(part, name), value[which])
