"""Frames as planes of colours, in which patches are painted without touching any other pixel."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from demosaic.clips.frames import upright_turns
from demosaic.clips.reading import Frame, explained, opened, picture_track
from demosaic.imaging.arrays import Floats, Pixels
from demosaic.imaging.geometry import Box

Values = NDArray[Any]
Labels = NDArray[np.int32]

_ROUNDS = 8  # of moving a cell's pixels that are not at the end of their range
_CLOSE = 0.25  # levels of a cell's sum

# Packed formats: the planar one of the same colours; per component the plane, the place of its
# first value, and the step to the next, in values
_Place = tuple[int, int, int]
_PACKED: dict[str, tuple[str, tuple[_Place, ...]]] = {
    "rgb24": ("gbrp", ((0, 1, 3), (0, 2, 3), (0, 0, 3))),
    "bgr24": ("gbrp", ((0, 1, 3), (0, 0, 3), (0, 2, 3))),
    **dict.fromkeys(("rgba", "rgb0"), ("gbrp", ((0, 1, 4), (0, 2, 4), (0, 0, 4)))),
    **dict.fromkeys(("bgra", "bgr0"), ("gbrp", ((0, 1, 4), (0, 0, 4), (0, 2, 4)))),
    **dict.fromkeys(("argb", "0rgb"), ("gbrp", ((0, 2, 4), (0, 3, 4), (0, 1, 4)))),
    **dict.fromkeys(("abgr", "0bgr"), ("gbrp", ((0, 2, 4), (0, 1, 4), (0, 3, 4)))),
    **dict.fromkeys(("rgb48le", "rgb48be"), ("gbrp16le", ((0, 1, 3), (0, 2, 3), (0, 0, 3)))),
    **dict.fromkeys(("rgba64le", "rgba64be"), ("gbrp16le", ((0, 1, 4), (0, 2, 4), (0, 0, 4)))),
    "ya8": ("gray", ((0, 0, 2),)),
    **dict.fromkeys(("ya16le", "ya16be"), ("gray16le", ((0, 0, 2),))),
    "nv12": ("yuv420p", ((0, 0, 1), (1, 0, 2), (1, 1, 2))),
    "nv21": ("yuv420p", ((0, 0, 1), (1, 1, 2), (1, 0, 2))),
    "nv16": ("yuv422p", ((0, 0, 1), (1, 0, 2), (1, 1, 2))),
    "yuyv422": ("yuv422p", ((0, 0, 2), (0, 1, 4), (0, 3, 4))),
    "uyvy422": ("yuv422p", ((0, 1, 2), (0, 0, 4), (0, 2, 4))),
}

_PLANAR_FAMILIES = ("yuv", "gbr", "gray")


@dataclass(frozen=True)
class Patch:
    """What replaces the pixels of a box in a frame, or in a field of it."""

    box: Box
    """In pixels of the frame as it is stored."""
    pixels: Pixels
    """(H, W, 3): RGB levels, 0 to 255."""
    labels: Labels
    """(H, W): the number of the cell that a pixel belongs to; -1 for those that are not changed."""
    strength: float = 0.0
    """How far the cells keep the means that they have in the frame: 1 fully, 0 not at all."""
    about: object = None
    """What is reported of it."""


@dataclass(frozen=True)
class Component:
    """One colour of a frame, with its own resolution."""

    values: Values
    """(H, W), a view into the frame."""
    across: int
    """Pixels of the frame in one value."""
    down: int
    """Lines of the frame in one value."""
    bits: int


@cache
def planar_format(name: str) -> str | None:
    """The planar format with the colours of this one and no transparency, if there is one."""
    if name in _PACKED:
        return _PACKED[name][0]
    form = av.VideoFormat(name, 64, 64)
    known = name.startswith(_PLANAR_FAMILIES) and "f16" not in name and "f32" not in name
    if not known or form.has_palette or form.is_bit_stream:
        return None
    plain = name.replace("yuva", "yuv").replace("gbrap", "gbrp").replace("be", "le")
    try:
        av.VideoFormat(plain, 64, 64)
    except ValueError:
        return None
    return plain


def components(frame: Frame) -> list[Component]:
    """The colours of a frame that can be written into, without transparency."""
    form = frame.format
    places = _PACKED[form.name][1] if form.name in _PACKED else None
    shown = [one for one in form.components if not one.is_alpha]
    found = []
    for number, one in enumerate(shown):
        place = places[number] if places else (one.plane, 0, 1)
        values = _strided(frame, place, one.bits)
        width, height = (one.width, one.height) if not places or one.plane else (0, 0)
        if places:
            planar = av.VideoFormat(_PACKED[form.name][0], frame.width, frame.height)
            width, height = planar.components[number].width, planar.components[number].height
        across, down = -(-frame.width // width), -(-frame.height // height)
        found.append(Component(values[:height, :width], across, down, one.bits))
    return _in_planar_order(form.name, found)


def _in_planar_order(name: str, found: list[Component]) -> list[Component]:
    """Planar RGB says its colours in the order R, G, B and stores them as G, B, R."""
    if name.startswith("gbr"):
        red, green, blue = found
        return [green, blue, red]
    return found


def _strided(frame: Frame, place: tuple[int, int, int], bits: int) -> Values:
    """A view of the values of one component: every `step`-th of a plane from `first` on."""
    number, first, step = place
    plane = frame.planes[number]
    order = ">" if frame.format.is_big_endian else "<"
    kind = np.dtype(np.uint8) if bits <= 8 else np.dtype(f"{order}u2")
    raw = np.frombuffer(memoryview(plane), np.uint8)
    rows = raw[: plane.height * plane.line_size].reshape(plane.height, plane.line_size)
    values: Values = rows.view(kind)[:, first::step]
    return values


def field_rows(component: Component, field: int | None) -> Component:
    """The lines of one field of a component: the even ones (0) or the odd ones (1)."""
    if field is None:
        return component
    values = component.values[field::2]
    return Component(values, component.across, component.down, component.bits)


def field_frame(frame: Frame, field: int) -> Frame:
    """A frame of half the height, of the even (0) or odd (1) lines of another one."""
    half = Frame(frame.width, (frame.height + 1 - field) // 2, frame.format.name)
    half.colorspace, half.color_range = frame.colorspace, frame.color_range
    for mine, other in zip(half.planes, frame.planes, strict=True):
        into, rows = _bytes(mine), _bytes(other)[field::2]
        wide, tall = min(mine.line_size, other.line_size), min(len(into), len(rows))
        into[:tall, :wide] = rows[:tall, :wide]
    return half


def _bytes(plane: av.video.plane.VideoPlane) -> NDArray[np.uint8]:
    raw = np.frombuffer(memoryview(plane), np.uint8)
    return raw[: plane.height * plane.line_size].reshape(plane.height, plane.line_size)


def as_pixels(frame: Frame) -> Pixels:
    """A frame as a player shows it: RGB levels (H, W, 3), 0 to 255."""
    pixels: Pixels = np.ascontiguousarray(frame.to_ndarray(format="rgb24"), np.uint8)
    return pixels


def first_pictures(source: Path, most: int, every: int) -> Iterator[Pixels]:
    """Upright pictures (H, W, 3) of a clip: of its first `most` frames one in `every`. Raises
    DemosaicError when it cannot be read.
    """
    with opened(source) as container:
        turn = upright_turns(container)
    with opened(source) as container, explained(source):
        for frame in islice(container.decode(picture_track(container)), 0, most, every):
            yield np.ascontiguousarray(np.rot90(as_pixels(frame), turn))


# Painting


def paint(frame: Frame, patches: Sequence[Patch], field: int | None = None) -> None:
    """Put patches into a frame, which can be written, or into one of its fields."""
    colours = [field_rows(one, field) for one in components(frame)]
    for patch in patches:
        new = _converted(patch, frame, colours)
        for colour, values in zip(colours, new, strict=True):
            _paint_one(colour, values, patch)


def _paint_one(colour: Component, new: Floats, patch: Patch) -> None:
    """Put the new values (H, W) of a patch into a component, where the patch has labels."""
    x, y, labels = labels_at(patch, colour)
    into = colour.values[y : y + labels.shape[0], x : x + labels.shape[1]]
    labels = labels[: into.shape[0], : into.shape[1]]
    inside = labels >= 0
    if not inside.any():
        return
    cells = labels[inside]
    values = new[: into.shape[0], : into.shape[1]][inside].astype(np.float64)
    old = into[inside].astype(np.float64)
    top = float((1 << colour.bits) - 1)
    if patch.strength:
        wanted = cell_sums(values + patch.strength * (old - values), cells)
        into[inside] = settled(values, cells, wanted, top).astype(into.dtype)
    else:
        into[inside] = np.clip(np.rint(values), 0, top).astype(into.dtype)


def labels_at(patch: Patch, colour: Component) -> tuple[int, int, Labels]:
    """Where a patch begins in a component, and its labels at that resolution. A value belongs to
    the patch if more than half of its pixels do.
    """
    across, down, box = colour.across, colour.down, patch.box
    if across == down == 1:
        return box.x, box.y, patch.labels
    left, top = box.x % across, box.y % down
    right, bottom = -(box.x + box.width) % across, -(box.y + box.height) % down
    padded = np.pad(patch.labels, ((top, bottom), (left, right)), constant_values=-1)
    rows, columns = padded.shape[0] // down, padded.shape[1] // across
    blocks = padded.reshape(rows, down, columns, across)
    share = (blocks >= 0).mean(axis=(1, 3))
    labels = np.where(share > 0.5, blocks.max(axis=(1, 3)), -1).astype(np.int32)
    return box.x // across, box.y // down, labels


def cell_sums(values: NDArray[np.float64], cells: Labels) -> NDArray[np.float64]:
    """The sum of the values of each cell."""
    sums: NDArray[np.float64] = np.bincount(cells, values).astype(np.float64)
    return sums


def settled(
    values: NDArray[np.float64], cells: Labels, wanted: NDArray[np.float64], top: float
) -> NDArray[np.float64]:
    """Whole numbers from 0 to `top` near the values, whose sum in each cell is the nearest whole
    number to the one wanted.
    """
    count = np.maximum(np.bincount(cells), 1)
    moved = np.clip(values, 0, top)
    for _ in range(_ROUNDS):
        missing = wanted - cell_sums(moved, cells)
        if np.abs(missing).max(initial=0) < _CLOSE:
            break
        rises = (missing > 0)[cells]
        free = np.where(rises, moved < top, moved > 0)
        room = np.maximum(np.bincount(cells, free, minlength=len(count)), 1)
        moved = np.clip(moved + (missing / room)[cells] * free, 0, top)
    return _rounded(moved, cells)


def _rounded(values: NDArray[np.float64], cells: Labels) -> NDArray[np.float64]:
    """Each value rounded up or down, so that the sum of each cell becomes the nearest whole number:
    each is the increase of its cell's rounded running sum.
    """
    order = np.argsort(cells, kind="stable")
    sums = np.cumsum(values[order])
    starts = np.flatnonzero(np.diff(cells[order], prepend=-1))
    before = np.concatenate([[0.0], sums])[starts]
    sizes = np.diff(np.append(starts, len(cells)))
    steps = np.floor(np.round(sums - np.repeat(before, sizes), 6) + 0.5)
    rounded = np.diff(steps, prepend=0.0)
    rounded[starts] = steps[starts]
    result = np.empty_like(values)
    result[order] = rounded
    return result


def _converted(patch: Patch, frame: Frame, colours: Sequence[Component]) -> Iterator[Floats]:
    """The pixels of a patch in the colours of a frame, each at its resolution; the first value is
    the one in whose pixels the patch begins.
    """
    box = patch.box
    across, down = max(one.across for one in colours), max(one.down for one in colours)
    sides = (
        (box.y % down, -(box.y + box.height) % down),
        (box.x % across, -(box.x + box.width) % across),
        (0, 0),
    )
    padded = np.ascontiguousarray(np.pad(patch.pixels, sides, mode="edge"))
    planar = planar_format(frame.format.name)
    assert planar is not None, "frames of other formats are converted before"
    piece = Frame.from_ndarray(padded, "rgb24").reformat(
        format=planar, dst_colorspace=frame.colorspace, dst_color_range=frame.color_range
    )
    for one in components(piece):
        left = box.x % across // one.across
        top = box.y % down // one.down
        yield one.values[top:, left:].astype(np.float32)
