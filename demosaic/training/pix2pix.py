"""The seed recipe, exactly the 2020 article's: pix2pix (Isola et al. 2017) as written in Keras."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from demosaic.config.training import SeedConfig
from demosaic.dataset.reader import Batch, Pairs
from demosaic.evaluation.baselines import baselines
from demosaic.evaluation.events import Scores
from demosaic.evaluation.validation import evaluate, restorations
from demosaic.events import Listener
from demosaic.imaging.arrays import to_uint8
from demosaic.models.compute import Compute, settle
from demosaic.models.pix2pix import Discriminator, Generator, frozen
from demosaic.mosaic.pixelate import cell_colours
from demosaic.mosaic.quantise import finish
from demosaic.training.distributed import Processes
from demosaic.training.recipe import Validation
from demosaic.training.samples import Row

_SAMPLES = 8
_KERAS_EPS = 1e-7
_BETAS = (0.5, 0.999)


@dataclass
class Networks:
    """What is being trained, with its optimisers."""

    generator: Generator
    discriminator: Discriminator
    generator_adam: torch.optim.Adam
    discriminator_adam: torch.optim.Adam

    @classmethod
    def fresh(cls, config: SeedConfig, device: torch.device) -> "Networks":
        """The networks before the first step; they depend on the seed only."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            generator, discriminator = Generator(config.network), Discriminator(config.network)
        settle(generator, device)
        settle(discriminator, device)
        return cls(generator, discriminator, _adam(generator, config), _adam(discriminator, config))

    def state(self) -> dict[str, Any]:
        """The weights and the optimisers' states, as `load` takes them."""
        return {name: part.state_dict() for name, part in vars(self).items()}

    def load(self, state: dict[str, Any]) -> None:
        """Continue from a `state`."""
        for name, part in vars(self).items():
            part.load_state_dict(state[name])


class Pix2Pix:
    """The seed recipe, as the loop runs it: a generator against a discriminator on stored pairs."""

    several_processes: ClassVar[bool] = False
    may_grow: ClassVar[tuple[str, ...]] = ("steps",)
    """The learning rate is constant, so a longer run takes the same steps first."""

    def __init__(self, config: SeedConfig, pairs: Pairs, compute: Compute) -> None:
        self.config = config
        self.pairs = pairs
        self.compute = compute
        self.over = False
        self.begun = 0
        self.networks = Networks.fresh(config, compute.device)
        self.validation = pairs.val[: config.validation_pairs]

    @classmethod
    def begin(
        cls,
        config: SeedConfig,
        pairs: Pairs,
        compute: Compute,
        group: Processes,
        listen: Listener,
    ) -> "Pix2Pix":
        """The recipe before its first step."""
        return cls(config, pairs, compute)

    @classmethod
    def trial(cls, config: SeedConfig, pairs: Pairs) -> Callable[[Compute], Tensor]:
        """Work like that of a step, on a network of its own, to choose the precision by."""
        generator, shape = Generator(config.network), (config.batch, 3, pairs.size, pairs.size)
        image = torch.rand(shape, generator=torch.Generator().manual_seed(config.seed)) * 2 - 1

        def work(compute: Compute) -> Tensor:
            settle(generator, compute.device)
            generator.zero_grad()
            with compute.precision():
                restored = generator(compute.take(image))
            restored.float().square().mean().backward()
            output: Tensor = restored.detach()
            return output

        return work

    @classmethod
    def with_begun_options(cls, config: SeedConfig, begun: Mapping[str, Any]) -> SeedConfig:
        """The config as it is: every option has a fixed default."""
        return config

    @classmethod
    def with_begun_network(cls, config: SeedConfig, state: Mapping[str, Any]) -> SeedConfig:
        """The config as it is: the network does not depend on the device."""
        return config

    def about(self) -> Iterator[str]:
        """What a user should know before the first step, in sentences."""
        if not self.pairs.grids:
            yield "the inputs are not mosaics made by build-dataset: nothing will be reconciled"

    def draw(self, step: int) -> Batch:
        """The pairs of a step; they depend on the seed and the step only."""
        config = self.config
        return self.pairs.draw(config.batch, seed=config.seed, step=step, limit=config.limit)

    def step(self, batch: Batch, progress: float) -> dict[str, float]:
        """One step; its losses by name."""
        return train_step(self.networks, batch, self.config, self.compute)

    def baselines(self) -> dict[str, Scores]:
        """The scores of methods that need no training, by name."""
        return baselines(self.pairs, self.validation)

    def validate(self, progress: float) -> Validation:
        """Score the validation pairs. The merit is the PSNR of the pictures that a user would get:
        the reconciled ones, if there are any.
        """
        scores = evaluate(self.networks.generator, self.pairs, self.validation, self.compute)
        return Validation(
            scores, scores["reconciled" if "reconciled" in scores else "restored"].psnr
        )

    def end_early(self) -> None:
        """End the run."""
        self.over = True

    def card(self) -> dict[str, Any]:
        """The fields of ModelCard that only the recipe knows."""
        sides = [side for grid in self.pairs.grids.values() for side in (grid.width, grid.height)]
        blocks = (min(sides), max(sides)) if sides else None
        return {"network": self.config.network, "blocks": blocks, "sharp": False}

    def generator(self) -> nn.Module:
        """The network that a model file holds."""
        return self.networks.generator

    def trained(self) -> Iterator[Tensor]:
        """All weights that a step changes."""
        yield from self.networks.generator.parameters()
        yield from self.networks.discriminator.parameters()

    @classmethod
    def begins_anew(cls, state: Mapping[str, Any]) -> bool:
        """Never: the learning rate is constant."""
        return False

    @classmethod
    def going_on_from(cls, config: SeedConfig, model: Path) -> SeedConfig:
        """Never asked for."""
        raise NotImplementedError

    def last_validation_takes(self) -> float:
        """As long as all others."""
        return 1.0

    def samples(self) -> list[Row]:
        """Input, output and target of some validation pairs, always the same ones."""
        pairs, rows, paths = self.pairs, list[Row](), self.validation[:_SAMPLES]
        made = restorations(self.networks.generator, pairs, paths, self.compute)
        for path, (observed, target, restored) in zip(paths, made, strict=True):
            output, grid = to_uint8(restored), pairs.grid(path)
            if grid:
                output = finish(restored, cell_colours(observed, grid), grid)
            names = ("mosaic", "restored", "original") if grid else ("input", "output", "target")
            rows.append(dict(zip(names, (observed, output, target), strict=True)))
        return rows

    def state(self) -> dict[str, Any]:
        """All that steps change, as `load` takes it."""
        return self.networks.state()

    def load(self, state: dict[str, Any]) -> None:
        """Continue from a `state`."""
        self.networks.load(state)


