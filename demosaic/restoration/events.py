"""Events of restoring pictures and clips."""

from dataclasses import asdict, dataclass

from demosaic.events import Event


@dataclass(frozen=True)
class RegionRestored:
    """One mosaic of a picture was restored."""

    box: tuple[int, int, int, int]
    """x, y, width and height, picture pixels."""
    block: tuple[float, float] | None
    """Cell width and height, picture pixels; None for a model of other pictures than mosaics."""
    offset: tuple[float, float]
    """Where in the box the first whole cell begins, picture pixels right and down."""
    sampler: str | None
    """How the cells' colours were computed; None for a model of other pictures than mosaics."""
    confidence: float
    """How certain the detection is, 0 to 1; 1 when the mosaic was given."""
    cell_error: float
    """The largest difference of a restored cell's mean from the observed colour, grey levels."""
    page: int = 0
    """Which picture of the file it is in, a frame or page say; from 0."""


@dataclass(frozen=True)
class PictureRestored(Event):
    """One picture was restored; the result is in `out`."""

    picture: str
    out: str
    """The first of the files, if there are several draws."""
    regions: tuple[RegionRestored, ...]
    samples: tuple[str, ...] = ()
    """The files of all draws, if there are several."""
    spread: str = ""
    """The heat map of how far draws differ, if there is one."""
    comparison: str = ""
    """Before and after side by side, if that was asked for."""

    def records(self) -> list[dict[str, object]]:
        """A record for each region."""
        place = {"event": RegionRestored.__name__, "picture": self.picture, "out": self.out}
        beside = {
            "samples": self.samples,
            "spread": self.spread,
            "comparison": self.comparison,
        }
        return [{**place, **asdict(region), **beside} for region in self.regions]


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
class ClipStarted(Event):
    """One clip was looked through; its frames are next."""

    clip: str
    frames: int
    """How many there are, nearly."""
    seconds: float
    """How long it is, nearly."""
    size: tuple[int, int]
    """Width and height of a frame, px."""
    codec: str
    """In which the result is encoded."""
    pixels: str
    """FFmpeg's name for the format of the result's pixels."""
    forecast: int
    """How long the work takes if each frame is as the first, s."""


@dataclass(frozen=True)
class ClipRestored(Event):
    """One clip was restored; the result is in `out`."""

    clip: str
    out: str
    frames: int
    restored: int
    """Frames that had a mosaic."""
    unreadable: int
    """Frames that could not be read and were left out."""
    mosaics: int = 0
    """Mosaics that were restored, one a frame each."""
    copied: int = 0
    """Frames without a mosaic that were copied without encoding them again."""
    cell_error: float | None = None
    """How far the cells of the result are from the clip's, after decoding: mean over cells and
    colours, levels of 8 bits. None if cells need not agree."""
    largest_error: float | None = None
    """The largest of these differences."""
    comparison: str = ""
    """The first frame with a mosaic before and after, if that was asked for."""
