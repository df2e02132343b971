"""What is said while pictures are restored."""

from dataclasses import asdict, dataclass

from demosaic.events import Event


@dataclass(frozen=True)
class RegionRestored:
    """One mosaic of a picture was undone."""

    box: tuple[int, int, int, int]
    """x, y, width and height, picture pixels."""
    block: tuple[float, float] | None
    """Cell width and height, picture pixels; None for a model of other pictures than mosaics."""
    offset: tuple[float, float]
    """Where in the box the first whole cell begins."""
    sampler: str | None
    """What of a cell its colour is taken to be; None for a model of other pictures than mosaics."""
    confidence: float
    """How sure it is that this is the mosaic, 0..1; 1 when it was given."""
    cell_error: float
    """Grey levels between the restored cells and those shown, the worst."""


@dataclass(frozen=True)
class PictureRestored(Event):
    """One picture was restored into `out`."""

    picture: str
    out: str
    regions: tuple[RegionRestored, ...]

    def records(self) -> list[dict[str, object]]:
        """A record for each region."""
        place = {"event": RegionRestored.__name__, "picture": self.picture, "out": self.out}
        return [{**place, **asdict(region)} for region in self.regions]


@dataclass(frozen=True)
class FrameRestored(Event):
    """One frame of a clip is done; it may have had no mosaic."""

    clip: str
    number: int
    """From 0."""
    time: float
    """Seconds into the clip."""
    regions: tuple[RegionRestored, ...]


@dataclass(frozen=True)
class ClipRestored(Event):
    """One clip was restored into `out`."""

    clip: str
    out: str
    frames: int
    restored: int
    """Frames that had a mosaic."""
    unreadable: int
    """Frames that could not be read and are left out."""
