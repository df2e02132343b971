"""Our recipe: one model for mosaics of any block and offset, in two stages.

The first stage learns the faithful mean of all faces that fit a mosaic; the second starts from it
and adds the sharpness that a mean lacks. Both see mosaics drawn on the fly, both end in the same
reconciliation, and a model keeps both.
"""

import copy
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from demosaic.config.networks import NETWORKS
from demosaic.config.training import TrainConfig
from demosaic.dataset.reader import Pairs
from demosaic.errors import USAGE, DemosaicError
from demosaic.evaluation.baselines import score_unlearned
from demosaic.evaluation.events import Scores
from demosaic.evaluation.validation import restored_pictures, score_grids
from demosaic.events import Listener, Notice
from demosaic.imaging.arrays import Pixels, to_float
from demosaic.imaging.sheets import contact_sheet
from demosaic.models.checkpoint import load_model
from demosaic.models.compute import Compute, settle
from demosaic.models.inputs import observe, views
from demosaic.models.model import TwoStageModel
from demosaic.models.resunet import Critic, Restorer, ResUNet
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import pixelated
from demosaic.training.augmentation import BLOCKS, Example, draw_example
from demosaic.training.distributed import Team
from demosaic.training.stages import Faces, FaithfulStage, SharpStage

# Until this step ever fewer examples are easy ones: what a face is like is learnt sooner from what
# shows it. In 300 steps of S, that and examples which are plain or damaged in many ways gained
# 1.19, .79 and .53 dB over `base` at blocks 8, 16 and 24, without it 1.10, .67 and .46
_EASY_STEPS = 400

_GLANCE = 24  # pictures scored in mid-course; at the end all are

_SAMPLES = 8

_GRIDS = {
    **{f"block {side}": Grid.square(side) for side in (4, 8, 12, 16, 24, 32)},
    "block 16 at 5, 11": Grid.square(16, 5, 11),
}

_BOUND = 3.01  # dB; what a draw from all faces that fit costs against their mean, and no more

_GLANCED = ("block 8", "block 16", "block 24")


