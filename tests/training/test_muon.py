"""Steps of the same length in every direction, whatever the gradients."""

import copy
import io

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from demosaic.training.muon import Muon, orthogonal

SHAPES = [(8, 8, 3, 3), (4, 16, 3, 3), (32, 4, 1, 1), (16, 4, 3, 3), (4, 8, 1, 1), (8, 8, 3, 3)]


def random(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def filters(seed: int = 0) -> list[nn.Parameter]:
    return [nn.Parameter(random(seed + n, *shape)) for n, shape in enumerate(SHAPES)]


def take_steps(muon: Muon, weights: list[nn.Parameter], first: int, last: int) -> None:
    """Steps along gradients that are the same for the same number."""
    for step in range(first, last):
        for number, weight in enumerate(weights):
            gradient = random(1000 * step + number, *weight.shape)
            weight.grad = torch.empty_like(weight).copy_(gradient)
        muon.step()


def singular(matrix: Tensor) -> Tensor:
    values: Tensor = torch.linalg.svdvals(matrix.double())
    return values


# Orthogonal matrices


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(0, 10_000),
    st.sampled_from([1e-4, 1.0, 1e4]),
)
def test_singular_values_end_near_one_whatever_the_shape_and_scale(
    rows: int, columns: int, seed: int, scale: float
) -> None:
    # Gaussian with a good condition: five rounds do not lift what is near zero
    matrix = torch.linalg.qr(random(seed, max(rows, columns), min(rows, columns)))[0]
    spread = torch.linspace(0.3, 1, min(rows, columns))
    mixed = matrix * spread @ torch.linalg.qr(random(seed + 1, len(spread), len(spread)))[0]
    wide = scale * (mixed if rows > columns else mixed.mT)
    found = orthogonal(wide)
    assert found.shape == (rows, columns)
    assert found.dtype == torch.float32
    values = singular(found)
    assert float(values.min()) > 0.6 and float(values.max()) < 1.3


def test_the_directions_are_those_of_the_nearest_orthogonal_matrix() -> None:
    for shape in ((12, 30), (30, 12), (16, 16)):
        matrix = random(3, *shape)
        left, _, right = torch.linalg.svd(matrix, full_matrices=False)
        found = left.mT @ orthogonal(matrix) @ right.mT
        off = found - torch.diag(found.diagonal())
        assert float(off.abs().max()) < 1e-3
        assert float(found.diagonal().min()) > 0


def test_a_tall_matrix_is_the_transpose_of_the_wide_one() -> None:
    matrix = random(0, 10, 25)
    torch.testing.assert_close(orthogonal(matrix.mT), orthogonal(matrix).mT)


def test_the_scale_does_not_matter_and_the_sign_does() -> None:
    matrix = random(0, 10, 25)
    torch.testing.assert_close(orthogonal(1000 * matrix), orthogonal(matrix), rtol=0, atol=1e-4)
    torch.testing.assert_close(orthogonal(-matrix), -orthogonal(matrix))


def test_several_matrices_at_once_come_out_as_each_alone() -> None:
    """Also where one is nearly nothing beside the next, or of low rank."""
    matrices = random(0, 3, 12, 30)
    matrices[1] *= 1e-6
    matrices[2, 4:] = matrices[2, :8].clone()
    together = orthogonal(matrices)
    alone = torch.stack([orthogonal(matrix) for matrix in matrices])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-4)
    largest = [float(singular(matrix).max()) for matrix in together]
    assert all(0.6 < value < 1.3 for value in largest)


def test_nothing_comes_of_nothing() -> None:
    assert not orthogonal(torch.zeros(4, 9)).any()


# Steps


def test_the_first_step_goes_down_the_gradient_equally_far_in_every_direction() -> None:
    """And further for a filter with more outputs than inputs."""
    lr = 0.02
    for shape in SHAPES:
        weight = nn.Parameter(torch.zeros(shape))
        weight.grad = random(5, *shape)
        Muon([weight], lr).step()
        step = weight.detach().flatten(1)
        ratio = max(1.0, shape[0] / (shape[1] * shape[2] * shape[3])) ** 0.5
        left, _, right = torch.linalg.svd(weight.grad.flatten(1), full_matrices=False)
        along = (left.mT @ step @ right.mT).diagonal() / (lr * ratio)
        assert float(along.min()) > -1.4 and float(along.max()) < -0.5
        assert float((along + 1).abs().mean()) < 0.25


