"""Invented heads: a person's lasting traits, and one look at that head under some light.

A head is a radius over the directions of a stretched sphere (`relief`), painted on the unrolled
sphere (`Skin`) and seen by marching a ray per pixel until it meets the radius.

Units: half a head's width is 1. In front of the face x grows to the image's right, y down and z
towards the camera; eyes lie near y = 0, the chin near y = 1.4, the crown at y = -1.45.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Colour = tuple[float, float, float]
Points = NDArray[np.float64]

AXES = np.array([1.0, 1.45, 1.2])
"""Half width, half height and half depth of the sphere that heads are carved from."""

EDGE = 2.3
"""The painted skin reaches this many radians to each side; what lies behind is never seen."""

SKINS = np.array(
    [
        (246, 214, 196),
        (236, 196, 172),
        (224, 178, 148),
        (200, 150, 116),
        (164, 112, 80),
        (122, 78, 56),
        (88, 56, 42),
    ],
    np.float64,
)
"""Skin colours from light to dark, sRGB."""

HAIRS = np.array(
    [(24, 20, 20), (52, 34, 26), (88, 58, 38), (132, 92, 56), (196, 156, 98), (150, 72, 36)],
    np.float64,
)
GREY = np.array((186, 184, 182), np.float64)
EYES = np.array(
    [(62, 38, 22), (92, 62, 34), (118, 104, 56), (82, 112, 84), (84, 122, 154), (120, 138, 148)],
    np.float64,
)

ANGLES = (0, 0.5, 0.85, 1.05, 1.2, 1.36, 1.46, 1.85, 2.0, 2.3)
"""Radians from the front at which `HAIRLINES` are given; ears are near 1.6."""

HAIRLINES = {
    "short": (-0.84, -0.86, -0.66, -0.3, 0.05, 0.2, -0.2, -0.15, 0.35, 0.45),
    "swept": (-0.98, -0.9, -0.62, -0.3, 0.02, 0.15, -0.25, -0.2, 0.3, 0.4),
    "buzz": (-0.88, -0.87, -0.6, -0.3, -0.08, 0.1, -0.25, -0.2, 0.3, 0.4),
    "ring": (-1.6, -1.6, -1.6, -1.3, -0.5, 0.1, -0.2, -0.1, 0.35, 0.45),
    "bun": (-0.9, -0.86, -0.6, -0.42, -0.25, -0.15, -0.25, -0.2, 0.3, 0.4),
    "afro": (-0.8, -0.78, -0.55, -0.2, 0.07, 0.13, 0.1, 0.1, 0.4, 0.45),
    "curly": (-0.72, -0.68, -0.32, 0.08, 0.5, 0.7, 0.76, 0.85, 0.9, 0.95),
    "long": (-0.92, -0.78, -0.4, 0.3, 0.86, 1.03, 1.07, 1.15, 1.17, 1.2),
    "bob": (-0.9, -0.74, -0.2, 0.7, 0.95, 0.98, 1.0, 1.07, 1.08, 1.1),
    "fringe": (-0.4, -0.36, -0.18, 0.48, 0.85, 1.02, 1.05, 1.12, 1.15, 1.2),
}
"""How far down (y) each style's hair comes."""

THICKNESS = {
    "bald": 0.0,
    "short": 0.13,
    "swept": 0.19,
    "buzz": 0.03,
    "ring": 0.05,
    "bun": 0.07,
    "afro": 0.36,
    "curly": 0.22,
    "long": 0.13,
    "bob": 0.15,
    "fringe": 0.13,
}
SWEEP = {
    "short": 0.28,
    "swept": 0.5,
    "buzz": 0.0,
    "ring": 0.2,
    "bun": 0.6,
    "long": 0.3,
    "bob": 0.22,
    "fringe": 0.05,
}
"""How far hair falls away from the parting, radians a unit of height; curls have no direction."""

FALLING = ("long", "fringe", "curly", "bob")
"""Styles whose hair also hangs behind the neck."""


@dataclass(frozen=True)
class Person:
    """What stays the same in every photo of one invented person; lengths in half head widths."""

    number: int
    seed: int
    age: float
    """Years, 18 to 85."""
    softness: float
    """0 for heavy brows, jaw and nose, 1 for light ones."""
    skin: Colour
    """sRGB, 0 to 255, like every colour here."""
    lips: Colour
    hair: Colour
    iris: Colour
    style: str
    """One of `THICKNESS`."""
    parting: float
    """Where the hair is parted, radians from the front; also how uneven the hairline is."""
    recession: float
    beard: str
    """none, stubble, full, goatee or moustache."""
    glasses: str
    """none, round, square or thin."""
    length: float
    """Height of the head relative to `AXES`."""
    jaw: float
    chin: float
    cheek: float
    eye_apart: float
    eye_size: float
    eye_open: float
    eye_tilt: float
    eye_height: float
    brow_height: float
    brow_weight: float
    brow_arch: float
    nose_width: float
    nose_length: float
    nose_out: float
    bridge: float
    mouth_width: float
    mouth_height: float
    lip_upper: float
    lip_lower: float
    ear: float
    lean: float
    """How much higher the brow and the corner of the mouth are on the image's left."""
    freckles: int
    moles: tuple[tuple[float, float], ...]
    makeup: float


@dataclass(frozen=True)
class Look:
    """One moment of a head: pose (radians), expression and light."""

    yaw: float
    pitch: float
    roll: float
    smile: float
    """-0.3 (grave) to 1 (broad)."""
    gap: float
    """How far the mouth is open, 0 to 1."""
    lids: float
    """How far the eyes are open, about 0.5 to 1.1 of what is usual for the person."""
    brows: float
    """Raised (above 0) or lowered, -1 to 1."""
    gaze: tuple[float, float]
    light: tuple[float, float, float]
    """Unit direction towards the light; z towards the camera."""
    key: Colour
    """Strength of the directed light, linear RGB about 1."""
    ambient: Colour


@dataclass(frozen=True)
class Head:
    """A rendered head: linear `colour` (H, W, 3), `alpha` (H, W) in [0, 1], and where it is."""

    colour: Floats
    alpha: Floats
    centre: tuple[float, float]
    """Pixel (x, y) of the head's centre inside `colour`."""
    keypoints: Points
    """(6, 2) pixels inside `colour`, in MediaPipe's order."""
    outline: Points
    """(n, 2) pixels: brow line, chin and cheeks, what a detector's box encloses."""
    neck: tuple[float, float]
    """Pixel (x, y) where the neck leaves the head."""


