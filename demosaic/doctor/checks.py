"""Checks of this installation: libraries, devices, the disk, and a drawn face through every step.

Each check imports what it needs, so that a broken library becomes a line, not a crash.
"""

import hashlib
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
from demosaic.files import read_packaged, write_bytes, writing

Look = Callable[[], str]
"""Returns what was found. Raises DemosaicError that says what to do."""


_HEIC = Path(__file__).with_name("drawn-face.heic")
_CV2 = "opencv-python"
_CV2_OWNERS = (
    _CV2,
    "opencv-contrib-python",
    "opencv-python-headless",
    "opencv-contrib-python-headless",
)

_REINSTALL = "install demosaic again"
_FILES, _FILE_BYTES = 100, 100_000  # the size of a pair of 256 px
_LEAST_RATE, _LEAST_GB = 20, 1.0  # files a second; room for a thousand pairs and a run
_TRIAL = TrainConfig(batch=2)  # a quarter of the default batch; enough to compare precisions


def diagnose(folder: Path, *, listen: Listener = ignore) -> DoctorReport:
    """Check everything that demosaic needs, then take a drawn face from photo to restored. `listen`
    hears each check. Files are written below `folder` and removed again.
    """
    start = time.monotonic()
    checks = []
    for check in run_checks(folder):
        listen(check)
        checks.append(check)
    return DoctorReport(tuple(checks), time.monotonic() - start)


def run_checks(folder: Path) -> Iterator[Checked]:
    """Every check in its order, run when it is asked for."""
    yield run_check("python", look_at_python)
    yield from library_checks()
    yield run_check("cv2", look_at_opencv)
    yield run_check("devices", look_at_devices)
    yield run_check("precision", look_at_precision)
    yield run_check("face model", look_at_face_model)
    yield run_check("model in the box", look_at_box)
    yield run_check("HEIC", look_at_heic)
    yield run_check("disk", partial(look_at_disk, folder))
    yield from selftest_checks()


def run_check(what: str, look: Look) -> Checked:
    """What came of one check. Any error is a finding, except Ctrl-C."""
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


# One check each


def look_at_python() -> str:
    """The version of Python, which the package must allow."""
    from packaging.specifiers import SpecifierSet

    found, needed = platform.python_version(), metadata.metadata(DISTRIBUTION)["Requires-Python"]
    if not SpecifierSet(needed).contains(found):
        raise DemosaicError(f"{found} is not one of {needed}: make a .venv with one of those")
    return f"{found} on {platform.platform()}, demosaic {__version__}"


def library_checks() -> Iterator[Checked]:
    """A check for every library that demosaic requires, except OpenCV, which has several names."""
    for name, needed in _requirements().items():
        if name not in _CV2_OWNERS:
            yield run_check(name, partial(look_at_library, needed))


def _requirements() -> dict[str, str]:
    """What demosaic requires on this system, such as `numpy>=1.26`, by the library's name."""
    needed = (one for one in metadata.requires(DISTRIBUTION) or [] if "extra ==" not in one)
    return {re.split(r"[^\w.-]", one)[0]: one for one in needed if _is_for_this_system(one)}


def _is_for_this_system(needed: str) -> bool:
    from packaging.requirements import Requirement

    marker = Requirement(needed).marker
    return marker is None or marker.evaluate()


def look_at_library(needed: str) -> str:
    """The installed version of a requirement such as `numpy>=1.26,<2`."""
    from packaging.requirements import Requirement

    requirement = Requirement(needed)
    try:
        found = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        raise DemosaicError(f"is not installed: pip install '{needed}'") from None
    if not requirement.specifier.contains(found, prereleases=True):
        raise DemosaicError(f"{found} is installed: pip install '{needed}'")
    return f"{found} ({requirement.specifier})"


def look_at_opencv() -> str:
    """The version of OpenCV and the packages that bring it, all of them into the same folder."""
    owners = _cv2_owners()
    if not owners:
        raise DemosaicError(f"is not installed: pip install '{_requirements()[_CV2]}'")
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
        raise DemosaicError(f"version {cv2.__version__} is loaded instead: {cure}")
    _look_at_cv2_version(cv2.__version__, next(iter(owners)))
    return f"{cv2.__version__}, of {' and '.join(owners)}"


def _cv2_owners() -> dict[str, str]:
    """The versions of the installed packages that bring OpenCV, by name."""
    owners = {}
    for name in _CV2_OWNERS:
        try:
            owners[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return owners


def _look_at_cv2_version(found: str, owner: str) -> None:
    """Raise DemosaicError where demosaic needs another version of OpenCV; any package may bring
    it.
    """
    from packaging.requirements import Requirement

    needed = Requirement(_requirements()[_CV2]).specifier
    if not needed.contains(found, prereleases=True):
        raise DemosaicError(f"{found} is installed: pip install '{owner}{needed}'")


def look_at_devices() -> str:
    """The devices that torch can compute on."""
    from demosaic.models.compute import present

    return ", ".join(present())


def look_at_precision() -> str:
    """The precision that `auto` chooses here."""
    from demosaic.models.compute import choose, settle_threads
    from demosaic.training.beginning import trial

    settle_threads(DeviceConfig())
    return choose(DeviceConfig(), trial(_TRIAL, BuildConfig.size))[1]


def look_at_face_model() -> str:
    """The face network, loaded once; its file is compared with its checksum."""
    from demosaic.faces.engines import detector_name, make_detector

    make_detector()
    return detector_name()


def look_at_box() -> str:
    """The model in the box, compared with its checksum and loaded."""
    from demosaic.models.box import BOX
    from demosaic.models.checkpoint import load_model

    checksum = hashlib.sha256(read_packaged(BOX)).hexdigest()
    return f"step {load_model(BOX).card.step}, sha256 {checksum[:12]}"


def look_at_heic() -> str:
    """The size of a HEIC picture that the package carries."""
    from demosaic.imaging.decoding import read_image

    height, width = read_image(_HEIC).shape[:2]
    return f"a picture of {width} x {height} px read"


def look_at_disk(folder: Path) -> str:
    """How fast files of the size of pairs are written, and the free space."""
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


def selftest_checks() -> Iterator[Checked]:
    """A check for each step of the self-test, up to the first that fails; each needs the last."""
    with tempfile.TemporaryDirectory(prefix="demosaic-doctor-") as folder:
        for name in ("detect", "pixelate", "train", "restore", "reconcile"):
            check = run_check(name, partial(_step, name, Path(folder)))
            yield check
            if check.advice:
                return


def _step(name: str, folder: Path) -> str:
    from demosaic.doctor import selftest

    return selftest.STEPS[name](folder)
