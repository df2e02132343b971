"""Frozen option records: the only home of a default. Importing this costs nothing."""

import math
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, Literal, get_args

from demosaic.errors import USAGE, DemosaicError
from demosaic.words import counted

Preset = Literal["default", "seed"]
NetworkSize = Literal["auto", "S", "M"]
Direction = Literal["left-to-right", "right-to-left"]
Precision = Literal["auto", "fp32", "bf16"]
DiscriminatorKind = Literal["code", "summary"]
Style = Literal["mosaic", "solid", "blur"]
Shape = Literal["box", "ellipse"]
Offset = Literal["corner", "random"]
Rectangle = tuple[int, int, int, int]
Sampler = Literal["mean", "centre", "top-left", "linear"]

_VALIDATIONS, _STEPS_APART = 8, 10  # when no number is given: at most, and at least
_SEEDS = 2**63  # that torch takes
_MOST_SPREAD = 10_000  # px; of a blur that takes minutes
_MOST_FACES = 10_000  # of a step; more is a slip of the finger, and no memory holds it
_MOST_THREADS = 1024  # with millions torch crashes
LEAST_SCORE = 0.3
"""Nothing the detector is less sure of (0..1) is taken for a face at all."""


def _refuse(problems: Iterable[str | None]) -> None:
    """Raise one DemosaicError with every problem found, if there is any."""
    found = [problem for problem in problems if problem]
    if found:
        raise DemosaicError("; ".join(found), USAGE)


def _unless(good: bool, problem: str) -> str | None:
    return None if good else problem


def _sampler_known(sampler: str) -> str | None:
    known = sampler in get_args(Sampler)
    return _unless(known, f"--sampler {sampler}: choose mean, centre, top-left or linear")


def _too_small(width: float, height: float) -> str | None:
    """What may be wrong with the sides of a cell."""
    good = 2 <= width < math.inf and 2 <= height < math.inf
    return _unless(good, f"--block {width:g}x{height:g}: choose 2 or more")


def _misplaced(region: Rectangle) -> str | None:
    """What may be wrong with a rectangle of picture pixels."""
    x, y, width, height = region
    return _unless(
        min(x, y) >= 0 and min(width, height) >= 1,
        f"--region {','.join(map(str, region))}: give x,y,width,height, the last two 1 or more",
    )


def _why_not_group_by(by: str) -> str | None:
    """What is wrong with `--group-by`, if anything is."""
    if by in ("parent", "photo"):
        return None
    try:
        groups = re.compile(by).groups
    except re.error as error:
        return f"--group-by {by}: no regular expression ({error}); choose parent, photo or one"
    return _unless(
        groups >= 1,
        f"--group-by {by}: put brackets round what tells people apart, as in '^(\\w+)_'",
    )


def _shared(config: "TrainConfig | SeedConfig") -> Iterable[str | None]:
    """What may be wrong with the options that both recipes have."""
    return (
        _unless(0 < config.lr < math.inf, f"--lr {config.lr}: choose more than 0"),
        _unless(0 <= config.seed < _SEEDS, f"--seed {config.seed}: choose 0 to {_SEEDS - 1}"),
        _unless(
            config.limit is None or config.limit >= 1, f"--limit {config.limit}: choose 1 or more"
        ),
        _unless(
            config.direction in get_args(Direction),
            f"--direction {config.direction}: choose left-to-right or right-to-left",
        ),
        _unless(
            config.validation_pairs >= 1,
            f"--validation-pairs {config.validation_pairs}: choose 1 or more",
        ),
        _unless(config.save_every >= 1, f"--save-every {config.save_every}: choose 1 or more"),
    )


def _refuse_incomplete(kind: type["UNetConfig | ResUNetConfig"], record: dict[str, Any]) -> None:
    missing = {field.name for field in fields(kind)} - set(record)
    if missing:
        raise TypeError(f"a network without {' and '.join(sorted(missing))}")