# ---------------------------------------------------------------------------- identity


def person(seed: int, number: int) -> Person:
    """The invented person of that number: the same traits for the same arguments, always."""
    rng = np.random.default_rng((seed, number, 1))
    age = float(np.clip(rng.gamma(2.6, 10.5) + 16, 18, 85))
    softness = float(np.clip(rng.choice((0.15, 0.85)) + rng.normal(0, 0.13), 0, 1))
    tone = rng.uniform(0, 1)
    skin = _along(SKINS, tone) * rng.uniform(0.95, 1.04) + rng.normal(0, 4, 3)
    spread = rng.normal(0, 1, 20).clip(-2, 2)
    return Person(
        number=number,
        seed=int(rng.integers(2**31)),
        age=age,
        softness=softness,
        skin=_colour(skin),
        lips=_colour(skin * (0.86, 0.62, 0.62) + (8, 0, 4) + rng.normal(0, 5, 3)),
        hair=_hair_colour(rng, tone, age),
        iris=_colour(EYES[rng.integers(0, 2 if tone > 0.5 else 6)] + rng.normal(0, 7, 3)),
        style=_style(rng, softness, age, tone),
        parting=float(rng.choice((-1, 1)) * rng.uniform(0.0, 0.5)),
        recession=float((1 - softness) * rng.uniform(0, 1) * (age - 18) / 60),
        beard=_beard(rng, softness),
        glasses=str(rng.choice(("none", "round", "square", "thin"), p=(0.74, 0.08, 0.1, 0.08))),
        length=1.025 + 0.04 * spread[0],
        jaw=-0.03 + 0.042 * spread[1] + 0.08 * (0.5 - softness),
        chin=0.02 * spread[2] + 0.02 * (0.5 - softness),
        cheek=0.03 + 0.03 * spread[3],
        eye_apart=0.425 + 0.022 * spread[4],
        eye_size=0.195 + 0.013 * spread[5] + 0.012 * softness,
        eye_open=0.085 + 0.014 * spread[6] + 0.015 * softness,
        eye_tilt=0.05 * spread[7] + 0.03,
        eye_height=0.02 + 0.025 * spread[8],
        brow_height=0.24 + 0.028 * spread[9] + 0.03 * softness,
        brow_weight=0.055 + 0.012 * spread[10] - 0.022 * softness,
        brow_arch=0.05 + 0.022 * spread[11] + 0.02 * softness,
        nose_width=1 + 0.13 * spread[12] + 0.18 * (tone - 0.4) - 0.12 * softness,
        nose_length=0.56 + 0.04 * spread[13],
        nose_out=0.24 + 0.03 * spread[14] - 0.03 * softness,
        bridge=0.07 + 0.025 * spread[15] - 0.04 * (tone - 0.5),
        mouth_width=0.335 + 0.028 * spread[16],
        mouth_height=0.9 + 0.03 * spread[17],
        lip_upper=0.06 + 0.014 * spread[18] + 0.03 * (tone - 0.4) + 0.012 * softness,
        lip_lower=0.085 + 0.015 * spread[19] + 0.035 * (tone - 0.4) + 0.012 * softness,
        ear=float(rng.uniform(0.1, 0.22)),
        lean=float(rng.normal(0, 0.011)),
        freckles=int(rng.integers(40, 160)) if tone < 0.35 and rng.random() < 0.25 else 0,
        moles=tuple((float(x), float(y)) for x, y in _moles(rng)),
        makeup=float(rng.uniform(0.2, 1)) if softness > 0.6 and rng.random() < 0.6 else 0.0,
    )


def _along(colours: NDArray[np.float64], where: float) -> NDArray[np.float64]:
    steps = np.linspace(0, 1, len(colours))
    return np.array([np.interp(where, steps, colours[:, channel]) for channel in range(3)])


def _colour(values: NDArray[np.float64]) -> Colour:
    red, green, blue = np.clip(values, 6, 250)
    return float(red), float(green), float(blue)


def _hair_colour(rng: np.random.Generator, tone: float, age: float) -> Colour:
    shade = HAIRS[rng.integers(0, 2 if tone > 0.55 else 6)] * rng.uniform(0.85, 1.15)
    grey = np.clip((age - rng.uniform(38, 75)) / 18, 0, 1)
    return _colour(shade * (1 - grey) + GREY * rng.uniform(0.75, 1.1) * grey)


def _style(rng: np.random.Generator, softness: float, age: float, tone: float) -> str:
    if softness > 0.5:
        styles = ("long", "bob", "fringe", "bun", "curly", "short")
        return str(rng.choice(styles, p=(0.32, 0.18, 0.14, 0.14, 0.14, 0.08)))
    if age > 45 and rng.random() < 0.4:
        return str(rng.choice(("ring", "bald")))
    if tone > 0.6 and rng.random() < 0.4:
        return str(rng.choice(("afro", "buzz")))
    return str(
        rng.choice(("short", "swept", "buzz", "curly", "bald"), p=(0.4, 0.28, 0.16, 0.1, 0.06))
    )


def _beard(rng: np.random.Generator, softness: float) -> str:
    if softness > 0.5:
        return "none"
    kinds = ("none", "stubble", "full", "goatee", "moustache")
    return str(rng.choice(kinds, p=(0.4, 0.25, 0.17, 0.1, 0.08)))


def _moles(rng: np.random.Generator) -> NDArray[np.float64]:
    return rng.uniform((-0.7, -0.7), (0.7, 1.2), (int(rng.integers(0, 4)), 2))


# ---------------------------------------------------------------------------- relief


def hair_cover(person: Person, theta: Floats, y: Floats, softness: float) -> Floats:
    """How much hair covers the skin, 0 to 1, at those directions."""
    if person.style == "bald":
        return np.zeros(np.broadcast_shapes(theta.shape, y.shape), np.float32)
    front = np.interp(np.abs(theta), ANGLES, HAIRLINES[person.style])
    wave = np.random.default_rng(person.seed).normal(0, 0.022, 60)
    front = front + np.interp(theta, np.linspace(-EDGE, EDGE, 60), wave)
    # The parting lifts the line on one side; recession lifts both temples.
    parted = 0.0 if person.style == "buzz" else 0.1
    front = front - parted * _bell(theta, person.parting, 0.22)
    front = front - 0.35 * person.recession * _bell(np.abs(theta), 0.6, 0.3)
    cover = np.clip((front - y) / softness + 0.5, 0, 1)
    if person.style == "ring":
        cover = cover * np.clip((y + 0.75) / 0.15, 0, 1)
    return np.asarray(cover, np.float32)


