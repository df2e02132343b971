"""Drawn pictures without a mosaic that have what a mosaic has: even lines, flat squares, or both.

Each function draws one of 480 x 360 px, from random numbers.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from demosaic.imaging.arrays import Pixels

HEIGHT, WIDTH = 360, 480
Levels = NDArray[np.float64]
Draw = Callable[[np.random.Generator], Pixels]


def fabric(rng: np.random.Generator) -> Pixels:
    """Checked cloth with folds and the grain of its threads."""
    side = rng.uniform(5, 40)
    y, x = (np.mgrid[:HEIGHT, :WIDTH] // side) % 2
    cloth = _lit(rng, 90 + 35 * (x + y))
    return _pixels(
        cloth[:, :, None] * rng.uniform(0.6, 1.2, 3) + rng.normal(0, 3, (*cloth.shape, 1))
    )


def tiles(rng: np.random.Generator) -> Pixels:
    """A wall of tiles that differ a little, with joints between them."""
    side, joint = int(rng.integers(12, 48)), int(rng.integers(1, 4))
    rows, columns = HEIGHT // side + 1, WIDTH // side + 1
    colours = rng.uniform(90, 200, 3) + rng.normal(0, 6, (rows, columns, 1))
    wall = colours.repeat(side, 0).repeat(side, 1)[:HEIGHT, :WIDTH]
    y, x = np.mgrid[:HEIGHT, :WIDTH] % side
    wall[(y < joint) | (x < joint)] = rng.uniform(60, 230)
    return _pixels(_lit(rng, wall) + rng.normal(0, 2, wall.shape))


def board(rng: np.random.Generator) -> Pixels:
    """A chequered board on a table."""
    side, count = int(rng.integers(12, 40)), 8
    squares = (np.indices((count, count)).sum(0) % 2).repeat(side, 0).repeat(side, 1)
    table = np.full((HEIGHT, WIDTH), rng.uniform(60, 200))
    table[10 : 10 + count * side, 20 : 20 + count * side] = (60 + 140 * squares)[: HEIGHT - 10]
    return _pixels(_lit(rng, table)[:, :, None] + rng.normal(0, 2, (HEIGHT, WIDTH, 3)))


def screenshot(rng: np.random.Generator) -> Pixels:
    """Windows with rows of buttons and lines of text."""
    screen = np.full((HEIGHT, WIDTH, 3), rng.integers(180, 255), np.uint8)
    for _ in range(4):
        x, y = int(rng.integers(0, 300)), int(rng.integers(0, 220))
        cv2.rectangle(screen, (x, y), (x + 170, y + 120), _colour(rng), -1)
        for number in range(6):
            left = x + 8 + 26 * number
            cv2.rectangle(screen, (left, y + 8), (left + 20, y + 28), _colour(rng), -1)
        for line in range(4):
            place = (x + 8, y + 50 + 18 * line)
            cv2.putText(screen, "Open file as copy", place, 0, 0.45, (20, 20, 20), 1, cv2.LINE_AA)
    return screen


def code(rng: np.random.Generator) -> Pixels:
    """Black and white modules, as in a QR code, on paper."""
    side, count = int(rng.integers(3, 14)), 25
    modules = rng.integers(0, 2, (count, count)).repeat(side, 0).repeat(side, 1) * 235 + 10
    paper = np.full((HEIGHT, WIDTH), 245.0)
    paper[5 : 5 + count * side, 60 : 60 + count * side] = modules[: HEIGHT - 5]
    return _pixels(paper[:, :, None].repeat(3, 2))


def blinds(rng: np.random.Generator) -> Pixels:
    """Slats before a bright window, with its frame."""
    side = rng.uniform(6, 30)
    slats = 120 + 90 * ((np.mgrid[:HEIGHT, :WIDTH][0] / side % 1) < 0.7)
    slats[:, :: int(rng.integers(60, 160))] = 60
    return _pixels(_lit(rng, slats)[:, :, None] + rng.normal(0, 2, (HEIGHT, WIDTH, 3)))


def text(rng: np.random.Generator) -> Pixels:
    """A page of print in a fixed pitch."""
    page = np.full((HEIGHT, WIDTH, 3), 245, np.uint8)
    size = rng.uniform(0.4, 1)
    for y in range(20, HEIGHT, int(30 * size) + 4):
        letters = "".join(rng.choice(list("nmHEoxw "), 60))
        cv2.putText(page, letters, (6, y), cv2.FONT_HERSHEY_DUPLEX, size, (25, 25, 30), 1)
    return page


def led_wall(rng: np.random.Generator) -> Pixels:
    """A soft picture in round lamps on black."""
    side = int(rng.integers(6, 20))
    shape = HEIGHT // side + 1, WIDTH // side + 1
    soft = rng.uniform(20, 250, (5, 6, 3)).astype(np.float32)
    lamps = cv2.resize(soft, shape[::-1], interpolation=cv2.INTER_CUBIC)
    wall = lamps.repeat(side, 0).repeat(side, 1)[:HEIGHT, :WIDTH]
    y, x = np.mgrid[:HEIGHT, :WIDTH] % side - (side - 1) / 2
    return _pixels(wall * (np.hypot(x, y) < 0.4 * side)[:, :, None])


def brickwork(rng: np.random.Generator) -> Pixels:
    """Bricks of many browns, each row moved by half a brick."""
    high = int(rng.integers(10, 24))
    wall = np.full((HEIGHT, WIDTH, 3), 190.0)
    for row, top in enumerate(range(0, HEIGHT, high)):
        for left in range(-high * (row % 2), WIDTH, 2 * high):
            brown = np.array([150, 90, 70]) + rng.normal(0, 18)
            wall[top : top + high - 2, max(0, left) : max(0, left + 2 * high - 2)] = brown
    return _pixels(_lit(rng, wall) + rng.normal(0, 3, wall.shape))


ALL: dict[str, Draw] = {
    "fabric": fabric,
    "tiles": tiles,
    "board": board,
    "screenshot": screenshot,
    "QR code": code,
    "blinds": blinds,
    "text": text,
    "LED wall": led_wall,
    "brickwork": brickwork,
}


def _lit(rng: np.random.Generator, levels: Levels) -> Levels:
    """The surface in uneven light."""
    light = cv2.resize(rng.uniform(0.75, 1.15, (3, 4)), (WIDTH, HEIGHT))
    lit: Levels = levels * (light if levels.ndim == 2 else light[:, :, None])
    return lit


def _colour(rng: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = rng.integers(40, 256, 3).tolist()
    return red, green, blue


def _pixels(levels: Levels) -> Pixels:
    pixels: Pixels = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    return pixels