@dataclass(frozen=True)
class BuildConfig:
    """How photos become pairs."""

    size: int = 256
    """Side of a face picture, pixels."""
    block: float = 16
    """Side of a mosaic cell: pixels of the face picture, or below 1 a share of the face's longer
    side.
    """
    blocks: tuple[int, int] | None = None
    """The smallest and largest side instead, pixels; each pair's own is drawn from its id."""
    offset: Offset = "corner"
    """Where a cell begins: in the corner of the picture, or at a point drawn from the pair's id."""
    sampler: Sampler = "mean"
    """What of a cell its colour is taken from."""
    margin: float = 1.7
    """Side of the square crop, as a multiple of the detected face box."""
    min_face: int = 48
    """Faces whose box is narrower than this many photo pixels are left out."""
    min_score: float = 0.7
    """Faces the detector is less sure of (0..1) are left out: of 88 in 3,202 that were below, most
    were halves of faces, backs of heads, gaps between two people, or lettering.
    """
    max_per_photo: int = 0
    """So many of a photo's faces, the largest, are kept; 0 keeps all."""
    max_enlarge: float = 4.0
    """Faces whose crop has to be enlarged more than this to reach `size` are left out."""
    min_sharpness: float = 0.2
    """Faces less sharp (0..1) are left out as blurred."""
    group_by: str = "parent"
    """Whose a photo is: `parent`, its folder's; `photo`, its own; or what the first group of a
    regular expression finds in its name below the photo folder. Nobody is in two splits.
    """
    max_per_group: int = 0
    """So many pairs of whoever belongs together are kept; 0 keeps all."""
    val: float = 0.1
    """Share of the groups kept for validation."""
    test: float = 0.0
    """Share of the groups kept for a last test."""

    def __post_init__(self) -> None:
        _refuse(
            (
                _unless(16 <= self.size <= 2048, f"--size {self.size}: choose 16 to 2048"),
                _unless(
                    0 < self.block < 1
                    or (2 <= self.block <= self.size and float(self.block).is_integer()),
                    f"--block {self.block:g}: choose 2 to --size, or a share below 1 of the face",
                ),
                _unless(
                    self.blocks is None or 2 <= self.blocks[0] <= self.blocks[1] <= self.size,
                    f"--blocks {self.blocks and '{}:{}'.format(*self.blocks)}: "
                    "give the smallest and the largest, 2:--size",
                ),
                _unless(
                    self.offset in get_args(Offset),
                    f"--offset {self.offset}: choose corner or random",
                ),
                _sampler_known(self.sampler),
                _unless(1 <= self.margin <= 4, f"--margin {self.margin}: choose 1 to 4"),
                _unless(self.min_face >= 8, f"--min-face {self.min_face}: choose 8 or more"),
                _unless(
                    LEAST_SCORE <= self.min_score <= 1,
                    f"--min-score {self.min_score}: choose {LEAST_SCORE} to 1",
                ),
                _unless(
                    self.max_per_photo >= 0,
                    f"--max-per-photo {self.max_per_photo}: choose 0 or more",
                ),
                _unless(
                    self.max_enlarge > 0, f"--max-enlarge {self.max_enlarge}: choose more than 0"
                ),
                _unless(
                    0 <= self.min_sharpness <= 1,
                    f"--min-sharpness {self.min_sharpness}: choose 0 to 1",
                ),
                _why_not_group_by(self.group_by),
                _unless(
                    self.max_per_group >= 0,
                    f"--max-per-group {self.max_per_group}: choose 0 or more",
                ),
                _unless(0 <= self.val < 1, f"--val {self.val}: choose 0 to below 1"),
                _unless(0 <= self.test < 1, f"--test {self.test}: choose 0 to below 1"),
                _unless(self.val + self.test < 1, "--val and --test leave nothing to train on"),
            )
        )


@dataclass(frozen=True)
class UNetConfig:
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
    def from_record(cls, record: dict[str, Any]) -> "UNetConfig":
        """The config whose `asdict`, through JSON, is `record`. Raises TypeError for another
        program's.
        """
        _refuse_incomplete(cls, record)
        return cls(**{**record, "down": tuple(record["down"]), "up": tuple(record["up"])})


@dataclass(frozen=True)
class ResUNetConfig:
    """Our residual U-Net; a model is rebuilt from this record alone."""

    widths: tuple[int, ...]
    """Channels of each level; the first is at a quarter of the picture's sides, the others each at
    half of the one before.
    """
    down: tuple[int, ...]
    """Residual blocks of each level on the way down."""
    up: tuple[int, ...]
    """And on the way up; one level fewer."""
    attention: int
    """The level where points look at each other, on the way down and, but for the last, up."""
    head: int
    """Channels at half of the picture's sides."""

    def __post_init__(self) -> None:
        _refuse(
            (
                _unless(
                    len(self.widths) == len(self.down) == len(self.up) + 1,
                    "a level has a width, its blocks down and, but for the last, its blocks up",
                ),
                _unless(min(self.widths, default=0) >= 1, "every level has at least one channel"),
                _unless(self.head >= 1, "the head has at least one channel"),
            )
        )

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> "ResUNetConfig":
        """The config whose `asdict`, through JSON, is `record`. Raises TypeError for another
        program's.
        """
        _refuse_incomplete(cls, record)
        lists = {name: tuple(record[name]) for name in ("widths", "down", "up")}
        return cls(**(record | lists))


