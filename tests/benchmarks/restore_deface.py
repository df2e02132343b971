"""What restore gains on pictures that the `deface` package pixelated, which takes each cell's top
left pixel: PSNR of what was hidden, restored without a word about it, less that of the mosaic.

    python -m venv venv && venv/bin/pip install deface onnxruntime
    python tests/benchmarks/restore_deface.py MODEL PHOTOS --deface venv/bin/deface
"""

import argparse
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from demosaic.config.compute import DeviceConfig
from demosaic.config.restoration import RestoreConfig
from demosaic.errors import DemosaicError
from demosaic.imaging.arrays import Mask, Pixels
from demosaic.imaging.decoding import read_image
from demosaic.imaging.discovery import find_images
from demosaic.imaging.encoding import jpeg_damaged, write_png
from demosaic.models.checkpoint import load_model
from demosaic.models.compute import choose
from demosaic.restoration.image import restore_image

PNG = 100


def psnr(one: Pixels, other: Pixels) -> float:
    """dB, of 8-bit pixels."""
    return float(10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2)))


def reached(hidden: Mask) -> Mask:
    """The smallest rectangle round what is hidden: a pixel in a cell may have its true colour."""
    return np.outer(hidden.any(1), hidden.any(0))


def defaced(deface: str, photos: list[Path], folder: Path, block: int) -> list[Path]:
    """The photos as PNG with every face pixelated, NAME_anonymized.png."""
    command = [deface, "--replacewith", "mosaic", "--mosaicsize", str(block), *map(str, photos)]
    subprocess.run(command, check=True, capture_output=True)
    return [folder / f"{photo.stem}_anonymized.png" for photo in photos]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--deface", default="deface", help="the program")
    parser.add_argument("--count", type=int, default=60, help="photos, evenly over the folder")
    parser.add_argument("--realism", type=float, default=RestoreConfig.realism)
    options = parser.parse_args()
    compute, _ = choose(DeviceConfig())
    model, config = load_model(options.model), RestoreConfig(realism=options.realism)
    found = find_images(options.photos)
    found = found[:: max(1, len(found) // options.count)][: options.count]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clean = [folder / f"{number}.png" for number in range(len(found))]
        for photo, path in zip(found, clean, strict=True):
            write_png(path, read_image(photo))
        for block in (20, 10):
            pairs = list(zip(clean, defaced(options.deface, clean, folder, block), strict=True))
            for quality in (PNG, 90, 75):
                gains, told, none, changed = [], 0, 0, 0
                for photo, pixelated in pairs:
                    true, shown = read_image(photo), read_image(pixelated)
                    hidden = (true != shown).any(2)
                    if not hidden.any():  # deface found no face
                        continue
                    shown = shown if quality == PNG else jpeg_damaged(shown, quality)
                    try:
                        restored = restore_image(shown, model, config, compute)
                    except DemosaicError:
                        none += 1
                        continue
                    told += any(region.sampler == "top-left" for region in restored.regions)
                    before, after = (
                        psnr(i[hidden], true[hidden]) for i in (shown, restored.picture)
                    )
                    gains.append(after - before)
                    changed += int((restored.picture != shown).any(2)[~reached(hidden)].sum())
                print(
                    f"cells of {block} px, {'PNG' if quality == PNG else f'JPEG {quality}'}: "
                    f"{len(gains)} photos, {none} without a mosaic found, {told} told as corners, "
                    f"gain {np.mean(gains):+.2f} dB (worst {np.min(gains):+.2f}, "
                    f"{np.sum(np.array(gains) < 0)} lose), {changed} px changed outside",
                    flush=True,
                )


if __name__ == "__main__":
    main()
