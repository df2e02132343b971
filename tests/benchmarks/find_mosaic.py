"""How often `find_mosaics` finds the exact cells of mosaics that other programs made in photos.

A case is a photo with a box over its middle, 0.35 to 0.9 of its width and height, of at least 5 x 5
cells of 3 to 64 px (small ones as often as large ones, a third of them no squares), pixelated by
Pillow, cv2, ImageMagick, ffmpeg or deface, saved as PNG or JPEG. The columns of the table:

- exact: cells and offset, continued over all of the mosaic, have every line between two cells at
  its true pixel (or beside it, where the picture was resized afterwards), and no other line in the
  part that was found.
- continued: they have no other line in the part that was not found either. Where a plain wall hides
  a first cell of 5 px, cells of 4 px would leave one of 1 px there.
- IoU: of the pixels found to be mosaic with the true ones. Cells over a plain wall look like the
  wall; they lower it, though they hide nothing. Feathered mosaics count where 19 parts of 20 are
  mosaic: there a pixel is off its cell's colour by a third of a grey level, at half strength by
  eight.
- extra: cases in which something else was found. The last rows have drawn pictures that resemble a
  mosaic: fabric, tiles, boards, screens, codes, blinds, text, lamps, bricks (`hard_negatives.py`).

    python tests/benchmarks/find_mosaic.py [PHOTOS] [--cases 100] [--size 750] [--only WORD ...]

PHOTOS is a folder; without it, drawn people are pixelated. deface is looked for on PATH and in
$DEFACE. A tool that is not installed is left out with a message.
"""

import argparse
import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from demosaic.detection.detector import find_mosaics
from demosaic.detection.region import Region
from demosaic.imaging.arrays import Pixels, use_one_core
from demosaic.imaging.decoding import read_image
from demosaic.imaging.discovery import find_images
from demosaic.imaging.geometry import Box, crop, paste

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
import hard_negatives

import people

Mask = NDArray[np.bool_]
Lines = NDArray[np.float64]
NOISE = 3.0  # grey levels; what a camera adds, and an enlarged photo lacks
DEFACE = os.environ.get("DEFACE") or shutil.which("deface")
CONVERT, FFMPEG = shutil.which("convert-im6.q16"), shutil.which("ffmpeg")


@dataclass(frozen=True)
class Mosaic:
    """The truth about one mosaic."""

    hidden: Mask
    """(H, W) of the picture."""
    columns: Lines
    rows: Lines
    """Where cells begin, picture pixels."""


@dataclass(frozen=True)
class Case:
    """A picture and its mosaics."""

    shown: Pixels
    mosaics: list[Mosaic]
    tolerance: float = 0
    """Pixels that a line may lie beside its place."""


