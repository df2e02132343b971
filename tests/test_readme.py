"""What the documents promise is there."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from demosaic.cli.main import app

ROOT = Path(__file__).parents[1]
NAMES = {
    command.name or str(getattr(command.callback, "__name__", ""))
    for command in app.registered_commands
}
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands(*documents: Path) -> list[str]:
    """Every command line of the documents that calls demosaic, without its comment or launcher."""
    text = "\n".join(path.read_text() for path in documents)
    lines = re.findall(r"^ {4}(?:torchrun .* -m )?(demosaic .*)$", text, re.MULTILINE)
    return [line.split("#")[0].strip() for line in lines]


def test_readme_shows_every_command() -> None:
    shown = {command.split()[1] for command in commands(ROOT / "README.md")}
    assert {*shown, "doctor"} == NAMES  # that one is told of where installing is


@pytest.mark.parametrize("command", dict.fromkeys(commands(*DOCUMENTS)))
def test_every_command_in_a_document_is_understood(command: str, tmp_path: Path) -> None:
    """With folders that do not exist: a wrong option would end with 2 before they are missed."""
    words = [str(tmp_path / word) if "/" in word else word for word in shlex.split(command)[1:]]
    result = CliRunner().invoke(app, words)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith("error: ")


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_every_option_a_document_names_exists(document: str) -> None:
    named = set(re.findall(r"`(?:--[a-z-]+ )?(--[a-z][a-z-]+)", (ROOT / document).read_text()))
    known = "".join(
        CliRunner().invoke(app, [command, "--help"]).stdout for command in sorted(NAMES)
    )
    assert {option for option in named if option not in known} <= {"--strict"}


@pytest.mark.parametrize("path", ["constraints.txt", "examples/people.py", "tests/benchmarks"])
def test_every_path_the_documents_name_exists(path: str) -> None:
    documents = (ROOT / "README.md").read_text() + (ROOT / "CONTRIBUTING.md").read_text()
    assert path in documents
    assert (ROOT / path).exists()
