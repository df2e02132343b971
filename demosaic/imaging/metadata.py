"""What an edited picture says beside its pixels, and that a model made it."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

from PIL import Image

from demosaic.imaging.exif import all_exif, harmless_exif

_SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
MADE = f"{_SOURCE_TYPES}trainedAlgorithmicMedia"
"""IPTC's DigitalSourceType of a picture that a model made."""

MADE_IN_PART = f"{_SOURCE_TYPES}compositeWithTrainedAlgorithmicMedia"
"""IPTC's DigitalSourceType of a picture of which a model made a part."""

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"

_MARK = (
    f'<rdf:Description xmlns:rdf="{_RDF}" rdf:about="{{about}}" xmlns:Iptc4xmpExt="{_IPTC}" '
    'Iptc4xmpExt:DigitalSourceType="{kind}"/>'
)
_XMP = (
    f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{_RDF}">'
    "{mark}</rdf:RDF></x:xmpmeta>"
)

_THUMBNAILS = (0x0409, 0x040C)  # Photoshop's resources: in BGR, in RGB


@dataclass(frozen=True)
class Metadata:
    """What the file of an edited picture says beside its pixels."""

    exif: bytes
    """The EXIF as a TIFF without pixels; empty without one."""
    xmp: str | None
    profile: bytes | None
    """The ICC profile."""
    resolution: tuple[float, float] | None
    """Dots an inch, across and down."""
    comment: str | None = None
    """What somebody wrote about the picture."""


@dataclass(frozen=True)
class Keeping:
    """What is kept of an original beside its pixels."""

    made: str | None
    """What the result says of a model: `MADE` or `MADE_IN_PART`. None when people were hidden: then
    only that is kept which neither shows nor names them.
    """

    @property
    def all(self) -> bool:
        """Whether everything is kept that is still true."""
        return self.made is not None

    def xmp(self, theirs: str | bytes | None) -> str | None:
        """The XMP of a result whose original has `theirs`."""
        return merged_xmp(theirs, self.made) if self.made else None

    def exif(self, original: Image.Image, picture: Image.Image | None) -> bytes:
        """The EXIF of a result; `picture` is what a thumbnail shows. Empty without one."""
        return all_exif(original, picture) if self.all else harmless_exif(original)

    def of(self, original: Image.Image, picture: Image.Image, profile: bytes | None) -> Metadata:
        """What is kept of an original that Pillow opened, for the result `picture` with its
        profile.
        """
        comment = original.info.get("comment") if self.all else None
        return Metadata(
            self.exif(original, picture),
            self.xmp(original.info.get("xmp")),
            profile,
            _resolution(original),
            comment.decode("utf-8", "replace") if isinstance(comment, bytes) else comment,
        )


def _resolution(original: Image.Image) -> tuple[float, float] | None:
    dpi = original.info.get("dpi")
    return (float(dpi[0]), float(dpi[1])) if dpi and all(dpi) else None


def source_type_xmp(kind: str) -> str:
    """XMP that says where a picture comes from: `MADE` or `MADE_IN_PART`."""
    return _XMP.format(mark=_MARK.format(about="", kind=kind))


def merged_xmp(theirs: str | bytes | None, kind: str) -> str:
    """An original's XMP that says where the result comes from, and has no thumbnail of the
    original; ours alone when it is damaged.

    It stays text, so that nothing else in it changes (XMP part 1 §7 lets a picture have several
    descriptions, all about the same).
    """
    text = theirs.decode("utf-8", "replace") if isinstance(theirs, bytes) else theirs or ""
    text = text.strip("\0 \t\r\n")
    for name in ("DigitalSourceType", "Thumbnails"):
        text = re.sub(rf"<(\w+:{name})\b[^>]*?(/>|>.*?</\1\s*>)", "", text, flags=re.DOTALL)
        text = re.sub(rf"\s\w+:{name}=(\"[^\"]*\"|'[^']*')", "", text)
    about = re.search(r"\w+:about=[\"']([^\"'<]*)[\"']", text)
    mark = _MARK.format(about=about[1] if about else "", kind=kind)
    for end in re.finditer(r"</\w+:RDF\s*>", text):
        merged = text[: end.start()] + mark + text[end.start() :]
        merged = re.sub(r"\s+(?=<\?xpacket end)", "\n", merged)  # room to edit, by the kilobyte
        if _is_xml(merged):
            return merged
    return source_type_xmp(kind)


def _is_xml(text: str) -> bool:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:  # XMP has none, and they can grow without end
        return False
    try:
        ElementTree.fromstring(text.strip("\ufeff"))
    except (ElementTree.ParseError, ValueError):
        return False
    return True


def without_thumbnails(resources: bytes) -> bytes:
    """Photoshop's image resources without thumbnails of the original (Adobe Photoshop File Formats
    Specification, Image Resources Section). What follows damage is left out.
    """
    return b"".join(whole for kind, whole in _resources(resources) if kind not in _THUMBNAILS)


def _resources(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The number of each resource, and all of its bytes."""
    place = 0
    while data[place : place + 4] == b"8BIM" and place + 7 < len(data):
        (kind,) = struct.unpack_from(">H", data, place + 4)
        name = 1 + data[place + 6]
        size_at = place + 6 + name + name % 2
        if size_at + 4 > len(data):
            return
        (size,) = struct.unpack_from(">I", data, size_at)
        end = size_at + 4 + size + size % 2
        yield kind, data[place:end]
        place = end
