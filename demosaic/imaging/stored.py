"""The pixels of a picture as its file stores them, and as a viewer shows them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.Image import Transpose

from demosaic.imaging.arrays import Kind, Mask, Pixels, differing
from demosaic.imaging.colours import shown_colours, stored_colours
from demosaic.imaging.conversion import to_rgb, turn_of
from demosaic.imaging.geometry import Box, crop
from demosaic.imaging.opening import decoding

COLOURS = {"L": 1, "LA": 1, "RGB": 3, "RGBA": 3, "CMYK": 4}
"""How many channels of a mode are colours; one more is alpha."""

_ON_ITS_SIDE = {
    Transpose.ROTATE_90,
    Transpose.ROTATE_270,
    Transpose.TRANSPOSE,
    Transpose.TRANSVERSE,
}

_BACK = {Transpose.ROTATE_90: Transpose.ROTATE_270, Transpose.ROTATE_270: Transpose.ROTATE_90}


@dataclass(frozen=True)
class Stored:
    """The pixels of one picture, page or frame as its file stores them."""

    levels: NDArray[Any]
    """(H, W, C) of type uint8 or uint16, turned as in the file."""
    mode: str
    """What the channels are: a key of `COLOURS`."""
    profile: bytes | None = None
    """The ICC profile."""
    turn: Transpose | None = None
    """How the picture must be turned to be upright."""
    step: int = 1
    """Levels to one of 8 bits: 257 in a picture of 16 bits, else 1."""
    palette: bool = False
    """Whether the file has a palette."""

    @property
    def shown(self) -> Pixels:
        """The upright picture (H, W, 3) as a viewer shows it, in sRGB and without its alpha."""
        return _turned(self._shown, self.turn)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright picture."""
        height, width = self.levels.shape[:2]
        return (height, width) if self.turn in _ON_ITS_SIDE else (width, height)

    @property
    def _shown(self) -> Pixels:
        return shown_colours(self._colours, self.mode.removesuffix("A"), self.profile)

    @property
    def _colours(self) -> NDArray[np.uint8]:
        """The colours (H, W, C) in 8 bits, turned as in the file."""
        colours = self.levels[:, :, : COLOURS[self.mode]]
        return colours if self.step == 1 and colours.dtype == np.uint8 else self._halved(colours)

    def _halved(self, levels: NDArray[Any]) -> NDArray[np.uint8]:
        """Levels in 8 bits: the upper ones of 16."""
        return (levels >> 8 if self.step > 1 else levels).astype(np.uint8)

    @property
    def alpha(self) -> NDArray[Any] | None:
        """The alpha (H, W), turned as in the file; None in a picture without."""
        return self.levels[:, :, -1] if self.mode.endswith("A") else None

    def edited(self, shown: Pixels) -> "Stored":
        """The picture with other colours, given upright and in sRGB (H, W, 3). Pixels that are
        shown as before stay as they are stored.
        """
        wanted = _turned(shown, _BACK.get(self.turn, self.turn) if self.turn is not None else None)
        changed = differing(wanted, self._shown)
        colours = stored_colours(
            wanted[changed], self._colours[changed], self.mode.removesuffix("A"), self.profile
        )
        return self._with(changed, colours)

    def painted(self, paint: Callable[[Pixels], Pixels], boxes: Sequence[Box]) -> "Stored":
        """The picture with `paint` applied to what is stored, three channels at a time, upright.
        All pixels of `boxes`, and no others, take what it gives, in 8 bits.

        Nothing of what was in the boxes is left: neither the lower 8 of 16 bits, nor inks that
        would show the same colour.
        """
        upright = _turned(self._colours, self.turn)
        result = _painted(upright, paint)
        inside = np.zeros(upright.shape[:2], bool)
        for box in boxes:
            crop(inside, box)[:] = True
        back = _BACK.get(self.turn, self.turn) if self.turn is not None else None
        where = _turned(inside, back)
        return self._with(where, _turned(result, back)[where])

    def _with(self, where: Mask, colours: NDArray[np.uint8]) -> "Stored":
        """The picture with these colours (N, C) of 8 bits in the pixels `where` (H, W)."""
        levels = self.levels.copy()
        levels[where, : COLOURS[self.mode]] = colours.astype(levels.dtype) * self.step
        return replace(self, levels=levels)

    def in_eight_bits(self) -> "Stored":
        """The picture with 8 bits a channel."""
        return replace(self, levels=self._halved(self.levels), step=1)

    def in_mode(self, mode: str) -> "Stored":
        """The picture of 8 bits in another mode; from and to CMYK by its profile, which then goes,
        and from grey to colours as well.
        """
        if mode == self.mode:
            return self
        plain = self.in_eight_bits()
        same = COLOURS[mode] == COLOURS[self.mode]
        colours = plain._colours if same else plain._shown
        image = Image.fromarray(np.squeeze(colours)).convert(mode)
        if mode.endswith("A") and plain.alpha is not None:
            image.putalpha(Image.fromarray(plain.alpha))
        levels = np.asarray(image).reshape(*plain.levels.shape[:2], -1)
        return replace(plain, levels=levels, mode=mode, profile=self.profile if same else None)

    def as_image(self) -> Image.Image:
        """The picture of 8 bits for Pillow, turned as in the file."""
        plain = self.in_eight_bits()
        levels = plain.levels[:, :, 0] if plain.levels.shape[2] == 1 else plain.levels
        if self.mode == "CMYK":  # four channels are RGBA otherwise
            height, width = levels.shape[:2]
            return Image.frombytes("CMYK", (width, height), levels.tobytes())
        return Image.fromarray(np.ascontiguousarray(levels))


