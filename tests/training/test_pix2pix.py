"""The article's step, to the letter."""

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from demosaic.dataset.reader import Batch, open_pairs
from demosaic.models.checkpoint import load_state
from demosaic.models.compute import Compute
from demosaic.models.pix2pix import Discriminator
from demosaic.training.pix2pix import Networks, train_step
from doubles import CONFIG, TINY, a_dataset, go, same, side_by_side

CPU = torch.device("cpu")
COMPUTE = Compute(CPU, False)

Doubles = NDArray[np.float64]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_dataset(tmp_path_factory.mktemp("dataset"))


@pytest.fixture
def networks() -> Networks:
    return Networks.fresh(CONFIG, CPU)


@pytest.fixture
def batch(dataset: Path) -> Batch:
    pairs = open_pairs(dataset, direction="left-to-right", multiple=TINY.multiple)
    return pairs.draw(2, seed=0, step=0, limit=None)


def keras_adam(
    weight: Doubles, gradients: list[Doubles], lr: float, *, eps_after: bool = False
) -> Doubles:
    """Keras's Adam with beta1 0.5, beta2 0.999 and epsilon 1e-7; or PyTorch's place for epsilon."""
    first, second = np.zeros_like(weight), np.zeros_like(weight)
    for count, gradient in enumerate(gradients, 1):
        first = 0.5 * first + 0.5 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        corrections = 1 - 0.5**count, math.sqrt(1 - 0.999**count)
        if eps_after:
            weight = weight - lr / corrections[0] * first / (
                np.sqrt(second) / corrections[1] + 1e-7
            )
        else:
            rate = lr * corrections[1] / corrections[0]
            weight = weight - rate * first / (np.sqrt(second) + 1e-7)
    return weight


def test_both_networks_are_updated_by_keras_adam(networks: Networks, batch: Batch) -> None:
    config = replace(CONFIG, lr=1e-2, l1_weight=0.001)
    networks = Networks.fresh(config, CPU)
    watched = {
        "generator": networks.generator.head.weight,
        "discriminator": networks.discriminator.head.weight,
    }
    before = {name: weight.detach().double().numpy() for name, weight in watched.items()}
    gradients: dict[str, list[Doubles]] = {"generator": [], "discriminator": []}

    def note(name: str) -> Callable[..., None]:
        def hook(*_: object) -> None:
            gradient = watched[name].grad
            assert gradient is not None
            gradients[name].append(gradient.double().numpy().copy())

        return hook

    networks.generator_adam.register_step_pre_hook(note("generator"))
    networks.discriminator_adam.register_step_pre_hook(note("discriminator"))
    for _ in range(5):
        train_step(networks, batch, config, COMPUTE)

    assert {name: len(found) for name, found in gradients.items()} == {
        "generator": 5,
        "discriminator": 10,
    }
    told_apart = False
    for name, weight in watched.items():
        after = weight.detach().double().numpy()
        expected = keras_adam(before[name], gradients[name], 1e-2)
        torchs = keras_adam(before[name], gradients[name], 1e-2, eps_after=True)
        np.testing.assert_allclose(after, expected, rtol=0, atol=3e-7)
        told_apart |= bool(np.abs(torchs - expected).max() > 3e-6)
    assert told_apart, "gradients too large to see where epsilon is added"


def test_a_step_is_that_of_the_article(networks: Networks, batch: Batch) -> None:
    """Real pairs to 1, fakes to 0, each an update; then the generator through the discriminator."""
    observed, target = torch.from_numpy(batch.observed), torch.from_numpy(batch.target)
    said: list[str] = []
    judged: list[tuple[Tensor, Tensor, Tensor]] = []
    made: list[tuple[bool, Tensor]] = []
    networks.generator_adam.register_step_pre_hook(lambda *_: said.append("generator"))
    networks.discriminator_adam.register_step_pre_hook(lambda *_: said.append("discriminator"))
    networks.discriminator.register_forward_hook(
        lambda module, taken, given: judged.append((*taken, given.detach()))
    )
    networks.generator.register_forward_hook(
        lambda module, taken, given: made.append((module.training, given.detach()))
    )
    untrained = Networks.fresh(CONFIG, CPU).generator
    found = train_step(networks, batch, CONFIG, COMPUTE)

    assert said == ["discriminator", "discriminator", "generator"]
    assert [in_training for in_training, _ in made] == [False, True]
    with torch.no_grad():
        torch.testing.assert_close(made[0][1], untrained.eval()(observed))
        torch.testing.assert_close(made[1][1], untrained.train()(observed))
    faces = [face for face, _, _ in judged]
    assert torch.equal(faces[0], target)
    assert torch.equal(faces[1], made[0][1])
    assert torch.equal(faces[2].detach(), made[1][1])
    assert all(torch.equal(beside, observed) for _, beside, _ in judged)
    real, fake, fooled = (float((result - 1).square().mean()) for _, _, result in judged)
    fake = float(judged[1][2].square().mean())
    l1 = float((made[1][1] - target).abs().mean())
    expected = {
        "discriminator": (real + fake) / 2,
        "generator": fooled + 100 * l1,
        "adversarial": fooled,
        "l1": l1,
    }
    assert list(found) == list(expected)
    assert found == pytest.approx(expected, rel=1e-5)


