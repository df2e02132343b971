"""A doctor finds what is wrong, says what to do, and finds nothing where all is well."""

import importlib.util
import json
import sys
from importlib import metadata
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import demosaic
import people
from demosaic.cli import main
from demosaic.config import networks
from demosaic.config.networks import CriticConfig, ResUNetConfig
from demosaic.doctor import checks as doctor
from demosaic.doctor import selftest
from demosaic.doctor.events import Checked
from demosaic.errors import DemosaicError
from demosaic.events import Event
from demosaic.faces.detector import MediaPipeDetector
from demosaic.imaging.arrays import Pixels, resize
from demosaic.imaging.decoding import read_image
from demosaic.imaging.encoding import write_png

FIRST = ["python", "typer", "rich", "torch", "mediapipe"]
LAST = ["cv2", "devices", "precision", "face model", "HEIC", "disk", *selftest.STEPS]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network to train, but small."""
    ours = ResUNetConfig(widths=(8, 8), down=(1, 1), up=(1,), attention=1, head=4)
    monkeypatch.setitem(networks.NETWORKS, "S", ours)
    monkeypatch.setitem(networks.CRITICS, "S", CriticConfig((4, 4, 8, 8, 8)))


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
    assert (names[:5], names[-11:]) == (FIRST, LAST)
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
    installed(monkeypatch, mediapipe="0.10.31", safetensors="")
    assert faults() == {
        "mediapipe": "0.10.31 is installed: pip install 'mediapipe<0.10.30,>=0.10.14'",
        "safetensors": "is not installed: pip install 'safetensors>=0.4.3'",
    }


def test_two_owners_of_cv2_that_disagree_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, opencv_python="4.10.0.84")
    assert faults() == {
        "cv2": "opencv-python 4.10.0.84 and opencv-contrib-python 4.11.0.86 overwrite each other: "
        "pip install --force-reinstall --no-deps opencv-python==4.11.0.86 "
        "opencv-contrib-python==4.11.0.86"
    }


def test_what_cannot_be_loaded_is_a_line_and_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    assert doctor.run_check("cv2", doctor.look_at_opencv).advice.startswith("cannot be loaded (")
    monkeypatch.setitem(sys.modules, "demosaic.faces.detector", None)
    check = doctor.run_check("face model", doctor.look_at_face_model)
    assert check.advice.startswith("cannot be loaded (")


def test_a_wheel_without_the_face_model_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = ModuleSpec("mediapipe", None, is_package=True)
    without.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: without)
    check = doctor.run_check("face model", doctor.look_at_face_model)
    assert "carries no face model" in check.advice


def test_a_folder_that_cannot_be_written_to_is_a_fault(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    check = doctor.run_check("disk", lambda: doctor.look_at_disk(gone))
    assert check.advice.startswith(f"cannot write {gone}: ")


def test_the_self_test_ends_at_the_first_step_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MediaPipeDetector, "detect", lambda self, image: [])
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
    carried: dict[str, set[str]] = {}
    for path in root.rglob("*"):
        if path.is_file() and path.suffix not in (".py", ".pyc"):
            package = ".".join(path.parent.relative_to(root.parent).parts)
            carried.setdefault(package, set()).add(path.name)
    described = tomllib.loads((root.parent / "pyproject.toml").read_text())["tool"]["setuptools"]
    listed = {package: set(names) for package, names in described["package-data"].items()}
    assert listed == carried
