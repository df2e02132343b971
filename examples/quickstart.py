"""What demosaic does, on a real photograph and on people who do not exist.

    python examples/quickstart.py OUT [--minutes 1]

First the model in the box restores a portrait in the public domain, pixelated in cells of three
sizes. Then people are drawn, pairs built from them, and the model trained on those for a minute, to
show the other two commands. Everything is written into OUT. Run again, it goes on where it stopped.
The picture on top of the README is OUT/readme.png.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np

import people
from demosaic.faces.short_range import ShortRangeDetector
from demosaic.imaging.arrays import Pixels, resize
from demosaic.imaging.decoding import read_image
from demosaic.imaging.encoding import write_png
from demosaic.imaging.geometry import Box, crop, paste
from demosaic.imaging.sheets import contact_sheet
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import cell_colours, paint_cells

BLOCKS = (8, 12, 16)  # sides of the cells over the portrait, px
MOSAIC = 240  # side of the mosaic over its face, px: whole cells of each size
PEOPLE, PHOTOS = 40, 4
HELD_OUT = 6  # drawn faces in the second picture at the end
SIDE = 256  # of a face in the pictures at the end, px
README_SIDE = 170  # of a face in the picture of the README, px


def main() -> None:
    """Run the three commands as a user would, and show what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=1.0)
    options = parser.parse_args()
    out: Path = options.out.resolve()
    restore_portrait(out)
    train_on_drawn_people(out, options.minutes)
    say(f"mosaic, mean, draw, spread, original: {out / 'readme.png'}")
    say(f"drawn people, before and after:       {out / 'drawn.png'}")
    say(f"open this page in a browser:          {out / 'restored' / 'restored.html'}")


def restore_portrait(out: Path) -> None:
    """Restore the portrait with the model in the box; a row for each size of cells."""
    portrait, box = pixelate_portrait(out)
    box_model = ("--model", "box", "--force")
    demosaic(out, "restore", "portraits", "--out", "means", "--realism", "0", *box_model)
    draws = ("--samples", "2", "--spread", "--page")
    demosaic(out, "restore", "portraits", "--out", "restored", *draws, *box_model)
    rows = portrait_rows(out, portrait, box)
    write_png(out / "readme.png", contact_sheet(rows, 1, README_SIDE))


def train_on_drawn_people(out: Path, minutes: float) -> None:
    """Draw people, build pairs, train on them, and restore faces that were held out."""
    draw_people(out)
    demosaic(out, "build-dataset", "photos", "pairs")
    short = ("--minutes", f"{minutes:g}", "--validations", "2", "--validation-pairs", "20")
    demosaic(out, "train", "pairs", *short)
    faces = cut_held_out_faces(out)
    trained = ("--model", "runs/pairs-default/best.safetensors", "--force")
    demosaic(out, "restore", "held-out", "--out", "drawn", *trained)
    write_png(out / "drawn.png", contact_sheet(drawn_rows(out, faces), 2, SIDE))


def say(text: str) -> None:
    """Print a line at once, also into a pipe."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def demosaic(folder: Path, *words: str) -> None:
    """Show a command and run it in `folder`; end with its exit code when it fails."""
    say(f"\n$ demosaic {' '.join(words)}")
    done = subprocess.run([sys.executable, "-m", "demosaic", *words], cwd=folder, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def draw_people(out: Path) -> None:
    """Nested folders of photos in OUT/photos, whole or not at all."""
    if not (out / "photos").is_dir():
        say(f"drawing {PEOPLE} people, {PHOTOS} photos each")
        people.draw(out / "photos.part", PEOPLE, PHOTOS, seed=0, workers=2)
        (out / "photos.part").rename(out / "photos")


def cut_held_out_faces(out: Path) -> list[Path]:
    """A few validation pairs; their observed halves as pictures in OUT/held-out."""
    pairs = sorted((out / "pairs/val").glob("*.png"))[:HELD_OUT]
    (out / "held-out").mkdir(exist_ok=True)
    for pair in pairs:
        picture = read_image(pair)
        write_png(out / "held-out" / pair.name, picture[:, : picture.shape[1] // 2])
    return pairs


def drawn_rows(out: Path, pairs: list[Path]) -> list[Pixels]:
    """Rows of mosaic, restored and original of the held-out faces."""
    rows = []
    for pair in pairs:
        observed, target = np.hsplit(read_image(pair), 2)
        restored = read_image(out / "drawn" / f"{pair.stem}.restored.png")
        rows.append(np.hstack([observed, restored, target]))
    return rows


def pixelate_portrait(out: Path) -> tuple[Pixels, Box]:
    """Grace Hopper's portrait (US Navy, public domain), her face pixelated in OUT/portraits in
    cells of each size; the portrait, and the place of the mosaic.
    """
    photo = read_image(Path(matplotlib.get_data_path()) / "sample_data/grace_hopper.jpg")
    face = ShortRangeDetector(min_score=0.5).detect(photo)[0].box
    x, y = face.x + (face.width - MOSAIC) // 2, face.y + (face.height - MOSAIC) // 2
    box = Box(x, y, MOSAIC, MOSAIC)
    (out / "portraits").mkdir(parents=True, exist_ok=True)
    for block in BLOCKS:
        grid = Grid.square(block)
        hidden = paint_cells(cell_colours(crop(photo, box), grid), grid, (MOSAIC, MOSAIC))
        write_png(out / "portraits" / f"{block}.png", paste(photo, hidden, box))
    return photo, box


def portrait_rows(out: Path, portrait: Pixels, box: Box) -> list[Pixels]:
    """For each size of cells a row of mosaic, mean, draw, spread and original, with what is around
    the mosaic.
    """
    around = with_surroundings(box, portrait)
    rows = []
    for block in BLOCKS:
        files = (
            f"portraits/{block}.png",
            f"means/{block}.restored.png",
            f"restored/{block}.restored-1.png",
            f"restored/{block}.spread.png",
        )
        versions = [*(read_image(out / file) for file in files), portrait]
        rows.append(np.hstack([resize(crop(one, around), SIDE, SIDE) for one in versions]))
    return rows


def with_surroundings(box: Box, photo: Pixels) -> Box:
    """A square half as wide again as `box`, round it and inside the photo."""
    height, width = photo.shape[:2]
    side = min(box.width * 3 // 2, height, width)
    x = min(max(box.x + (box.width - side) // 2, 0), width - side)
    y = min(max(box.y + (box.height - side) // 2, 0), height - side)
    return Box(x, y, side, side)


if __name__ == "__main__":
    main()
