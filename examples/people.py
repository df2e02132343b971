"""Draw nested folders of photos of people who do not exist.

    python examples/people.py OUT --people 60 --photos 6 --seed 0 --workers 2

Every pixel is computed here with numpy and OpenCV; there are no downloaded assets and no real
photos. A photo is a function of (seed, person, shot) alone, so any number of workers, in any
order, draws the same files. `heads.py` renders the heads; this file puts them into photos.
"""

import argparse
import math
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

import heads
from heads import FALLING, Floats, Head, Look, Person, Points, linear, person

__all__ = ["DrawnFace", "Person", "Photo", "draw", "person", "photo", "save"]

Pixels = NDArray[np.uint8]

STRANGERS = 1_000_000
"""Second persons are numbered from here and appear in one photo only, so that no identity is
shared between two people's folders."""

FRAMES = np.array([(0.01, 0.01, 0.012), (0.09, 0.04, 0.02), (0.25, 0.24, 0.22)], np.float32)
"""Colours of glasses, linear."""

TWO_PEOPLE = 0.12
NO_PEOPLE = 0.03
TURNED = 0.15


@dataclass(frozen=True)
class DrawnFace:
    """Where a face was drawn, in pixels of the upright photo."""

    person: int
    """The number `person` was called with."""
    box: tuple[float, float, float, float]
    """x, y, width, height; square, as MediaPipe's short-range detector would answer."""
    keypoints: tuple[tuple[float, float], ...]
    """Right eye, left eye (the subject's), nose tip, mouth centre, right ear, left ear."""


@dataclass(frozen=True)
class Photo:
    """One photo, upright, and how it is to be saved."""

    image: Pixels = field(repr=False)
    """(H, W, 3) RGB."""
    faces: tuple[DrawnFace, ...]
    orientation: int
    """The EXIF orientation, 1 to 8, under which it is saved."""
    path: str
    """Relative, with forward slashes, a folder a person: person-003/2019/photo-02.jpg."""


# ---------------------------------------------------------------------------- one photo


@dataclass(frozen=True)
class Layout:
    """What is decided about a photo before anything is drawn."""

    width: int
    height: int
    count: int
    """How many people it shows: 0, 1 or 2."""
    orientation: int
    path: str


def layout(seed: int, number: int, shot: int) -> Layout:
    """Size, number of people, orientation and path of a photo."""
    rng = np.random.default_rng((seed, number, shot, 2))
    count = int(rng.choice((0, 1, 2), p=(NO_PEOPLE, 1 - NO_PEOPLE - TWO_PEOPLE, TWO_PEOPLE)))
    longer = int(rng.integers(640 if count == 2 else 400, 1001))
    shorter = round(longer * rng.choice((0.667, 0.75, 0.8, 1.0)))
    landscape = count == 2 or rng.random() < 0.5
    width, height = (longer, shorter) if landscape else (shorter, longer)
    orientation = int(rng.choice((2, 3, 4, 5, 6, 6, 7, 8, 8))) if rng.random() < TURNED else 1
    suffix = rng.choice(("jpg", "png", "webp"), p=(0.94, 0.03, 0.03))
    path = f"person-{number:03d}/{2016 + number % 9}/photo-{shot:02d}.{suffix}"
    return Layout(width, height, count, orientation, path)


def photo(seed: int, number: int, shot: int) -> Photo:
    """The photo of person `number` with that shot number: a function of its arguments alone.

    The longer side has 400 to 1000 pixels, faces are about 130 to 400 pixels wide. Some photos
    show a second person, some nobody at all (a room or a landscape).
    """
    plan = layout(seed, number, shot)
    rng = np.random.default_rng((seed, number, shot, 3))
    light = _light(rng)
    canvas = _backdrop(rng, plan.width, plan.height, sharp=plan.count == 0)
    numbers = (number, STRANGERS + 1000 * number + shot)[: plan.count]
    faces = [
        _place(canvas, person(seed, who), place, light, rng)
        for who, place in zip(numbers, _places(rng, plan), strict=True)
    ]
    return Photo(_exposed(canvas, rng), tuple(faces), plan.orientation, plan.path)