def relief(person: Person, look: Look, width: int) -> Floats:
    """The head's radius over directions, (H, width): rows from crown to chin, columns by angle."""
    height = round(width * AXES[1] / EDGE)
    theta = np.linspace(-EDGE, EDGE, width, dtype=np.float32)[None, :]
    y = np.linspace(-AXES[1], AXES[1], height, dtype=np.float32)[:, None]
    radius = np.ones((height, width), np.float32)
    radius += _skull(person, theta, y)
    radius += _features(person, look, theta, y)
    radius += _ears(person, theta, y) * (1 - hair_cover(person, theta, y, 0.1))
    thickness = THICKNESS[person.style] * (0.55 + 0.45 * np.clip(-y + 0.2, 0, 1))
    lumps = np.random.default_rng(person.seed + 1).standard_normal((10, 18), np.float32)
    lumps = np.asarray(cv2.resize(lumps, (width, height), interpolation=cv2.INTER_CUBIC))
    thickness = thickness * (1 + 0.16 * lumps * (1 - _bell(y, -AXES[1], 0.35)))
    hair = hair_cover(person, theta, y, 0.16) * thickness
    return np.asarray(np.maximum(radius, 0.6) + hair, np.float32)


def _bell(value: Floats, centre: float, width: float | Floats) -> Floats:
    return np.asarray(np.exp(-(((value - centre) / width) ** 2)), np.float32)


def _skull(person: Person, theta: Floats, y: Floats) -> Floats:
    side = np.abs(theta)
    shape = 0.13 * _bell(side, 0, 0.65) * _bell(y, 1.1, 0.42)
    shape = shape + person.jaw * _bell(side, 1.0, 0.45) * _bell(y, 0.95, 0.35)
    shape = shape + (person.chin + 0.05) * _bell(side, 0, 0.5) * _bell(y, 1.3, 0.14)
    shape = shape + person.cheek * _bell(side, 0.75, 0.3) * _bell(y, 0.35, 0.25)
    shape = shape - 0.03 * _bell(side, 1.1, 0.3) * _bell(y, -0.3, 0.35)
    shape = shape + 0.05 * _bell(side, 0, 0.9) * _bell(y, -0.75, 0.4)
    # The crown is flatter and broader than a sphere's.
    shape = shape + 0.06 * _bell(y, -0.95, 0.35) - 0.05 * _bell(y, -1.45, 0.12)
    return np.asarray(shape, np.float32)


def _features(person: Person, look: Look, theta: Floats, y: Floats) -> Floats:
    x = np.sin(np.clip(theta, -1.57, 1.57)) * np.sqrt(np.maximum(1 - (y / 1.45) ** 2, 0.02))
    side = np.abs(x)
    eye, brow = person.eye_height, person.eye_height - person.brow_height

    # eyes and brows
    shape = -0.09 * _bell(side, person.eye_apart, 0.2) * _bell(y, eye, 0.14)
    shape = shape + 0.05 * _bell(side, person.eye_apart, 0.12) * _bell(y, eye, 0.09)
    ridge = 0.05 - 0.04 * person.softness
    shape = shape + ridge * _bell(side, 0.38, 0.32) * _bell(y, brow + 0.02, 0.09)

    # nose
    tip = person.nose_length
    along = np.clip((y - eye + 0.1) / (tip - eye + 0.1), 0, 1)
    under = 1 / (1 + np.exp((y - tip - 0.04) / 0.025))
    upper = 1 / (1 + np.exp(-(y - eye + 0.12) / 0.04))
    out = (person.bridge + (person.nose_out - person.bridge) * along**1.6) * under * upper
    shape = shape + out * _bell(side, 0, (0.095 + 0.04 * along) * math.sqrt(person.nose_width))
    wings = 0.11 * _bell(side, 0.145 * person.nose_width, 0.075) * _bell(y, tip - 0.01, 0.075)
    shape = shape + wings

    # mouth and cheeks
    mouth = person.mouth_height + 0.05 * look.gap
    shape = shape + 0.06 * _bell(side, 0, 0.3) * _bell(y, mouth, 0.22)
    shape = shape - 0.025 * _bell(side, 0, 0.24) * _bell(y, mouth + 0.17 + 0.05 * look.gap, 0.05)
    smile = max(look.smile, 0)
    shape = shape + 0.045 * smile * _bell(side, 0.48, 0.15) * _bell(y, 0.5, 0.14)
    return np.asarray(np.where(np.cos(theta) > 0, shape, 0), np.float32)


def _ears(person: Person, theta: Floats, y: Floats) -> Floats:
    height = np.clip(1 - ((y - 0.14) / 0.36) ** 2, 0, 1) ** 0.5
    around = np.abs(theta)
    out = person.ear * height * _bell(around, 1.68, 0.13)
    hollow = 0.6 * person.ear * _bell(around, 1.6, 0.05) * _bell(y, 0.16, 0.16)
    return np.asarray(out - hollow, np.float32)


# ---------------------------------------------------------------------------- paint


