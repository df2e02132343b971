"""What the documents promise is there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from demosaic.cli.main import app
from demosaic.imaging.decoding import read_image
from demosaic.models.checkpoint import save_model
from demosaic.mosaic.grid import Grid
from doubles import a_model, mosaicked, save

ROOT = Path(__file__).parents[1]
NAMES = {
    command.name or str(getattr(command.callback, "__name__", ""))
    for command in app.registered_commands
}
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def commands(*documents: Path) -> list[str]:
    """Every command line of the documents that calls demosaic, without its comment or launcher.

    Code is what is indented by four spaces or stands between fences.
    """
    text = "\n".join(path.read_text(encoding="utf-8") for path in documents)
    fenced = "\n".join(re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    code = [*re.findall(r"^ {4}(.*)$", text, re.MULTILINE), *fenced.splitlines()]
    calls = [re.fullmatch(r"(?:torchrun .* -m )?(demosaic .*)", line) for line in code]
    lines = [call[1].split("#")[0].strip() for call in calls if call]
    return [line for line in lines if "[OPTIONS]" not in line]  # such a line shows the usage


@pytest.mark.parametrize("document", ["README.md", "docs/guide.md"])
def test_a_document_for_newcomers_names_every_command(document: str) -> None:
    text = read(document)
    assert {name for name in NAMES if f"demosaic {name}" not in text} == set()


def test_the_python_of_the_readme_restores_a_face(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = a_model()
    save_model(tmp_path / "model.safetensors", model.generator, model.card)
    save(tmp_path / "face.jpg", mosaicked(64, 64, Grid.square(8)))
    monkeypatch.setenv("DEMOSAIC_MODEL", str(tmp_path / "model.safetensors"))
    monkeypatch.chdir(tmp_path)
    text = read("README.md")
    (code,) = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    exec(code, {})
    assert read_image(tmp_path / "face.restored.png").shape == (64, 64, 3)


def test_readme_has_two_screens_of_prose() -> None:
    text = read("README.md")
    without_code = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^\|.*", "", without_code, flags=re.MULTILINE)  # tables are no prose
    assert len(prose.split()) <= 720


def test_readme_shows_figures_of_the_benchmarks_page() -> None:
    """The same rows, whatever is bold in them."""
    readme, page = (
        re.findall(r"^\|.*?\|((?: [\d.*]+ \|){6})$", path.read_text(encoding="utf-8"), re.MULTILINE)
        for path in (ROOT / "README.md", ROOT / "docs/benchmarks.md")
    )
    assert len(readme) == 4
    assert {row.replace("*", "") for row in readme} <= set(page)


def test_the_plot_shows_the_table_of_the_benchmarks_page(tmp_path: Path) -> None:
    script = ROOT / "tests/benchmarks/plot_results.py"
    subprocess.run([sys.executable, str(script), "--out", str(tmp_path / "new.svg")], check=True)
    new, now = (tmp_path / "new.svg").read_bytes(), (ROOT / "docs/results.svg").read_bytes()
    assert new == now, "run python tests/benchmarks/plot_results.py"


WITHOUT_FILES = (
    "demosaic config",
    "demosaic config train",
    "demosaic doctor",
    "demosaic models",
    "demosaic runs",
)
"""Commands that name no file to miss."""

UNTIL_CTRL_C = ("demosaic serve --open",)
"""Commands that would not end."""


@pytest.mark.parametrize(
    "command",
    dict.fromkeys(
        line for line in commands(*DOCUMENTS) if line not in WITHOUT_FILES + UNTIL_CTRL_C
    ),
)
def test_every_command_in_a_document_is_understood(command: str, tmp_path: Path) -> None:
    """With folders that do not exist: a wrong option would end with 2 before they are missed."""
    given = shlex.split(command)[1:]
    paths = {word for word in given if "/" in word and not re.fullmatch(r"\d+/\d+", word)}
    words = [str(tmp_path / word) if word in paths else word for word in given]
    result = CliRunner().invoke(app, words)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith("error: ")


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_every_option_a_document_names_exists(document: str) -> None:
    named = set(re.findall(r"`(?:--[a-z-]+ )?(--[a-z][a-z-]+)", read(document)))
    known = "".join(
        CliRunner().invoke(app, [command, "--help"]).stdout for command in sorted(NAMES)
    )
    examples = {"--strict", "--min-eyes"}  # mypy's, and the one that CONTRIBUTING adds
    assert {option for option in named if option not in known} <= examples


def test_contributing_names_every_package() -> None:
    text = read("CONTRIBUTING.md")
    names = {
        path.stem for path in (ROOT / "demosaic").iterdir() if not path.name.startswith(("_", "."))
    }
    assert {name for name in names - {"py"} if f"`{name}`" not in text} == set()


def test_the_walks_of_contributing_are_short_and_lead_through_the_code() -> None:
    text = read("CONTRIBUTING.md")
    (section,) = re.findall(r"^## Three walks\n(.*?)^## ", text, re.MULTILINE | re.DOTALL)
    walks = [
        re.findall(r"^\d\. `(.*?)`, `(.*?)`", walk, re.MULTILINE)
        for walk in section.split(":\n\n")[1:]
    ]
    assert [len(walk) for walk in walks] == [7, 8, 7]
    for file, name in (step for walk in walks for step in walk):
        code = (ROOT / "demosaic" / file).read_text(encoding="utf-8")
        assert re.search(rf"^(def|class) {name}\b", code, re.MULTILINE), (file, name)


@pytest.mark.parametrize(
    "document", [*ROOT.glob("*.md"), *DOCUMENTS[1:]], ids=lambda path: path.name
)
def test_links_of_a_document_lead_to_files(document: Path) -> None:
    """What is not on the web; `make docs` checks the anchors too."""
    links = re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8"))
    local = [link for link in links if not link.startswith("https://")]
    assert [link for link in local if not (document.parent / link).is_file()] == []


@pytest.mark.parametrize("path", ["constraints.txt", "examples/people.py", "tests/benchmarks"])
def test_every_path_the_documents_name_exists(path: str) -> None:
    documents = read("README.md") + read("CONTRIBUTING.md")
    assert path in documents
    assert (ROOT / path).exists()
