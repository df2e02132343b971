"""What is reported about models."""

from dataclasses import dataclass, field

from demosaic.events import Event


@dataclass(frozen=True)
class ModelExported(Event):
    """A model was written for other programs."""

    model: str
    out: str
    """The file written."""
    realism: float
    """The blend of the two stages that it computes, 0..1."""


@dataclass(frozen=True)
class ModelFound:
    """A model at hand."""

    path: str
    why: str
    """What it is, such as `the newest below runs/`."""
    preset: str = ""
    step: int = 0
    """The step of its training."""
    minutes: float | None = None
    """That its training took; None when that is not known."""
    blocks: tuple[int, int] | None = None
    """Smallest and largest side of the cells it restores, px; None if it undoes no mosaics."""
    draws: bool = False
    """Whether its second stage draws samples."""
    psnr: dict[str, float] = field(default_factory=dict)
    """dB on its own validation pairs, by what was scored."""
    problem: str = ""
    """Why it cannot be used; empty for one that can."""
    passed_over: str = ""
    """Why it is not taken unless it is named; empty for one that may be."""


@dataclass(frozen=True)
class ModelsFound(Event):
    """The models at hand; `restore` takes the first, unless another is named."""

    models: tuple[ModelFound, ...]