class Skin:
    """The unrolled surface: linear colour (H, W, 3) and fine bumps (H, W), painted in x, y."""

    def __init__(self, colour: Floats, density: float) -> None:
        self.colour = colour
        self.bumps = np.zeros(colour.shape[:2], np.float32)
        self.density = density

    def fill(self, points: Points, colour: Colour, alpha: float = 1.0, blur: float = 0.0) -> None:
        """Colour (linear) inside a closed outline of (n, 2) points; `blur` in head units."""
        self._blend([points], colour, alpha, blur, None)

    def stroke(
        self, lines: list[Points], colour: Colour, width: float, alpha: float, blur: float = 0.0
    ) -> None:
        """Colour (linear) along open lines of that width in head units."""
        self._blend(lines, colour, alpha, blur, width)

    def crease(self, points: Points, width: float, depth: float) -> None:
        """Press a fold into the skin along a line."""
        corner, mask = self._mask([points], width / 2, width)
        rows, columns = _window(corner, mask)
        self.bumps[rows, columns] -= depth * mask

    def mask(self, points: Points) -> tuple[tuple[slice, slice], Floats]:
        """The window of the surface that an outline covers, and its coverage in [0, 1]."""
        corner, mask = self._mask([points], 0, None)
        return _window(corner, mask), mask

    def _blend(
        self, lines: list[Points], colour: Colour, alpha: float, blur: float, width: float | None
    ) -> None:
        corner, mask = self._mask(lines, blur, width)
        rows, columns = _window(corner, mask)
        part = self.colour[rows, columns]
        part += (alpha * mask)[..., None] * (np.array(colour, np.float32) - part)

    def _mask(
        self, lines: list[Points], blur: float, width: float | None
    ) -> tuple[tuple[int, int], Floats]:
        paths = [self._unroll(line) for line in lines]
        sigma = blur * self.density
        thick = 0.0 if width is None else width * self.density
        margin = math.ceil(3 * sigma + thick) + 2
        everything = np.concatenate(paths)
        limit = np.array(self.bumps.shape[::-1])
        low = np.clip(np.floor(everything.min(0)) - margin, 0, limit - 1).astype(int)
        high = np.clip(np.ceil(everything.max(0)) + margin, low + 1, limit).astype(int)
        canvas = np.zeros((high - low)[::-1], np.uint8)
        fixed = [np.round((path - low) * 16).astype(np.int32) for path in paths]
        if width is None:
            cv2.fillPoly(canvas, fixed, (255,), cv2.LINE_AA, 4)
        else:
            cv2.polylines(canvas, fixed, False, (255,), max(round(thick), 1), cv2.LINE_AA, 4)
        mask = canvas.astype(np.float32) / np.float32(255)
        if width is not None:
            mask *= min(thick, 1)  # a line thinner than a pixel is a fainter line
        if sigma > 0.3:
            mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), sigma), np.float32)
        return (int(low[0]), int(low[1])), mask

    def _unroll(self, points: Points) -> Points:
        theta, height = directions(points)
        return np.asarray(np.stack([theta + EDGE, height + AXES[1]], 1) * self.density)


def _window(corner: tuple[int, int], mask: Floats) -> tuple[slice, slice]:
    left, top = corner
    return slice(top, top + mask.shape[0]), slice(left, left + mask.shape[1])


