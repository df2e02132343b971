"""What an edited picture says beside its pixels: which EXIF it keeps, and that a model made it."""

from dataclasses import dataclass

from PIL import Image
from PIL.ExifTags import IFD, Base

from demosaic.imaging.opening import DAMAGED

_SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
MADE = f"{_SOURCE_TYPES}trainedAlgorithmicMedia"
"""IPTC's DigitalSourceType of a picture that a model made."""

MADE_IN_PART = f"{_SOURCE_TYPES}compositeWithTrainedAlgorithmicMedia"
"""IPTC's DigitalSourceType of a picture of which a model made a part."""

_XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    'Iptc4xmpExt:DigitalSourceType="{kind}"/>'
    "</rdf:RDF></x:xmpmeta>"
)

# The turn, which is made, and how a TIFF lays out its pixels, profile and XMP: true of the original
# file only
_TAGS_OF_THE_FILE = (
    Base.NewSubfileType,
    Base.SubfileType,
    Base.ImageWidth,
    Base.ImageLength,
    Base.BitsPerSample,
    Base.Compression,
    Base.PhotometricInterpretation,
    Base.FillOrder,
    Base.StripOffsets,
    Base.Orientation,
    Base.SamplesPerPixel,
    Base.RowsPerStrip,
    Base.StripByteCounts,
    Base.MinSampleValue,
    Base.PlanarConfiguration,
    Base.Predictor,
    Base.ColorMap,
    Base.HalftoneHints,
    Base.TileWidth,
    Base.TileLength,
    Base.TileOffsets,
    Base.TileByteCounts,
    Base.ExtraSamples,
    Base.SampleFormat,
    Base.JPEGTables,
    Base.XMLPacket,
    Base.ImageResources,
    Base.InterColorProfile,
)

# How a picture was taken. A tag that is not known to be harmless to the people shown is not listed
_HARMLESS_TAGS = {
    Base.Make,
    Base.Model,
    Base.XResolution,
    Base.YResolution,
    Base.ResolutionUnit,
    Base.DateTime,
    Base.ExposureTime,
    Base.FNumber,
    Base.ExposureProgram,
    Base.ISOSpeedRatings,
    Base.DateTimeOriginal,
    Base.DateTimeDigitized,
    Base.OffsetTime,
    Base.OffsetTimeOriginal,
    Base.OffsetTimeDigitized,
    Base.ShutterSpeedValue,
    Base.ApertureValue,
    Base.BrightnessValue,
    Base.ExposureBiasValue,
    Base.MaxApertureValue,
    Base.SubjectDistance,
    Base.MeteringMode,
    Base.LightSource,
    Base.Flash,
    Base.FocalLength,
    Base.SubsecTime,
    Base.SubsecTimeOriginal,
    Base.SubsecTimeDigitized,
    Base.ColorSpace,
    Base.ExposureMode,
    Base.WhiteBalance,
    Base.DigitalZoomRatio,
    Base.FocalLengthIn35mmFilm,
    Base.SceneCaptureType,
    Base.LensMake,
    Base.LensModel,
}

_MAX_EXIF = 65_000  # bytes that fit into a JPEG


@dataclass(frozen=True)
class Metadata:
    """What the file of an edited picture says beside its pixels."""

    exif: Image.Exif
    xmp: str | None
    profile: bytes | None
    """The ICC profile."""


def source_type_xmp(kind: str) -> str:
    """XMP that says where a picture comes from: `MADE` or `MADE_IN_PART`."""
    return _XMP.format(kind=kind)


def all_exif(original: Image.Image) -> Image.Exif:
    """The EXIF of a picture that is still true after an edit; none when it is damaged or too large
    for a JPEG.
    """
    try:
        exif = original.getexif()
        for tag in _TAGS_OF_THE_FILE:
            exif.pop(tag, None)
        if len(exif.tobytes()) > _MAX_EXIF:
            return Image.Exif()
    except DAMAGED:
        return Image.Exif()
    return exif


def harmless_exif(original: Image.Image) -> Image.Exif:
    """The EXIF that says how a picture was taken, and nothing of whom it shows or where."""
    found, kept = all_exif(original), Image.Exif()
    kept.update({tag: value for tag, value in found.items() if tag in _HARMLESS_TAGS})
    details = found.get_ifd(IFD.Exif).items()
    kept.get_ifd(IFD.Exif).update(
        {tag: value for tag, value in details if tag in _HARMLESS_TAGS}
    )  # Pillow leaves these out of a compressed TIFF
    return kept
