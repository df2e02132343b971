"""How many frames a second `restore` takes of a clip of 1280 x 720 px with one face, and how much
what it shows flickers.

    python tests/benchmarks/clip.py --model MODEL

Draws a person who moves before a camera, pixelates the face (cells of 16 px, in a box that goes
with it), and restores the clip, decoding and encoding included, what is done once (loading, trying
precisions) left out.

Flicker is how much a pixel of the region changes from frame to frame, grey levels on average. For
it the person and the camera keep still, so that nothing should change but the camera's noise; the
mosaic keeps still too, or moves over the face by a pixel or two a frame.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np

from demosaic.config.compute import DeviceConfig
from demosaic.config.restoration import RestoreConfig
from demosaic.imaging.arrays import Pixels
from demosaic.imaging.geometry import Box, crop
from demosaic.models.checkpoint import load_model
from demosaic.models.compute import Compute, choose, settle_threads
from demosaic.models.model import Model
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import cell_colours, paint_cells
from demosaic.restoration.clip import restore_clip
from demosaic.restoration.events import ClipRestored
from demosaic.restoration.image import trial

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
import people

WIDTH, HEIGHT, FRAMES, BLOCK, FACE = 1280, 720, 60, 16, 320
MARGIN = 30  # pixels of the box beyond the face
SIDE, STILL = 400, 24  # of the clips that tell the flicker: pixels, frames
NOISE = 2.0  # grey levels of a camera


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--frames", type=int, default=FRAMES, help="of the clip that is timed")
    options = parser.parse_args()
    settle_threads(DeviceConfig())
    compute, _ = choose(DeviceConfig())
    model = load_model(options.model, compute.device)
    compute, why = choose(DeviceConfig(), trial(model))
    print(why)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print_rate(folder, options.frames, model, compute)
        for moving in (False, True):
            print_flicker(folder, model, compute, moving=moving)


# Rate


def print_rate(folder: Path, frames: int, model: Model, compute: Compute) -> None:
    source = write(folder / "rate.mp4", moving_person(frames))
    start, before = time.perf_counter(), time.process_time()
    done = restored(source, model, compute)
    wall, cpu = time.perf_counter() - start, time.process_time() - before
    print(
        f"{done.frames / wall:.1f} frames a second, {1000 * cpu / done.frames:.0f} ms of CPU each"
    )


def moving_person(frames: int) -> Iterator[Pixels]:
    photo, (x, y) = person()
    for number in range(frames):
        left = x - 400 + round(60 * np.sin(number / 8))
        top = y - 200 + round(30 * np.sin(number / 5))
        frame = photo[top : top + HEIGHT, left : left + WIDTH].copy()
        yield pixelated(frame, Box(x - left - MARGIN, y - top - MARGIN, FACE, FACE))


def person() -> tuple[Pixels, tuple[int, int]]:
    """A drawn person with much round them, and where their face is."""
    drawn = people.photo(0, 2, 0)
    scale = FACE / 1.2 / drawn.faces[0].box[2]
    photo = cv2.resize(drawn.image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    around = cv2.copyMakeBorder(photo, 400, 400, 700, 700, cv2.BORDER_REFLECT)
    x, y, *_ = drawn.faces[0].box
    return np.asarray(around, np.uint8), (round(x * scale) + 700, round(y * scale) + 400)


# Flicker


def print_flicker(folder: Path, model: Model, compute: Compute, *, moving: bool) -> None:
    clean = list(still_person())
    boxes = [place(number if moving else 0) for number in range(STILL)]
    hidden = [pixelated(frame.copy(), box) for frame, box in zip(clean, boxes, strict=True)]
    source = write(folder / "still.mp4", hidden)
    restored(source, model, compute)
    made = read(result(source))
    figures = {"clean": clean, "pixelated": read(source), "restored": made}
    told = ", ".join(f"{flicker(frames, boxes):.2f} {kind}" for kind, frames in figures.items())
    print(f"a still face under a {'moving' if moving else 'still'} mosaic flickers by {told}")


def still_person() -> Iterator[Pixels]:
    photo, (x, y) = person()
    frame = photo[y - MARGIN - 40 :, x - MARGIN - 40 :][:SIDE, :SIDE]
    for number in range(STILL):
        noise = np.random.default_rng(number).normal(0, NOISE, frame.shape)
        yield np.clip(np.rint(frame + noise), 0, 255).astype(np.uint8)


def place(number: int) -> Box:
    """Where the mosaic is in a frame, when it moves."""
    side = FACE - 2 * BLOCK
    return Box(48 + round(8 * np.sin(number / 4)), 48 + round(8 * np.cos(number / 5)), side, side)


def flicker(frames: Sequence[Pixels], boxes: Sequence[Box]) -> float:
    """Grey levels by which a pixel in the boxes of two frames changes from one to the next."""
    changes = []
    for (one, box), (other, next_box) in pairwise(zip(frames, boxes, strict=True)):
        both = box.clipped(next_box)
        changes.append(np.abs(crop(one, both).astype(int) - crop(other, both)).mean())
    return float(np.mean(changes))


# Clips


def pixelated(frame: Pixels, box: Box) -> Pixels:
    grid, piece = Grid.square(BLOCK), crop(frame, box)
    piece[:] = paint_cells(cell_colours(piece, grid), grid, (box.height, box.width))
    return frame


def write(path: Path, frames: Iterator[Pixels] | Sequence[Pixels]) -> Path:
    with av.open(str(path), "w") as target:
        video = target.add_stream("libx264", rate=25, options={"crf": "18"})
        for number, frame in enumerate(frames):
            if number == 0:
                video.height, video.width, video.pix_fmt = *frame.shape[:2], "yuv420p"
            target.mux(video.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        target.mux(video.encode())
    return path


def result(source: Path) -> Path:
    return source.with_name(f"restored.{source.name}")


def restored(source: Path, model: Model, compute: Compute) -> ClipRestored:
    return restore_clip(source, result(source), model, RestoreConfig(), compute)


def read(path: Path) -> list[Pixels]:
    with av.open(str(path)) as clip:
        return [
            np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in clip.decode(video=0)
        ]


if __name__ == "__main__":
    main()
