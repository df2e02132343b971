"""Seconds to restore one face in a photo of 12 megapixels, warm, decoding, encoding and looking for
the mosaic apart; of the processor and by the clock.

    python tests/benchmarks/restore_rate.py MODEL
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

from demosaic.config.compute import DeviceConfig
from demosaic.config.restoration import RestoreConfig
from demosaic.detection.region import filled
from demosaic.imaging.arrays import resize
from demosaic.imaging.geometry import Box, crop
from demosaic.models.checkpoint import load_model
from demosaic.models.compute import choose, settle_threads
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import paint_cells, sample
from demosaic.restoration.image import restore_regions

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
from people import photo

TIMES = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    options = parser.parse_args()
    settle_threads(DeviceConfig())
    compute, _ = choose(DeviceConfig())
    model = load_model(options.model)
    picture = np.ascontiguousarray(resize(photo(0, 0, 0).image, 4000, 3000))
    box, grid = Box(1100, 500, 1660, 1940), Grid.square(64)
    colours = sample(crop(picture, box), grid, "mean")
    crop(picture, box)[:] = paint_cells(colours, grid, (box.height, box.width))
    regions, config = [filled(box, grid)], RestoreConfig()
    restore_regions(picture, regions, model, config, compute)
    for _ in range(TIMES):
        clock, processor = time.perf_counter(), time.process_time()
        restore_regions(picture, regions, model, config, compute)
        clock, processor = time.perf_counter() - clock, time.process_time() - processor
        print(f"{clock:.2f} s by the clock, {processor:.2f} s of the processor")


if __name__ == "__main__":
    main()
