"""The whole job on people who do not exist: draw photos, build pairs, train, restore, look.

    python examples/quickstart.py OUT [--minutes 3]

Everything is written into OUT. Run again, it goes on where it stopped. The picture on top of the
README is OUT/readme.png.
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

PEOPLE, PHOTOS = 60, 5
HELD_OUT = 7  # faces in the picture at the end
BLOCK, CELLS = 10, 32  # of the mosaic on the real photograph
SIDE = 256  # of a face in the picture at the end, px
README_SIDE = 170  # of a face in the picture of the README, px


def main() -> None:
    """Run the three commands as a user would, and show what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=3.0)
    options = parser.parse_args()
    out: Path = options.out.resolve()

    draw_people(out)
    demosaic(out, "build-dataset", "photos", "pairs")
    short = ("--minutes", f"{options.minutes:g}", "--validations", "2", "--validation-pairs", "20")
    demosaic(out, "train", "pairs", *short)
    faces = cut_held_out_faces(out)
    ours = ("--model", "runs/pairs-default/best.safetensors", "--force")
    demosaic(out, "restore", "held-out", "--out", "restored", *ours)
    portrait, box = pixelate_hopper(out)
    region = f"{box.x},{box.y},{box.width},{box.height}"
    demosaic(out, "restore", "hopper.png", "--region", region, "--block", str(BLOCK), *ours)

    rows = before_and_after(out, faces, portrait, box)
    write_png(out / "before-after.png", contact_sheet(rows, 2, SIDE))
    write_png(out / "readme.png", contact_sheet([*rows[:3], rows[-1]], 2, README_SIDE))
    say(f"mosaic, restored, original: {out / 'before-after.png'}")
    say(f"the whole photograph:       {out / 'hopper.restored.png'}")
    say(f"while it learned:           {out / 'runs/pairs-default/samples'}")


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


def pixelate_hopper(out: Path) -> tuple[Pixels, Box]:
    """Grace Hopper's portrait (US Navy, public domain), her face pixelated in OUT/hopper.png."""
    photo = read_image(Path(matplotlib.get_data_path()) / "sample_data/grace_hopper.jpg")
    face = ShortRangeDetector(min_score=0.5).detect(photo)[0].box
    side = BLOCK * CELLS
    box = Box(face.x + (face.width - side) // 2, face.y + (face.height - side) // 2, side, side)
    grid = Grid.square(BLOCK)
    hidden = paint_cells(cell_colours(crop(photo, box), grid), grid, (side, side))
    write_png(out / "hopper.png", paste(photo, hidden, box))
    return photo, box


def before_and_after(out: Path, pairs: list[Path], portrait: Pixels, box: Box) -> list[Pixels]:
    """Rows of mosaic, restored and original: the held-out faces, then the photograph's face."""
    rows = []
    for pair in pairs:
        observed, target = np.hsplit(read_image(pair), 2)
        restored = read_image(out / "restored" / f"{pair.stem}.restored.png")
        rows.append(np.hstack([observed, restored, target]))
    versions = read_image(out / "hopper.png"), read_image(out / "hopper.restored.png"), portrait
    around = with_surroundings(box, portrait)
    rows.append(np.hstack([resize(crop(version, around), SIDE, SIDE) for version in versions]))
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