def directions(points: Points) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Angle from the front (radians) and height y of points (n, 2) seen in front of a head."""
    height = np.clip(points[:, 1], -1.44, 1.44)
    across = np.sqrt(1 - (height / AXES[1]) ** 2)
    return np.arcsin(np.clip(points[:, 0] / across, -1, 1)), height


def linear(colour: Colour) -> Colour:
    """An sRGB colour (0 to 255) as light (0 to 1); a square is near enough to the true curve."""
    red, green, blue = (value / 255 for value in colour)
    return red * red, green * green, blue * blue


def paint(person: Person, look: Look, density: float) -> Skin:
    """The unrolled surface of a head at `density` pixels a unit."""
    width, height = round(2 * EDGE * density), round(2 * AXES[1] * density)
    skin = Skin(_complexion(person, width, height), density)
    _ear_shade(skin)
    _spots(person, skin)
    _blush(person, look, skin)
    _wrinkles(person, look, skin)
    _beard_hair(person, skin)
    _nose(person, skin)
    _mouth(person, look, skin)
    for side in (-1, 1):
        _eye(person, look, skin, side)
    _hair(person, skin)
    for side in (-1, 1):
        _brow(person, look, skin, side)
    return skin


def _noise(rng: np.random.Generator, grid: tuple[int, int], size: tuple[int, int]) -> Floats:
    """Smooth noise (H, W) of about unit strength, drawn on a grid (rows, columns)."""
    coarse = rng.standard_normal(grid, np.float32)
    return np.asarray(cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC), np.float32)


def _complexion(person: Person, width: int, height: int) -> Floats:
    rng = np.random.default_rng(person.seed + 2)
    rough = 0.5 + person.age / 80
    tone = 1 + 0.035 * rough * _noise(rng, (14, 22), (width, height))
    tone += 0.03 * rough * _noise(rng, (150, 230), (width, height))
    red = 1 + 0.03 * rough * _noise(rng, (10, 16), (width, height))
    colour = np.empty((height, width, 3), np.float32)
    for channel, (value, ruddy) in enumerate(
        zip(linear(person.skin), (0.6, -0.8, -0.6), strict=True)
    ):
        colour[..., channel] = value * tone * (1 + ruddy * (red - 1))
    return colour


def _darker(colour: Colour, factor: float) -> Colour:
    """A linear colour with less light; what is left leans to red, as in skin."""
    red, green, blue = colour
    return red * factor**0.8, green * factor, blue * factor


def _arc(x: NDArray[np.float64], y: NDArray[np.float64] | float) -> Points:
    return np.stack([x, np.broadcast_to(np.asarray(y, np.float64), x.shape)], 1)


def _ellipse(x: float, y: float, width: float, height: float) -> Points:
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    return np.stack([x + width * np.cos(turn), y + height * np.sin(turn)], 1)


def _ear_shade(skin: Skin) -> None:
    rows = slice(round((AXES[1] - 0.6) * skin.density), round((AXES[1] + 0.8) * skin.density))
    wide = round((EDGE - 1.4) * skin.density)
    y = np.linspace(-0.6, 0.8, rows.stop - rows.start, dtype=np.float32)[:, None]
    around = np.linspace(EDGE, 1.4, wide, dtype=np.float32)[None, :]
    shell = _bell(y, 0.14, 0.3)
    hollow = 0.6 * _bell(around, 1.6, 0.06) * _bell(y, 0.14, 0.2)
    fold = 0.35 * _bell(around, 1.74, 0.03) * shell
    red = np.array((0.1, 0.3, 0.3), np.float32) * (shell * _bell(around, 1.7, 0.2))[..., None]
    shade = (1 - np.maximum(hollow, fold))[..., None] * (1 - red)
    skin.colour[rows, :wide] *= shade
    skin.colour[rows, -wide:] *= shade[:, ::-1]


def _spots(person: Person, skin: Skin) -> None:
    rng = np.random.default_rng(person.seed + 3)
    base = linear(person.skin)
    for x, y in rng.normal((0, 0.3), (0.4, 0.25), (person.freckles, 2)):
        skin.fill(_ellipse(x, y, 0.012, 0.012), _darker(base, 0.5), 0.55)
    for x, y in person.moles:
        skin.fill(_ellipse(x, y, 0.017, 0.015), _darker(base, 0.22), 0.8)
    for x, y in rng.uniform((-0.8, -0.8), (0.8, 1.2), (int(max(person.age - 45, 0) / 3), 2)):
        skin.fill(_ellipse(x, y, 0.03, 0.025), _darker(base, 0.6), 0.3, 0.012)


def _blush(person: Person, look: Look, skin: Skin) -> None:
    red, green, blue = linear(person.skin)
    rosy = (red, green * 0.72, blue * 0.76)
    strength = 0.45 + 0.35 * person.makeup
    for side in (-1, 1):
        skin.fill(_ellipse(side * 0.52, 0.45, 0.2, 0.14), rosy, strength, 0.12)
        skin.fill(
            _ellipse(side * person.eye_apart, person.eye_height, 0.24, 0.15),
            _darker((red, green, blue), 0.62),
            0.5 + 0.004 * person.age,
            0.06,
        )
    skin.fill(_ellipse(0, person.nose_length - 0.03, 0.13, 0.1), rosy, 0.5, 0.06)
    skin.fill(_ellipse(0, 1.07 + 0.06 * look.gap, 0.2, 0.02), _darker(rosy, 0.75), 0.4, 0.04)


def _wrinkles(person: Person, look: Look, skin: Skin) -> None:
    rng = np.random.default_rng(person.seed + 4)
    old = float(np.clip((person.age - 28) / 45, 0, 1))
    smile = max(look.smile, 0)
    steps = np.linspace(0, 1, 9)

    # across the forehead, deeper where brows are raised
    depth = 0.9 * old + 0.5 * max(look.brows, 0) * (old + 0.2)
    for level in np.linspace(-0.75, -0.42, 4):
        x = np.linspace(-0.5, 0.5, 9) * rng.uniform(0.7, 1)
        y = level + 0.03 * np.cos(x * 5) + rng.normal(0, 0.008, 9)
        skin.crease(_arc(x, y), 0.03, 0.5 * depth)

    # beside the nose, under and beside the eyes
    for side in (-1, 1):
        fold = (0.2 + 0.06 * smile + 0.24 * steps) * side
        y = person.nose_length - 0.06 + (0.36 - 0.05 * smile) * steps**1.2
        skin.crease(_arc(fold, y), 0.06, 0.35 + 0.9 * old + 1.1 * smile)
        under = person.eye_apart * side + 0.17 * np.linspace(-1, 1, 9)
        bag = person.eye_height + 0.14 + 0.03 * (1 - np.linspace(-1, 1, 9) ** 2)
        skin.crease(_arc(under, bag), 0.035, 0.2 + 0.8 * old + 0.4 * smile)
        for turn in (-0.35, 0.05, 0.4):
            reach = person.eye_apart + 0.23 + 0.14 * steps
            foot = person.eye_height + 0.02 + 0.14 * steps * turn
            skin.crease(_arc(side * reach, foot), 0.018, (0.6 * old + 0.5 * old * smile))
        frown = 0.3 * old + 0.6 * max(-look.brows, 0)
        between = _arc(side * (0.06 + 0.01 * steps), person.eye_height - 0.3 + 0.16 * steps)
        skin.crease(between, 0.025, frown)


def _beard_hair(person: Person, skin: Skin) -> None:
    rng = np.random.default_rng(person.seed + 5)
    hair = linear(person.hair)
    for outline in _beard_outlines(person):
        if person.beard == "stubble":
            shadow = _mix(hair, _darker(linear(person.skin), 0.3), 0.6)
            skin.fill(outline, shadow, 0.4, 0.06)
            continue
        skin.fill(outline, hair, 0.8, 0.03)
        roots = rng.uniform(outline.min(0), outline.max(0), (500, 2))
        tips = roots + np.stack([0.05 * roots[:, 0], np.full(500, 0.07)], 1)
        tips += rng.normal(0, 0.015, tips.shape)
        edge = outline.astype(np.float32)
        hairs = [
            np.stack([root, tip])
            for root, tip in zip(roots, tips, strict=True)
            if cv2.pointPolygonTest(edge, root.tolist(), False) > 0
        ]
        skin.stroke(hairs[::2], _lighter(hair, 0.12), 0.012, 0.45)
        skin.stroke(hairs[1::2], _darker(hair, 0.3), 0.012, 0.45)


def _beard_outlines(person: Person) -> list[Points]:
    mouth, wide = person.mouth_height, person.mouth_width + 0.02
    x = np.linspace(-1, 1, 11) * wide
    droop = np.abs(x / wide) ** 2
    moustache = np.concatenate(
        [_arc(x, mouth - 0.2 + 0.12 * droop), _arc(x, mouth - 0.07 + 0.09 * droop)[::-1]]
    )
    half = [(-0.3, 0.74), (-0.42, 0.86), (-0.72, 0.62), (-0.86, 0.3), (-0.98, 0.1)]
    half += [(-0.9, 0.9), (-0.55, 1.25), (-0.25, 1.42)]
    jaw = np.concatenate([half, np.array(half)[::-1] * (-1, 1)])
    goatee = _ellipse(0, mouth + 0.32, 0.24, 0.2)
    return {
        "none": [],
        "stubble": [jaw],
        "full": [jaw],
        "goatee": [goatee, moustache],
        "moustache": [moustache],
    }[person.beard]


def _nose(person: Person, skin: Skin) -> None:
    base, tip = linear(person.skin), person.nose_length
    wide = person.nose_width
    skin.fill(_ellipse(0, tip + 0.1, 0.2 * wide, 0.03), _darker(base, 0.55), 0.45, 0.035)
    bridge = np.linspace(0, 1, 7)
    for side in (-1, 1):
        flank = _arc(side * (0.1 + 0.06 * bridge) * wide, 0.12 + (tip - 0.16) * bridge)
        skin.stroke([flank], _darker(base, 0.6), 0.06, 0.3, 0.035)
        hole = _ellipse(side * 0.085 * wide, tip + 0.055, 0.05 * wide, 0.022)
        skin.fill(hole, _darker(base, 0.1), 0.85, 0.012)
        steps = np.linspace(-1, 1, 7)
        wing = _arc(side * (0.215 * wide - 0.03 * steps**2), tip - 0.01 + 0.075 * steps)
        skin.stroke([wing], _darker(base, 0.5), 0.02, 0.55, 0.012)


def _mouth(person: Person, look: Look, skin: Skin) -> None:
    steps = np.linspace(-1, 1, 21)
    bend = 1 - steps**2
    wide = person.mouth_width * (1 + 0.2 * max(look.smile, 0) - 0.08 * look.gap)
    x, gap = wide * steps, 0.16 * look.gap
    centre = person.mouth_height + 0.09 * look.smile * (bend - 0.6) + 0.006 * np.cos(9 * steps)
    centre = centre + person.lean * steps
    upper, lower = centre - 0.25 * gap * bend**0.7, centre + 0.75 * gap * bend**0.7
    bow = 0.75 + 0.25 * np.cos(np.pi * np.clip(np.abs(steps) * 3.2 - 1, -1, 1))
    thin = 1 - 0.3 * max(look.smile, 0)
    over = upper - person.lip_upper * thin * bow * bend**0.8
    under = lower + person.lip_lower * thin * bend**0.75
    lips = _mix(linear(person.lips), (0.42, 0.03, 0.06), 0.45 * max(person.makeup - 0.3, 0))
    skin.fill(np.concatenate([_arc(x, over), _arc(x, upper)[::-1]]), _darker(lips, 0.8), 0.9, 0.01)
    skin.fill(np.concatenate([_arc(x, lower), _arc(x, under)[::-1]]), lips, 0.9, 0.012)
    shine = lower + 0.45 * person.lip_lower * bend
    skin.stroke([_arc(x, shine)[6:15]], _lighter(lips, 0.3), 0.03, 0.3, 0.02)
    if look.gap > 0.05:
        inside = np.concatenate([_arc(x, upper), _arc(x, lower)[::-1]])
        skin.fill(inside, (0.035, 0.008, 0.008), 0.97)
        edge = upper + np.minimum(0.1 * bend**0.6, lower - upper) * 0.85
        span = slice(3, 18)
        teeth = np.concatenate([_arc(x * 0.97, upper)[span], _arc(x * 0.97, edge)[span][::-1]])
        skin.fill(teeth, (0.56, 0.51, 0.43), 0.93, 0.006)
        skin.stroke([_arc(x, upper)], (0.08, 0.03, 0.03), 0.05, 0.5, 0.02)
        for tooth in np.linspace(-0.5, 0.5, 8) * wide:
            y = np.array([person.mouth_height - 0.06, person.mouth_height + 0.08])
            clipped = np.clip(y, np.interp(tooth, x, upper), np.interp(tooth, x, edge))
            skin.stroke([_arc(np.full(2, tooth), clipped)], (0.3, 0.25, 0.2), 0.006, 0.35)
    else:
        skin.stroke([_arc(x, centre)], _darker(lips, 0.12), 0.018, 0.85, 0.005)
    corners = [
        _arc(side * (wide + np.array([-0.02, 0.02])), end)
        for side, end in ((-1, centre[0]), (1, centre[-1]))
    ]
    skin.stroke(corners, _darker(linear(person.skin), 0.3), 0.03, 0.6, 0.015)


def _mix(first: Colour, second: Colour, share: float) -> Colour:
    one, two, three = (a + (b - a) * share for a, b in zip(first, second, strict=True))
    return one, two, three


def _lighter(colour: Colour, share: float) -> Colour:
    return _mix(colour, (1, 1, 1), share)


def _eye(person: Person, look: Look, skin: Skin, side: int) -> None:
    steps = np.linspace(-1, 1, 19)
    bend = 1 - steps**2
    opening = (
        (person.eye_open - 0.3 * side * person.lean) * look.lids * (1 - 0.22 * max(look.smile, 0))
    )
    middle, level = side * person.eye_apart, person.eye_height
    # The outer corner lies higher; the upper lid's top leans to the inner corner.
    x = middle + person.eye_size * steps
    tilt = -person.eye_tilt * side * steps * 0.5 * person.eye_size / 0.2
    upper = level + tilt - 1.25 * opening * bend**0.62 * (1 - 0.12 * side * steps)
    lower = level + tilt + 0.62 * opening * bend**0.8 + 0.012
    base, outline = linear(person.skin), np.concatenate([_arc(x, upper), _arc(x, lower)[::-1]])

    # lids
    lid = np.concatenate([_arc(x, upper - 0.055 * bend**0.5), _arc(x, upper)[::-1]])
    tone = _mix(_darker(base, 0.75), (0.12, 0.06, 0.07), 0.35 * person.makeup)
    skin.fill(lid, tone, 0.6, 0.014)
    fold = _arc(middle + 1.06 * person.eye_size * steps, upper - 0.05 * bend**0.4 - 0.008)
    skin.stroke([fold[1:-1]], _darker(base, 0.3), 0.012, 0.6, 0.006)

    _eyeball(person, look, skin, outline, (middle, level - 0.3 * opening))

    # lashes
    dark = _mix(_darker(base, 0.05), (0.01, 0.008, 0.008), 0.7)
    skin.stroke([_arc(x, upper)], dark, 0.022 + 0.016 * person.makeup, 0.88, 0.004)
    skin.stroke([_arc(x, lower)], _darker(base, 0.28), 0.012, 0.5, 0.004)
    if person.softness > 0.5:
        outer = steps * side > -0.2
        roots = np.stack([x, upper], 1)[outer]
        tips = roots + np.stack([0.05 * steps[outer], np.full(outer.sum(), -0.045)], 1)
        hairs = [np.stack(pair) for pair in zip(roots, tips, strict=True)]
        skin.stroke(hairs, dark, 0.008, 0.4 + 0.4 * person.makeup)


def _eyeball(
    person: Person, look: Look, skin: Skin, outline: Points, centre: tuple[float, float]
) -> None:
    window, inside = skin.mask(outline)
    under = skin.colour[window].copy()
    x, y = centre[0] + 0.06 * look.gaze[0], centre[1] + 0.03 * look.gaze[1] + 0.02
    radius = 0.094
    skin.colour[window] = (0.62, 0.57, 0.53)
    for corner in (outline[0], outline[18]):
        skin.fill(_ellipse(corner[0], corner[1], 0.05, 0.03), (0.5, 0.2, 0.17), 0.6, 0.02)
    iris = linear(person.iris)
    skin.fill(_ellipse(x, y, radius, radius), _darker(iris, 0.3), 0.95, 0.006)
    skin.fill(_ellipse(x, y, radius * 0.84, radius * 0.84), iris, 0.9, 0.008)
    skin.fill(_ellipse(x, y + 0.03, radius * 0.6, radius * 0.4), _lighter(iris, 0.2), 0.5, 0.02)
    skin.fill(_ellipse(x, y, radius * 0.4, radius * 0.4), (0.004, 0.004, 0.004), 0.97, 0.004)
    lid = np.add(outline[:19], (0, 0.01))
    skin.stroke([lid], (0.03, 0.02, 0.02), 0.07, 0.75, 0.025)
    spark = (x + 0.06 * look.light[0] + 0.01, y - 0.03 + 0.05 * look.light[1])
    skin.fill(_ellipse(*spark, 0.014, 0.014), (1.1, 1.1, 1.1), 0.9, 0.004)
    part = skin.colour[window]
    skin.colour[window] = under + inside[..., None] * (part - under)


def _brow(person: Person, look: Look, skin: Skin, side: int) -> None:
    rng = np.random.default_rng(person.seed + 6)
    steps = np.linspace(0, 1, 13)
    x = side * (person.eye_apart + 0.27 * (1.02 * steps - 0.56) * 1.9)
    lift = person.brow_height + 0.05 * look.brows - side * person.lean
    arch = person.brow_arch * np.sin(np.pi * np.clip(steps * 0.85 + 0.05, 0, 1))
    y = person.eye_height - lift - arch + 0.05 * steps**2 + 0.05 * min(look.brows, 0) * (steps - 1)
    weight = max(person.brow_weight, 0.018) * (1 - 0.65 * steps**1.5) * (0.8 + 0.2 * steps)
    colour = _darker(linear(person.hair), 0.75)
    shape = np.concatenate([_arc(x, y - weight / 2), _arc(x, y + weight / 2)[::-1]])
    skin.fill(shape, colour, 0.6, 0.014)
    where = rng.uniform(0, 1, 70)
    root_x, height = np.interp(where, steps, x), np.interp(where, steps, weight)
    root_y = np.interp(where, steps, y) + height * rng.uniform(-0.5, 0.5, 70)
    tip = np.stack([root_x + side * 0.05, root_y - 0.045 * (1 - 1.3 * where)], 1)
    hairs = [np.stack(pair) for pair in zip(np.stack([root_x, root_y], 1), tip, strict=True)]
    skin.stroke(hairs, colour, 0.01, 0.6)


def _hair(person: Person, skin: Skin) -> None:
    if person.style == "bald":
        return
    rng = np.random.default_rng(person.seed + 7)
    height, width = skin.bumps.shape
    theta = np.linspace(-EDGE, EDGE, width, dtype=np.float32)[None, :]
    y = np.linspace(-AXES[1], AXES[1], height, dtype=np.float32)[:, None]
    cover = hair_cover(person, theta, y, 0.1)
    if person.style in ("afro", "curly"):
        strands = 0.7 * _noise(rng, (60, 100), (width, height))
        ragged = 0.3
    else:
        strands = _strands(person, rng, theta, y)
        ragged = 0.22
    cover = np.clip(cover + ragged * strands * (cover > 0) * (cover < 1), 0, 1)
    if person.style == "buzz":
        cover *= 0.8
    colour = np.array(linear(person.hair), np.float32)
    tone = (1 + 0.3 * strands).clip(0.25, 2)
    skin.colour += cover[..., None] * (tone[..., None] * colour - skin.colour)
    skin.bumps *= 1 - cover
    skin.bumps += 0.35 * cover * strands


def _strands(person: Person, rng: np.random.Generator, theta: Floats, y: Floats) -> Floats:
    """Light and dark strands (H, W) of about unit strength that fall away from the parting."""
    sweep = SWEEP[person.style]
    right = theta > person.parting
    reach = EDGE + 0.5 + 2.9 * sweep
    along = np.abs(theta - person.parting) + sweep * (AXES[1] - y)
    across = (along + reach * right) / (2 * reach)
    down = np.broadcast_to((y / AXES[1] + 1) / 2, across.shape)
    strands = np.zeros(across.shape, np.float32)
    for rows, columns in ((7, 400), (4, 110)):
        grid = rng.standard_normal((rows, columns), np.float32)
        to_x = (across * (columns - 1)).astype(np.float32)
        to_y = (down * (rows - 1)).astype(np.float32)
        strands += cv2.remap(grid, to_x, to_y, cv2.INTER_LINEAR)
    return strands


# ---------------------------------------------------------------------------- view


def rotation(look: Look) -> NDArray[np.float64]:
    """The 3 x 3 turn from head to camera; yaw above 0 looks to the image's right."""
    (cy, sy), (cp, sp), (cr, sr) = (
        (math.cos(angle), math.sin(angle)) for angle in (look.yaw, look.pitch, look.roll)
    )
    yaw = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    pitch = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    roll = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(roll @ pitch @ yaw, np.float64)