@dataclass(frozen=True)
class _Light:
    towards: tuple[float, float, float]
    key: tuple[float, float, float]
    ambient: tuple[float, float, float]


def _light(rng: np.random.Generator) -> _Light:
    side, above = rng.normal(0, 0.65), rng.uniform(0, 0.9)
    towards = np.array([side, -above, 1.0])
    towards /= np.linalg.norm(towards)
    warmth = rng.normal(0, 0.045)
    tint = np.array([1 + warmth, 1.0, 1 - warmth])
    contrast = rng.uniform(0.3, 0.9)
    key = tint * (0.45 + contrast) * rng.uniform(0.9, 1.1)
    ambient = tint[::-1] * (0.66 - 0.5 * contrast) * rng.uniform(0.9, 1.1)
    return _Light(_triple(towards), _triple(key), _triple(ambient))


def _triple(values: NDArray[np.float64]) -> tuple[float, float, float]:
    first, second, third = values
    return float(first), float(second), float(third)


@dataclass(frozen=True)
class _Place:
    """Where a head goes: its centre and half its width in pixels."""

    x: float
    y: float
    radius: float


def _places(rng: np.random.Generator, plan: Layout) -> list[_Place]:
    width, height = plan.width, plan.height
    if plan.count == 0:
        return []
    if plan.count == 1:
        most = max(140, min(365, 0.52 * width, 0.42 * height))
        least = max(138, 0.22 * max(width, height))
        radius = rng.uniform(min(least, most), most) / 2
        x = width * (0.5 + rng.normal(0, 0.06))
        y = rng.uniform(1.75 * radius, max(height - 1.9 * radius, 1.8 * radius))
        return [_Place(x, min(y, 0.56 * height), radius)]
    most = min(0.25 * width, 0.36 * height)
    radius = rng.uniform(max(70, 0.4 * most), max(72, 0.5 * most))
    apart = rng.uniform(3.1, 3.6) * radius
    middle = width * (0.5 + rng.normal(0, 0.02))
    level = height * rng.uniform(0.4, 0.55) + rng.normal(0, 0.2, 2) * radius
    left, right = np.clip(level, 1.8 * radius, None)
    return [
        _Place(middle - apart / 2, float(left), radius),
        _Place(middle + apart / 2, float(right), radius * rng.uniform(0.95, 1.0)),
    ]


# ---------------------------------------------------------------------------- one person


def _place(
    canvas: Floats, who: Person, place: _Place, light: _Light, rng: np.random.Generator
) -> DrawnFace:
    """Draw a person on the canvas, back to front."""
    look = _look(rng, light)
    head = heads.render(who, look, place.radius)
    left = place.x - head.centre[0]
    top = place.y - head.centre[1]
    neck = (head.neck[0] + left, head.neck[1] + top)
    body = _Body(canvas, who, look, place.radius, neck)
    if who.style in FALLING:
        _falling_hair(body)
    _clothes(body, rng)
    _paste(canvas, head, round(left), round(top))
    shift = (round(left), round(top))
    if who.glasses != "none":
        _glasses(canvas, who, look, place, shift, head)
    return _drawn_face(who.number, head, shift)


def _look(rng: np.random.Generator, light: _Light) -> Look:
    smile = float(np.clip(rng.normal(0.35, 0.45), -0.3, 1))
    talking = rng.random() < 0.35
    return Look(
        yaw=float(np.clip(rng.normal(0, 0.25), -0.55, 0.55)),
        pitch=float(np.clip(rng.normal(0, 0.1), -0.25, 0.25)),
        roll=float(np.clip(rng.normal(0, 0.1), -0.3, 0.3)),
        smile=smile,
        gap=float(rng.uniform(0.2, 1)) if talking or smile > 0.6 else 0.0,
        lids=float(rng.uniform(0.75, 1.12)),
        brows=float(rng.normal(0, 0.4)),
        gaze=(float(rng.normal(0, 0.4)), float(rng.normal(0, 0.3))),
        light=light.towards,
        key=light.key,
        ambient=light.ambient,
    )


