"""Options that several commands share, and how their text is read."""

import os
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

import typer

from demosaic.config.compute import Precision
from demosaic.config.rules import Rectangle, Sampler
from demosaic.config.training import SeedConfig, TrainConfig
from demosaic.errors import USAGE, DemosaicError


def read_block(text: str | float) -> float:
    """`16`, `0.1` or `1/12` as a number; a default is one already."""
    try:
        number = Fraction(text) if "/" in str(text) else Fraction(float(text))
    except (ValueError, OverflowError, ZeroDivisionError):
        raise DemosaicError(
            f"--block {text}: give px, or a share of the face such as 1/12", USAGE
        ) from None
    return number.numerator if number.denominator == 1 else float(number)


def read_block_range(text: str) -> tuple[int, int]:
    """The smallest and the largest side in `8:24`."""
    try:
        smallest, largest = (int(part) for part in text.split(":"))
    except ValueError:
        raise DemosaicError(f"--blocks {text}: give two sides in px, as in 8:24", USAGE) from None
    return smallest, largest


def both_defaults(name: str) -> str:
    """The default of an option that the two recipes share, for the help."""
    return f"{getattr(TrainConfig, name)}; seed: {getattr(SeedConfig, name)}"


MOST_WORKERS = 61  # Windows waits for no more processes at once

MODEL_AT_HAND = "$DEMOSAIC_MODEL, the newest below runs/, or the last you trained"  # of models


# Options that mean the same in several commands
SamplerOption = Annotated[Sampler, typer.Option(help="What of a cell its colour is taken from.")]

RealismOption = Annotated[
    float, typer.Option(help="From the faithful mean, 0, to the sharpest guess, 1.")
]

ForceOption = Annotated[
    bool, typer.Option("--force", help="Replace results that are already there.")
]

ReplacePageOption = Annotated[
    bool, typer.Option("--force", help="Replace a page that is already there.")
]

BlendOption = Annotated[
    float | None,
    typer.Option(help="Score this blend alone.", show_default="five from 0 to 1; quick: 0"),
]

FacesOption = Annotated[int, typer.Option(help="Score at most so many held-out faces.")]

QuickOption = Annotated[
    bool,
    typer.Option("--quick", help="PSNR, SSIM and cell error of aligned cells only, and no page."),
]

JsonOption = Annotated[
    bool, typer.Option("--json", help="Say what is found as JSON on stdout, the report last.")
]

DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")]

PrecisionOption = Annotated[
    Precision,
    typer.Option(
        help="Of the arithmetic; auto takes bf16 where it is faster and agrees with fp32."
    ),
]

ThreadsOption = Annotated[
    int | None, typer.Option(help="CPU threads.", show_default="as is fastest")
]


def keep_numpy_to_one_thread() -> None:
    """Unless told otherwise, and before it is imported: the cores are the workers' or torch's, and
    waiting for each other numpy's threads took a tenth of two while S trained.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def new_page(page: Path, force: bool) -> Path:
    """Where to write a page. Raises DemosaicError before the work when it may not be written."""
    if page.is_dir():
        raise DemosaicError(f"{page} is a folder: name the page to write with --out")
    if page.exists() and not force:
        raise DemosaicError(f"{page} is already there: --force replaces it")
    if not os.access(page.parent, os.W_OK):
        raise DemosaicError(f"cannot write {page}: choose another place with --out")
    return page


def read_regions(texts: list[str]) -> tuple[Rectangle, ...] | Literal["whole"]:
    """What --region says, given any number of times."""
    return "whole" if texts == ["whole"] else tuple(map(read_rectangle, texts))


def read_rectangle(text: str) -> Rectangle:
    """The rectangle in `x,y,width,height`."""
    try:
        x, y, width, height = (int(part) for part in text.split(","))
    except ValueError:
        raise DemosaicError(f"--region {text}: give x,y,width,height in pixels", USAGE) from None
    return x, y, width, height


def read_cell_sides(text: str) -> tuple[float, float]:
    """The width and height of a cell, from one number for both or from two."""
    return read_two("--block", text if "x" in text else f"{text}x{text}", "x", "N or WxH")


def read_two(option: str, text: str, between: str, wanted: str) -> tuple[float, float]:
    """The two numbers in a text, with `between` between them."""
    try:
        first, second = (float(part) for part in text.split(between))
    except ValueError:
        raise DemosaicError(f"{option} {text}: give {wanted} in pixels", USAGE) from None
    return first, second