NETWORKS = {
    "S": ResUNetConfig((32, 64, 96, 128), (2, 2, 2, 2), (2, 2, 2), attention=3, head=16),
    "M": ResUNetConfig((96, 192, 256, 320), (2, 2, 2, 2), (2, 2, 2), attention=2, head=64),
}
"""S suits a CPU, M a GPU. With S twice as wide, ten minutes of two cores, 770 steps and not 2,000,
gained 1.67, 1.28 and 1.01 dB over `base` at blocks 8, 16 and 24, against 1.76, 1.36 and 1.10. With
attention a level higher and a head of 24 it learnt as much in 400 steps, which took a quarter
longer. One block less on its first level, both ways, cost .07, .03 and .01 dB.
"""


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
        _refuse(
            (
                *_shared(self),
                _unless(
                    0 < self.minutes < math.inf, f"--minutes {self.minutes}: choose more than 0"
                ),
                _unless(
                    self.steps is None or self.steps >= 1, f"--steps {self.steps}: choose 1 or more"
                ),
                _unless(
                    self.network in get_args(NetworkSize),
                    f"--network {self.network}: choose auto, S or M",
                ),
                _unless(
                    1 <= self.batch <= _MOST_FACES,
                    f"--batch {self.batch}: choose 1 to {_MOST_FACES}",
                ),
                _unless(
                    1 <= self.parts <= self.batch, f"--parts {self.parts}: choose 1 to --batch"
                ),
                _unless(0 <= self.sharpen < 1, f"--sharpen {self.sharpen}: choose 0 to below 1"),
                _unless(
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
        _refuse(
            (
                *_shared(self),
                _unless(self.steps >= 1, f"--steps {self.steps}: choose 1 or more"),
                _unless(
                    2 <= self.batch <= _MOST_FACES,
                    f"--batch {self.batch}: choose 2 to {_MOST_FACES} (one has no statistics)",
                ),
                _unless(
                    0 <= self.l1_weight < math.inf,
                    f"--l1-weight {self.l1_weight}: choose 0 or more",
                ),
                _unless(
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


@dataclass(frozen=True)
class RestoreConfig:
    """How a mosaic is undone."""

    regions: tuple[Rectangle, ...] | Literal["whole"] = ()
    """Where mosaics are, instead of where they are found: rectangles x, y, width, height in picture
    pixels, or the whole picture.
    """
    mask: str | None = None
    """A picture of the same size that is white where mosaics are."""
    block: tuple[float, float] | None = None
    """Width and height of a cell in picture pixels, instead of what is found."""
    offset: tuple[float, float] | None = None
    """Where in a region cells of this `block` begin, right and down from its corner; where they fit
    best when it is not given.
    """
    sampler: Sampler | None = None
    """What of a cell its colour was taken from; read off the mosaic's border when not given."""
    consistency: float | None = None
    """How far a cell's mean is pulled to the colour shown, 0..1; when not given, all the way where
    colours are means, less where they may not be, not at all where they are none.
    """
    realism: float = 0.5
    """From the faithful mean, 0, to the sharpest guess, 1; a model without a second stage knows the
    mean only.
    """
    compare: bool = False
    """Write a picture of before and after beside each result."""
    copy_untouched: bool = False
    """Copy pictures without a mosaic to where their results would go."""

    def __post_init__(self) -> None:
        _refuse(
            (
                *(
                    _misplaced(region)
                    for region in (() if self.regions == "whole" else self.regions)
                ),
                _unless(
                    not (self.mask and self.regions), "--mask and --region: give one of the two"
                ),
                self.block and _too_small(*self.block),
                _unless(
                    self.offset is None or all(map(math.isfinite, self.offset)),
                    f"--offset {','.join(map(str, self.offset or ()))}: give x,y in pixels",
                ),
                _unless(
                    self.offset is None or self.block is not None,
                    "--offset: give the size of the cells too, with --block",
                ),
                self.sampler and _sampler_known(self.sampler),
                _unless(
                    self.consistency is None or 0 <= self.consistency <= 1,
                    f"--consistency {self.consistency}: choose 0 to 1",
                ),
                _unless(0 <= self.realism <= 1, f"--realism {self.realism}: choose 0 to 1"),
            )
        )


@dataclass(frozen=True)
class PixelateConfig:
    """How faces are hidden."""

    regions: tuple[Rectangle, ...] = ()
    """Rectangles x, y, width, height in photo pixels to hide, instead of the faces found."""
    style: Style = "mosaic"
    """What is put over a face: a mosaic, black, or blur."""
    block: float = 0.1
    """Side of a mosaic cell, or the spread of a blur: photo pixels, or below 1 a share of the
    face's width.
    """
    shape: Shape = "box"
    """What is hidden: the whole box or the ellipse in it."""
    margin: float = 1.3
    """Side of the box, as a multiple of the detected face box, which has neither hair nor chin."""
    sampler: Sampler = "mean"
    """What of a cell its colour is taken from."""
    min_score: float = LEAST_SCORE
    """What the detector is less sure of (0..1) is not hidden."""

    def __post_init__(self) -> None:
        _refuse(
            (
                *(_misplaced(region) for region in self.regions),
                _unless(
                    self.style in get_args(Style),
                    f"--style {self.style}: choose mosaic, solid or blur",
                ),
                _unless(
                    0 < self.block < 1
                    or (2 <= self.block <= _MOST_SPREAD and float(self.block).is_integer()),
                    f"--block {self.block:g}: choose 2 to {_MOST_SPREAD} px, or a share below 1 of "
                    "the face",
                ),
                _unless(
                    self.shape in get_args(Shape), f"--shape {self.shape}: choose box or ellipse"
                ),
                _unless(1 <= self.margin <= 4, f"--margin {self.margin}: choose 1 to 4"),
                _sampler_known(self.sampler),
                _unless(
                    LEAST_SCORE <= self.min_score <= 1,
                    f"--min-score {self.min_score}: choose {LEAST_SCORE} to 1",
                ),
            )
        )


@dataclass(frozen=True)
class EvaluateConfig:
    """How models are scored."""

    faces: int = 200
    """At most so many held-out faces, the first by hash, are scored."""
    realism: float | None = None
    """The only blend to score; five from 0 to 1 when none is given, with `quick` 0 alone."""
    quick: bool = False
    """PSNR, SSIM and cell error of aligned mosaics only, and no page."""

    blocks: ClassVar[tuple[int, ...]] = (4, 8, 12, 16, 24, 32)
    """Sides of the cells, px."""

    def __post_init__(self) -> None:
        _refuse(
            (
                _unless(self.faces >= 1, f"--faces {self.faces}: choose 1 or more"),
                _unless(
                    self.realism is None or 0 <= self.realism <= 1,
                    f"--realism {self.realism}: choose 0 to 1",
                ),
            )
        )

    @property
    def realisms(self) -> tuple[float, ...]:
        """The blends to score."""
        if self.realism is not None:
            return (self.realism,)
        return (0.0,) if self.quick else (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class AuditConfig:
    """How much of an album is compared to see what its mosaics give away."""

    faces: int = 200
    """At most so many faces are hidden, two of a person."""
    gallery: int = 1000
    """So many faces are known, where the album has them: of those hidden, and of others."""
    realism: float = RestoreConfig.realism
    """Of what is restored, 0..1."""

    blocks: ClassVar[tuple[int, ...]] = (4, 8, 12, 16, 24, 32, 64, 128, 256)
    """Sides of the cells, pixels of a face as it is cut for training."""

    def __post_init__(self) -> None:
        _refuse(
            (
                _unless(self.faces >= 1, f"--faces {self.faces}: choose 1 or more"),
                _unless(self.gallery >= 2, f"--gallery {self.gallery}: choose 2 or more"),
                _unless(0 <= self.realism <= 1, f"--realism {self.realism}: choose 0 to 1"),
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
                    self.threads is None or 1 <= self.threads <= _MOST_THREADS,
                    f"--threads {self.threads}: choose 1 to {_MOST_THREADS}",
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