class Blind:
    """The recipe, as `training` runs it."""

    def __init__(
        self, config: TrainConfig, pairs: Pairs, compute: Compute, team: Team, listen: Listener
    ) -> None:
        self.config = config
        self.pairs = pairs
        self.compute = compute
        self.team = team
        self.listen = listen
        self.parts = config.parts
        known = _known(config, compute)
        self.size = network_size(config, compute.device)
        self._known = known is not None
        self.architecture = known.config if known else NETWORKS[self.size]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            network = known or ResUNet(self.architecture)
        self.faithful = FaithfulStage(network, config.lr, compute, trained=known is not None)
        self.sharp: SharpStage | None = None
        self.over = False
        self._drawers = ThreadPoolExecutor(torch.get_num_threads())
        self._pool = pairs.train[: config.limit]
        self._validation = pairs.val[: config.validation_pairs]

    def about(self) -> Iterator[str]:
        """What a user should know before the first step."""
        values = sum(weight.numel() for weight in self.faithful.trained())
        yield f"a network of {values / 1e6:.1f} million values, for cells of {_span(BLOCKS)} px"
        if not self.pairs.grids:
            target = "right" if self.pairs.direction == "left-to-right" else "left"
            yield (
                f"mosaics are drawn over the {target} halves, the others are not looked at: "
                "to learn what turns one into the other, take --preset seed"
            )

    def draw(self, step: int) -> list[Faces]:
        """This process's faces of a step, with mosaics, in the parts they are computed in; the same
        for the same seed and step whatever came before.
        """
        mine = self.team.share(self.config.batch)
        parts = np.array_split(mine, min(self.parts, len(mine)))
        return [self._drawn(step, part.tolist()) for part in parts]

    def _drawn(self, step: int, numbers: Sequence[int]) -> Faces:
        seeds = [(self.config.seed, step, number) for number in numbers]
        sources = map(np.random.default_rng, seeds)
        examples = [*self._drawers.map(self._example, sources, repeat(step))]
        targets = np.stack([to_float(example.target) for example in examples])
        return Faces(
            views([one.observation for one in examples]),
            torch.from_numpy(targets),
            [step * self.config.batch + number for _, _, number in seeds],
        )

    def _example(self, rng: np.random.Generator, step: int) -> Example:
        face = self.pairs.target(self._pool[rng.integers(len(self._pool))])
        easy = 0.0 if self._known else 1 - step / _EASY_STEPS
        return draw_example(face, rng, easy=easy)

    def step(self, batch: list[Faces], progress: float) -> dict[str, float]:
        """One step of the stage that `progress` is in, and its losses."""
        first = 1 - self.config.sharpen
        if progress < first:
            return self._step(self.faithful, batch, progress / first)
        if self.sharp is None:
            self.sharp = self._sharp_stage()
        return self._step(self.sharp, batch, (progress - first) / self.config.sharpen)

    def _step(
        self, stage: FaithfulStage | SharpStage, batch: list[Faces], progress: float
    ) -> dict[str, float]:
        weights = [*stage.trained()]
        while True:
            for weight in weights:
                weight.grad = None
            try:
                found = [
                    stage.gradients(part.to(self.compute.device), self._weight(part))
                    for part in batch
                ]
                break
            except torch.OutOfMemoryError as error:
                batch = self._in_smaller_parts(batch, error)
        losses = torch.tensor([[*one.values()] for one in found]).sum(0).to(weights[0].device)
        self.team.add_up([*(w.grad for w in weights if w.grad is not None), losses])
        stage.update(progress)
        named = dict(zip(found[0], losses.tolist(), strict=True))
        return {"psnr": decibels(named.pop("log_error")), **named}

    def _weight(self, part: Faces) -> float:
        return len(part.seeds) / self.config.batch

    def _in_smaller_parts(self, batch: list[Faces], error: Exception) -> list[Faces]:
        """The faces in twice as many parts, from now on. Raises DemosaicError when single ones are
        too many.
        """
        if max(len(part.seeds) for part in batch) == 1:
            raise DemosaicError(
                "the memory of the device does not hold a single face: "
                "take --network S, or --device cpu"
            ) from error
        self.parts = 2 * len(batch)
        torch.cuda.empty_cache()
        self.listen(Notice(f"out of memory: each step now goes in {self.parts} parts"))
        return [half for part in batch for half in part.halves()]

    def _sharp_stage(self) -> SharpStage:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.config.seed)
            critic = Critic()
        start = copy.deepcopy(self.faithful.learner.average).requires_grad_(True)
        return SharpStage(start, critic, self.config.lr, self.compute)

    def generator(self) -> Restorer:
        """What a model file holds: the moving averages."""
        sharp = self.sharp.learner.average if self.sharp else None
        return Restorer(self.faithful.learner.average, sharp)

    def baselines(self) -> dict[str, Scores]:
        """The scores of what needs no learning, on a few pictures."""
        return score_unlearned(self._targets(_GLANCE), _grids(_GLANCED))

    def validate(self, progress: float) -> tuple[dict[str, Scores], float]:
        """The scores of the moving averages, and the merit: a few in mid-course, all at the end.

        In the first stage the merit is the PSNR. The second stage cannot be told by it: there the
        latest is the best, unless it has collapsed.
        """
        scores = self._scores(_GLANCE, _grids(_GLANCED))
        if self._collapsed(scores):
            scores = self._scores(_GLANCE, _grids(_GLANCED))
        mean = float(np.mean([scores[f"{name}, restored"].psnr for name in _GLANCED]))
        if progress >= 1 or self.over:
            scores = self._scores(len(self._validation), _GRIDS)
        return scores, math.inf if self.sharp or self.over else mean

    def _scores(self, count: int, grids: Mapping[str, Grid]) -> dict[str, Scores]:
        return score_grids(self.generator(), self._targets(count), grids, self.compute)

    def _collapsed(self, scores: Mapping[str, Scores]) -> bool:
        """Whether the second stage went astray: it is then left out, and the run is over."""
        if self.sharp is None:
            return False
        costs = [scores[f"{n}, restored"].psnr - scores[f"{n}, sharp"].psnr for n in _GLANCED]
        cost = float(np.mean(costs))
        if cost < _BOUND:
            return False
        self.sharp, self.over = None, True
        self.listen(Notice(f"the second stage collapsed, {cost:.1f} dB down: the first is kept"))
        return True

    def card(self) -> dict[str, Any]:
        """What a ModelCard says that only the recipe knows."""
        return {"network": self.architecture, "blocks": BLOCKS, "sharp": self.sharp is not None}

    def trained(self) -> Iterator[Tensor]:
        """All weights that a step changes."""
        yield from self.faithful.trained()
        if self.sharp:
            yield from self.sharp.trained()

    def sheet(self) -> Pixels:
        """Rows of [mosaic | restored | sharp, once there is | original], blocks of 16, 8, 24 px."""
        restorer, targets = self.generator(), list(self._targets(_SAMPLES))
        grids = [Grid.square((16, 8, 24)[number % 3]) for number in range(len(targets))]
        rows = []
        for target, grid in zip(targets, grids, strict=True):
            observed = pixelated(target, grid)
            restored = [
                restored_pictures(restorer, [observed], grid, self.compute, realism)[0]
                for realism in ((0.0, 1.0) if restorer.sharp else (0.0,))
            ]
            rows.append(np.hstack([observed, *restored, target]))
        return contact_sheet(rows, 2, self.pairs.size)

    def _targets(self, count: int) -> Iterator[Pixels]:
        return (self.pairs.target(path) for path in self._validation[:count])

    def state(self) -> dict[str, Any]:
        """All that a step changes, as `load` takes it."""
        state = {"network": self.size, "faithful": self.faithful.state(), "over": self.over}
        return {**state, "sharp": self.sharp.state()} if self.sharp else state

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a `state`."""
        self.faithful.load(state["faithful"])
        self.over = state["over"]
        if "sharp" in state:
            self.sharp = self._sharp_stage()
            self.sharp.load(state["sharp"])


def _known(config: TrainConfig, compute: Compute) -> ResUNet | None:
    """The faithful network of the model to start from, if one is named."""
    if config.init is None:
        return None
    model = load_model(Path(config.init), compute.device)
    if not isinstance(model, TwoStageModel):
        raise DemosaicError(
            f"--init {config.init}: a model of --preset seed; name one of the default preset",
            USAGE,
        )
    return model.faithful.requires_grad_(True)


def network_size(config: TrainConfig, device: torch.device) -> str:
    """The network asked for; M on a GPU and S on a CPU when none is."""
    if config.network != "auto":
        return config.network
    return "S" if device.type == "cpu" else "M"


def decibels(log_error: float) -> float:
    """The PSNR in dB of the mean logarithm of squared errors in [-1, 1]."""
    return 10 * (math.log10(4) - log_error / math.log(10))


def _grids(names: Sequence[str]) -> dict[str, Grid]:
    return {name: _GRIDS[name] for name in names}


def _span(ends: tuple[int, int]) -> str:
    return f"{ends[0]} to {ends[1]}"


def trial(config: TrainConfig, size: int) -> Callable[[Compute], Tensor]:
    """Some work like a step's on pictures of `size` px, on a network of its own, to choose the
    precision by.
    """
    grid = Grid.square(16)
    picture = np.random.default_rng(0).integers(0, 256, (size, size, 3), np.uint8)
    shown = views([observe(pixelated(picture, grid), grid)] * config.batch)
    networks: dict[torch.device, ResUNet] = {}

    def work(compute: Compute) -> Tensor:
        if compute.device not in networks:
            networks[compute.device] = ResUNet(NETWORKS[network_size(config, compute.device)])
            # or nothing but zeros would come out
            nn.init.normal_(networks[compute.device].head.weight, std=0.01)
        network = networks[compute.device]
        settle(network, compute.device)
        here = shown.to(compute.device)
        with compute.precision():
            change = network(here.seen, here.hidden, here.guide) - here.seen
        change.square().mean().backward()
        output: Tensor = change.detach()
        return output

    return work
