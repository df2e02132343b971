"""Photo folders in, a face-restoring model out.

    import demosaic

    restored = demosaic.restore("face.jpg")
    restored.picture  # RGB levels (H, W, 3)

Everything below is imported when it is first used: `import demosaic` loads nothing heavy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from demosaic.config.clips import ClipConfig
    from demosaic.config.compute import DeviceConfig
    from demosaic.config.dataset import BuildConfig
    from demosaic.config.evaluation import EvaluateConfig
    from demosaic.config.privacy import PixelateConfig
    from demosaic.config.restoration import RestoreConfig
    from demosaic.config.training import SeedConfig, TrainConfig
    from demosaic.dataset.build import build_dataset
    from demosaic.dataset.events import BuildReport
    from demosaic.detection.detector import find_mosaics
    from demosaic.detection.region import Region
    from demosaic.errors import DemosaicError
    from demosaic.evaluation.benchmark import Evaluation, evaluate
    from demosaic.evaluation.events import EvaluationReport
    from demosaic.events import Event
    from demosaic.imaging.batch import BatchReport
    from demosaic.models.lookup import load_model
    from demosaic.models.model import Model
    from demosaic.privacy.events import ClipPixelated, FaceHidden, PicturePixelated
    from demosaic.privacy.pixelate import pixelate, pixelate_files
    from demosaic.privacy.places import Pixelated
    from demosaic.restoration.batch import restore_files
    from demosaic.restoration.events import ClipRestored, PictureRestored, RegionRestored
    from demosaic.restoration.image import Restored, restore
    from demosaic.training.events import TrainReport
    from demosaic.training.loop import train

__version__ = "0.2.0"

_HOMES = {
    "demosaic.config.clips": ("ClipConfig",),
    "demosaic.config.compute": ("DeviceConfig",),
    "demosaic.config.dataset": ("BuildConfig",),
    "demosaic.config.evaluation": ("EvaluateConfig",),
    "demosaic.config.privacy": ("PixelateConfig",),
    "demosaic.config.restoration": ("RestoreConfig",),
    "demosaic.config.training": ("SeedConfig", "TrainConfig"),
    "demosaic.dataset.build": ("build_dataset",),
    "demosaic.dataset.events": ("BuildReport",),
    "demosaic.detection.detector": ("find_mosaics",),
    "demosaic.detection.region": ("Region",),
    "demosaic.errors": ("DemosaicError",),
    "demosaic.evaluation.benchmark": ("Evaluation", "evaluate"),
    "demosaic.evaluation.events": ("EvaluationReport",),
    "demosaic.events": ("Event",),
    "demosaic.imaging.batch": ("BatchReport",),
    "demosaic.models.model": ("Model",),
    "demosaic.models.lookup": ("load_model",),
    "demosaic.privacy.events": ("ClipPixelated", "FaceHidden", "PicturePixelated"),
    "demosaic.privacy.pixelate": ("pixelate", "pixelate_files"),
    "demosaic.privacy.places": ("Pixelated",),
    "demosaic.restoration.batch": ("restore_files",),
    "demosaic.restoration.events": ("ClipRestored", "PictureRestored", "RegionRestored"),
    "demosaic.restoration.image": ("Restored", "restore"),
    "demosaic.training.events": ("TrainReport",),
    "demosaic.training.loop": ("train",),
}
"""Where each public name is defined."""

_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = (
    "BatchReport",
    "BuildConfig",
    "BuildReport",
    "ClipConfig",
    "ClipPixelated",
    "ClipRestored",
    "DemosaicError",
    "DeviceConfig",
    "EvaluateConfig",
    "Evaluation",
    "EvaluationReport",
    "Event",
    "FaceHidden",
    "Model",
    "PicturePixelated",
    "PictureRestored",
    "PixelateConfig",
    "Pixelated",
    "Region",
    "RegionRestored",
    "RestoreConfig",
    "Restored",
    "SeedConfig",
    "TrainConfig",
    "TrainReport",
    "__version__",
    "build_dataset",
    "evaluate",
    "find_mosaics",
    "load_model",
    "pixelate",
    "pixelate_files",
    "restore",
    "restore_files",
    "train",
)


def __getattr__(name: str) -> Any:
    """A public name, imported now (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
