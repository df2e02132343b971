"""A JPEG edited without decoding it: blocks that nobody changed keep their coefficients."""

import io
import tempfile
import threading
from contextlib import redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demosaic.imaging.arrays import Floats, Kind, Mask, differing
from demosaic.imaging.geometry import Box, crop

_BLOCK = 8
_MIDDLE = 128  # the level that coefficients of 0 mean

# Of the libraries that jpeglib brings: one that writes sequential files, one progressive ones
_SEQUENTIAL, _PROGRESSIVE = "turbo210", "mozjpeg403"
_choosing_a_library = threading.Lock()

_TO_YCC = np.array(  # JFIF 1.02, of BT.601
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32
)

# Rows are the cosines of the 8 frequencies, orthonormal (ISO/IEC 10918-1 §A.3.3)
_COSINES = np.cos(np.pi / 16 * np.outer(np.arange(8), 2 * np.arange(8) + 1)) / 2
_COSINES[0] /= np.sqrt(2)


def can_change() -> bool:
    """Whether jpeglib is here, which has no wheels for some systems."""
    return find_spec("jpeglib") is not None


def with_changes(data: bytes, before: NDArray[np.uint8], after: NDArray[np.uint8]) -> bytes | None:
    """A JPEG whose pixels were `before`, (H, W, C) as Pillow reads them, with those of `after`.

    It has the quantisation, the subsampling and the kind of scans of the JPEG, and the coefficients
    of all blocks in which nothing changes. None when that cannot be done: without the package
    jpeglib, or for a file that it does not write.
    """
    if not can_change():
        return None
    import jpeglib

    with (
        tempfile.TemporaryDirectory() as folder,
        _choosing_a_library,
        redirect_stdout(io.StringIO()),  # where jpeglib prints the name of a file that fails
    ):
        source, out = Path(folder, "a.jpg"), Path(folder, "b.jpg")
        source.write_bytes(data)
        try:
            jpeglib.version.set(_SEQUENTIAL)
            jpeg = jpeglib.read_dct(str(source))
            jpeg.load()
            if not _change(jpeg, before, after):
                return None
            jpeglib.version.set(_PROGRESSIVE if jpeg.progressive_mode else _SEQUENTIAL)
            jpeg.write_dct(str(out), flags=["+OPTIMIZE_CODING"])
            return out.read_bytes()
        except (OSError, ValueError, RuntimeError, IndexError, AttributeError):
            return None  # what it raises for files that it does not know


def _change(jpeg: Any, before: NDArray[np.uint8], after: NDArray[np.uint8]) -> bool:
    """Put what changed into the coefficients; False where that cannot be done."""
    factors = np.asarray(jpeg.samp_factor, int)  # down and across, of each component
    most = factors.max(axis=0)
    if np.any(most % factors) or jpeg.num_components != before.shape[2]:
        return False
    box = _changed_box(before, after, most * _BLOCK)
    old, new = crop(before, box), crop(after, box)
    planes = _planes(new.astype(np.float32), jpeg.jpeg_color_space.name)
    if planes is None or (planes.shape[2] == 4 and np.any(old[:, :, 3] != new[:, :, 3])):
        return False  # jpeglib writes no fourth component
    changed = differing(old, new).astype(np.float32)
    for number, name in enumerate(("Y", "Cb", "Cr")[: planes.shape[2]]):
        ratio = most // factors[number]
        top, left = (int(start) for start in (box.y, box.x) // (ratio * _BLOCK))
        coefficients = np.asarray(getattr(jpeg, name)).copy()
        steps = np.asarray(jpeg.get_component_qt(number))
        plane, where = _shrunk(planes[:, :, number], ratio), _shrunk(changed, ratio) > 0
        _put(coefficients[top:, left:], plane, where, steps)
        setattr(jpeg, name, coefficients)
    return True


def _changed_box(
    before: NDArray[np.uint8], after: NDArray[np.uint8], unit: NDArray[np.int_]
) -> Box:
    """The smallest box of whole units (down, across), or up to the edge, with all that changed."""
    changed = differing(before, after)
    sides = []
    for axis, size in enumerate(unit):
        (where,) = np.nonzero(changed.any(axis=1 - axis))
        start = int(where[0] // size * size) if len(where) else 0
        end = int(-(-(where[-1] + 1) // size) * size) if len(where) else 1
        sides.append((start, min(end, changed.shape[axis]) - start))
    (y, height), (x, width) = sides
    return Box(x, y, width, height)


def _planes(levels: Floats, space: str) -> Floats | None:
    """The components (H, W, C), about 0, of a picture in a colour space of libjpeg; None in one
    that is not known. Inks are stored inverted, as Pillow reads them (Adobe's way).
    """
    if space in ("JCS_GRAYSCALE", "JCS_RGB"):
        return levels - _MIDDLE
    if space == "JCS_YCbCr":
        return _ycc(levels)
    if space == "JCS_CMYK":
        return 255 - levels - _MIDDLE
    if space == "JCS_YCCK":
        return np.dstack([_ycc(levels[:, :, :3]), 255 - levels[:, :, 3:] - _MIDDLE])
    return None


def _ycc(colours: Floats) -> Floats:
    """Luma and chroma (H, W, 3), about 0, of colours."""
    found = np.round(colours @ _TO_YCC.T, 3)  # the same with every version of numpy
    found[:, :, 0] -= _MIDDLE
    return np.asarray(found, np.float32)


def _shrunk(plane: Floats, factors: NDArray[np.int_]) -> Floats:
    """The means of areas of `factors` pixels down and across; those cut by the edge repeat it."""
    down, across = (int(factor) for factor in factors)
    height, width = plane.shape
    padded = np.pad(plane, ((0, -height % down), (0, -width % across)), mode="edge")
    rows, columns = padded.shape[0] // down, padded.shape[1] // across
    means = padded.reshape(rows, down, columns, across).mean(axis=(1, 3))
    return np.asarray(np.round(means, 3), np.float32)


def _put(coefficients: NDArray[np.int16], plane: Floats, where: Mask, steps: NDArray[Any]) -> None:
    """Put the levels of a plane where it changed into the coefficients (rows, columns, 8, 8),
    quantised by `steps` (8, 8), of the blocks from the first one on.
    """
    rows, columns = -(-plane.shape[0] // _BLOCK), -(-plane.shape[1] // _BLOCK)
    old = coefficients[:rows, :columns]
    new, changed = _blocks(plane, rows, columns), _blocks(where, rows, columns)
    touched = changed.any(axis=(2, 3))
    shown = _COSINES.T @ (old[touched] * steps.astype(np.float64)) @ _COSINES
    levels = np.where(changed[touched], new[touched], shown)
    waves = _COSINES @ levels @ _COSINES.T / steps
    # Even blocks have waves of a half: errors of arithmetic must not decide where that goes
    old[touched] = np.clip(np.rint(np.round(waves, 4)), -1023, 1023)


def _blocks(plane: NDArray[Kind], rows: int, columns: int) -> NDArray[Kind]:
    """A plane in blocks (rows, columns, 8, 8); those cut by the edge repeat it."""
    more = (0, rows * _BLOCK - plane.shape[0]), (0, columns * _BLOCK - plane.shape[1])
    whole = np.pad(plane, more, mode="edge").reshape(rows, _BLOCK, columns, _BLOCK)
    return whole.transpose(0, 2, 1, 3)
