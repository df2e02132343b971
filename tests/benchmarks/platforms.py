"""What two installations make of the same photos: faces, pairs, pixelated and restored pictures.

PYTHONPATH=examples:tests python tests/benchmarks/platforms.py HERE
PYTHONPATH=examples:tests python tests/benchmarks/platforms.py THERE --like HERE

The first draws 24 photos and makes a model of random weights; the second, with another Python,
numpy, OpenCV or torch, takes those and prints where its results differ.
"""

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import PIL
import torch

import people
from demosaic.faces.engines import make_detector
from demosaic.imaging.decoding import read_image
from demosaic.imaging.discovery import find_images
from demosaic.imaging.encoding import write_png
from demosaic.models.checkpoint import save_model
from doubles import our_model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--like", type=Path, metavar="HERE")
    options = parser.parse_args()
    out: Path = options.out.resolve()
    out.mkdir(parents=True)
    if options.like:
        shutil.copytree(options.like / "photos", out / "photos")
        shutil.copy(options.like / "model.safetensors", out)
    else:
        people.draw(out / "photos", 8, 3)
        model = our_model()
        save_model(out / "model.safetensors", model.generator, model.card)
    make_all(out)
    if options.like:
        compare(options.like.resolve(), out)


def make_all(out: Path) -> None:
    """Everything that one installation makes, and what it is."""
    versions = {"python": platform.python_version(), "numpy": np.__version__}
    versions |= {"cv2": cv2.__version__, "Pillow": PIL.__version__, "torch": torch.__version__}
    (out / "versions.json").write_text(json.dumps(versions))
    detector = make_detector()
    found = [
        (face.box.corners, face.score, *face.keypoints)
        for path in sorted(find_images(out / "photos"))
        for face in detector.detect(read_image(path))
    ]
    (out / "faces.json").write_text(json.dumps(found))
    run(out, "build-dataset photos pairs --size 128 --val 0.25")
    run(out, "pixelate photos --out pixelated")
    (out / "mosaics").mkdir()
    for number, path in enumerate(sorted(find_images(out / "pixelated"))):
        write_png(
            out / "mosaics" / f"{number:02}.png", read_image(path)
        )  # a JPEG spreads a difference
    run(out, "restore mosaics --out restored --model model.safetensors --device cpu")


def run(out: Path, words: str) -> None:
    environment = {**os.environ, "XDG_CACHE_HOME": str(out / "cache")}  # no finds of another's
    command = [sys.executable, "-m", "demosaic", *words.split()]
    subprocess.run(command, cwd=out, env=environment, check=True)


def compare(here: Path, there: Path) -> None:
    """Print where the results of two installations differ."""
    for folder in (here, there):
        print(json.loads((folder / "versions.json").read_text()))
    first, second = (np.array(numbers_in(folder / "faces.json")) for folder in (here, there))
    print(f"faces: {len(first)} and {len(second)} numbers, by at most {abs(first - second).max()}")
    for kind in ("pairs", "pixelated", "restored"):
        print(f"{kind}: {pictures(here / kind, there / kind)}")


def numbers_in(path: Path) -> list[float]:
    """Every number of the faces in a file: corners and key points in px, scores in 0..1."""
    return [float(word) for word in re.findall(r"[-\d.e]+", path.read_text())]


def pictures(here: Path, there: Path) -> str:
    """How many pictures of two folders differ, in how many pixels, and by how much."""
    found = (path for path in find_images(here) if path.suffix in (".png", ".jpg"))
    names = [path.relative_to(here) for path in found]
    missing = [name for name in names if not (there / name).is_file()]
    changed, pixels, most = 0, 0, 0
    for name in set(names) - set(missing):
        first, second = read_image(here / name), read_image(there / name)
        apart = np.abs(first.astype(int) - second).max(axis=2)
        changed += bool(apart.any())
        pixels += int((apart > 0).sum())
        most = max(most, int(apart.max()))
    return (
        f"{len(names)} pictures, {len(missing)} missing, {changed} differ, in {pixels} pixels, "
        f"by at most {most} levels"
    )


if __name__ == "__main__":
    main()
