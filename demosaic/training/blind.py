"""The default recipe: one model for mosaics of any block and offset, trained in two stages.

The first stage learns the mean of all faces that fit a mosaic. The second starts from that network
and learns to draw single faces that fit, as sharp as those it sees. Both see mosaics that are drawn
during training, and both outputs are reconciled with the cells in the same way. A model file holds
both networks.
"""

import copy
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import repeat
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from demosaic.config.networks import NETWORKS, FlowConfig
from demosaic.config.training import FROM_BOX, FROM_NOTHING, TrainConfig
from demosaic.dataset.reader import Pairs
from demosaic.errors import DemosaicError
from demosaic.evaluation.baselines import score_unlearned
from demosaic.evaluation.events import Scores
from demosaic.evaluation.validation import score_grids
from demosaic.events import Listener, Notice
from demosaic.imaging.arrays import Pixels, to_float
from demosaic.models.compute import Compute
from demosaic.models.flow import STEPS, Flow
from demosaic.models.inputs import views
from demosaic.models.restorer import Restorer
from demosaic.models.resunet import ResUNet
from demosaic.mosaic.grid import Grid
from demosaic.text import counted
from demosaic.training.album import WARNING, album_faces, blended
from demosaic.training.augmentation import BLOCKS, Example, draw_example
from demosaic.training.beginning import (
    fits_box,
    known_networks,
    network_size,
    trial,
)
from demosaic.training.distributed import Processes
from demosaic.training.recipe import Validation
from demosaic.training.samples import DRAWS, Row, sample_rows
from demosaic.training.sharp_faces import sharp_faces
from demosaic.training.spectrum import spectrum_of_errors
from demosaic.training.stages import Faces, FaithfulStage, FlowStage

_EASY_STEPS = 400
"""Examples are easy at first, and ever fewer of them until this step: faces are learnt sooner from
mosaics that show much of them.
"""

_SAMPLES = 8
_GRIDS = {
    **{f"block {side}": Grid.square(side) for side in (4, 8, 12, 16, 24, 32)},
    "block 16 at 5, 11": Grid.square(16, 5, 11),
}
"""What the last validation scores, on all validation pictures."""

_GLANCED = ("block 8", "block 16", "block 24")
"""What every other validation scores, on a few of them."""

_DRAWN, _DRAWN_LAST = 8, 24
"""Pictures on which draws are scored: a draw takes a dozen passes of the network."""

_PASSES = 1 + STEPS
"""Of a network through one face, for its mean and a draw."""

_MOST_COST = 4.0
"""dB that a draw may cost: a sample of all faces that fit has twice the squared error of their
mean, 3 dB, and so have the mean and noise with which a flow begins.
"""

_FEWEST_STEPS = 500
"""Of the second stage; after fewer, a draw is the mean with noise rather than a face."""

_MEASURED = 32
"""Faces on which the errors of the mean are measured."""


