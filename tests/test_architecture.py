"""The rooms of the house: who may import whom, and which library has which door."""

import ast
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import demosaic

PACKAGE = Path(demosaic.__file__).parent
MODULES = sorted(path.stem for path in PACKAGE.glob("*.py"))

ARROWS = {
    "__init__": "",
    "errors": "",
    "words": "",
    "files": "errors",
    "events": "files",
    "mosaic": "config",
    "config": "errors words",
    "devices": "config errors words",
    "images": "errors files",
    "edits": "errors files images",
    "faces": "errors images",
    "markup": "",
    "plots": "markup",
    "report": "files images markup plots __version__",
    "grouping": "files images",
    "pairs": "config errors files images mosaic",
    "datasets": "config errors events files grouping pairs __version__",
    "observations": "images mosaic",
    "augmentation": "config images mosaic observations",
    "optimisers": "",
    "losses": "",
    "networks": "config observations",
    "checkpoints": "config errors files networks __version__",
    "combs": "images mosaic",
    "tiles": "combs images",
    "lossless": "combs ellipses images mosaic tiles",
    "weaves": "mosaic",
    "ellipses": "images",
    "outlines": "combs ellipses images",
    "ends": "combs",
    "grids": "combs ellipses ends images lossless mosaic outlines weaves",
    "looking": "errors faces files images",
    "cutting": "config errors faces grouping images looking mosaic pairs",
    "building": ("config cutting datasets errors events files grouping images looking pairs words"),
    "forgetting": "building datasets events files looking",
    "forecasting": "building config cutting datasets events files looking",
    "metrics": "images mosaic",
    "evaluation": "canvas devices events images metrics mosaic networks observations pairs",
    "scoring": (
        "checkpoints config devices errors evaluation events images metrics mosaic networks "
        "observations pairs restoration words"
    ),
    "runs": "errors files",
    "scorecard": "events plots report runs scoring",
    "pix2pix": "config devices evaluation events images mosaic networks pairs",
    "team": "errors",
    "stages": "devices losses networks observations optimisers",
    "blind": (
        "augmentation checkpoints config devices errors evaluation events images mosaic networks "
        "observations pairs stages team"
    ),
    "training": (
        "blind checkpoints config devices errors evaluation events files images pairs pix2pix team "
        "words"
    ),
    "export": "checkpoints errors files mosaic networks observations",
    "regions": "config errors grids images mosaic",
    "samplers": "config grids images mosaic",
    "canvas": "grids images mosaic",
    "restoration": (
        "canvas checkpoints config devices edits errors events files grids images mosaic networks "
        "observations regions samplers"
    ),
    "jobs": "edits errors events files images",
    "pixelation": "config edits errors events faces files images jobs looking mosaic",
    "following": "grids images mosaic",
    "video": "errors files images",
    "clips": (
        "checkpoints config devices edits errors events following grids images regions restoration "
        "samplers video"
    ),
    "restoring": "checkpoints clips config devices errors events files jobs restoration",
    "doctor": "blind config devices errors events faces files images rehearsal __version__",
    "rehearsal": (
        "building checkpoints config devices errors faces files images mosaic pairs restoration "
        "training"
    ),
    "album": "config cutting errors events files grouping images looking pairs words",
    "recognition": "images",
    "chances": "events",
    "audit": (
        "album blind chances checkpoints config devices errors evaluation events faces files "
        "images looking mosaic recognition restoration"
    ),
    "audit_page": "album audit events plots report words",
    "console": "events words",
    "board": "errors events",
    "cli": "config errors __version__",
    "__main__": "cli",
}
"""What a module may import of demosaic; `cli` may import anything inside a command."""

TORCH_ROOMS = {
    "devices",
    "observations",
    "networks",
    "losses",
    "optimisers",
    "checkpoints",
    "evaluation",
    "scoring",
    "pix2pix",
    "team",
    "stages",
    "blind",
    "training",
    "restoration",
    "export",
    "board",
}
DOORS = {
    "mediapipe": {"faces"},
    "safetensors": {"checkpoints"},
    "rich": {"console"},
    "typer": {"cli"},
    "platformdirs": {"checkpoints", "looking"},
    "packaging": {"doctor"},
    "torch": TORCH_ROOMS,
    "PIL": {"images", "edits"},
    "pillow_heif": {"images"},
    "av": {"video"},
}
"""The only modules that know a library."""


def tree(module: str) -> ast.Module:
    return ast.parse((PACKAGE / f"{module}.py").read_text(encoding="utf-8"))


def is_for_types(node: ast.AST) -> bool:
    """Whether this is `if TYPE_CHECKING:`, whose imports never run."""
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def imports(node: ast.AST, *, functions: bool) -> set[str]:
    """Every dotted name imported under a node when it runs; inside functions too, when asked."""
    found: set[str] = set()
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            found |= {name.name for name in child.names}
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "imports are absolute"
            found |= {f"{child.module}.{name.name}" for name in child.names}
        elif is_for_types(child):
            continue
        elif functions or not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            found |= imports(child, functions=functions)
    return found


def rooms(names: set[str]) -> set[str]:
    """The demosaic modules (or `__version__`) among imported names."""
    return {name.split(".")[1] for name in names if name.startswith("demosaic.")}


def libraries(names: set[str]) -> set[str]:
    return {name.split(".")[0] for name in names}


def test_every_module_has_its_place_in_the_table() -> None:
    assert sorted(ARROWS) == MODULES


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_its_room_may(module: str) -> None:
    found = rooms(imports(tree(module), functions=module != "cli"))
    assert found <= set(ARROWS.get(module, "").split())


def test_the_command_line_imports_only_modules_that_exist() -> None:
    found = rooms(imports(tree("cli"), functions=True))
    assert found <= {*MODULES, "__version__"}


@pytest.mark.parametrize("library", sorted(DOORS))
def test_a_heavy_library_has_one_door(library: str) -> None:
    users = {
        module for module in MODULES if library in libraries(imports(tree(module), functions=True))
    }
    assert users <= DOORS[library]
    assert users, f"nobody imports {library} any more: take it out of the table"


def test_the_arrows_go_one_way() -> None:
    """No module can be reached from itself."""
    reached = {module: set(ARROWS[module].split()) - {"__version__"} for module in ARROWS}
    for _ in ARROWS:
        for targets in reached.values():
            targets |= {further for target in targets for further in reached[target]}
    assert [module for module, targets in reached.items() if module in targets] == []


def test_importing_the_command_line_loads_nothing_heavy() -> None:
    heavy = ("torch", "cv2", "mediapipe", "numpy", "rich", "PIL", "safetensors", "torchmetrics")
    script = f"import sys, demosaic.cli; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_importing_the_options_loads_nothing_heavy() -> None:
    script = "import sys, demosaic.config.rules; print([m for m in ('torch', 'numpy') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_both_opencv_packages_hold_the_same_cv2() -> None:
    assert version("opencv-python") == version("opencv-contrib-python")
