"""What is reported about models."""

from dataclasses import dataclass

from demosaic.events import Event


@dataclass(frozen=True)
class ModelExported(Event):
    """A model was written for other programs."""

    model: str
    out: str
    """The file written."""
    realism: float
    """The blend of the two stages that it computes, 0..1."""