class Blind:
    """The default recipe, as the loop runs it."""

    several_processes: ClassVar[bool] = True
    may_grow: ClassVar[tuple[str, ...]] = ("minutes", "steps")
    """The learning rate falls with the budget: what is added after its end is a course of its own,
    from the model so far, as with `--init`.
    """

    def __init__(
        self,
        config: TrainConfig,
        pairs: Pairs,
        compute: Compute,
        group: Processes,
        listen: Listener,
        *,
        glance: int = 24,
    ) -> None:
        """`glance`: how many pictures a validation before the last one scores."""
        self.config = config
        self.pairs = pairs
        self.compute = compute
        self.group = group
        self.listen = listen
        self.glance = glance
        self.parts = config.parts
        known = known_networks(config, compute)
        self.size = network_size(config, compute.device)
        self._known = known is not None
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            network = known.faithful if known else ResUNet(NETWORKS[self.size])
        self.architecture = network.config
        self.faithful = FaithfulStage(network, config.lr, compute, trained=known is not None)
        self._known_flow = known.sharp if known and isinstance(known.sharp, Flow) else None
        self._flow_config = self._known_flow.config if self._known_flow else FlowConfig()
        self.sharp: FlowStage | None = None
        self.over = False
        self.begun = 0
        self._drawers = ThreadPoolExecutor(torch.get_num_threads())
        self._pool: Sequence[Path] = pairs.train[: config.limit]
        self._origin, self._about_album = None, ""
        if config.album:
            self._origin = copy.deepcopy(network)  # training changes the network itself
            self._pool, self._about_album = album_faces(pairs, self._pool)
        self._sharp_pool, self._about_sharp = sharp_faces(pairs, self._pool)
        self._validation = pairs.val[: config.validation_pairs]

    @classmethod
    def begin(
        cls,
        config: TrainConfig,
        pairs: Pairs,
        compute: Compute,
        group: Processes,
        listen: Listener,
    ) -> "Blind":
        """The recipe before its first step."""
        return cls(config, pairs, compute, group, listen)

    @classmethod
    def trial(cls, config: TrainConfig, pairs: Pairs) -> Callable[[Compute], Tensor]:
        """Work like that of a step, to choose the precision by."""
        return trial(config, pairs.size)

    @classmethod
    def with_begun_options(cls, config: TrainConfig, begun: Mapping[str, Any]) -> TrainConfig:
        """The config with what was not chosen as it was when the run began: the usual number of
        validations and the model to start from have changed between versions.
        """
        if not config.validations:
            config = replace(config, validations=begun.get("validations"))
        if config.init == FROM_BOX and not _starts_from_box(config, begun):
            config = replace(config, init=FROM_NOTHING)
        return config

    @classmethod
    def with_begun_network(cls, config: TrainConfig, state: Mapping[str, Any]) -> TrainConfig:
        """The config with the network size that the run began with."""
        return replace(config, network=state["network"])

    @classmethod
    def begins_anew(cls, state: Mapping[str, Any]) -> bool:
        """Once the second stage has begun."""
        return "flow" in state or bool(state["over"])

    @classmethod
    def going_on_from(cls, config: TrainConfig, model: Path) -> TrainConfig:
        """The config with that model to start from."""
        return replace(config, init=str(model))

    def about(self) -> Iterator[str]:
        """What a user should know before the first step, in sentences."""
        values = sum(weight.numel() for weight in self.faithful.trained())
        smallest, largest = BLOCKS
        yield (
            f"{_beginning(self.config)}: {values / 1e6:.1f} million parameters, for cells of "
            f"{smallest} to {largest} px"
        )
        if self.config.album:
            yield self._about_album
            yield WARNING
        if self.config.sharpen:
            yield self._about_sharp
        if not self.pairs.grids:
            target, other = "right", "left"
            if self.pairs.direction == "right-to-left":
                target, other = other, target
            yield (
                f"mosaics are drawn over the {target} halves, the {other} halves are not used: "
                "to learn to turn one half into the other, use --preset seed"
            )

    def draw(self, step: int) -> list[Faces]:
        """This process's faces of a step with their mosaics, in the parts that are computed one
        after the other. They depend on the seed and the step only.
        """
        mine = self.group.share(self.config.batch)
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
        sharpens = self._sharpens(step)
        pool = self._sharp_pool if sharpens else self._pool
        face = self.pairs.target(pool[int(rng.integers(len(pool)))])
        easy = 0.0 if self._known or sharpens else 1 - step / _EASY_STEPS
        return draw_example(face, rng, easy=easy)

    def _sharpens(self, step: int) -> bool:
        """Whether a step is of the second stage. When the budget is time, that is known once the
        stage has begun.
        """
        if self.config.steps:
            progress = (step - self.begun) / (self.config.steps - self.begun)
            return progress >= 1 - self.config.sharpen
        return self.sharp is not None or self.config.sharpen == 1

    def step(self, batch: list[Faces], progress: float) -> dict[str, float]:
        """One step of the stage that `progress` is in; its losses by name."""
        first = 1 - self.config.sharpen
        if progress < first:
            return self._step(self.faithful, batch, progress / first)
        if self.sharp is None:
            self.sharp = self._flow_stage(self._new_flow())
        return self._step(self.sharp, batch, (progress - first) / self.config.sharpen)

    def _step(
        self, stage: FaithfulStage | FlowStage, batch: list[Faces], progress: float
    ) -> dict[str, float]:
        weights = [*stage.trained()]
        found = self._gradients(stage, batch, weights)
        losses = torch.tensor([[*one.values()] for one in found]).sum(0).to(weights[0].device)
        self.group.sum_gradients([*(w.grad for w in weights if w.grad is not None), losses])
        stage.update(progress)
        named = dict(zip(found[0], losses.tolist(), strict=True))
        if "log_error" in named:
            return {"psnr": decibels(named["log_error"])}
        return named

    def _gradients(
        self, stage: FaithfulStage | FlowStage, batch: list[Faces], weights: Sequence[nn.Parameter]
    ) -> list[dict[str, float]]:
        """Compute the gradients of a step, in smaller parts if memory runs out; each part's losses
        by name.
        """
        while True:
            for weight in weights:
                weight.grad = None
            try:
                return [
                    stage.gradients(part.to(self.compute.device), self._weight(part))
                    for part in batch
                ]
            except torch.OutOfMemoryError as error:
                batch = self._in_smaller_parts(batch, error)

    def _weight(self, part: Faces) -> float:
        return len(part.seeds) / self.config.batch

    def _in_smaller_parts(self, batch: list[Faces], error: Exception) -> list[Faces]:
        """The faces in twice as many parts, from now on. Raises DemosaicError when single ones are
        too many.
        """
        if max(len(part.seeds) for part in batch) == 1:
            raise DemosaicError(
                "the memory of the device does not hold a single face: "
                "use --network S, or --device cpu"
            ) from error
        self.parts = 2 * len(batch)
        torch.cuda.empty_cache()
        self.listen(Notice(f"out of memory: from now on, steps are computed in {self.parts} parts"))
        return [half for part in batch for half in part.halves()]

    def _flow_stage(self, flow: Flow) -> FlowStage:
        known = self._known_flow is not None
        return FlowStage(flow, self._mean(), self.config.lr, self.compute, trained=known)

    def _new_flow(self) -> Flow:
        """The second stage's network before its first step: new, or that of the model to start
        from; in both cases with the spectrum of this mean's errors.
        """
        mean = self._mean()
        faces = [self.pairs.target(path) for path in self._sharp_pool[:_MEASURED]]
        spectrum = spectrum_of_errors(mean, faces, self.compute)
        if self._known_flow:
            flow = copy.deepcopy(self._known_flow).requires_grad_(True)
            flow.spectrum.copy_(spectrum)
            return flow
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.config.seed)
            return Flow.beginning_as(mean, self._flow_config, spectrum)

    def generator(self) -> Restorer:
        """The network that a model file holds: the moving averages."""
        sharp = self.sharp.learner.average if self.sharp else None
        if sharp and self._origin and self._known_flow:
            sharp = blended(self._known_flow, sharp)
        return Restorer(self._mean(), sharp)

    def _mean(self) -> ResUNet:
        """The first stage's network as a model file holds it."""
        mean = self.faithful.learner.average
        return blended(self._origin, mean) if self._origin else mean

    def baselines(self) -> dict[str, Scores]:
        """The scores of methods that need no training, on a few pictures."""
        return score_unlearned(self._targets(self.glance), _grids(_GLANCED))

    def last_validation_takes(self) -> float:
        """How many times as long as the one before, by the passes of a network through one face."""
        mean, draws = len(self._validation) * len(_GRIDS), DRAWS * _PASSES * _SAMPLES
        glanced = self.glance * len(_GLANCED) + _SAMPLES
        if not self.config.sharpen:
            return (mean + glanced) / glanced
        glanced_at_draws = _DRAWN * len(_GLANCED) * (1 + _PASSES) + draws
        last = mean + _DRAWN_LAST * len(_GLANCED) * _PASSES + glanced_at_draws
        return last / (glanced_at_draws if self.sharp else glanced)

    def validate(self, progress: float) -> Validation:
        """Score the moving averages: on a few pictures, or on all at the end of the run.

        In the first stage the merit is the PSNR. It cannot judge the second stage: there the latest
        model is the best, unless it has collapsed, which is the failure reported.
        """
        if self.sharp:
            return self._validate_draws(progress, self.sharp.learner.steps)
        glanced = self._scores(self.glance, _grids(_GLANCED))
        merit = math.inf if self.over else _mean_psnr(glanced, "restored")
        if progress < 1:
            return Validation(glanced, merit)
        return Validation(self._scores(len(self._validation), _GRIDS), merit)

    def _validate_draws(self, progress: float, steps: int) -> Validation:
        some = [self._scores(_DRAWN, _grids(_GLANCED), realism) for realism in (0.0, 1.0)]
        glanced = some[0] | some[1]
        cost = _mean_psnr(glanced, "restored") - _mean_psnr(glanced, "draw")
        if not cost < _MOST_COST:  # also when it is not a number
            failure = f"the second stage collapsed, {cost:.1f} dB down: the first is kept"
            return Validation(glanced, math.inf, failure)
        if progress < 1:
            return Validation(glanced, math.inf)
        self._warn_of_few_steps(steps)
        drawn = self._scores(_DRAWN_LAST, _grids(_GLANCED), 1.0)
        return Validation(self._scores(len(self._validation), _GRIDS) | drawn, math.inf)

    def _warn_of_few_steps(self, steps: int) -> None:
        if steps < _FEWEST_STEPS and self._known_flow is None:
            self.listen(
                Notice(
                    f"the second stage had {counted(steps, 'step')}, too few to draw faces: "
                    f"restore with --realism 0, or train longer ({_FEWEST_STEPS} steps or more)"
                )
            )

    def _scores(
        self, count: int, grids: Mapping[str, Grid], realism: float = 0.0
    ) -> dict[str, Scores]:
        return score_grids(self.generator(), self._targets(count), grids, self.compute, realism)

    def end_early(self) -> None:
        """Leave the second stage out, and end the run."""
        self.sharp, self.over = None, True

    def card(self) -> dict[str, Any]:
        """The fields of ModelCard that only the recipe knows."""
        return {
            "network": self.architecture,
            "blocks": BLOCKS,
            "sharp": self.sharp is not None,
            "flow": self._flow_config if self.sharp else None,
            "album": self.config.album,
        }

    def trained(self) -> Iterator[Tensor]:
        """All weights that a step changes."""
        yield from self.faithful.trained()
        if self.sharp:
            yield from self.sharp.trained()

    def samples(self) -> list[Row]:
        """See `sample_rows`."""
        return sample_rows(self.generator(), self._targets(_SAMPLES), self.compute)

    def _targets(self, count: int) -> Iterator[Pixels]:
        return (self.pairs.target(path) for path in self._validation[:count])

    def state(self) -> dict[str, Any]:
        """All that steps change, as `load` takes it."""
        state = {"network": self.size, "faithful": self.faithful.state(), "over": self.over}
        return {**state, "flow": self.sharp.state()} if self.sharp else state

    def load(self, state: dict[str, Any]) -> None:
        """Continue from a `state`."""
        self.faithful.load(state["faithful"])
        self.over = state["over"]
        if "flow" in state:
            with torch.random.fork_rng(devices=[]):
                self.sharp = self._flow_stage(Flow(self.architecture, self._flow_config))
            self.sharp.load(state["flow"])
        elif "sharp" in state:
            self.listen(
                Notice("the second stage of an earlier version is replaced: it begins anew")
            )


def _starts_from_box(config: TrainConfig, begun: Mapping[str, Any]) -> bool:
    """Whether a run starts from the model in the box, when nothing else is asked for; one that
    `begun` does not describe is new.
    """
    return begun.get("init") != FROM_NOTHING if begun else fits_box(config)


def _beginning(config: TrainConfig) -> str:
    """The network that training begins with, in words."""
    if config.init == FROM_NOTHING:
        return "a new network"
    return (
        "starting from the model in the box" if config.init == FROM_BOX else "starting from a model"
    )


def decibels(log_error: float) -> float:
    """The PSNR in dB of a mean logarithm of squared errors in [-1, 1]."""
    return 10 * (math.log10(4) - log_error / math.log(10))


def _mean_psnr(scores: Mapping[str, Scores], kind: str) -> float:
    """The mean PSNR of a kind over the grids glanced at, dB."""
    return float(np.mean([scores[f"{grid}, {kind}"].psnr for grid in _GLANCED]))


def _grids(names: Sequence[str]) -> dict[str, Grid]:
    return {name: _GRIDS[name] for name in names}