def _painted(colours: NDArray[np.uint8], paint: Callable[[Pixels], Pixels]) -> NDArray[np.uint8]:
    """Colours (H, W, 1, 3 or 4) after `paint`. It sees inks as the light that they let through."""
    if colours.shape[2] == 1:
        return paint(np.repeat(colours, 3, axis=2))[:, :, :1]
    if colours.shape[2] == 3:
        return paint(colours)
    light = np.bitwise_not(colours)  # 255 less
    black = paint(np.repeat(light[:, :, 3:], 3, axis=2))[:, :, :1]
    inks = np.bitwise_not(np.concatenate([paint(light[:, :, :3].copy()), black], axis=2))
    return np.asarray(inks, np.uint8)


def _turned(array: NDArray[Kind], turn: Transpose | None) -> NDArray[Kind]:
    """An array (H, W, ...) turned as Pillow turns a picture."""
    if turn is None:
        return array
    across, down = array[:, ::-1], array[::-1]
    turned = {
        Transpose.FLIP_LEFT_RIGHT: across,
        Transpose.FLIP_TOP_BOTTOM: down,
        Transpose.ROTATE_180: across[::-1],
        Transpose.TRANSPOSE: array.swapaxes(0, 1),
        Transpose.ROTATE_90: across.swapaxes(0, 1),
        Transpose.ROTATE_270: down.swapaxes(0, 1),
        Transpose.TRANSVERSE: across[::-1].swapaxes(0, 1),
    }[turn]
    return np.ascontiguousarray(turned)


def stored_in(image: Image.Image, deep: NDArray[np.uint16] | None = None) -> Stored:
    """The pixels of a picture that Pillow opened, or of the frame it is at. `deep`: its levels of
    16 bits (H, W, C), if it has them, as Pillow reads no such colours. Raises NotAPicture.
    """
    with decoding():
        image.load()  # Pillow turns a TIFF while it loads it, and drops the orientation
        turn, palette = turn_of(image), image.mode in ("P", "PA")
        profile = image.info.get("icc_profile")
        plain = _plain(image, in_colour=palette and bool(profile))
        if image.mode in ("LAB", "HSV", "YCbCr"):
            profile = None
    levels = np.asarray(plain).reshape(plain.height, plain.width, -1)
    stored = Stored(levels, plain.mode, profile, turn, palette=palette)
    if deep is None and image.mode.startswith("I"):
        deep = _grey_levels(image)
    return stored if deep is None else _in_sixteen_bits(stored, image, deep)


def _grey_levels(image: Image.Image) -> NDArray[np.uint16] | None:
    """The levels (H, W, 1) of a grey picture of integers; None when these do not fit 16 bits."""
    levels = np.asarray(image)
    if levels.min(initial=0) < 0 or levels.max(initial=0) > 65_535:
        return None
    return levels.astype(np.uint16)[:, :, None]


def _plain(image: Image.Image, *, in_colour: bool) -> Image.Image:
    """The picture in one of the modes of `COLOURS` that loses nothing that 8 bits can say."""
    if image.mode == "CMYK":
        return image
    if image.mode[0] in "IF":
        return to_rgb(image).convert("L")
    alpha = image.has_transparency_data
    if image.mode in ("1", "L", "LA", "La"):
        return image.convert("LA" if alpha else "L")
    colours = image.convert("RGBA" if alpha else "RGB")
    if image.mode != "P" or in_colour:
        return colours
    levels = np.asarray(colours)
    grey = np.array_equal(levels[:, :, 0], levels[:, :, 1]) and np.array_equal(
        levels[:, :, 0], levels[:, :, 2]
    )
    return colours.convert("LA" if alpha else "L") if grey else colours


def _in_sixteen_bits(stored: Stored, image: Image.Image, deep: NDArray[np.uint16]) -> Stored:
    """The same picture with its levels of 16 bits; as it is where they contradict those of 8."""
    if deep.shape[:2] != stored.levels.shape[:2]:
        return stored
    modes = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA" if image.has_transparency_data else "RGB"}
    mode = modes[deep.shape[2]]
    colours = deep[:, :, : COLOURS[mode]]
    # Grey dark enough for 8 bits is shown as if it had them
    step = 1 if colours.shape[2] == 1 and colours.max(initial=0) <= 255 else 257
    keep = COLOURS[mode] + mode.endswith("A")
    found = replace(stored, levels=deep[:, :, :keep], mode=mode, step=step)
    before = stored.in_mode(mode)._colours if stored.mode != mode else stored._colours
    # Pillow and cv2 differ about premultiplied alpha
    if np.any(np.abs(found._colours.astype(np.int16) - before) > 1):
        return stored
    return found