def train_step(
    networks: Networks, batch: Batch, config: SeedConfig, compute: Compute
) -> dict[str, float]:
    """One step in the article's order; the losses under the names that the article logs.

    The discriminator is updated twice: on real pairs, and on fakes that the generator makes in
    inference mode. Then the generator is updated once, through the updated discriminator.
    """
    observed, target = (
        compute.take(torch.from_numpy(half)) for half in (batch.observed, batch.target)
    )
    networks.generator.eval()
    with torch.no_grad(), compute.precision():
        fake = networks.generator(observed).float()
    networks.generator.train()
    real_loss = _update_discriminator(networks, target, observed, compute, label=1.0)
    fake_loss = _update_discriminator(networks, fake, observed, compute, label=0.0)
    adversarial, l1 = _update_generator(networks, observed, target, config, compute)
    return {
        "discriminator": (real_loss + fake_loss) / 2,
        "generator": adversarial + config.l1_weight * l1,
        "adversarial": adversarial,
        "l1": l1,
    }


def _update_discriminator(
    networks: Networks, face: Tensor, observed: Tensor, compute: Compute, *, label: float
) -> float:
    with compute.precision():
        judged = networks.discriminator(face, observed).float()
    loss = F.mse_loss(judged, torch.full_like(judged, label))
    _adam_step(networks.discriminator_adam, loss)
    return float(loss.detach())


def _update_generator(
    networks: Networks, observed: Tensor, target: Tensor, config: SeedConfig, compute: Compute
) -> tuple[float, float]:
    with frozen(networks.discriminator):
        with compute.precision():
            restored = networks.generator(observed)
            judged = networks.discriminator(restored, observed).float()
        adversarial = F.mse_loss(judged, torch.ones_like(judged))
        l1 = F.l1_loss(restored.float(), target)
        _adam_step(networks.generator_adam, adversarial + config.l1_weight * l1)
    return float(adversarial.detach()), float(l1.detach())


# Adam, as in Keras


def _adam(network: nn.Module, config: SeedConfig) -> torch.optim.Adam:
    return torch.optim.Adam(network.parameters(), lr=config.lr, betas=_BETAS, fused=True)


def _adam_step(adam: torch.optim.Adam, loss: Tensor) -> None:
    """Back-propagate and update, with Keras's epsilon.

    Keras adds epsilon before it corrects the bias of the second moment, PyTorch after:
    eps / sqrt(1 - beta2^t) in PyTorch is the same as eps in Keras.
    """
    adam.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    group = adam.param_groups[0]
    state = adam.state.get(group["params"][0])
    taken = int(state["step"]) if state else 0
    group["eps"] = _KERAS_EPS / math.sqrt(1 - _BETAS[1] ** (taken + 1))
    adam.step()
