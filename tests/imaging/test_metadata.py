"""XMP that is merged, and Photoshop's resources without their thumbnails."""

import struct
from xml.etree import ElementTree

import pytest

from demosaic.imaging.metadata import (
    MADE,
    MADE_IN_PART,
    merged_xmp,
    source_type_xmp,
    without_thumbnails,
)

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
SOURCE = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"

THEIRS = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<r:Description r:about="uuid:1" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" e:DigitalSourceType="of a camera"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/">
<dc:title>a title</dc:title>
<xmp:Thumbnails><r:Alt><r:li>a small face</r:li></r:Alt></xmp:Thumbnails>
</r:Description></r:RDF></x:xmpmeta>
      <?xpacket end="w"?>"""


def sources(xmp: str) -> list[tuple[str, str]]:
    """What each description is about, and where the picture comes from by it."""
    found = ElementTree.fromstring(xmp.strip("\ufeff")).iter(f"{RDF}Description")
    return [(one.get(f"{RDF}about", ""), one.get(SOURCE, "")) for one in found]


def test_ours_is_added_to_theirs_without_their_source_and_thumbnail() -> None:
    merged = merged_xmp(THEIRS.encode(), MADE_IN_PART)
    assert sources(merged) == [("uuid:1", ""), ("uuid:1", MADE_IN_PART)]
    assert "<dc:title>a title</dc:title>" in merged
    assert "a small face" not in merged
    assert merged.startswith(THEIRS[:60]) and merged.endswith('<?xpacket end="w"?>')


def test_a_result_restored_again_says_only_what_is_true_now() -> None:
    once = merged_xmp(THEIRS, MADE_IN_PART)
    assert [source for _, source in sources(merged_xmp(once, MADE))] == ["", "", MADE]


@pytest.mark.parametrize(
    "theirs",
    [
        None,
        b"",
        b"mwg-rs:Name=Ada",
        "<x:xmpmeta><rdf:RDF></rdf:RDF>",
        '<!DOCTYPE x [<!ENTITY a "aaa">]>' + source_type_xmp(MADE),
    ],
)
def test_of_damaged_endless_or_no_xmp_ours_is_left(theirs: str | bytes | None) -> None:
    assert merged_xmp(theirs, MADE) == source_type_xmp(MADE)
    assert sources(source_type_xmp(MADE)) == [("", MADE)]


def test_the_resources_of_photoshop_lose_their_thumbnails_only() -> None:
    def resource(kind: int, name: bytes, data: bytes) -> bytes:
        name = bytes([len(name)]) + name
        name += bytes(len(name) % 2)
        return (
            b"8BIM" + struct.pack(">H", kind) + name + struct.pack(">I", len(data)) + data
        ) + bytes(len(data) % 2)

    caption, path = resource(0x0404, b"", b"a caption"), resource(0x07D0, b"a path", b"1234")
    small = resource(0x040C, b"", b"a small face") + resource(0x0409, b"odd", b"another")
    assert without_thumbnails(caption + small + path) == caption + path
    assert without_thumbnails(caption + small[:-4]) in (caption, caption + small[:-4][:0])
    assert without_thumbnails(b"") == b""
