"""Whether this installation works: what there is, and a drawn face through the whole program.

Whatever may be broken is imported where it is looked at, so that it becomes a line, not a crash.
"""

import os
import platform
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib import metadata
from pathlib import Path

from demosaic import __version__
from demosaic.config.compute import DeviceConfig
from demosaic.config.dataset import BuildConfig
from demosaic.config.training import TrainConfig
from demosaic.doctor.events import Checked, DoctorReport
from demosaic.errors import DISTRIBUTION, DemosaicError, Interrupted
from demosaic.events import Listener, ignore
from demosaic.files import write_bytes, writing

Look = Callable[[], str]
"""Says what was found. Raises DemosaicError that says what to do."""


_HEIC = Path(__file__).with_name("drawn-face.heic")

_CV2_OWNERS = (
    "opencv-python",
    "opencv-contrib-python",
    "opencv-python-headless",
    "opencv-contrib-python-headless",
)

_REINSTALL = "pip install --force-reinstall -c constraints.txt ."

_FILES, _FILE_BYTES = 100, 100_000  # as many bytes as a pair of 256 px

_LEAST_RATE, _LEAST_GB = 20, 1.0  # files a second; a thousand pairs and a run fit

_TRIAL = TrainConfig(batch=2)  # a quarter of a step tells as much


def diagnose(folder: Path, *, listen: Listener = ignore) -> DoctorReport:
    """Look at everything demosaic needs, then take the drawn face from photo to restored; files are
    written below `folder` and removed again.
    """
    start = time.monotonic()
    checks = []
    for check in _checks(folder):
        listen(check)
        checks.append(check)
    return DoctorReport(tuple(checks), time.monotonic() - start)


def _checks(folder: Path) -> Iterator[Checked]:
    yield _checked("python", _python)
    yield from _libraries()
    yield _checked("cv2", _cv2)
    yield _checked("devices", _devices)
    yield _checked("precision", _precision)
    yield _checked("face model", _face_model)
    yield _checked("HEIC", _heic)
    yield _checked("disk", partial(_disk, folder))
    yield from _rehearsal()


def _checked(what: str, look: Look) -> Checked:
    """What came of looking. Whatever goes wrong is what a doctor is asked for."""
    try:
        return Checked(what, look())
    except Interrupted:
        raise
    except DemosaicError as error:
        return Checked(what, "", str(error))
    except ImportError as error:
        return Checked(what, "", f"cannot be loaded ({error}): {_REINSTALL}")
    except Exception as error:
        return Checked(what, "", f"{type(error).__name__}: {error}: {_REINSTALL}")


# What there is


def _python() -> str:
    from packaging.specifiers import SpecifierSet

    found, needed = platform.python_version(), metadata.metadata(DISTRIBUTION)["Requires-Python"]
    if not SpecifierSet(needed).contains(found):
        raise DemosaicError(f"{found} is none of {needed}: make a .venv with one of those")
    return f"{found} on {platform.platform()}, demosaic {__version__}"


def _libraries() -> Iterator[Checked]:
    """A line for every library that demosaic cannot do without."""
    for needed in metadata.requires(DISTRIBUTION) or []:
        if "extra ==" not in needed:
            name = re.split(r"[^\w.-]", needed)[0]
            yield _checked(name, partial(_library, needed))


def _library(needed: str) -> str:
    from packaging.requirements import Requirement

    requirement = Requirement(needed)
    try:
        found = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        raise DemosaicError(f"is not installed: pip install '{needed}'") from None
    if not requirement.specifier.contains(found, prereleases=True):
        raise DemosaicError(f"{found} is installed: pip install '{needed}'")
    return f"{found} ({requirement.specifier})"


def _cv2() -> str:
    """Both mediapipe and demosaic bring an OpenCV, and all of them write to the same folder."""
    owners = {}
    for name in _CV2_OWNERS:
        try:
            owners[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    same = " ".join(f"{name}=={max(owners.values())}" for name in owners)
    cure = f"pip install --force-reinstall --no-deps {same}"
    if len(set(owners.values())) > 1:
        versions = " and ".join(f"{name} {version}" for name, version in owners.items())
        raise DemosaicError(f"{versions} overwrite each other: {cure}")
    try:
        import cv2
    except ImportError as error:
        raise DemosaicError(
            f"cannot be loaded ({error}): for libGL, apt-get install libgl1; else {cure}"
        ) from error
    if not max(owners.values()).startswith(cv2.__version__):
        raise DemosaicError(f"{cv2.__version__} is what is loaded: {cure}")
    return f"{cv2.__version__}, of {' and '.join(owners)}"


def _devices() -> str:
    from demosaic.models.compute import present

    return ", ".join(present())


def _precision() -> str:
    """What `auto` chooses here."""
    from demosaic.models.compute import choose, settle_threads
    from demosaic.training.blind import trial

    settle_threads(DeviceConfig())
    return choose(DeviceConfig(), trial(_TRIAL, BuildConfig.size))[1]


def _face_model() -> str:
    from demosaic.faces.detector import MediaPipeDetector, default_detector

    default_detector()
    return MediaPipeDetector.name()


def _heic() -> str:
    from demosaic.imaging.decoding import read_image

    height, width = read_image(_HEIC).shape[:2]
    return f"a picture of {width} x {height} px read"


def _disk(folder: Path) -> str:
    """Files as large as pairs, written as pairs are."""
    with writing(folder), tempfile.TemporaryDirectory(dir=folder, prefix=".doctor-") as place:
        free = shutil.disk_usage(place).free / 1e9
        data = os.urandom(_FILE_BYTES)
        start = time.perf_counter()
        for number in range(_FILES):
            write_bytes(Path(place, str(number)), data)
        rate = _FILES / (time.perf_counter() - start)
    found = f"{rate:.0f} files of {_FILE_BYTES // 1000} kB a second, {free:.0f} GB free"
    if free < _LEAST_GB:
        raise DemosaicError(f"{found} in {folder.resolve()}: make room")
    if rate < _LEAST_RATE:
        raise DemosaicError(f"{found}, which is slow: put pairs and runs on a local disk")
    return found


def _rehearsal() -> Iterator[Checked]:
    """A line for each step of the self-test; those after a failure have nothing to work on."""
    with tempfile.TemporaryDirectory(prefix="demosaic-doctor-") as folder:
        for name in ("detect", "pixelate", "train", "restore", "reconcile"):
            check = _checked(name, partial(_step, name, Path(folder)))
            yield check
            if check.advice:
                return


def _step(name: str, folder: Path) -> str:
    from demosaic.doctor import selftest

    return selftest.STEPS[name](folder)
