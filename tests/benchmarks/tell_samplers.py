"""How often `decide_sampler` takes a mosaic for top-left pixels, for each true sampler.

The mosaics are boxes and ellipses over the middle of photos; their places are given.

    python tests/benchmarks/tell_samplers.py PHOTOS --count 300
"""

import argparse
from pathlib import Path
from typing import get_args

import cv2
import numpy as np

from demosaic.config.rules import Sampler
from demosaic.detection.region import Region, filled
from demosaic.detection.sampler import decide_sampler
from demosaic.imaging.arrays import Pixels
from demosaic.imaging.decoding import read_image
from demosaic.imaging.discovery import find_images
from demosaic.imaging.encoding import jpeg_damaged
from demosaic.imaging.geometry import Box, crop
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import paint_cells, sample

PNG = 100
BLOCKS = (6, 8, 12, 16, 20, 24)


def place(image: Pixels, block: int, draw: np.random.Generator) -> Region:
    """A box of whole cells about the middle of a photo; every third time the ellipse in it."""
    height, width = image.shape[:2]
    columns, rows = (
        max(4, int(draw.uniform(0.35, 0.75) * side) // block) for side in (width, height)
    )
    left, top = (
        int((side - count * block) * draw.uniform(0.3, 0.7))
        for side, count in ((width, columns), (height, rows))
    )
    region = filled(Box(left, top, columns * block, rows * block), Grid.square(block))
    return region if draw.random() < 2 / 3 else oval(region)


def oval(region: Region) -> Region:
    hidden = np.zeros(region.hidden.shape, np.uint8)
    middle = (hidden.shape[1] // 2, hidden.shape[0] // 2)
    cv2.ellipse(hidden, middle, middle, 0, 0, 360, (1,), -1)
    return Region(region.box, region.grid, hidden.astype(bool), region.confidence)


def pixelated(image: Pixels, region: Region, sampler: Sampler) -> Pixels:
    made, size = image.copy(), (region.box.height, region.box.width)
    piece = crop(made, region.box)
    cells = paint_cells(sample(piece, region.grid, sampler), region.grid, size)
    piece[region.hidden] = cells[region.hidden]
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--count", type=int, default=300, help="photos, evenly over the folder")
    options = parser.parse_args()
    found = find_images(options.photos)
    found = found[:: max(1, len(found) // options.count)][: options.count]
    top_left = dict.fromkeys(
        ((s, b, q) for s in get_args(Sampler) for b in BLOCKS for q in (PNG, 90)), 0
    )
    for number, path in enumerate(found):
        image = read_image(path)
        for block in BLOCKS:
            region = place(image, block, np.random.default_rng((number, block)))
            for sampler in get_args(Sampler):
                picture = pixelated(image, region, sampler)
                for quality in (PNG, 90):
                    shown = picture if quality == PNG else jpeg_damaged(picture, quality)
                    top_left[sampler, block, quality] += (
                        decide_sampler(shown, [region]).sampler == "top-left"
                    )
    for quality in (PNG, 90):
        name = "PNG" if quality == PNG else f"JPEG {quality}"
        print(f"{name}, taken for top-left pixels, of {len(found)}:")
        for sampler in get_args(Sampler):
            counts = "  ".join(
                f"{top_left[sampler, block, quality]:4} at {block} px" for block in BLOCKS
            )
            print(f"  {sampler:9}{counts}")


if __name__ == "__main__":
    main()
