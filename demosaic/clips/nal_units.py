"""The units that H.264 and H.265 streams consist of: only as much as is needed to cut and join."""

import re
import struct
from collections.abc import Iterator

_START = re.compile(rb"\x00\x00\x01")

_IDR = {"h264": {5}, "hevc": {19, 20}}
"""Types of units with which a picture begins that nothing after it looks back over."""


def length_size(codec: str, extradata: bytes | None) -> int:
    """How many bytes say how long a unit is; 0 where start codes divide them instead."""
    if not extradata or extradata[0] != 1:
        return 0
    at = {"h264": 4, "hevc": 21}[codec]
    return (extradata[at] & 3) + 1 if len(extradata) > at else 4


def units(data: bytes, length: int) -> Iterator[bytes]:
    """The units of a packet; see `length_size`."""
    if length:
        place = 0
        while place + length <= len(data):
            size = int.from_bytes(data[place : place + length], "big")
            place += length
            yield data[place : place + size]
            place += size
        return
    starts = [found.end() for found in _START.finditer(data)]
    for start, following in zip(starts, [*starts[1:], len(data) + 3], strict=True):
        yield data[start : following - 3].rstrip(b"\x00")


def kind(codec: str, unit: bytes) -> int:
    """The type of a unit."""
    return unit[0] & 31 if codec == "h264" else unit[0] >> 1 & 63


def starts_anew(codec: str, data: bytes, length: int) -> bool:
    """Whether no picture from this packet on needs an earlier one."""
    return any(kind(codec, unit) in _IDR[codec] for unit in units(data, length) if unit)


def with_lengths(data: bytes, length: int) -> bytes:
    """A packet whose units start codes divide, with their lengths instead."""
    return b"".join(
        len(unit).to_bytes(length, "big") + unit
        for unit in units(data, 0)
        if kind("h264", unit) not in _SETS
    )


_SPS, _PPS = 7, 8
_SETS = {_SPS, _PPS}


def merged_sets(ours: bytes, encoder: bytes) -> bytes | None:
    """The header of an H.264 clip ("avcC") that lists the parameter sets of an encoder too, whose
    own header divides units by start codes. None where the two cannot be one.

    Source of the layout: ISO/IEC 14496-15, 5.3.3.1.
    """
    listed = _listed(ours)
    if listed is None:
        return None
    sps, pps, rest = listed
    more = [unit for unit in units(encoder, 0) if unit]
    sps += [unit for unit in more if kind("h264", unit) == _SPS]
    pps += [unit for unit in more if kind("h264", unit) == _PPS]
    if len(sps) > 31 or len(pps) > 255:
        return None
    parts = [ours[:5], bytes([0xE0 | len(sps)]), *map(_with_size, sps)]
    return b"".join([*parts, bytes([len(pps)]), *map(_with_size, pps), rest])


def _with_size(unit: bytes) -> bytes:
    return struct.pack(">H", len(unit)) + unit


def _listed(header: bytes) -> tuple[list[bytes], list[bytes], bytes] | None:
    """The sequence and the picture parameter sets of an "avcC", and what follows them."""
    if len(header) < 7:
        return None
    place, found = 5, []
    for mask in (0x1F, 0xFF):
        if place >= len(header):
            return None
        count, units_here = header[place] & mask, []
        place += 1
        for _ in range(count):
            size = int.from_bytes(header[place : place + 2], "big")
            units_here.append(header[place + 2 : place + 2 + size])
            place += 2 + size
        found.append(units_here)
    return (found[0], found[1], header[place:]) if place <= len(header) else None


def set_numbers(header: bytes) -> set[int]:
    """The numbers of the sequence parameter sets of an "avcC"; an encoder needs another one."""
    listed = _listed(header)
    return {_number(unit) for unit in listed[0]} if listed else set()


def _number(sps: bytes) -> int:
    """The number of a sequence parameter set: an Exp-Golomb code after four bytes."""
    bits = "".join(f"{byte:08b}" for byte in sps[4:9])
    zeros = len(bits) - len(bits.lstrip("0"))
    return int(bits[zeros : 2 * zeros + 1] or "1", 2) - 1
