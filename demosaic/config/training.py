"""How pairs become a model."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from demosaic.config.networks import DiscriminatorKind, UNetConfig
from demosaic.config.options import as_in, check, option, options_of
from demosaic.config.rules import unless
from demosaic.errors import USAGE, DemosaicError
from demosaic.text import counted

Preset = Literal["default", "seed"]
NetworkSize = Literal["auto", "S", "box", "M"]
FROM_BOX, FROM_NOTHING = "box", "none"
"""Of `--init`: the model in the box, and none."""

Direction = Literal["left-to-right", "right-to-left"]

_LEARNING = "Learning"
_VALIDATING = "Validating and saving"
_SEED_ONLY = "Only with --preset seed"

_VALIDATIONS, _STEPS_APART = 8, 10  # when no number is given: at most, and at least

_LARGEST_SEED = 2**63 - 1  # that torch takes

_MOST_FACES = 10_000  # per step; more is a typing error, and no memory holds it


@dataclass(frozen=True)
class TrainConfig:
    """How pairs become a model that undoes mosaics of any block. These options decide the result,
    except for rounding and, where the budget is time, the machine's speed.
    """

    minutes: float = option(
        20.0, "Minutes to train, validations included; loading comes on top.", gt=0, lt=math.inf
    )
    steps: int | None = option(None, "Train this many steps, instead of minutes.", ge=1)
    network: NetworkSize = option(
        "auto",
        "Size of a new network: auto is S on a CPU and M on a GPU, box as in the model in the box.",
    )
    init: str = option(
        FROM_BOX,
        "Start from this model: a file, box for the one that comes with demosaic, or none for a "
        "new network.",
        metavar="MODEL",
    )
    album: bool = option(
        False,
        "Learn the people of an album: a folder each, of 15 photos or more. Half of what the model "
        "to start from knows is kept.",
    )
    batch: int = option(
        8, "Faces drawn, with replacement, for a step.", ge=1, le=_MOST_FACES, panel=_LEARNING
    )
    parts: int = option(
        1,
        "Compute a step in this many parts: less memory, the same result.",
        ge=1,
        panel=_LEARNING,
    )
    lr: float = option(0.02, "Learning rate.", gt=0, lt=math.inf, panel=_LEARNING)
    """Of the filters, under Muon; that of the other weights is a fixed fraction of it."""
    sharpen: float = option(
        0.5,
        "Share of the budget for the second stage, which learns to draw sharp faces; 0 leaves it "
        "out, 1 trains nothing else (needs --init).",
        ge=0,
        le=1,
        panel=_LEARNING,
    )
    seed: int = option(
        0,
        "Seed of the first weights and of everything drawn.",
        ge=0,
        le=_LARGEST_SEED,
        panel=_LEARNING,
    )
    limit: int | None = option(
        None, "Train on this many pairs only, the first by hash.", ge=1, panel=_LEARNING
    )
    """The validation pairs stay the same."""
    direction: Direction = option(
        "left-to-right",
        "Which half of a side-by-side picture is the input; the other is the target.",
        panel=_LEARNING,
    )
    validations: int | None = option(
        None,
        "Validations in all, evenly over the budget.",
        ge=1,
        shown="8, fewer in less than 80 steps",
        panel=_VALIDATING,
    )
    """The last is the most thorough."""
    validation_pairs: int = option(
        100,
        "Score at most this many validation pairs, the first by hash.",
        ge=1,
        panel=_VALIDATING,
    )
    save_every: int = option(
        100,
        "Steps between saved states; a killed run continues from the last.",
        ge=1,
        panel=_VALIDATING,
    )

    preset: ClassVar[Preset] = "default"
    multiple: ClassVar[int] = 32
    """Sides of a picture are multiples of this many pixels."""

    def __post_init__(self) -> None:
        check(
            self,
            unless(self.parts <= self.batch, f"--parts {self.parts}: choose 1 to --batch"),
            unless(
                self.sharpen < 1 or self.init != FROM_NOTHING,
                "--sharpen 1: name a model to start from, with --init",
            ),
            unless(
                not self.album or self.init != FROM_NOTHING,
                "--album: starts from a model; leave --init none out",
            ),
        )

    @property
    def budget(self) -> str:
        """What the run may take, in words."""
        return counted(self.steps, "step") if self.steps else f"{self.minutes:g} minutes"

    def progress(self, step: int, seconds: float, reserve: float = 0.0) -> float:
        """The share of the budget that is used up after `step` steps in `seconds`, when `reserve`
        more are kept back for the end; at most a third of the minutes is.
        """
        if self.steps:
            return step / self.steps
        budget = 60 * self.minutes
        return seconds / (budget - min(reserve, budget / 3))

    @property
    def amount(self) -> float:
        """The budget as a number, of steps or minutes."""
        return self.steps or self.minutes

    def validates(self, step: int, before: float, after: float) -> bool:
        """Whether a validation is due after the step that took the progress from `before` to
        `after`.
        """
        count = self.validations or self._usual_validations
        return int(before * count) < int(after * count)

    @property
    def _usual_validations(self) -> int:
        few = max(1, self.steps // _STEPS_APART) if self.steps else _VALIDATIONS
        return min(_VALIDATIONS, few)


@dataclass(frozen=True)
class SeedConfig:
    """How pairs become the 2020 article's model, exactly. These options decide the result, except
    for rounding.
    """

    steps: int = as_in(TrainConfig, "steps", 5000)
    """One step is two discriminator updates and one generator update."""
    # Batch normalisation has no statistics of one
    batch: int = as_in(TrainConfig, "batch", 4, ge=2)
    lr: float = as_in(TrainConfig, "lr", 2e-4)
    """Adam's, for both networks."""
    l1_weight: float = option(
        100.0,
        "Weight of the mean absolute error beside the adversarial loss.",
        ge=0,
        lt=math.inf,
        panel=_SEED_ONLY,
    )
    seed: int = as_in(TrainConfig, "seed")
    limit: int | None = as_in(TrainConfig, "limit")
    direction: Direction = as_in(TrainConfig, "direction")
    validate_every: int = option(500, "Steps between validations.", ge=1, panel=_SEED_ONLY)
    validation_pairs: int = as_in(TrainConfig, "validation_pairs", 200)
    save_every: int = as_in(TrainConfig, "save_every", 250)
    discriminator: DiscriminatorKind = option(
        UNetConfig.discriminator,
        "The discriminator of the article's code, or of its printed summary.",
        panel=_SEED_ONLY,
    )
    down: tuple[int, ...] = UNetConfig.down
    up: tuple[int, ...] = UNetConfig.up

    preset: ClassVar[Preset] = "seed"

    @property
    def network(self) -> UNetConfig:
        """The networks to train, as the model file describes them."""
        return UNetConfig(down=self.down, up=self.up, discriminator=self.discriminator)

    @property
    def multiple(self) -> int:
        """Sides of a picture are multiples of this many pixels."""
        return self.network.multiple

    @property
    def budget(self) -> str:
        """What the run may take, in words."""
        return counted(self.steps, "step")

    @property
    def amount(self) -> float:
        """The budget as a number of steps."""
        return self.steps

    def __post_init__(self) -> None:
        check(self)

    def progress(self, step: int, seconds: float, reserve: float = 0.0) -> float:
        """The share of the budget that is used up after `step` steps."""
        return step / self.steps

    def validates(self, step: int, before: float, after: float) -> bool:
        """Whether a validation is due after this step."""
        return step % self.validate_every == 0


