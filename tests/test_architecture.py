"""The house: packages on floors, imports downwards only, one door for each heavy library."""

import ast
import graphlib
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import demosaic

ROOT = Path(demosaic.__file__).parent

FLOORS = (
    ("cli",),
    ("app",),
    ("doctor",),
    ("privacy",),
    ("training",),
    ("evaluation",),
    ("restoration",),
    ("dataset", "models", "detection"),
    ("faces", "reporting", "mosaic", "clips"),
    ("imaging",),
    ("workers",),
    ("events", "locks"),
    ("records",),
    ("files", "config"),
    ("text", "errors"),
)
"""Packages and single modules of demosaic from top to bottom; each imports those below it only."""
FLOOR = {name: number for number, names in enumerate(FLOORS) for name in names}

DOORS = {
    "typer": {"cli"},
    "rich": {"cli.console", "cli.rendering"},
    "torch": {"models", "restoration", "evaluation", "training"},
    "mediapipe": {"faces.mediapipe_engine"},
    "PIL": {"imaging"},
    "pillow_heif": {"imaging.opening"},
    "isal": {"imaging"},
    "jpeglib": {"imaging.jpeg_coefficients"},
    "av": {"clips"},
    "jinja2": {"reporting.page"},
    "safetensors": {"models.checkpoint"},
    "platformdirs": {"models.lookup", "faces.cache", "config.defaults"},
    "scipy": {
        "dataset",
        "evaluation.statistics",
        "restoration.cell_means",
        "restoration.fusion",
        "restoration.joint_registration",
        "restoration.registration",
    },
    "packaging": {"doctor.checks"},
    "cattrs": {"records"},
    "filelock": {"locks"},
    "starlette": {"app"},
    "uvicorn": {"app.server"},
    "distributed": {"workers.cluster"},
}
"""The packages or modules that may import a library."""


def name_of(path: Path) -> str:
    """`demosaic.models.lookup` of its file, `demosaic.models` of the package's."""
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {name_of(path): path for path in sorted(ROOT.rglob("*.py"))}
ENTRANCES = {"demosaic", "demosaic.__main__"}
"""What offers the packages to the outside; they may import any of them."""


def is_for_types(node: ast.AST) -> bool:
    """Whether this is `if TYPE_CHECKING:`, whose imports never run."""
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def imported(node: ast.AST) -> set[str]:
    """Every dotted name imported under a node when it runs, inside functions too."""
    found: set[str] = set()
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            found |= {name.name for name in child.names}
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "imports are absolute"
            found |= {f"{child.module}.{name.name}" for name in child.names}
        elif not is_for_types(child):
            found |= imported(child)
    return found


@cache
def imports(module: str) -> frozenset[str]:
    return frozenset(imported(ast.parse(FILES[module].read_text(encoding="utf-8"))))


def modules_used(module: str) -> set[str]:
    """The modules of demosaic that a module imports, or imports names from."""
    dotted = {name for name in imports(module) if name.startswith("demosaic.")}
    return {name if name in FILES else name.rpartition(".")[0] for name in dotted} - {"demosaic"}


def package(module: str) -> str:
    return module.split(".")[1]


def test_every_module_stands_on_a_floor() -> None:
    assert {package(module) for module in FILES.keys() - ENTRANCES} == FLOOR.keys()


@pytest.mark.parametrize("module", sorted(FILES.keys() - ENTRANCES))
def test_a_module_imports_its_own_package_and_those_below(module: str) -> None:
    own = package(module)
    others = {package(used) for used in modules_used(module)} - {own}
    assert {name for name in others if FLOOR[name] <= FLOOR[own]} == set()


def test_no_module_can_be_reached_from_itself() -> None:
    graphlib.TopologicalSorter({module: modules_used(module) for module in FILES}).prepare()


@pytest.mark.parametrize("library", sorted(DOORS))
def test_a_heavy_library_has_one_door(library: str) -> None:
    users = {
        module.removeprefix("demosaic.")
        for module in FILES
        if any(name.split(".")[0] == library for name in imports(module))
    }
    doors = DOORS[library]
    assert {
        user for user in users if user not in doors and user.split(".")[0] not in doors
    } == set()
    assert users, f"nobody imports {library} any more: take it out of the table"


def loaded_by(module: str, libraries: tuple[str, ...]) -> str:
    """Which libraries are loaded once a module is imported, as Python prints a list."""
    script = f"import sys, {module}; print([name for name in {libraries} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_importing_the_command_line_loads_nothing_heavy() -> None:
    heavy = ("torch", "cv2", "mediapipe", "numpy", "rich", "PIL", "safetensors", "torchmetrics")
    assert loaded_by("demosaic.cli.main", heavy) == "[]\n"


def test_importing_the_options_loads_nothing_heavy() -> None:
    names = [module for module in FILES if module.startswith("demosaic.config.")]
    assert loaded_by(", ".join(names), ("torch", "numpy")) == "[]\n"