def render(person: Person, look: Look, radius: float) -> Head:
    """The head seen so that half its width measures `radius` pixels."""
    density = min(radius * 1.1, 155)
    skin = paint(person, look, density)
    shape = relief(person, look, 260)
    turn = rotation(look)
    axes = AXES * (1, person.length, 1)

    # where each ray lands, on a coarse grid: the surface is smooth
    step = max(radius / 48, 1.0)
    half = np.array([1.75, 2.15])
    columns, rows = (2 * half * radius / step).astype(int)
    u = ((np.arange(columns, dtype=np.float32) + 0.5) * step / radius - half[0])[None, :]
    v = ((np.arange(rows, dtype=np.float32) + 0.5) * step / radius - half[1])[:, None]
    theta, height, depth, miss = _march(shape, turn, axes, u, v)

    # light and colour
    light = _lit(depth, step / radius, look)
    part, left, top = _around(miss < 0.1)
    theta, height, miss, light = theta[part], height[part], miss[part], light[part]
    size = (round(theta.shape[1] * step), round(theta.shape[0] * step))
    to_x = _grow((theta + EDGE) * density, size)
    to_y = _grow((height + 1) * AXES[1] * density, size)
    painted = _embossed(skin, look)
    colour = np.asarray(
        cv2.remap(painted, to_x, to_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
        np.float32,
    )
    colour *= cv2.resize(light[..., :3], size, interpolation=cv2.INTER_LINEAR)
    colour += _grow(light[..., 3], size)[..., None] * np.array(look.key, np.float32)
    edge = 2 / radius
    alpha = np.clip(1.4 - _grow(miss, size) / edge, 0, 1).astype(np.float32)

    centre = half * radius - np.array([left, top]) * step
    marks = _landmarks(person, look, shape, axes) @ turn.T * radius
    neck = (turn @ (axes * (0, 0.62, -0.25)))[:2] * radius + centre
    points = marks[:, :2] + centre
    return Head(
        np.asarray(colour, np.float32),
        alpha,
        (float(centre[0]), float(centre[1])),
        points[:6],
        points[6:],
        (float(neck[0]), float(neck[1])),
    )


def _around(inside: NDArray[np.bool_]) -> tuple[tuple[slice, slice], int, int]:
    """The window around what is inside, and its left and top."""
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    left, top = int(columns[0]), int(rows[0])
    return (slice(top, rows[-1] + 1), slice(left, columns[-1] + 1)), left, top


def _grow(values: Floats, size: tuple[int, int]) -> Floats:
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_LINEAR), np.float32)


