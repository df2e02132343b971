"""Pictures as Pillow opens them, made upright and RGB: EXIF turns, profiles, alpha, bit depths."""

import io
from functools import lru_cache

import numpy as np
from PIL import ExifTags, Image, ImageCms

from demosaic.imaging.opening import DAMAGED, decoding

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

_MODE_OF_COLOURS = {"RGB ": "RGB", "CMYK": "CMYK", "GRAY": "L"}  # of an ICC profile


def upright(image: Image.Image) -> Image.Image:
    """The picture turned as its EXIF says.

    Pillow's own exif_transpose also rewrites the EXIF, and fails on bad EXIF. The pixels are loaded
    first: Pillow turns a TIFF by itself while it loads it, and drops the orientation.
    """
    image.load()
    turn = turn_of(image)
    return image if turn is None else image.transpose(turn)


def turn_of(image: Image.Image) -> Image.Transpose | None:
    """How a loaded picture must be turned, as its EXIF says; None when it is upright."""
    return _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))


def over_white(image: Image.Image) -> Image.Image:
    """The picture with its transparent parts over white. Raises NotAPicture when its transparency
    turns out damaged in use.
    """
    if not image.has_transparency_data:
        return image
    white = Image.new("RGBA", image.size, "white")
    with decoding():
        return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")


def in_srgb(image: Image.Image) -> Image.Image:
    """The picture with the colours that its embedded profile means, in sRGB; unchanged when it has
    no profile or a broken one. Raises NotAPicture when the profile turns out damaged in use.
    """
    profile = image.info.get("icc_profile")
    transform = _to_srgb(profile, image.mode) if profile else None
    if transform is None:
        return image
    with decoding():
        return transform.apply(image)


def is_srgb(profile: bytes | None, mode: str) -> bool:
    """Whether `in_srgb` leaves pictures of a mode with this profile as they are."""
    return not profile or _to_srgb(profile, mode) is None


@lru_cache(maxsize=8)  # an album has few profiles, and reading one takes longer than a small photo
def _to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The conversion of a profile's colours to sRGB, for pictures of `mode`; None when there is
    nothing to convert.
    """
    try:
        embedded = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        fits = _MODE_OF_COLOURS.get(embedded.profile.xcolor_space) == mode
        if not fits or ImageCms.getProfileDescription(embedded).startswith("sRGB"):
            return None
        srgb = ImageCms.createProfile("sRGB")
        return ImageCms.ImageCmsTransform(embedded, ImageCms.ImageCmsProfile(srgb), mode, "RGB")
    except DAMAGED:
        return None


def to_rgb(image: Image.Image) -> Image.Image:
    """The picture, of any mode, with 8 bits each of red, green and blue. Raises NotAPicture when
    its palette turns out damaged in use.
    """
    if image.mode == "RGB":
        return image
    if image.mode[0] not in "IF":
        with decoding():
            return image.convert("RGB")
    # Grey of 16 bits or float, which Pillow's own conversion clips at 255. Of 16 bits the upper 8
    # are taken, as Pillow does with colours
    grey = np.asarray(image, dtype=np.float32)
    step = 1 if grey.max(initial=0) <= 255 else 256
    levels = np.clip(grey / step, 0, 255).astype(np.uint8)
    return Image.fromarray(levels).convert("RGB")
