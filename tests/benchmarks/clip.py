"""How many frames a second `restore` takes of a clip of 1280 x 720 px with one face.

    PYTHONPATH=examples python tests/benchmarks/clip.py --model MODEL

Draws a person who moves before a camera, pixelates the face (cells of 16 px, in a box that goes
with it), and restores the clip, decoding and encoding included, what is done once (loading, trying
precisions) left out.
"""

import argparse
import tempfile
import time
from pathlib import Path

import av
import cv2
import numpy as np

import people
from demosaic.checkpoints import load_model
from demosaic.clips import restore_clip
from demosaic.config import DeviceConfig, RestoreConfig
from demosaic.devices import choose, settle_threads
from demosaic.images import Box, Pixels, crop
from demosaic.mosaic import Grid, cell_colours, paint_cells
from demosaic.restoration import trial

WIDTH, HEIGHT, FRAMES, BLOCK, FACE = 1280, 720, 60, 16, 320


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    options = parser.parse_args()
    settle_threads(DeviceConfig())
    compute, _ = choose(DeviceConfig())
    model = load_model(options.model, compute.device)
    compute, why = choose(DeviceConfig(), trial(model))
    print(why)
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "a.mp4", Path(folder) / "b.mp4"
        write(source)
        start, before = time.perf_counter(), time.process_time()
        done = restore_clip(source, out, model, RestoreConfig(), compute)
        wall, cpu = time.perf_counter() - start, time.process_time() - before
    print(
        f"{done.frames / wall:.1f} frames a second, {1000 * cpu / done.frames:.0f} ms of CPU each"
    )


def write(path: Path) -> None:
    drawn = people.photo(0, 2, 0)
    scale = FACE / 1.2 / drawn.faces[0].box[2]
    photo = cv2.resize(drawn.image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    photo = cv2.copyMakeBorder(photo, 400, 400, 700, 700, cv2.BORDER_REFLECT)
    x, y = (
        round(side * scale) + more
        for side, more in zip(drawn.faces[0].box, (700, 400), strict=False)
    )
    with av.open(str(path), "w") as target:
        video = target.add_stream("libx264", rate=25, options={"crf": "18"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(FRAMES):
            left = x - 400 + round(60 * np.sin(number / 8))
            top = y - 200 + round(30 * np.sin(number / 5))
            frame = np.ascontiguousarray(photo[top : top + HEIGHT, left : left + WIDTH])
            hide(frame, Box(x - left - 30, y - top - 30, FACE, FACE))
            target.mux(video.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        target.mux(video.encode())


def hide(frame: Pixels, box: Box) -> None:
    grid, piece = Grid.square(BLOCK), crop(frame, box)
    piece[:] = paint_cells(cell_colours(piece, grid), grid, (box.height, box.width))


if __name__ == "__main__":
    main()