def test_the_fakes_teach_the_generator_nothing(networks: Networks, batch: Batch) -> None:
    """In the discriminator's two updates the generator keeps its weights and statistics."""
    before = {name: value.clone() for name, value in networks.generator.state_dict().items()}
    seen: list[bool] = []
    networks.discriminator_adam.register_step_pre_hook(
        lambda *_: seen.append(same(dict(networks.generator.state_dict()), before))
    )
    train_step(networks, batch, CONFIG, COMPUTE)
    assert seen == [True, True]
    after = networks.generator.state_dict()
    assert not any(torch.equal(before[name], after[name]) for name in before)


def test_the_discriminators_statistics_move_in_its_own_updates_only(
    networks: Networks, batch: Batch
) -> None:
    statistics: list[dict[str, Tensor]] = []

    def note(*_: object) -> None:
        buffers = networks.discriminator.named_buffers()
        statistics.append({name: value.clone() for name, value in buffers if value.dim()})

    note()
    networks.discriminator.register_forward_hook(note)
    train_step(networks, batch, CONFIG, COMPUTE)
    note()
    changed = [not same(a, b) for a, b in pairwise(statistics)]
    assert changed == [True, True, False, False]


def test_the_generators_update_leaves_the_discriminator_as_it_was(
    networks: Networks, batch: Batch
) -> None:
    seen: list[dict[str, Tensor]] = []
    networks.generator_adam.register_step_pre_hook(
        lambda *_: seen.append(
            {
                name: value.detach().clone()
                for name, value in networks.discriminator.named_parameters()
            }
        )
    )
    train_step(networks, batch, CONFIG, COMPUTE)
    assert same(
        seen[0], {name: v.detach() for name, v in networks.discriminator.named_parameters()}
    )
    assert all(weight.requires_grad for weight in networks.discriminator.parameters())


def test_the_same_seed_begins_with_the_same_weights() -> None:
    first, again = Networks.fresh(CONFIG, CPU), Networks.fresh(CONFIG, CPU)
    other = Networks.fresh(replace(CONFIG, seed=1), CPU)
    assert same(first.state(), again.state())
    assert not torch.equal(first.generator.head.weight, other.generator.head.weight)
    assert not torch.equal(first.discriminator.head.weight, other.discriminator.head.weight)


def test_making_networks_leaves_the_callers_random_numbers_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    Networks.fresh(CONFIG, CPU)
    assert torch.equal(torch.rand(3), expected)


def test_the_loss_falls_on_a_few_pairs(batch: Batch) -> None:
    config = replace(CONFIG, lr=2e-3)
    networks = Networks.fresh(config, CPU)
    found = [train_step(networks, batch, config, COMPUTE)["l1"] for _ in range(25)]
    assert np.mean(found[-5:]) < 0.6 * np.mean(found[:5])


def test_the_summary_discriminator_trains_too(tmp_path: Path) -> None:
    folder = side_by_side(tmp_path / "large", train=2, val=1, side=128)
    config = replace(CONFIG, steps=1, discriminator="summary")
    go(folder, tmp_path / "run", config)
    expected = Discriminator(config.network).state_dict()
    found = load_state(tmp_path / "run" / "resume.pt")["recipe"]["discriminator"]
    assert {name: value.shape for name, value in found.items()} == {
        name: value.shape for name, value in expected.items()
    }
