"""Rules of the house that no linter checks."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests"
SOURCES = sorted(
    path for folder in ("demosaic", "examples", "tests") for path in (ROOT / folder).rglob("*.py")
)


def is_private(name: str) -> bool:
    """Python's own `__names__` are public, except a function's defaults."""
    return name.startswith("_") and (not name.endswith("__") or name == "__defaults__")


def ours(tree: ast.AST) -> set[str]:
    """The names that a file imports from demosaic."""
    return {
        name.asname or name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "demosaic"
        for name in node.names
    }


def strings(node: ast.AST) -> Iterator[str]:
    """The text of a string, and how far an f-string is fixed."""
    if isinstance(node, ast.JoinedStr):
        node = node.values[0]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def private_names(tree: ast.AST) -> Iterator[str]:
    """The private names of demosaic's modules and classes that a file imports, reads or patches."""
    known = ours(tree)
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module), names=names) if module.startswith("demosaic"):
                yield from (name.name for name in names)
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in known:
                yield attribute
            case ast.Call(func=ast.Attribute(attr="setattr" | "delattr"), args=arguments):
                for argument in arguments[:2]:
                    yield from (text.rpartition(".")[2] for text in strings(argument))
            case ast.Constant(value=str(text)):
                yield from re.findall(r"\bdemosaic(?:\.\w+)*\.(_\w+)", text)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_uses_the_private_names_of_another(path: Path) -> None:
    names = private_names(ast.parse(path.read_text(encoding="utf-8")))
    assert {name for name in names if is_private(name)} == set()


def test_a_folder_of_tests_is_named_after_its_package() -> None:
    folders = {path.parent.name for path in TESTS.glob("*/test_*.py")}
    assert {
        name for name in folders if not (ROOT / "demosaic" / name / "__init__.py").exists()
    } == set()


def test_no_test_file_imports_another() -> None:
    imports = [
        (path.name, line)
        for path in TESTS.rglob("*.py")
        for line in re.findall(
            r"^(?:from|import) +(?:\w+\.)*test_\w+", path.read_text(encoding="utf-8"), re.M
        )
    ]
    assert imports == []