def _paste(canvas: Floats, head: Head, left: int, top: int) -> None:
    height, width = head.alpha.shape
    rows = slice(max(top, 0), min(top + height, canvas.shape[0]))
    columns = slice(max(left, 0), min(left + width, canvas.shape[1]))
    of_head = slice(rows.start - top, rows.stop - top)
    across = slice(columns.start - left, columns.stop - left)
    part = canvas[rows, columns]
    part += head.alpha[of_head, across, None] * (head.colour[of_head, across] - part)


def _drawn_face(number: int, head: Head, shift: tuple[int, int]) -> DrawnFace:
    keypoints = head.keypoints + shift
    outline = head.outline + shift
    low, high = outline.min(0), outline.max(0)
    side = 0.98 * float((high - low).max())  # as wide as MediaPipe's boxes are on average
    x, y = (low + high) / 2 - side / 2
    points = tuple((float(x), float(y)) for x, y in keypoints)
    return DrawnFace(number, (float(x), float(y), side, side), points)


@dataclass(frozen=True)
class _Shape:
    """An outline filled in: the window of the canvas it lies in, and its coverage there."""

    part: Floats
    """(h, w, 3), a view of the canvas."""
    mask: Floats
    """(h, w) in [0, 1]."""
    top: int

    def fill(self, colour: Floats) -> None:
        """Put a colour, (3,) or (h, w, 3), on the canvas where the mask is."""
        part = self.part
        part += self.mask[..., None] * (colour - part)

    def lit(self, look: Look, bulge: float) -> Floats:
        """Light (h, w, 3) on a shape that bulges over `bulge` pixels from its outline."""
        small = cv2.resize(self.mask, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
        padded = cv2.copyMakeBorder(small, 4, 4, 4, 4, cv2.BORDER_REPLICATE)
        round_ = cv2.GaussianBlur(padded, (0, 0), max(bulge / 4, 0.8))[4:-4, 4:-4]
        across = -cv2.Sobel(round_, cv2.CV_32F, 1, 0, scale=0.05 * bulge)
        down = -cv2.Sobel(round_, cv2.CV_32F, 0, 1, scale=0.05 * bulge)
        x, y, z = look.light
        facing = (z + across * x + down * y) / np.sqrt(1 + across**2 + down**2)
        direct = np.clip((facing + 0.2) / 1.2, 0, None)
        light = direct[..., None] * np.array(look.key, np.float32)
        light += 0.75 * np.array(look.ambient, np.float32)
        size = self.mask.shape[::-1]
        return np.asarray(cv2.resize(light, size, interpolation=cv2.INTER_LINEAR), np.float32)


def _shape(canvas: Floats, points: Points, blur: float = 0.6) -> _Shape:
    """The part of the canvas inside an outline of (n, 2) pixels; at least a pixel of it."""
    limit = np.array(canvas.shape[1::-1])
    margin = 3 * blur + 2
    low = np.clip(np.floor(points.min(0) - margin), 0, limit - 4).astype(int)
    high = np.clip(np.ceil(points.max(0) + margin), low + 4, limit).astype(int)
    drawn = np.zeros((high - low)[::-1], np.uint8)
    cv2.fillPoly(drawn, [np.round((points - low) * 16).astype(np.int32)], (255,), cv2.LINE_AA, 4)
    mask = cv2.GaussianBlur(drawn, (0, 0), blur).astype(np.float32) / 255
    part = canvas[low[1] : high[1], low[0] : high[0]]
    return _Shape(part, np.asarray(mask, np.float32), int(low[1]))


@dataclass(frozen=True)
class _Body:
    """What drawing a person below the head needs."""

    canvas: Floats
    who: Person
    look: Look
    radius: float
    neck: tuple[float, float]

    def shape(self, points: list[tuple[float, float]], blur: float = 0.6) -> _Shape:
        """The shape of points right of the neck's top, in head units, and their mirror image."""
        right = np.array(points) * self.radius
        left = right[::-1] * (-1, 1)
        return _shape(self.canvas, _rounded(np.concatenate([right, left])) + self.neck, blur)


def _rounded(points: Points) -> Points:
    """A closed outline with its corners cut three times (Chaikin's curve)."""
    for _ in range(3):
        following = np.roll(points, -1, axis=0)
        cut = np.stack([0.75 * points + 0.25 * following, 0.25 * points + 0.75 * following], 1)
        points = cut.reshape(-1, 2)
    return points


def _falling_hair(body: _Body) -> None:
    low = {"long": 1.9, "fringe": 1.7, "curly": 0.8, "bob": 0.35}[body.who.style]
    wide = 1.06 if body.who.style != "curly" else 1.18
    outline = [(0.5, -1.6), (wide, -1.1), (wide + 0.08, -0.4), (wide + 0.04, 0.3)]
    shape = body.shape([*outline, (0.95, low), (0.3, low)], 0.04 * body.radius)
    rng = np.random.default_rng(body.who.seed + 8)
    height, width = shape.mask.shape
    lengths = 30 if body.who.style == "curly" else 3
    strands = rng.standard_normal((lengths, 46), np.float32)
    strands += rng.standard_normal((1, 46), np.float32)
    tone = 0.5 + 0.12 * cv2.resize(strands, (width, height), interpolation=cv2.INTER_CUBIC)
    colour = np.array(linear(body.who.hair), np.float32) * np.clip(tone, 0.15, 1)[..., None]
    shape.fill(colour * shape.lit(body.look, 0.4 * body.radius))


def _clothes(body: _Body, rng: np.random.Generator) -> None:
    heavy = 1 - body.who.softness
    wide = 0.56 + 0.16 * heavy

    # neck
    neck = [(wide, -0.6), (wide, 0.2), (wide + 0.12, 0.75), (1.2, 1.0), (1.2, 1.8)]
    shape = body.shape(neck)
    skin = np.array(linear(body.who.skin), np.float32) * np.array((0.9, 0.84, 0.82), np.float32)
    below = (np.arange(len(shape.mask), dtype=np.float32) + shape.top - body.neck[1]) / body.radius
    chin_shadow = np.clip(0.4 + 0.6 * (below - 0.3) / 0.6, 0.4, 1)[:, None, None]
    shape.fill(skin * shape.lit(body.look, 0.35 * body.radius) * chin_shadow)

    # shoulders
    slope = rng.uniform(0.9, 1.15)
    reach = 2.1 + 0.5 * heavy
    opening = rng.choice((0.55, 0.8, 1.35)) if heavy < 0.5 else rng.choice((0.5, 0.75))
    torso = [(0.15, opening + 0.2), (0.4, opening), (wide + 0.04, 0.4), (wide + 0.1, 0.38)]
    torso += [(1.2, 0.55 * slope + 0.1), (reach - 0.15, 0.85 * slope)]
    torso += [(reach + 0.15, 1.4 * slope), (reach + 0.35, 9.0)]
    shape = body.shape(torso)
    cloth = _cloth(rng, shape.mask.shape, body.radius)
    shape.fill(cloth * shape.lit(body.look, 0.6 * body.radius))

    # the fold between arm and chest
    for side in (-1, 1):
        fold = [(reach - 0.55, 1.7), (reach - 0.5, 1.7), (reach - 0.38, 6.0), (reach - 0.5, 6.0)]
        points = np.array(fold) * (side * body.radius, body.radius) + body.neck
        arm = _shape(body.canvas, points, 0.06 * body.radius)
        arm.fill(0.35 * arm.part)


def _cloth(rng: np.random.Generator, shape: tuple[int, ...], radius: float) -> Floats:
    """The colour (h, w, 3) of a plain, striped or checked fabric with soft folds."""
    height, width = shape
    base = np.array(_some_colour(rng, 0.6))
    other = np.array(_some_colour(rng, 0.8))
    folds = 1 + 0.12 * cv2.resize(rng.standard_normal((5, 9), np.float32), (width, height))
    kind = rng.choice(("plain", "stripes", "checks"), p=(0.66, 0.2, 0.14))
    period = radius * rng.uniform(0.15, 0.5)
    down = (np.sin(np.arange(height) * 2 * math.pi / period) > 0.3)[:, None]
    across = (np.sin(np.arange(width) * 2 * math.pi / period) > 0.3)[None, :]
    colour = folds[..., None] * base.astype(np.float32)
    if kind == "stripes":
        colour[down[:, 0]] *= (other / base).astype(np.float32)
    if kind == "checks":
        weave = (0.4 * down + 0.4 * across).astype(np.float32)
        colour += (weave * folds)[..., None] * (other - base).astype(np.float32)
    return np.asarray(colour, np.float32)


def _glasses(
    canvas: Floats, who: Person, look: Look, place: _Place, shift: tuple[int, int], head: Head
) -> None:
    """Frames in front of the eyes, turned with the head, and arms to the ears."""
    turn = heads.rotation(look)
    centre = np.array(head.centre) + shift

    def seen(points: NDArray[np.float64]) -> NDArray[np.int32]:
        flat = (points @ turn.T)[:, :2] * place.radius + centre
        return np.asarray(np.round(flat * 16), np.int32)

    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    power = 0.45 if who.glasses == "square" else 1.0
    across = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** power
    down = np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** power
    height = 0.27 if who.glasses == "round" else 0.22
    lines = []
    for side in (-1, 1):
        x = side * who.eye_apart + 0.3 * across
        z = 1.22 - 0.25 * np.abs(x) ** 2
        lines.append((seen(np.stack([x, who.eye_height + 0.06 + height * down, z], 1)), True))
        if side * look.yaw < 0.12:
            arm = [(side * 0.73, 0.0, 1.08), (side * 1.0, 0.0, 0.6), (side * 1.08, 0.03, 0.0)]
            shown = 2 if who.style in FALLING else 3  # long hair hides the rest
            lines.append((seen(np.array(arm[:shown])), False))
    bridge = [(-0.13, 0.0, 1.26), (0, -0.03, 1.3), (0.13, 0.0, 1.26)]
    lines.append((seen(np.array(bridge)), False))
    mask = np.zeros(canvas.shape[:2], np.uint8)
    thick = max(round(place.radius * (0.02 if who.glasses == "thin" else 0.05)), 1)
    for line, closed in lines:
        cv2.polylines(mask, [line], closed, (255,), thick, cv2.LINE_AA, 4)
    left, top, wide, tall = cv2.boundingRect(mask)
    window = (slice(top, top + tall), slice(left, left + wide))
    colour = FRAMES[who.seed % len(FRAMES)]
    canvas[window] += (mask[window].astype(np.float32) / 270)[..., None] * (colour - canvas[window])


# ---------------------------------------------------------------------------- around people


def _backdrop(rng: np.random.Generator, width: int, height: int, sharp: bool) -> Floats:
    """A blurred place in linear light, (height, width, 3): a wall, a room, or outdoors."""
    small = (math.ceil(width / 4), math.ceil(height / 4))
    kind = str(rng.choice(("wall", "room", "outdoors", "lights"), p=(0.2, 0.35, 0.3, 0.15)))
    scene = _shaded(rng, small, np.array(_some_colour(rng, 0.7)), np.array(_some_colour(rng, 0.7)))
    if kind == "room":
        _room(rng, scene)
    elif kind == "outdoors":
        scene = _outdoors(rng, small)
    elif kind == "lights":
        _lights(rng, scene)
    sigma = rng.uniform(0.5, 1.0) if sharp else rng.uniform(0.8, 5)
    scene = np.asarray(cv2.GaussianBlur(scene, (0, 0), sigma), np.float32)
    return np.asarray(cv2.resize(scene, (width, height)), np.float32)


def _shaded(
    rng: np.random.Generator,
    size: tuple[int, int],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
) -> Floats:
    width, height = size
    ends = (_between(first, second, rng), _between(first, second, rng))
    corners = np.array([[first, ends[0]], [ends[1], second]], np.float32)
    plane = cv2.resize(corners, (width, height))
    rough = cv2.resize(rng.standard_normal((height // 6, width // 6), np.float32), (width, height))
    return np.asarray(plane * (1 + 0.06 * rough)[..., None], np.float32)


def _between(
    first: NDArray[np.float64], second: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    return np.asarray(first + (second - first) * rng.uniform(0.2, 0.8), np.float64)


def _some_colour(rng: np.random.Generator, most: float) -> tuple[float, float, float]:
    """A linear colour; most things people wear and live among are not very colourful."""
    bright = most * rng.uniform(0.03, 1)
    return _triple(bright * (1 + rng.beta(1, 2.5) * (rng.uniform(0.05, 1.4, 3) - 1)))


def _room(rng: np.random.Generator, scene: Floats) -> None:
    height, width = scene.shape[:2]
    floor = int(height * rng.uniform(0.6, 0.9))
    scene[floor:] = scene[floor:] * 0.3 + np.array(_some_colour(rng, 0.4), np.float32) * 0.7
    for _ in range(int(rng.integers(4, 12))):
        x, y = (int(value) for value in rng.uniform((-0.1, -0.1), (0.95, 0.9)) * (width, height))
        w, h = (int(value) for value in rng.uniform(0.05, 0.35, 2) * (width, height))
        cv2.rectangle(scene, (x, y), (x + w, y + h), _some_colour(rng, 0.8), -1)
        if rng.random() < 0.4:
            cv2.rectangle(scene, (x, y), (x + w, y + h), _some_colour(rng, 0.5), 2)
    if rng.random() < 0.4:
        _shelf(rng, scene)


def _shelf(rng: np.random.Generator, scene: Floats) -> None:
    height, width = scene.shape[:2]
    for level in np.arange(0.15, 0.9, 0.22) * height:
        x = int(rng.integers(0, max(width // 3, 1)))
        while x < width * 0.9:
            wide, tall = int(rng.integers(2, 7)), int(height * rng.uniform(0.08, 0.18))
            corner = (x, int(level) - tall)
            cv2.rectangle(scene, corner, (x + wide, int(level)), _some_colour(rng, 0.6), -1)
            x += wide + 1
        cv2.line(scene, (0, int(level) + 1), (width, int(level) + 1), (0.12, 0.07, 0.04), 2)


def _outdoors(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    width, height = size
    sky = np.array((0.35, 0.5, 0.75)) * rng.uniform(0.6, 1.3)
    scene = _shaded(rng, size, sky, np.array((0.75, 0.8, 0.85)) * rng.uniform(0.7, 1.1))
    horizon = height * rng.uniform(0.3, 0.7)
    green = np.array((0.1, 0.2, 0.05)) * rng.uniform(0.5, 1.8)
    ground = _shaded(rng, size, green, np.array(_some_colour(rng, 0.4)))
    edge = horizon + np.cumsum(rng.normal(0, 0.012 * height, width))
    below = np.arange(height)[:, None] > edge[None, :]
    scene[below] = ground[below]
    for _ in range(int(rng.integers(0, 7))):
        x, size_x = int(rng.integers(0, width)), int(rng.uniform(0.06, 0.25) * width)
        y = int(horizon - rng.uniform(0, 0.3) * height)
        leaf = _triple(green * rng.uniform(0.5, 1.6, 3))
        for _ in range(12):
            dx, dy = rng.normal(0, 0.45 * size_x, 2)
            cv2.circle(scene, (int(x + dx), int(y + dy)), max(size_x // 4, 1), leaf, -1)
            leaf = _triple(np.array(leaf) * rng.uniform(0.9, 1.12))
    return scene


def _lights(rng: np.random.Generator, scene: Floats) -> None:
    height, width = scene.shape[:2]
    scene *= 0.4
    for _ in range(int(rng.integers(8, 30))):
        x, y = (int(value) for value in rng.uniform(0, 1, 2) * (width, height))
        colour = _triple(np.array((1.0, 0.8, 0.5)) * rng.uniform(0.2, 1.2, 3))
        cv2.circle(scene, (x, y), int(rng.integers(2, max(width // 14, 4))), colour, -1)


def _exposed(canvas: Floats, rng: np.random.Generator) -> Pixels:
    """The canvas as a camera would record it: a little soft, a little noisy, (H, W, 3) uint8."""
    height, width = canvas.shape[:2]
    soft = np.asarray(cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.35, 0.8)), np.float32)
    np.multiply(soft, rng.uniform(0.85, 1.1) * 255**2, out=soft)
    np.sqrt(np.maximum(soft, 0, out=soft), out=soft)
    grain = rng.standard_normal((height, width, 1), np.float32)
    np.multiply(grain, rng.uniform(0.8, 3.5), out=grain)
    np.add(soft, grain, out=soft)
    return np.asarray(np.clip(soft, 0, 255, out=soft), np.uint8)


# ---------------------------------------------------------------------------- on disk


def save(photo: Photo, folder: Path) -> Path:
    """Write the photo under the folder and return its path.

    The stored picture is turned; its EXIF orientation turns it back.
    """
    path = folder / photo.path
    path.parent.mkdir(parents=True, exist_ok=True)
    stored = Image.fromarray(_turned(photo.image, photo.orientation))
    exif = Image.Exif()
    exif[0x0112] = photo.orientation  # the EXIF tag named Orientation
    stored.save(path, quality=92, exif=exif)
    return path


def _turned(image: Pixels, orientation: int) -> Pixels:
    """The picture to store so that a reader who applies the orientation sees `image`."""
    if orientation >= 5:
        image = image.transpose(1, 0, 2)
    if orientation in (2, 3, 7, 8):
        image = image[:, ::-1]
    if orientation in (3, 4, 6, 7):
        image = image[::-1]
    return np.ascontiguousarray(image)


def _draw_one(folder: Path, seed: int, which: tuple[int, int]) -> Path:
    cv2.setNumThreads(1)
    return save(photo(seed, *which), folder)


def draw(folder: Path, people: int, photos: int, seed: int = 0, workers: int = 1) -> list[Path]:
    """Write `photos` photos of each of `people` people; their paths, person by person."""
    wanted = [(number, shot) for number in range(people) for shot in range(photos)]
    one = partial(_draw_one, folder, seed)
    if workers <= 1:
        return [one(which) for which in wanted]
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(one, wanted, chunksize=4))


def main() -> None:
    """Read the command line, draw, and say what was drawn."""
    parser = argparse.ArgumentParser(description="Draw photos of people who do not exist.")
    parser.add_argument("out", type=Path, help="folder to write into")
    parser.add_argument("--people", type=int, default=60)
    parser.add_argument("--photos", type=int, default=6, help="photos of each person")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    asked = parser.parse_args()
    paths = draw(asked.out, asked.people, asked.photos, asked.seed, asked.workers)
    sys.stdout.write(f"drew {len(paths)} photos of {asked.people} people in {asked.out}\n")


if __name__ == "__main__":
    main()
