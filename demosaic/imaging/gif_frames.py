"""Edited frames to a GIF, each with at most 256 colours."""

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from demosaic.imaging.arrays import Mask, different_colours, differing
from demosaic.imaging.stored import Stored

_COLOURS = 256
_KEEP, _CLEAR = 1, 2  # what becomes of a frame when the next is shown
_TRAILER = b";"


def encode_gif(
    frames: Sequence[Stored],
    before: Sequence[Stored],
    durations: Sequence[float],
    loop: int | None,
    comment: str | None,
    xmp: str | None,
) -> bytes:
    """A GIF file of frames: pixels as `before` keep their colours, if these are no more than 256 a
    frame; others take the nearest of the colours left.

    `durations` are milliseconds; `loop`: how often it is shown again, 0 for ever, None: not.
    """
    images = [_in_palette(*pair) for pair in zip(frames, before, strict=True)]
    clear = any("transparency" in image.info for image in images)
    options: dict[str, object] = {"optimize": False, "disposal": _CLEAR if clear else _KEEP}
    if len(images) > 1:
        options |= {"save_all": True, "append_images": images[1:], "duration": [*durations]}
        options |= {} if loop is None else {"loop": loop}
    if comment:
        options["comment"] = comment.encode("utf-8", "replace")[:255]
    file = io.BytesIO()
    images[0].save(file, "GIF", **options)
    return _with_xmp(file.getvalue(), xmp)


def _in_palette(frame: Stored, before: Stored) -> Image.Image:
    """A frame with a palette of its own."""
    image = frame.as_image().convert("RGBA" if frame.alpha is not None else "RGB")
    levels = np.asarray(image)
    opaque = np.ones(levels.shape[:2], bool) if frame.alpha is None else frame.alpha > 127
    room = _COLOURS - (not opaque.all())
    palette = _palette(levels[:, :, :3], frame, before, opaque, room)
    result = _mapped(levels[:, :, :3], palette)
    if not opaque.all():
        indices = np.asarray(result).copy()
        indices[~opaque] = len(palette)
        result = _with_indices(result, indices)
        result.info["transparency"] = len(palette)
    return result


def _with_indices(image: Image.Image, indices: NDArray[np.uint8]) -> Image.Image:
    """A picture with the palette of another."""
    result = Image.frombytes("P", image.size, indices.tobytes())
    result.putpalette(image.getpalette() or [])
    return result


def _palette(
    levels: NDArray[np.uint8], frame: Stored, before: Stored, opaque: Mask, room: int
) -> NDArray[np.uint8]:
    """At most `room` colours (N, 3) for a frame (H, W, 3): all those of pixels that did not change,
    then as many as there is room for of the others.
    """
    same = frame.levels.shape == before.levels.shape
    changed = differing(frame.levels, before.levels) if same else np.ones_like(opaque)
    kept = different_colours(levels[~changed & opaque])[0][:room]
    others = different_colours(levels[changed & opaque])[0]
    if len(others) > (left := room - len(kept)) > 0:
        others = _chosen(levels[changed & opaque], left)
    return different_colours(np.concatenate([kept, others[: max(left, 0)]]))[0]


def _chosen(colours: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    """So many colours (count, 3) that are near to most of those given (N, 3)."""
    row = Image.fromarray(np.ascontiguousarray(colours[None]))
    found = row.quantize(count, method=Image.Quantize.MEDIANCUT).getpalette() or []
    return np.asarray(found, np.uint8).reshape(-1, 3)[:count]


def _mapped(levels: NDArray[np.uint8], palette: NDArray[np.uint8]) -> Image.Image:
    """A frame (H, W, 3) in the nearest colours of a palette (N, 3)."""
    colours, where = different_colours(levels)
    nearest = np.concatenate(
        [
            np.square(part[:, None].astype(np.int32) - palette.astype(np.int32)).sum(2).argmin(1)
            for part in np.array_split(colours, 1 + len(colours) // 4096)
        ]
    )
    indices = nearest.astype(np.uint8)[where]
    height, width = levels.shape[:2]
    result = Image.frombytes("P", (width, height), indices.tobytes())
    result.putpalette(palette.tobytes())
    return result


def _with_xmp(gif: bytes, xmp: str | None) -> bytes:
    """A GIF file with XMP before its end (XMP part 3 §1.1.2): its bytes stand for themselves, and
    those of the "magic trailer" lead a reader of blocks to its end from any of them.
    """
    if not xmp or not gif.endswith(_TRAILER):
        return gif
    magic = b"\1" + bytes(range(255, -1, -1)) + b"\0"
    return gif[:-1] + b"\x21\xff\x0bXMP DataXMP" + xmp.encode() + magic + _TRAILER