RECIPES: dict[str, type[TrainConfig] | type[SeedConfig]] = {
    TrainConfig.preset: TrainConfig,
    SeedConfig.preset: SeedConfig,
}

EXCLUSIVE = {"minutes", "steps"}
"""Fields of which one is given at most."""


def recipe_like(
    config: "TrainConfig | SeedConfig", chosen: Mapping[str, Any]
) -> "TrainConfig | SeedConfig":
    """The config with the options chosen, by the names of their fields, in the place of its own.

    Raises DemosaicError for an option that its preset does not have.
    """
    recipe(config.preset, chosen)  # refuses what does not go together
    if "minutes" in chosen:
        chosen = {**chosen, "steps": None}
    return replace(config, **chosen)


def recipe(preset: str, chosen: Mapping[str, Any]) -> TrainConfig | SeedConfig:
    """The preset with the options chosen, by the names of their fields.

    Raises DemosaicError for another preset, and for an option that the preset does not have.
    """
    if preset not in RECIPES:
        raise DemosaicError(f"--preset {preset}: choose {' or '.join(RECIPES)}", USAGE)
    names = {one.field: one.name for record in RECIPES.values() for one in options_of(record)}
    known = {one.field for one in options_of(RECIPES[preset])}
    if chosen.keys() & known >= EXCLUSIVE:
        raise DemosaicError("--minutes and --steps: give one of the two", USAGE)
    strange = ", ".join(names[field] for field in chosen if field not in known)
    if strange:
        raise DemosaicError(f"{strange}: --preset {preset} has no such option", USAGE)
    return RECIPES[preset](**chosen)
