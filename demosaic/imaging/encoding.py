"""Arrays to picture files: PNG, JPEG, WebP."""

import io
import struct
from pathlib import Path

import cv2
import numpy as np
from isal import isal_zlib
from PIL import Image

from demosaic.files import write_bytes, write_with
from demosaic.imaging.arrays import Levels, Pixels
from demosaic.imaging.png_chunks import Chunk, as_png


def encode_png(image: Pixels | Levels) -> bytes:
    """A PNG file of a picture, (H, W, C), uint8 or uint16: of 1 channel in grey, 2 with alpha, 3 in
    colour, 4 with alpha.

    Every line is filtered by "Up" (RFC 2083 §6.4), then deflated by ISA-L. "Up" turns a mosaic into
    zeros, except at the edges of cells. That takes a third of zlib's time and a seventh of
    Pillow's, for no larger files; zlib would take half of a small photo's time in a build.
    """
    height, width, channels = image.shape
    big_endian = image.astype(image.dtype.newbyteorder(">"), copy=False)
    lines = np.ascontiguousarray(big_endian).reshape(height, width * channels).view(np.uint8)
    filtered = np.empty((height, 1 + lines.shape[1]), np.uint8)
    filtered[:, 0] = 2  # the filter "Up": each byte minus the one above
    filtered[0, 1:] = lines[0]
    np.subtract(lines[1:], lines[:-1], out=filtered[1:, 1:])
    colours = {1: 0, 2: 4, 3: 2, 4: 6}[channels]  # the format's number
    # The last zero: not interlaced
    header = struct.pack(">IIBBBBB", width, height, 8 * image.itemsize, colours, 0, 0, 0)
    data = isal_zlib.compress(filtered, 1)
    return as_png([Chunk(b"IHDR", header), Chunk(b"IDAT", data), Chunk(b"IEND", b"")])


def write_png(path: Path, image: Pixels) -> None:
    """Write the picture (H, W, 3) as PNG, whole or not at all. Raises DemosaicError."""
    write_bytes(path, encode_png(image))


def write_jpeg(path: Path, image: Pixels, *, private: bool = False) -> None:
    """Write the picture (H, W, 3) as JPEG of quality 90, whole or not at all; one that is `private`
    can be read by its owner only. Raises DemosaicError.
    """
    picture = Image.fromarray(image)
    write_with(path, lambda part: picture.save(part, "JPEG", quality=90), private=private)


def encode_webp(image: Pixels) -> bytes:
    """A WebP file of the picture (H, W, 3): lossless when that is smaller, as for a mosaic, else of
    quality 90, which is a fifth of a PNG.
    """
    files = []
    for options in ({"lossless": True}, {"quality": 90}):
        file = io.BytesIO()
        Image.fromarray(image).save(file, "WEBP", **options)
        files.append(file.getvalue())
    return min(files, key=len)


def jpeg_damaged(image: Pixels, quality: int) -> Pixels:
    """The picture (H, W, 3) after it was written as JPEG of `quality`, 1..100, and read again."""
    _, data = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    again = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert again is not None  # OpenCV has just written it
    return np.ascontiguousarray(again[:, :, ::-1])
