"""What the loop asks of a recipe; `blind` and `pix2pix` are the two that exist."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from torch import Tensor, nn

from demosaic.dataset.reader import Pairs
from demosaic.evaluation.events import Scores
from demosaic.events import Listener
from demosaic.models.compute import Compute
from demosaic.training.distributed import Processes
from demosaic.training.samples import Row

Batch = TypeVar("Batch")


@dataclass(frozen=True)
class Validation:
    """What a validation found."""

    scores: dict[str, Scores]
    """By the name of what was scored."""
    merit: float
    """The model with the highest merit is the best."""
    failure: str | None = None
    """Why training cannot go on as planned, in one sentence for people; None when it can."""


class Recipe(Protocol[Batch]):
    """What is trained, and how."""

    several_processes: ClassVar[bool]
    """Whether several processes may share a step."""
    may_grow: ClassVar[tuple[str, ...]]
    """Numbers of the config that may be larger when a run continues; every other option must stay
    the same.
    """

    begun: int
    """The step at which the budget began to count: 0, unless the run got a larger one later."""
    over: bool
    """Whether the run has ended before its budget is used up."""

    @classmethod
    def begin(
        cls, config: Any, pairs: Pairs, compute: Compute, group: Processes, listen: Listener
    ) -> "Recipe[Any]":
        """The recipe before its first step."""

    @classmethod
    def trial(cls, config: Any, pairs: Pairs) -> Callable[[Compute], Tensor]:
        """Work like that of a step, on a network of its own, to choose the precision by."""

    @classmethod
    def with_begun_options(cls, config: Any, begun: Mapping[str, Any]) -> Any:
        """The config of a run that continues: options that were not given are those that the run
        began with, `begun` by name; empty for a new run.
        """

    @classmethod
    def with_begun_network(cls, config: Any, state: Mapping[str, Any]) -> Any:
        """The config with the network of a saved `state`, whatever device the run continues on."""

    @classmethod
    def begins_anew(cls, state: Mapping[str, Any]) -> bool:
        """Whether a run with this saved `state` that gets a larger budget learns anew from its
        model; otherwise it goes on as if it had had that budget from the start.
        """

    @classmethod
    def going_on_from(cls, config: Any, model: Path) -> Any:
        """The config of a run that learns anew from its model."""

    def about(self) -> Iterator[str]:
        """What a user should know before the first step, in sentences."""

    def draw(self, step: int) -> Batch:
        """What a step learns from: it depends on the seed and the step only. May run in another
        thread than `step`.
        """

    def step(self, batch: Batch, progress: float) -> dict[str, float]:
        """Take one step after `progress` (0..1) of the budget; the step's losses by name."""

    def baselines(self) -> dict[str, Scores]:
        """The scores of methods that need no training, by name."""

    def last_validation_takes(self) -> float:
        """How many times as long as the one before the last validation takes, roughly."""

    def validate(self, progress: float) -> Validation:
        """Score the networks as they are after `progress` (0..1) of the budget; nothing changes."""

    def end_early(self) -> None:
        """After a failed validation: keep the part that works, and end the run."""

    def card(self) -> dict[str, Any]:
        """The fields of ModelCard that only the recipe knows."""

    def generator(self) -> nn.Module:
        """The network that a model file holds."""

    def trained(self) -> Iterable[Tensor]:
        """All weights that a step changes."""

    def samples(self) -> list[Row]:
        """Pictures of some validation pairs, always the same ones; all rows have the same names."""

    def state(self) -> dict[str, Any]:
        """All that steps change, as `load` takes it."""

    def load(self, state: dict[str, Any]) -> None:
        """Continue from a `state`."""