def _march(
    shape: Floats, turn: NDArray[np.float64], axes: NDArray[np.float64], u: Floats, v: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Angle, height (-1 to 1), depth and distance missed where rays (u, v) meet the surface."""
    back = turn.T / axes[:, None]
    start = [np.asarray(row[0] * u + row[1] * v, np.float32) for row in back]
    along = back[:, 2].astype(np.float32)
    # Begin where the ray enters a sphere around everything, or passes nearest to it.
    a = float(along @ along)
    b = sum(float(d) * p for d, p in zip(along, start, strict=True))
    c = sum(p * p for p in start) - float(shape.max()) ** 2
    depth = np.asarray((-b + np.sqrt(np.maximum(b * b - a * c, 0))) / a, np.float32)
    nearest = np.asarray(-b / a, np.float32)
    rows, columns = shape.shape
    miss = np.full(depth.shape, np.inf, np.float32)
    for pace in np.linspace(0.8, 0.35, 16, dtype=np.float32):
        x, y, z = (p + d * depth for d, p in zip(along, start, strict=True))
        length = np.sqrt(x * x + y * y + z * z) + 1e-6
        theta, height = np.arctan2(x, z), y / length
        to_x = (theta + EDGE) * ((columns - 1) / (2 * EDGE))
        to_y = (height + 1) * ((rows - 1) / 2)
        ground = cv2.remap(shape, to_x, to_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        above = np.asarray(length - ground, np.float32)
        miss = np.minimum(miss, above)
        depth = np.maximum(depth - pace * above, nearest - 0.5)
    # Rays that graze the nose may not have settled; their neighbours know better.
    miss = np.asarray(cv2.morphologyEx(miss, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.float32)
    depth = np.asarray(cv2.medianBlur(depth, 3), np.float32)
    return theta, height, depth, miss


def _lit(depth: Floats, step: float, look: Look) -> Floats:
    """Light on the surface (H, W, 4): red, green and blue on what is dull, then the shine."""
    smooth = np.asarray(cv2.GaussianBlur(depth, (0, 0), 0.8), np.float32)
    across = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=1 / (8 * step))
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=1 / (8 * step))
    norm = np.sqrt(1 + across * across + down * down)
    x, y, z = look.light
    facing = (z - across * x - down * y) / norm
    # Skin lets light through, so that shading wraps a little round the edge.
    direct = np.clip((facing + 0.2) / 1.2, 0, None) * _unshadowed(smooth, step, look)
    hollow = cv2.GaussianBlur(depth, (0, 0), 0.16 / step) - smooth
    open_sky = np.clip(1 - 2.4 * np.clip(hollow, 0, 0.4), 0.3, 1)
    upward = 0.85 + 0.25 * down / norm  # more light falls from above
    half = np.array([x, y, z + 1]) / math.sqrt(x * x + y * y + (z + 1) ** 2)
    glance = np.clip((half[2] - across * half[0] - down * half[1]) / norm, 0, 1)
    light = np.empty((*depth.shape, 4), np.float32)
    for channel in range(3):
        light[..., channel] = direct * look.key[channel] * (0.5 + 0.5 * open_sky)
        light[..., channel] += look.ambient[channel] * open_sky * upward
    light[..., 3] = 0.06 * glance**18 * np.clip(direct, 0, 1)
    return light


def _unshadowed(depth: Floats, step: float, look: Look) -> Floats:
    """1 where the light reaches, towards 0.35 where something nearer the light is in the way."""
    x, y, z = look.light
    blocked = np.zeros_like(depth)
    for reach in (0.08, 0.14, 0.2, 0.28, 0.38):
        shift = np.array([[1, 0, x * reach / step], [0, 1, y * reach / step]], np.float32)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        size = depth.shape[::-1]
        there = cv2.warpAffine(depth, shift, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        blocked = np.maximum(blocked, there - depth - max(z, 0.15) * reach)
    shade = cv2.GaussianBlur(np.clip(blocked / 0.06, 0, 1), (0, 0), 1.2)
    return np.asarray(1 - 0.65 * shade, np.float32)


def _embossed(skin: Skin, look: Look) -> Floats:
    """The skin's colour with its fine bumps lit from the side the light comes from."""
    scale = 0.13 * skin.density / 100
    slope = cv2.Sobel(skin.bumps, cv2.CV_32F, 1, 0) * (-look.light[0])
    slope += cv2.Sobel(skin.bumps, cv2.CV_32F, 0, 1) * (-look.light[1] + 0.25)
    dent = np.clip(-skin.bumps, 0, 2)
    tone = np.clip(1 + scale * slope - 0.16 * dent, 0.3, 1.7)
    return np.asarray(skin.colour * tone[..., None], np.float32)


def _landmarks(
    person: Person, look: Look, shape: Floats, axes: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Points on the surface, (n, 3) in head units: MediaPipe's six, then the face's outline."""
    eye, mouth = person.eye_height - 0.02, person.mouth_height + 0.04 * look.gap
    front = [(-person.eye_apart, eye), (person.eye_apart, eye), (0, person.nose_length - 0.03)]
    front += [(0, mouth), (0, -0.55), (0, 1.38), (-0.85, 0.5), (0.85, 0.5)]
    theta, y = directions(np.array(front))
    theta = np.concatenate([theta[:4], [-1.5, 1.5], theta[4:]])
    y = np.concatenate([y[:4], [0.15, 0.15], y[4:]])
    rows, columns = shape.shape
    to_x = np.round((theta + EDGE) * (columns - 1) / (2 * EDGE)).astype(int)
    to_y = np.round((y / AXES[1] + 1) * (rows - 1) / 2).astype(int)
    level = y / AXES[1]
    across = np.sqrt(1 - level**2)
    unit = np.stack([across * np.sin(theta), level, across * np.cos(theta)], 1)
    return np.asarray(unit * shape[to_y, to_x][:, None] * axes, np.float64)
