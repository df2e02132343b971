"""A doctor finds what is wrong, says what to do, and finds nothing where all is well."""

import json
import shutil
import sys
from importlib import metadata
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

import demosaic
import people
from demosaic.cli import main
from demosaic.config import networks
from demosaic.config.networks import ResUNetConfig
from demosaic.doctor import checks as doctor
from demosaic.doctor import selftest
from demosaic.doctor.events import Checked
from demosaic.errors import DemosaicError
from demosaic.events import Event
from demosaic.faces import short_range
from demosaic.faces.short_range import ShortRangeDetector
from demosaic.imaging.arrays import Pixels, resize
from demosaic.imaging.decoding import read_image
from demosaic.imaging.encoding import write_png

FIRST = ["python", "typer", "rich", "torch", "numpy"]
LAST = [
    *("cv2", "devices", "precision", "face model", "model in the box", "HEIC", "disk"),
    *selftest.STEPS,
]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network to train, but small."""
    ours = ResUNetConfig(widths=(8, 8), down=(1, 1), up=(1,), attention=1, head=4)
    monkeypatch.setitem(networks.NETWORKS, "S", ours)


def installed(monkeypatch: pytest.MonkeyPatch, **versions: str) -> None:
    """Let other versions of some libraries be installed; an empty one is none."""
    real = metadata.version

    def version(name: str) -> str:
        found = versions.get(name.replace("-", "_"))
        if found == "":
            raise metadata.PackageNotFoundError(name)
        return found or real(name)

    monkeypatch.setattr(metadata, "version", version)


def faults() -> dict[str, str]:
    """What is wrong with the libraries, by name."""
    checks = [*doctor.library_checks(), doctor.run_check("cv2", doctor.look_at_opencv)]
    return {check.what: check.advice for check in checks if check.advice}


def test_where_all_is_well_every_line_is_ok_and_no_file_is_left(tmp_path: Path) -> None:
    heard: list[Event] = []
    report = doctor.diagnose(tmp_path, listen=heard.append)
    names = [check.what for check in report.checks]
    assert (names[:5], names[-len(LAST) :]) == (FIRST, LAST)
    assert [(check.what, check.advice) for check in report.problems] == []
    assert all(check.found for check in report.checks)
    assert heard == list(report.checks)
    assert list(tmp_path.iterdir()) == []


def test_json_has_every_check_and_then_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    checks = [Checked("disk", "fast"), Checked("detect", "a face")]
    monkeypatch.setattr(doctor, "run_checks", lambda folder: iter(checks))
    result = CliRunner().invoke(main.app, ["doctor", "--json"])
    assert (result.exit_code, result.stderr.splitlines()[0]) == (0, "ok     disk: fast")
    *events, report = map(json.loads, result.stdout.splitlines())
    assert events == [
        {"event": "Checked", "what": "disk", "found": "fast", "advice": ""},
        {"event": "Checked", "what": "detect", "found": "a face", "advice": ""},
    ]
    assert report["event"] == "DoctorReport"
    assert report["checks"][-1] == {"what": "detect", "found": "a face", "advice": ""}
    assert report["seconds"] >= 0


def test_a_problem_is_named_and_the_exit_code_is_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    checks = [Checked("python", "3.11"), Checked("disk", "", "make room")]
    monkeypatch.setattr(doctor, "run_checks", lambda folder: iter(checks))
    result = CliRunner().invoke(main.app, ["doctor"])
    assert result.exit_code == 1
    assert result.stdout == "ok     python: 3.11\nfault  disk: make room\n"
    assert result.stderr == "error: 1 of 2 failed: disk\n"


def test_a_library_that_is_missing_or_too_new_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    installed(monkeypatch, numpy="1.25.2", safetensors="")
    assert faults() == {
        "numpy": "1.25.2 is installed: pip install 'numpy>=1.26'",
        "safetensors": "is not installed: pip install 'safetensors>=0.4.3'",
    }


OWNERS = (
    "opencv_python",
    "opencv_contrib_python",
    "opencv_python_headless",
    "opencv_contrib_python_headless",
)


def with_opencv(monkeypatch: pytest.MonkeyPatch, **versions: str) -> Checked:
    """The check of OpenCV where only these packages bring it."""
    installed(monkeypatch, **{name: versions.get(name, "") for name in OWNERS})
    return doctor.run_check("cv2", doctor.look_at_opencv)


def test_a_library_for_other_systems_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = ["nothing-here>=1 ; sys_platform == 'amiga'", "numpy>=1 ; sys_platform != 'amiga'"]
    monkeypatch.setattr(metadata, "requires", lambda name: needed)
    assert [check.what for check in doctor.library_checks()] == ["numpy"]


def test_two_owners_of_cv2_that_disagree_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    check = with_opencv(monkeypatch, opencv_python="4.10.0.84", opencv_python_headless="5.0.0.93")
    assert check.advice == (
        "opencv-python 4.10.0.84 and opencv-python-headless 5.0.0.93 overwrite each other: "
        "pip install --force-reinstall --no-deps opencv-python==5.0.0.93 "
        "opencv-python-headless==5.0.0.93"
    )


@pytest.mark.parametrize("owner", OWNERS)
def test_any_package_may_bring_opencv(owner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check = with_opencv(monkeypatch, **{owner: f"{cv2.__version__}.99"})
    assert check == Checked("cv2", f"{cv2.__version__}, of {owner.replace('_', '-')}")
    assert faults() == {}


def test_a_missing_opencv_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    check = with_opencv(monkeypatch)
    assert check.advice == "is not installed: pip install 'opencv-python<6,>=4.10'"


def test_an_opencv_that_is_too_old_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "__version__", "4.9.0")
    check = with_opencv(monkeypatch, opencv_python_headless="4.9.0.80")
    assert check.advice == "4.9.0 is installed: pip install 'opencv-python-headless<6,>=4.10'"


def test_what_cannot_be_loaded_is_a_line_and_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    assert doctor.run_check("cv2", doctor.look_at_opencv).advice.startswith("cannot be loaded (")
    monkeypatch.setitem(sys.modules, "demosaic.faces.engines", None)
    check = doctor.run_check("face model", doctor.look_at_face_model)
    assert check.advice.startswith("cannot be loaded (")


def test_a_damaged_face_network_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = tmp_path / short_range.NETWORK.name
    damaged.write_bytes(short_range.NETWORK.read_bytes()[:-1])
    shutil.copy(short_range.NETWORK.with_suffix(".sha256"), tmp_path)
    monkeypatch.setattr(short_range, "NETWORK", damaged)
    check = doctor.run_check("face model", doctor.look_at_face_model)
    assert check.advice == f"{damaged} is damaged: install demosaic again"


def test_a_folder_that_cannot_be_written_to_is_a_fault(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    check = doctor.run_check("disk", lambda: doctor.look_at_disk(gone))
    assert check.advice.startswith(f"cannot write {gone}: ")


def test_the_self_test_ends_at_the_first_step_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ShortRangeDetector, "detect", lambda self, image: [])
    checks = list(doctor.selftest_checks())
    assert [(check.what, check.found) for check in checks] == [("detect", "")]
    assert "1 x no face" in checks[0].advice


def test_a_result_that_does_not_pixelate_back_is_a_fault(tmp_path: Path) -> None:
    selftest.detect(tmp_path)
    selftest.pixelate(tmp_path)
    hidden = read_image(tmp_path / "hidden.png").copy()
    hidden[0, 0] += 1
    write_png(tmp_path / "restored.png", hidden)
    with pytest.raises(DemosaicError, match="1 pixels of the result do not"):
        selftest.reconcile(tmp_path)


def test_the_face_of_the_self_test_is_a_drawing() -> None:
    photo = people.photo(seed=0, number=6, shot=0)
    drawn: Pixels = resize(photo.image[118 : 118 + 277, 36 : 36 + 277], 256, 256)
    packaged = read_image(selftest.FACE)
    assert np.abs(packaged.astype(float) - drawn).mean() < 4  # of 256 colours
    heic = read_image(selftest.FACE.with_suffix(".heic"))
    assert np.abs(heic.astype(float) - resize(packaged, 128, 128)).mean() < 4


def test_the_package_carries_every_file_that_is_no_module() -> None:
    tomllib = pytest.importorskip("tomllib")  # not in Python 3.10
    root = Path(demosaic.__file__).parent
    carried = {
        path for path in root.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")
    }
    described = tomllib.loads((root.parent / "pyproject.toml").read_text())["tool"]["setuptools"]
    listed = {
        path
        for package, names in described["package-data"].items()
        for name in names
        for path in (root.parent / package.replace(".", "/")).glob(name)
    }
    assert listed == carried