def test_momentum_is_nesterov_s() -> None:
    """Two steps by hand, of the nearest orthogonal matrix to what Nesterov looks ahead to."""
    weight = nn.Parameter(random(0, 6, 4, 3, 3))
    muon = Muon([weight], 0.1)
    expected, momentum = weight.detach().clone(), torch.zeros(6, 4, 3, 3)
    for step in (1, 2):
        gradient = random(step, 6, 4, 3, 3)
        weight.grad = gradient.clone()
        muon.step()
        momentum = 0.9 * momentum + 0.1 * gradient
        ahead = 0.1 * gradient + 0.9 * momentum
        flat = orthogonal(ahead.permute(0, 2, 3, 1).flatten(1))
        turned = flat.reshape(6, 3, 3, 4).permute(0, 3, 1, 2)
        expected = expected * (1 - 0.1 * 0.1) - 0.1 * turned
        torch.testing.assert_close(weight.detach(), expected, rtol=0, atol=1e-5)


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="this torch has no Muon of its own")
@pytest.mark.parametrize("shape", [(16, 16), (8, 24), (40, 10)], ids=str)
def test_on_matrices_it_takes_the_steps_of_torch_s_own(shape: tuple[int, int]) -> None:
    """Except for rounding: torch's own iterates in bfloat16."""
    ours = nn.Parameter(random(0, *shape, 1, 1))
    theirs = nn.Parameter(ours.detach()[:, :, 0, 0].clone())
    muon = Muon([ours], 0.02)
    reference = torch.optim.Muon([theirs], lr=0.02, momentum=0.9, weight_decay=0.1)
    for step in range(1, 6):
        before = ours.detach()[:, :, 0, 0].clone()
        theirs.data.copy_(before)  # or roundings would add up
        ours.grad, theirs.grad = random(step, *shape, 1, 1), random(step, *shape)
        muon.step()
        reference.step()  # type: ignore[no-untyped-call]
        taken, expected = ours.detach()[:, :, 0, 0] - before, theirs.detach() - before
        assert float((taken - expected).norm()) < 0.02 * float(expected.norm())


@pytest.mark.parametrize("size", [0.0, 5.0])
def test_filters_never_grow_beyond_ten_times_an_orthogonal_matrix(size: float) -> None:
    """Pulled the same way for ever, whatever they began as."""
    weight = nn.Parameter(size * random(0, 8, 4, 3, 3))
    muon = Muon([weight], 0.1)
    weight.grad = random(1, 8, 4, 3, 3)
    for _ in range(600):
        muon.step()
    largest = float(singular(weight.detach().flatten(1)).max())
    assert 6.5 < largest < 10 * 1.25


def test_the_rate_in_the_group_is_the_one_taken() -> None:
    weight = nn.Parameter(torch.zeros(8, 8, 1, 1))
    muon = Muon([weight], 0.5)
    muon.param_groups[0]["lr"] = 0.0
    take_steps(muon, [weight], 0, 1)
    assert not weight.any()


def test_weights_without_gradients_to_speak_of_decay() -> None:
    weight = nn.Parameter(random(0, 8, 8, 3, 3))
    before = weight.detach().clone()
    weight.grad = torch.zeros_like(weight)
    Muon([weight], 0.5).step()
    torch.testing.assert_close(weight.detach(), before * (1 - 0.5 * 0.1))


def test_a_weight_steps_alike_however_it_lies_in_memory() -> None:
    rows = filters()
    last = [nn.Parameter(w.detach().to(memory_format=torch.channels_last)) for w in filters()]
    assert any(not weight.is_contiguous() for weight in last)
    for weights in (rows, last):
        take_steps(Muon(weights, 0.02), weights, 0, 4)
    for one, other in zip(rows, last, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-6)
        assert other.is_contiguous(memory_format=torch.channels_last)


def test_a_step_changes_neither_gradients_nor_where_weights_lie() -> None:
    weights = filters()
    places = [weight.data_ptr() for weight in weights]
    muon = Muon(weights, 0.02)
    take_steps(muon, weights, 0, 1)
    for number, weight in enumerate(weights):
        assert weight.grad is not None
        assert torch.equal(weight.grad, random(number, *weight.shape))
    assert [weight.data_ptr() for weight in weights] == places


def test_each_filter_steps_by_its_own_gradient_alone() -> None:
    together, alone = filters(), filters()
    take_steps(Muon(together, 0.02), together, 0, 3)
    for number, weight in enumerate(alone):
        muon = Muon([weight], 0.02)
        for step in range(3):
            weight.grad = random(1000 * step + number, *weight.shape)
            muon.step()
        torch.testing.assert_close(weight, together[number], rtol=0, atol=1e-5)


@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last])
def test_a_state_saved_and_loaded_goes_on_identically(memory: torch.memory_format) -> None:
    def fresh() -> list[nn.Parameter]:
        return [nn.Parameter(w.detach().to(memory_format=memory)) for w in filters()]

    straight, stopped, resumed = fresh(), fresh(), fresh()
    take_steps(Muon(straight, 0.02), straight, 0, 6)
    muon = Muon(stopped, 0.02)
    take_steps(muon, stopped, 0, 3)
    file = io.BytesIO()
    torch.save({"muon": muon.state_dict(), "weights": [w.detach() for w in stopped]}, file)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    another = Muon(resumed, 0.7)
    another.load_state_dict(saved["muon"])
    for weight, before in zip(resumed, saved["weights"], strict=True):
        weight.data.copy_(before)
    take_steps(another, resumed, 3, 6)
    assert all(torch.equal(a, b) for a, b in zip(straight, resumed, strict=True))
    assert another.param_groups[0]["lr"] == 0.02


def test_a_filter_learns_what_another_knows() -> None:
    torch.manual_seed(0)
    teacher = nn.Conv2d(4, 6, 3, padding=1)
    student = copy.deepcopy(teacher)
    nn.init.normal_(student.weight, std=0.1)
    image = random(0, 8, 4, 12, 12)
    weight = student.weight
    assert isinstance(weight, nn.Parameter)
    muon = Muon([weight], 0.1)
    found = []
    for step in range(60):
        muon.param_groups[0]["lr"] = 0.1 * (1 - step / 60)
        student.zero_grad()
        loss = (student(image) - teacher(image).detach()).square().mean()
        loss.backward()
        muon.step()
        found.append(float(loss.detach()))
    assert found[-1] < 0.02 * found[0]
