"""How pairs become a model."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar, Literal, get_args

from demosaic.config.networks import UNetConfig
from demosaic.config.rules import refuse, unless
from demosaic.text import counted

Preset = Literal["default", "seed"]

NetworkSize = Literal["auto", "S", "M"]

Direction = Literal["left-to-right", "right-to-left"]


_VALIDATIONS, _STEPS_APART = 8, 10  # when no number is given: at most, and at least

_SEEDS = 2**63  # that torch takes

_MOST_FACES = 10_000  # of a step; more is a slip of the finger, and no memory holds it


def _shared(config: "TrainConfig | SeedConfig") -> Iterable[str | None]:
    """What may be wrong with the options that both recipes have."""
    return (
        unless(0 < config.lr < math.inf, f"--lr {config.lr}: choose more than 0"),
        unless(0 <= config.seed < _SEEDS, f"--seed {config.seed}: choose 0 to {_SEEDS - 1}"),
        unless(
            config.limit is None or config.limit >= 1, f"--limit {config.limit}: choose 1 or more"
        ),
        unless(
            config.direction in get_args(Direction),
            f"--direction {config.direction}: choose left-to-right or right-to-left",
        ),
        unless(
            config.validation_pairs >= 1,
            f"--validation-pairs {config.validation_pairs}: choose 1 or more",
        ),
        unless(config.save_every >= 1, f"--save-every {config.save_every}: choose 1 or more"),
    )


@dataclass(frozen=True)
class TrainConfig:
    """How pairs become a model that undoes mosaics of any block. What it holds decides the result,
    but for rounding and, where the budget is time, the machine's speed.
    """

    minutes: float = 20.0
    """Time to train, both stages; validation comes on top."""
    steps: int | None = None
    """Steps to train instead, both stages."""
    network: NetworkSize = "auto"
    """S or M; auto is S on a CPU and M on a GPU."""
    init: str | None = None
    """A model to start from, instead of a new network."""
    batch: int = 8
    """Faces drawn, with replacement, for a step."""
    parts: int = 1
    """Parts a step's faces are computed in, one after the other: less memory, the same result."""
    lr: float = 0.02
    """Learning rate of the filters, under Muon; the rest follows at a fixed part of it."""
    sharpen: float = 0.5
    """Share of the budget for the second stage, which adds sharpness; 0 leaves it out."""
    seed: int = 0
    """Of the first weights and of everything drawn."""
    limit: int | None = None
    """Train on the first so many training pairs by hash; the validation pairs stay the same."""
    direction: Direction = "left-to-right"
    """Which half of a side-by-side picture is the mosaic; the other is learnt from."""
    validations: int | None = None
    """Validations in all, evenly over the budget; the last is the most thorough. When it is not
    given, 8, or one in ten of few `steps`.
    """
    validation_pairs: int = 100
    """At most so many validation pairs, the first by hash, are scored."""
    save_every: int = 100
    """Steps between two saved states; a killed run goes on from the last."""

    preset: ClassVar[Preset] = "default"
    multiple: ClassVar[int] = 32
    """Sides of a picture are multiples of this many pixels."""

    def __post_init__(self) -> None:
        refuse(
            (
                *_shared(self),
                unless(
                    0 < self.minutes < math.inf, f"--minutes {self.minutes}: choose more than 0"
                ),
                unless(
                    self.steps is None or self.steps >= 1, f"--steps {self.steps}: choose 1 or more"
                ),
                unless(
                    self.network in get_args(NetworkSize),
                    f"--network {self.network}: choose auto, S or M",
                ),
                unless(
                    1 <= self.batch <= _MOST_FACES,
                    f"--batch {self.batch}: choose 1 to {_MOST_FACES}",
                ),
                unless(1 <= self.parts <= self.batch, f"--parts {self.parts}: choose 1 to --batch"),
                unless(0 <= self.sharpen < 1, f"--sharpen {self.sharpen}: choose 0 to below 1"),
                unless(
                    self.validations is None or self.validations >= 1,
                    f"--validations {self.validations}: choose 1 or more",
                ),
            )
        )

    @property
    def budget(self) -> str:
        """What the run may take, in words."""
        return counted(self.steps, "step") if self.steps else f"{self.minutes:g} minutes"

    def progress(self, step: int, seconds: float) -> float:
        """The share of the budget that is used up after `step` steps in `seconds`."""
        return step / self.steps if self.steps else seconds / (60 * self.minutes)

    def validates(self, step: int, before: float, after: float) -> bool:
        """Whether a validation is due after the step from the one progress to the other."""
        count = self.validations or self._usual_validations
        return int(before * count) < int(after * count)

    @property
    def _usual_validations(self) -> int:
        few = max(1, self.steps // _STEPS_APART) if self.steps else _VALIDATIONS
        return min(_VALIDATIONS, few)


@dataclass(frozen=True)
class SeedConfig:
    """How pairs become the 2020 article's model, exactly. What it holds decides the result, but for
    rounding.
    """

    steps: int = 5000
    """Training steps in all; one step is two discriminator updates and one generator update."""
    batch: int = 4
    """Pairs drawn, with replacement, for a step."""
    lr: float = 2e-4
    """Adam's learning rate, for both networks."""
    l1_weight: float = 100.0
    """Weight of the mean absolute error beside the adversarial loss."""
    seed: int = 0
    """Of the first weights and of the pairs drawn."""
    limit: int | None = None
    """Train on the first so many training pairs by hash; the validation pairs stay the same."""
    direction: Direction = "left-to-right"
    """Which half of a side-by-side picture is the input."""
    validate_every: int = 500
    """Steps between two validations."""
    validation_pairs: int = 200
    """At most so many validation pairs, the first by hash, are scored."""
    save_every: int = 250
    """Steps between two saved states; a killed run goes on from the last."""
    network: UNetConfig = field(default_factory=UNetConfig)

    preset: ClassVar[Preset] = "seed"

    @property
    def multiple(self) -> int:
        """Sides of a picture are multiples of this many pixels."""
        return self.network.multiple

    @property
    def budget(self) -> str:
        """What the run may take, in words."""
        return counted(self.steps, "step")

    def __post_init__(self) -> None:
        refuse(
            (
                *_shared(self),
                unless(self.steps >= 1, f"--steps {self.steps}: choose 1 or more"),
                unless(
                    2 <= self.batch <= _MOST_FACES,
                    f"--batch {self.batch}: choose 2 to {_MOST_FACES} (one has no statistics)",
                ),
                unless(
                    0 <= self.l1_weight < math.inf,
                    f"--l1-weight {self.l1_weight}: choose 0 or more",
                ),
                unless(
                    self.validate_every >= 1,
                    f"--validate-every {self.validate_every}: choose 1 or more",
                ),
            )
        )

    def progress(self, step: int, seconds: float) -> float:
        """The share of the budget that is used up after `step` steps."""
        return step / self.steps

    def validates(self, step: int, before: float, after: float) -> bool:
        """Whether a validation is due after this step."""
        return step % self.validate_every == 0
