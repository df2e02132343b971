"""The networks' sizes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from demosaic.config.rules import refuse, unless

DiscriminatorKind = Literal["code", "summary"]

# A stranger's model file may describe any network. These bound what is built before it shows that
# the weights do not fit
_MOST_LEVELS = 10
_MOST_CHANNELS = 4096
_MOST_BLOCKS = 64


def too_large(
    levels: Sequence[int], channels: Sequence[int], blocks: Sequence[int] = ()
) -> str | None:
    """What is wrong with the size of a network, if anything is. It has a level for each of
    `levels`, these numbers of `channels`, and these numbers of residual `blocks`.
    """
    return (
        unless(len(levels) <= _MOST_LEVELS, f"a network has at most {_MOST_LEVELS} levels")
        or unless(
            max(channels, default=0) <= _MOST_CHANNELS,
            f"a layer has at most {_MOST_CHANNELS} channels",
        )
        or unless(
            all(0 <= number <= _MOST_BLOCKS for number in blocks),
            f"a level has at most {_MOST_BLOCKS} blocks",
        )
    )


@dataclass(frozen=True)
class UNetConfig:
    """The article's U-Net and PatchGAN; a model is rebuilt from this record alone."""

    down: tuple[int, ...] = (32, 64, 128, 256, 512, 512, 512, 512)
    """Filters of the generator's down blocks; each halves the picture."""
    up: tuple[int, ...] = (512, 512, 512, 256, 128, 64, 32)
    """Filters of its up blocks; each doubles the map and takes the skip connection of its size."""
    discriminator: DiscriminatorKind = "code"
    """The article's code (16x16 patches at 256 px, as its training loop uses) or its printed
    summary (4x4).
    """

    def __post_init__(self) -> None:
        refuse(
            (
                unless(
                    len(self.down) == len(self.up) + 1,
                    "a generator has one down block more than up blocks",
                ),
                unless(
                    min(self.down + self.up, default=0) >= 1, "every block has at least one filter"
                ),
                too_large(self.down, self.down + self.up),
                unless(
                    self.discriminator in get_args(DiscriminatorKind),
                    f"--discriminator {self.discriminator}: choose code or summary",
                ),
            )
        )

    @property
    def multiple(self) -> int:
        """Sides of a picture are multiples of this many pixels."""
        return 1 << len(self.down)


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
    """Residual blocks of each level on the way up; one level fewer."""
    attention: int
    """The level with self-attention, on the way down and, except for the last level, up."""
    head: int
    """Channels at half of the picture's sides."""

    def __post_init__(self) -> None:
        refuse(
            (
                unless(
                    len(self.widths) == len(self.down) == len(self.up) + 1,
                    "a level has a width, its blocks down and, except the last, its blocks up",
                ),
                unless(min(self.widths, default=0) >= 1, "every level has at least one channel"),
                unless(self.head >= 1, "the head has at least one channel"),
                too_large(self.widths, (*self.widths, self.head), self.down + self.up),
            )
        )


@dataclass(frozen=True)
class FlowConfig:
    """What the flow of the second stage has beside a network like the mean's; a model is rebuilt
    from this record and that of the mean.
    """

    light: int = 32
    """Channels of the path at half of the picture's sides."""

    def __post_init__(self) -> None:
        refuse(
            (
                unless(self.light >= 1, "the light path has at least one channel"),
                too_large((), (self.light,)),
            )
        )


NETWORKS = {
    "S": ResUNetConfig((32, 64, 96, 128), (2, 2, 2, 2), (2, 2, 2), attention=3, head=16),
    "box": ResUNetConfig((64, 128, 192, 256), (2, 2, 2, 2), (2, 2, 2), attention=3, head=32),
    "M": ResUNetConfig((96, 192, 256, 320), (2, 2, 2, 2), (2, 2, 2), attention=2, head=64),
}
"""S suits a CPU, M a GPU; box is that of the model in the box. docs/ablations.md compares them."""
