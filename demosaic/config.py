"""Frozen option records: the only home of a default. Importing this costs nothing."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

from demosaic.errors import USAGE, DemosaicError

Preset = Literal["seed"]
Direction = Literal["left-to-right", "right-to-left"]
Precision = Literal["auto", "fp32", "bf16"]
DiscriminatorKind = Literal["code", "summary"]


def _refuse(problems: Iterable[str | None]) -> None:
    """Raise one DemosaicError with every problem found, if there is any."""
    found = [problem for problem in problems if problem]
    if found:
        raise DemosaicError("; ".join(found), USAGE)


def _unless(good: bool, problem: str) -> str | None:
    return None if good else problem


@dataclass(frozen=True)
class BuildConfig:
    """How photos become pairs."""

    size: int = 256
    """Side of a face picture, pixels."""
    block: int = 16
    """Side of a mosaic cell, pixels of the face picture."""
    margin: float = 1.7
    """Side of the square crop, as a multiple of the detected face box."""
    min_face: int = 48
    """Faces whose box is narrower than this many photo pixels are left out."""
    min_score: float = 0.5
    """Faces the detector is less sure of (0..1) are left out."""
    val: float = 0.1
    """Share of the groups kept for validation."""
    test: float = 0.0
    """Share of the groups kept for a last test."""

    def __post_init__(self) -> None:
        _refuse(
            (
                _unless(16 <= self.size <= 2048, f"--size {self.size}: choose 16 to 2048"),
                _unless(2 <= self.block <= self.size, f"--block {self.block}: choose 2 to --size"),
                _unless(1 <= self.margin <= 4, f"--margin {self.margin}: choose 1 to 4"),
                _unless(self.min_face >= 8, f"--min-face {self.min_face}: choose 8 or more"),
                _unless(
                    0 < self.min_score <= 1,
                    f"--min-score {self.min_score}: choose above 0, up to 1",
                ),
                _unless(0 <= self.val < 1, f"--val {self.val}: choose 0 to below 1"),
                _unless(0 <= self.test < 1, f"--test {self.test}: choose 0 to below 1"),
                _unless(self.val + self.test < 1, "--val and --test leave nothing to train on"),
            )
        )


@dataclass(frozen=True)
class NetworkConfig:
    """The article's U-Net and PatchGAN; a model is rebuilt from this record alone."""

    down: tuple[int, ...] = (32, 64, 128, 256, 512, 512, 512, 512)
    """Filters of the generator's down blocks; each halves the picture."""
    up: tuple[int, ...] = (512, 512, 512, 256, 128, 64, 32)
    """Filters of its up blocks; each doubles the map and takes the skip of its size."""
    discriminator: DiscriminatorKind = "code"
    """The article's code (16x16 patches at 256 px, as its training loop uses) or its printed
    summary (4x4).
    """

    def __post_init__(self) -> None:
        _refuse(
            (
                _unless(
                    len(self.down) == len(self.up) + 1,
                    "a generator has one down block more than up blocks",
                ),
                _unless(
                    min(self.down + self.up, default=0) >= 1, "every block has at least one filter"
                ),
                _unless(
                    self.discriminator in get_args(DiscriminatorKind),
                    f"--discriminator {self.discriminator}: choose code or summary",
                ),
            )
        )

    @property
    def multiple(self) -> int:
        """Sides of a picture are multiples of this many pixels."""
        return 1 << len(self.down)

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> "NetworkConfig":
        """The config whose `asdict`, through JSON, is `record`. Raises TypeError for another
        program's.
        """
        missing = {field.name for field in fields(cls)} - set(record)
        if missing:
            raise TypeError(f"a network without {' and '.join(sorted(missing))}")
        return cls(**{**record, "down": tuple(record["down"]), "up": tuple(record["up"])})


@dataclass(frozen=True)
class TrainConfig:
    """How pairs become a model. What it holds decides the result, but for rounding."""

    preset: Preset = "seed"
    """The recipe: `seed` is the 2020 article, exactly."""
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
    network: NetworkConfig = field(default_factory=NetworkConfig)

    def __post_init__(self) -> None:
        _refuse(
            (
                _unless(self.preset in get_args(Preset), f"--preset {self.preset}: choose seed"),
                _unless(
                    self.direction in get_args(Direction),
                    f"--direction {self.direction}: choose left-to-right or right-to-left",
                ),
                _unless(self.steps >= 1, f"--steps {self.steps}: choose 1 or more"),
                _unless(
                    self.batch >= 2,
                    f"--batch {self.batch}: choose 2 or more (a batch of one has no statistics)",
                ),
                _unless(self.seed >= 0, f"--seed {self.seed}: choose 0 or more"),
                _unless(self.lr > 0, f"--lr {self.lr}: choose more than 0"),
                _unless(self.l1_weight >= 0, f"--l1-weight {self.l1_weight}: choose 0 or more"),
                _unless(
                    self.limit is None or self.limit >= 1, f"--limit {self.limit}: choose 1 or more"
                ),
                _unless(
                    self.validate_every >= 1,
                    f"--validate-every {self.validate_every}: choose 1 or more",
                ),
                _unless(
                    self.validation_pairs >= 1,
                    f"--validation-pairs {self.validation_pairs}: choose 1 or more",
                ),
                _unless(self.save_every >= 1, f"--save-every {self.save_every}: choose 1 or more"),
            )
        )


@dataclass(frozen=True)
class RestoreConfig:
    """How a mosaic is undone."""

    region: tuple[int, int, int, int] | None = None
    """The pixelated rectangle x, y, width, height in picture pixels; the whole picture when none
    is given.
    """
    block: int | None = None
    """Side of a mosaic cell in picture pixels; the model's own block, scaled with the region,
    when none is given.
    """
    reconcile: bool = True
    """Make the result pixelate back to exactly what was shown."""

    def __post_init__(self) -> None:
        _refuse(
            (
                _unless(
                    self.block is None or self.block >= 2, f"--block {self.block}: choose 2 or more"
                ),
                _unless(
                    self.region is None or (min(self.region) >= 0 and min(self.region[2:]) >= 1),
                    f"--region {self.region}: give x,y,width,height, the last two 1 or more",
                ),
            )
        )


@dataclass(frozen=True)
class DeviceConfig:
    """What to compute with; it changes speed and rounding, not the recipe."""

    device: str = "auto"
    """`auto`, `cpu`, `cuda`, `cuda:1`, `mps`."""
    precision: Precision = "auto"
    """`auto` tries bf16 where the machine has it and keeps it when it is faster and agrees with
    fp32.
    """
    threads: int | None = None
    """CPU threads; torch's own choice when none is given."""

    def __post_init__(self) -> None:
        _refuse(
            (
                _unless(
                    self.precision in get_args(Precision),
                    f"--precision {self.precision}: choose auto, fp32 or bf16",
                ),
                _unless(
                    self.threads is None or self.threads >= 1,
                    f"--threads {self.threads}: choose 1 or more",
                ),
            )
        )


def differences(before: dict[str, Any], now: object) -> list[str]:
    """How the config `now` (a dataclass) differs from a stored record of one, as readable `field
    old -> new`.
    """
    after = asdict(now)  # type: ignore[call-overload]
    flat_before, flat_after = _flat(before), _flat(after)
    return [
        f"{name.replace('_', '-')} {flat_before.get(name)} -> {flat_after.get(name)}"
        for name in sorted({*flat_before, *flat_after})
        if flat_before.get(name) != flat_after.get(name)
    ]


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            flat.update(_flat(value))
        else:
            flat[name] = list(value) if isinstance(value, tuple) else value
    return flat