Pixelate = Callable[[Pixels, int, int], Pixels]
"""A piece of a photo, columns and rows of cells: the piece pixelated."""
Make = Callable[[Pixels, np.random.Generator], Case | None]
"""A photo as a case; None if it cannot be one."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path, nargs="?")
    parser.add_argument("--cases", type=int, default=100, help="cases in each row of the table")
    parser.add_argument("--size", type=int, help="enlarge each photo's longer side to so many px")
    parser.add_argument("--only", nargs="*", help="rows whose names have one of these words")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--failures", type=Path, help="save pictures of failed cases to this folder"
    )
    options = parser.parse_args()
    use_one_core()
    print(
        f"{'':34}{'n':>5}{'exact':>8}{'continued':>11}{'IoU>=.95':>9}{'IoU':>7}{'extra':>7}"
        f"{'ms/MP':>7}"
    )
    for name, make in rows().items():
        if not options.only or any(word in name for word in options.only):
            score(name, make, options)


def rows() -> dict[str, Make]:
    """The rows of the table."""
    boxed: dict[str, Make] = {
        "Pillow": partial(in_box, pillow, pillow_starts),
        "Pillow, any box": partial(in_box, pillow, pillow_starts, fitting=False),
        "cv2, area": partial(in_box, cv2_area, cv2_starts),
        "cv2, linear, any box": partial(in_box, cv2_linear, cv2_starts, fitting=False),
        "cv2, means of slices": partial(in_box, sliced, sliced_starts, fitting=False),
    }
    if CONVERT:
        boxed["ImageMagick -scale"] = partial(in_box, imagemagick, pillow_starts)
    else:
        print("without ImageMagick: not installed")
    if FFMPEG:
        boxed["ffmpeg pixelize, gbrp"] = partial(in_ffmpeg, "gbrp")
        boxed["ffmpeg pixelize, yuv420p"] = partial(in_ffmpeg, "yuv420p")
    else:
        print("without ffmpeg: not installed")
    if DEFACE:
        boxed["deface"] = defaced
    else:
        print("without deface: neither on PATH nor in $DEFACE")
    shaped: dict[str, Make] = {
        "ellipse": partial(in_box, pillow, pillow_starts, shape="ellipse"),
        "feathered ellipse": partial(in_box, pillow, pillow_starts, shape="feathered"),
        "feathered box": partial(in_box, pillow, pillow_starts, shape="soft box"),
        "whole picture": partial(in_box, pillow, pillow_starts, whole=True),
        "whole picture, any size": partial(
            in_box, pillow, pillow_starts, whole=True, fitting=False
        ),
        "two mosaics": two,
        "two that touch": partial(beside, over=False),
        "two, one over the other": partial(beside, over=True),
        "resized after": partial(resized, boxed["Pillow"]),
        "resized after, whole": partial(
            resized, partial(in_box, pillow, pillow_starts, whole=True)
        ),
    }
    table = {**boxed, **shaped}
    for quality in (90, 75, 60):
        for name in ("Pillow", "Pillow, any box", "cv2, area", "cv2, linear, any box",
                     "cv2, means of slices", "ImageMagick -scale",
                     "ffmpeg pixelize, yuv420p", "deface", "ellipse", "whole picture"):  # fmt: skip
            if name in table:
                table[f"{name}, JPEG {quality}"] = partial(saved_again, table[name], quality)
    for name in ("two that touch", "two, one over the other"):
        table[f"{name}, JPEG 90"] = partial(saved_again, table[name], 90)
    table["resized after, JPEG 75"] = partial(saved_again, table["resized after"], 75)
    table["clean"] = clean
    for quality in (90, 75, 60, 40, 20):
        table[f"clean, JPEG {quality}"] = partial(saved_again, clean, quality)
    for name, draw in hard_negatives.ALL.items():
        table[f"clean, {name}"] = partial(drawn, draw)
        table[f"clean, {name}, JPEG 75"] = partial(saved_again, partial(drawn, draw), 75)
    return table


# One row


@dataclass
class Tally:
    """The results of the cases of a row."""

    exact: list[bool] = field(default_factory=list)
    continued: list[bool] = field(default_factory=list)
    overlaps: list[float] = field(default_factory=list)
    extra: list[bool] = field(default_factory=list)
    seconds: float = 0
    pixels: int = 0


def score(name: str, make: Make, options: argparse.Namespace) -> None:
    tally = Tally()
    for number, photo in enumerate(photos(options)):
        case = make(photo, np.random.default_rng((options.seed, number)))
        if case is None:
            continue
        start = time.process_time()
        found = find_mosaics(case.shown)
        tally.seconds += time.process_time() - start
        tally.pixels += case.shown.shape[0] * case.shown.shape[1]
        fits = [fit(case, mosaic, found) for mosaic in case.mosaics]
        exact = all(fit.exact for fit in fits)
        extra = any(is_extra(region, case) for region in found)
        overlap = min((fit.overlap for fit in fits), default=1.0)
        tally.exact.append(exact)
        tally.continued.append(all(fit.continued for fit in fits))
        tally.overlaps.append(overlap)
        tally.extra.append(extra)
        if options.failures and (not exact or overlap < 0.95 or extra):
            save_failure(options.failures, f"{name} {number}", case, found, exact, overlap)
        if len(tally.exact) == options.cases:
            break
    print_row(name, tally)


def print_row(name: str, tally: Tally) -> None:
    count = len(tally.exact)
    if not count:
        print(f"{name:34}    0")
        return
    right = "     ---        ---      ---    ---"
    if "clean" not in name:
        good = np.mean([overlap >= 0.95 for overlap in tally.overlaps])
        right = (
            f"{np.mean(tally.exact):8.1%}{np.mean(tally.continued):11.1%}"
            f"{good:9.1%}{np.mean(tally.overlaps):7.3f}"
        )
    speed = 1e9 * tally.seconds / tally.pixels
    print(f"{name:34}{count:5}{right}{np.mean(tally.extra):7.1%}{speed:7.0f}", flush=True)


@dataclass(frozen=True)
class Fit:
    """What was found of a mosaic."""

    exact: bool
    continued: bool
    overlap: float


def fit(case: Case, mosaic: Mosaic, found: list[Region]) -> Fit:
    """How the region that overlaps a mosaic most agrees with its lines and pixels."""
    overlaps = [overlap(painted(region, case.shown), mosaic.hidden) for region in found]
    if not overlaps or max(overlaps) == 0:
        return Fit(False, False, 0.0)
    best = int(np.argmax(overlaps))
    box, grid = found[best].box, found[best].grid
    across = fit_lines(
        (box.x, box.x + box.width, box.x + grid.left, grid.width),
        extent(mosaic.hidden.any(0)), mosaic.columns, case.tolerance,
    )  # fmt: skip
    down = fit_lines(
        (box.y, box.y + box.height, box.y + grid.top, grid.height),
        extent(mosaic.hidden.any(1)), mosaic.rows, case.tolerance,
    )  # fmt: skip
    return Fit(across[0] and down[0], across[1] and down[1], overlaps[best])


def fit_lines(
    found: tuple[int, int, float, float], ends: tuple[int, int], true: Lines, tolerance: float
) -> tuple[bool, bool]:
    """Whether the lines found, (low, high, phase, period), have the true ones between the ends of a
    mosaic and no others: in the part that was found, and in all of it.
    """
    low, high, phase, period = found
    true = inner(true, *ends, tolerance)
    continued = lines(phase, period, *ends)
    met = near(true, continued, tolerance)
    claimed = inner(continued, *ends, tolerance)
    exact = met and near(inner(claimed, low, high), true, tolerance)
    return exact, met and near(claimed, true, tolerance)


def painted(region: Region, shown: Pixels) -> Mask:
    mask = np.zeros(shown.shape[:2], bool)
    crop(mask, region.box)[:] = region.hidden
    return mask


def overlap(one: Mask, other: Mask) -> float:
    return float((one & other).sum() / (one | other).sum())


def is_extra(region: Region, case: Case) -> bool:
    mask = painted(region, case.shown)
    return not any((mask & mosaic.hidden).sum() > 0.5 * mask.sum() for mosaic in case.mosaics)


def extent(some: Mask) -> tuple[int, int]:
    where = np.nonzero(some)[0]
    return int(where[0]), int(where[-1]) + 1


def lines(phase: float, period: float, low: int, high: int) -> Lines:
    first, last = int((low - phase) // period) - 1, int((high - phase) // period) + 2
    places: Lines = np.floor(phase + np.arange(first, last) * period + 0.5)
    return places[(places > low) & (places < high)]


def inner(some: Lines, low: int, high: int, tolerance: float = 0) -> Lines:
    """The lines between two ends, except those that may be an end."""
    beside = tolerance + (tolerance > 0)
    return some[(some > low + beside) & (some < high - beside)]


def near(some: Lines, others: Lines, tolerance: float) -> bool:
    """Whether each line of some lies at one of others."""
    if min(len(some), len(others)) == 0:
        return len(some) == 0
    apart = np.abs(some[:, None] - others).min(1)
    return float(apart.max()) <= tolerance + 1e-6


def save_failure(
    folder: Path, name: str, case: Case, found: list[Region], exact: bool, overlap: float
) -> None:
    """Save the picture with found boxes in red, and a text with what is true and what was found."""
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(case.shown).save(folder / f"{name}.png")
    picture = Image.fromarray(case.shown)
    words = [f"exact {exact}, overlap {overlap:.3f}"]
    for region in found:
        x, y, width, height = region.box.corners
        ImageDraw.Draw(picture).rectangle((x, y, x + width - 1, y + height - 1), outline="red")
        words.append(f"found {region.box} {region.grid} {region.confidence:.2f}")
    for mosaic in case.mosaics:
        spans = extent(mosaic.hidden.any(0)), extent(mosaic.hidden.any(1))
        words.append(f"true {spans} columns {mosaic.columns.tolist()} rows {mosaic.rows.tolist()}")
    picture.save(folder / f"{name} found.png")
    (folder / f"{name}.txt").write_text("\n".join(words))


# Photos


def photos(options: argparse.Namespace) -> Iterator[Pixels]:
    """More photos than cases, because deface finds no face in some."""
    for photo in taken(options):
        yield enlarged(photo, options.size) if options.size else photo


def taken(options: argparse.Namespace) -> Iterator[Pixels]:
    if options.photos:
        paths = find_images(options.photos)
        order = np.random.default_rng(options.seed).permutation(len(paths))
        yield from (read_image(paths[number]) for number in order)
    else:
        yield from (people.photo(options.seed, number, 0).image for number in range(10**6))


def enlarged(photo: Pixels, size: int) -> Pixels:
    """The photo with its longer side `size` px long, with grain."""
    scale = size / max(photo.shape[:2])
    shape = (round(photo.shape[1] * scale), round(photo.shape[0] * scale))
    picture = np.asarray(Image.fromarray(photo).resize(shape, Image.Resampling.LANCZOS))
    noise = np.random.default_rng(0).normal(0, NOISE, picture.shape)
    grainy: Pixels = np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)
    return grainy


# How other programs pixelate


@dataclass(frozen=True)
class Plan:
    """A box and its cells."""

    box: Box
    columns: int
    rows: int


def planned(photo: Pixels, rng: np.random.Generator, *, fitting: bool, whole: bool) -> Plan:
    """Cells over the middle of a photo, `fitting` whole into the box, or over the `whole` photo."""
    height, width = photo.shape[:2]
    share = (1.0, 1.0) if whole else rng.uniform(0.35, 0.9, 2)
    across, down = round(width * share[0]), round(height * share[1])
    side = draw_side(rng, min(across, down) // 5)
    other = side
    if rng.random() < 1 / 3:
        other = int(np.clip(round(side * rng.uniform(0.5, 2)), 3, min(64, down // 5)))
    columns, rows = across // side, down // other
    if fitting:
        across, down = columns * side, rows * other
    x, y = (
        0 if whole else int(np.clip(round((length - part) / 2 + rng.normal(0, 0.05) * length), 0,
                                    length - part))
        for length, part in ((width, across), (height, down))
    )  # fmt: skip
    return Plan(Box(x, y, across, down), columns, rows)


def draw_side(rng: np.random.Generator, most: int) -> int:
    return int(np.exp(rng.uniform(np.log(3), np.log(min(64, most) + 1))))


def in_box(
    pixelate: Pixelate,
    starts: Callable[[int, int], Lines],
    photo: Pixels,
    rng: np.random.Generator,
    *,
    fitting: bool = True,
    whole: bool = False,
    shape: str = "box",
) -> Case:
    plan = planned(photo, rng, fitting=fitting, whole=whole)
    box = plan.box
    if whole:  # the picture ends where its cells do
        photo = crop(photo, box)
    shown = paste(photo, pixelate(crop(photo, box), plan.columns, plan.rows), box)
    hidden = np.zeros(photo.shape[:2], bool)
    crop(hidden, box)[:] = True
    if shape != "box":
        shown, hidden = shaped(photo, shown, box, shape)
    columns = box.x + starts(plan.columns, box.width)
    rows = box.y + starts(plan.rows, box.height)
    return Case(shown, [Mosaic(hidden, columns, rows)])


def shaped(photo: Pixels, shown: Pixels, box: Box, shape: str) -> tuple[Pixels, Mask]:
    """The mosaic through a mask that Pillow draws."""
    mask = Image.new("L", (photo.shape[1], photo.shape[0]))
    corners = (box.x, box.y, box.x + box.width - 1, box.y + box.height - 1)
    draw = ImageDraw.Draw(mask)
    (draw.rectangle if shape == "soft box" else draw.ellipse)(corners, fill=255)
    if shape != "ellipse":
        mask = mask.filter(ImageFilter.GaussianBlur(3))
    result = Image.composite(Image.fromarray(shown), Image.fromarray(photo), mask)
    least = 127 if shape == "ellipse" else 0.95 * 255
    return np.asarray(result), np.asarray(mask) > least


def pillow(piece: Pixels, columns: int, rows: int) -> Pixels:
    small = Image.fromarray(piece).resize((columns, rows), Image.Resampling.BOX)
    return np.asarray(small.resize((piece.shape[1], piece.shape[0]), Image.Resampling.NEAREST))


def pillow_starts(count: int, length: int) -> Lines:
    numbers = Image.fromarray(np.arange(count, dtype=np.int32)[None])
    return changes(np.asarray(numbers.resize((length, 1), Image.Resampling.NEAREST))[0])


def cv2_area(piece: Pixels, columns: int, rows: int) -> Pixels:
    return cv2_resized(piece, columns, rows, cv2.INTER_AREA)


def cv2_linear(piece: Pixels, columns: int, rows: int) -> Pixels:
    return cv2_resized(piece, columns, rows, cv2.INTER_LINEAR)


def cv2_resized(piece: Pixels, columns: int, rows: int, way: int) -> Pixels:
    small = cv2.resize(piece, (columns, rows), interpolation=way)
    size = (piece.shape[1], piece.shape[0])
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_NEAREST), np.uint8)


def cv2_starts(count: int, length: int) -> Lines:
    numbers = np.arange(count, dtype=np.float32)[None]
    return changes(cv2.resize(numbers, (length, 1), interpolation=cv2.INTER_NEAREST)[0])


def sliced(piece: Pixels, columns: int, rows: int) -> Pixels:
    """As most tutorials of cv2 do it: each slice gets its mean colour."""
    shown = piece.copy()
    across = np.linspace(0, piece.shape[1], columns + 1, dtype=int)
    down = np.linspace(0, piece.shape[0], rows + 1, dtype=int)
    for top, bottom in pairwise(down):
        for left, right in pairwise(across):
            colour = [int(value) for value in cv2.mean(piece[top:bottom, left:right])[:3]]
            cv2.rectangle(shown, (left, top), (right, bottom), colour, -1)
    return shown


def sliced_starts(count: int, length: int) -> Lines:
    return np.linspace(0, length, count + 1, dtype=int)[:-1].astype(float)


def changes(numbers: NDArray[np.generic]) -> Lines:
    return np.concatenate([[0], np.nonzero(np.diff(numbers))[0] + 1]).astype(float)


def imagemagick(piece: Pixels, columns: int, rows: int) -> Pixels:
    size = f"{piece.shape[1]}x{piece.shape[0]}!"
    words = [CONVERT, "png:-", "-scale", f"{columns}x{rows}!", "-scale", size, "png:-"]
    return png_through([str(word) for word in words], piece)


def png_through(command: list[str], picture: Pixels) -> Pixels:
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "PNG")
    ran = subprocess.run(command, input=data.getvalue(), capture_output=True, check=True)
    return np.asarray(Image.open(io.BytesIO(ran.stdout)).convert("RGB"))


def in_ffmpeg(colours: str, photo: Pixels, rng: np.random.Generator) -> Case:
    """A box that cuts the last cells, laid over the picture at even pixels, as yuv420p needs."""
    photo = photo[: photo.shape[0] // 2 * 2, : photo.shape[1] // 2 * 2]
    plan = planned(photo, rng, fitting=False, whole=False)
    box = Box(*(side // 2 * 2 for side in plan.box.corners))
    wide, high = box.width // plan.columns, box.height // plan.rows
    if colours == "yuv420p":  # where ffmpeg makes cells even
        wide, high = (max(4, side // 2 * 2) for side in (wide, high))
    chain = (
        f"[0]format={colours},split[a][b];[b]crop={box.width}:{box.height}:{box.x}:{box.y},"
        f"pixelize={wide}:{high}[c];"
        f"[a][c]overlay={box.x}:{box.y}:format={'gbrp' if colours == 'gbrp' else 'yuv420'}"
    )
    command = [str(FFMPEG), "-v", "error", "-f", "png_pipe", "-i", "-", "-filter_complex", chain]
    shown = png_through([*command, "-f", "image2pipe", "-c:v", "png", "-"], photo)
    hidden = np.zeros(photo.shape[:2], bool)
    crop(hidden, box)[:] = True
    columns: Lines = box.x + np.arange(0, box.width, wide).astype(np.float64)
    rows: Lines = box.y + np.arange(0, box.height, high).astype(np.float64)
    return Case(shown, [Mosaic(hidden, columns, rows)])


def defaced(photo: Pixels, rng: np.random.Generator) -> Case | None:
    """What deface makes of a photo, if that is one face of at least 5 x 5 cells.

    deface does not say where the face is. It is where pixels have changed, if cells begin in that
    corner.
    """
    side = draw_side(rng, 64)
    with tempfile.TemporaryDirectory() as folder:
        source, result = Path(folder) / "in.png", Path(folder) / "out.png"
        Image.fromarray(photo).save(source)
        words = [DEFACE, source, "-o", result, "--replacewith", "mosaic", "--mosaicsize", side]
        subprocess.run([str(word) for word in words], check=True, capture_output=True)
        shown = read_image(result)
    changed = (shown != photo).any(2)
    if not changed.any():
        return None
    left, right = extent(changed.any(0))
    top, bottom = extent(changed.any(1))
    expected = photo[top:bottom:side, left:right:side].repeat(side, 0).repeat(side, 1)
    if (
        min(right - left, bottom - top) < 5 * side
        or (expected[: bottom - top, : right - left] != shown[top:bottom, left:right]).any()
    ):
        return None
    hidden = np.zeros(photo.shape[:2], bool)
    hidden[top:bottom, left:right] = True
    columns: Lines = np.arange(left, right, side).astype(np.float64)
    rows: Lines = np.arange(top, bottom, side).astype(np.float64)
    return Case(shown, [Mosaic(hidden, columns, rows)])


def two(photo: Pixels, rng: np.random.Generator) -> Case:
    """The photo beside itself, each with a mosaic of its own."""
    halves = [in_box(pillow, pillow_starts, photo, rng) for _ in range(2)]
    none = np.zeros(photo.shape[:2], bool)
    first, second = (half.mosaics[0] for half in halves)
    return Case(
        np.hstack([half.shown for half in halves]),
        [
            replace(first, hidden=np.hstack([first.hidden, none])),
            Mosaic(np.hstack([none, second.hidden]), second.columns + photo.shape[1], second.rows),
        ],
    )


def beside(photo: Pixels, rng: np.random.Generator, *, over: bool) -> Case:
    """Two mosaics, half of the time with the same cells. The second begins where the first ends, or
    lies over its end.
    """
    height, width = photo.shape[:2]
    sides = [draw_side(rng, min(width, height) // 20) for _ in range(2)]
    if rng.random() < 1 / 2:
        sides[1] = sides[0]
    shown, left = photo, int(0.08 * width)
    mosaics: list[Mosaic] = []
    for side in sides:
        columns, rows = (int(rng.uniform(0.3, 0.4) * length) // side for length in (width, height))
        box = Box(left, int(rng.uniform(0.2, 0.5) * height), columns * side, rows * side)
        shown = paste(shown, pillow(crop(shown, box), columns, rows), box)
        hidden = np.zeros(photo.shape[:2], bool)
        crop(hidden, box)[:] = True
        mosaics = [replace(under, hidden=under.hidden & ~hidden) for under in mosaics]
        starts = pillow_starts(columns, box.width), pillow_starts(rows, box.height)
        mosaics.append(Mosaic(hidden, box.x + starts[0], box.y + starts[1]))
        left += box.width - over * int(rng.uniform(0.1, 0.35) * box.width)
    return Case(shown, mosaics)


def resized(make: Make, photo: Pixels, rng: np.random.Generator) -> Case:
    """The picture at 0.6 to 1.6 times its size, its cells still 3 px wide at least."""
    case = make(photo, rng)
    assert case is not None
    (mosaic,) = case.mosaics
    smallest = min(np.diff(mosaic.columns).min(), np.diff(mosaic.rows).min())
    scale = rng.uniform(max(0.6, 3 / smallest), 1.6)
    height, width = case.shown.shape[:2]
    size = (round(width * scale), round(height * scale))
    ways = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)
    shown = np.asarray(Image.fromarray(case.shown).resize(size, ways[rng.integers(3)]))
    hidden = np.asarray(Image.fromarray(mosaic.hidden).resize(size, Image.Resampling.NEAREST))
    columns, rows = mosaic.columns * size[0] / width, mosaic.rows * size[1] / height
    return Case(shown, [Mosaic(hidden, columns, rows)], tolerance=1)


def saved_again(make: Make, quality: int, photo: Pixels, rng: np.random.Generator) -> Case | None:
    """What JPEG of that quality leaves, as Pillow writes it."""
    case = make(photo, rng)
    if case is None:
        return None
    data = io.BytesIO()
    Image.fromarray(case.shown).save(data, "JPEG", quality=quality)
    return replace(case, shown=np.asarray(Image.open(data).convert("RGB")))


def clean(photo: Pixels, rng: np.random.Generator) -> Case:
    return Case(photo, [])


def drawn(draw: hard_negatives.Draw, photo: Pixels, rng: np.random.Generator) -> Case:
    """A picture that resembles a mosaic; the photo is not used."""
    return Case(draw(rng), [])


if __name__ == "__main__":
    main()
