"""The containers that clips are written in, by the suffix of their names."""

from dataclasses import dataclass, field
from pathlib import Path

from demosaic.errors import DemosaicError


@dataclass(frozen=True)
class Container:
    """A kind of file that streams are put into."""

    muxer: str
    """FFmpeg's name."""
    reorders: bool = True
    """Whether frames have times of their own, so that they may be stored in another order."""
    one_header: bool = True
    """Whether what a decoder has to know stands once, before all packets."""
    options: dict[str, str] = field(default_factory=dict)


_BLURAY = Container("mpegts", one_header=False, options={"mpegts_m2ts_mode": "1"})

CONTAINERS = {
    ".mp4": Container("mp4", options={"movflags": "+use_metadata_tags"}),
    ".m4v": Container("mp4", options={"movflags": "+use_metadata_tags"}),
    ".mov": Container("mov"),
    ".mkv": Container("matroska"),
    ".webm": Container("webm"),
    ".avi": Container("avi", reorders=False, one_header=False),
    ".mpg": Container("vob", one_header=False),
    ".mpeg": Container("vob", one_header=False),
    ".vob": Container("vob", one_header=False),
    ".ts": Container("mpegts", one_header=False),
    ".mts": _BLURAY,
    ".m2ts": _BLURAY,
    ".flv": Container("flv"),
    ".wmv": Container("asf"),
    ".asf": Container("asf"),
    ".3gp": Container("3gp"),
    ".3g2": Container("3g2"),
    ".ogv": Container("ogg"),
    ".mxf": Container("mxf", one_header=False),
    ".nut": Container("nut"),
}


def container_of(out: Path) -> Container:
    """The container that a name asks for. Raises DemosaicError when a clip cannot be written so."""
    found = CONTAINERS.get(out.suffix.lower())
    if found is None:
        known = " ".join(CONTAINERS)
        raise DemosaicError(f"{out}: a clip cannot be written as that; end the name in {known}")
    return found
