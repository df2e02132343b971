"""Options are made from the records; help shows them in panels; the shell completes them."""

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any, Literal

import pytest
import typer
from typer.testing import CliRunner

from demosaic import __version__
from demosaic.cli.help import Command
from demosaic.cli.main import app
from demosaic.cli.options import takes
from demosaic.config.compute import DeviceConfig
from demosaic.config.dataset import BuildConfig
from demosaic.config.evaluation import EvaluateConfig
from demosaic.config.options import check, option, options_of
from demosaic.config.privacy import AuditConfig, PixelateConfig
from demosaic.config.reading import read_point
from demosaic.config.restoration import RestoreConfig
from demosaic.config.training import SeedConfig, TrainConfig
from doubles import demosaic, error

COMMANDS = ("build-dataset", "train", "restore")


# Help, version, usage


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_help_shows_the_three_commands_in_order(words: list[str]) -> None:
    code, said, errors = demosaic(*words)
    assert (code, errors) == (0, "")
    lines = [line.strip() for line in said.splitlines()]
    examples = [
        "demosaic build-dataset ./photos ./pairs",
        "demosaic train ./pairs",
        "demosaic restore face.jpg",
    ]
    start = lines.index(examples[0])
    assert lines[start : start + 3] == examples


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_shows_an_example_on_a_line_of_its_own(command: str) -> None:
    code, said, errors = demosaic(command, "--help")
    assert (code, errors) == (0, "")
    assert "\b" not in said
    examples = [line.strip() for line in said.splitlines() if f"demosaic {command}" in line]
    wanted = {
        "build-dataset": [
            "demosaic build-dataset ./photos ./pairs",
            "demosaic build-dataset ./A ./pairs --targets ./B",
        ],
        "train": ["demosaic train ./pairs"],
        "restore": [
            "demosaic restore face.jpg",
            "demosaic restore group.png --region 310,120,192,192 --block 12",
            "demosaic restore clip.mp4",
            "demosaic restore ./album --out ./restored --open",
        ],
    }
    assert [line for line in examples if not line.startswith("Usage")] == wanted[command]


def test_the_help_of_restore_is_honest() -> None:
    said = " ".join(demosaic("restore", "--help")[1].split())
    assert "a plausible face that agrees with the blocks, not the person's true face" in said
    assert "not for identifying anyone" in said
    assert "pixelation is not anonymity" in said


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_the_version_is_said(option: str) -> None:
    assert demosaic(option) == (0, f"demosaic {__version__}\n", "")


def test_help_shows_commands_and_options_in_panels_the_usual_ones_first() -> None:
    def panels(*words: str) -> list[str]:
        return [
            line for line in demosaic(*words)[1].splitlines() if line[-1:] == ":" and line[0] != " "
        ]

    assert panels("--help") == [
        "Options:",
        "From photos to a restored face:",
        "Measuring models:",
        "Privacy:",
        "More:",
    ]
    assert panels("train", "--help") == [
        "Arguments:",
        "Options:",
        "Learning:",
        "Validating and saving:",
        "Only with --preset seed:",
        "Computing:",
        "Output:",
    ]


def test_help_is_as_wide_as_the_terminal_up_to_120_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def widest(columns: int) -> int:
        monkeypatch.setenv("COLUMNS", str(columns))
        with pytest.raises(SystemExit):
            app(["train", "--help"])
        return max(map(len, capsys.readouterr().out.splitlines()))

    assert 70 < widest(80) <= 80
    assert 100 < widest(120) <= 120
    assert widest(300) == widest(120)


def completed(words: str) -> list[str]:
    """What bash is offered for the last of the words."""
    script = 'import sys; from demosaic.cli.main import main; sys.argv = ["demosaic"]; main()'
    shell = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "_DEMOSAIC_COMPLETE": "complete_bash", **shell},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("demosaic ev", ["evaluate"]),
        ("demosaic train pairs --pre", ["--preset", "--precision"]),
        ("demosaic train pairs --preset ", ["default", "seed"]),
        ("demosaic build-dataset a b --sampler t", ["top-left"]),
        ("demosaic restore fa", []),  # the shell then completes names of files
        ("demosaic restore a.png --mask ", []),
    ],
)
def test_the_shell_completes_commands_options_and_choices(words: str, expected: list[str]) -> None:
    assert completed(words) == expected


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_that_completes_names_the_program(
    shell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    script = "import sys; from demosaic.cli.main import main; sys.argv[0] = 'demosaic'; main()"
    words = [sys.executable, "-c", script, "--show-completion", shell]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert f"complete_{shell}" in done.stdout
    assert "_DEMOSAIC_COMPLETE" in done.stdout


# Options of records


COMMAND_RECORDS: list[tuple[str, type]] = [
    ("build-dataset", BuildConfig),
    ("train", TrainConfig),
    ("train", SeedConfig),
    ("train", DeviceConfig),
    ("restore", RestoreConfig),
    ("pixelate", PixelateConfig),
    ("audit", AuditConfig),
    ("evaluate", EvaluateConfig),
    ("evaluate", DeviceConfig),
    ("compare", EvaluateConfig),
]


@pytest.mark.parametrize(("command", "record"), COMMAND_RECORDS)
def test_the_help_shows_every_option_of_a_record_with_its_text_default_and_range(
    command: str, record: type
) -> None:
    said = " ".join(demosaic(command, "--help")[1].split())
    for one in options_of(record):
        metavar = one.metavar or "|".join(one.choices)
        entry = said[said.index(f" {one.name} {metavar}") + len(one.name) + 2 :]
        if record is not SeedConfig:  # its texts are those of the default recipe
            assert one.help in entry
        notes = entry.partition("[")[2].partition("]")[0]
        if one.default not in (None, (), False):
            default = f"{one.default:g}" if isinstance(one.default, float) else str(one.default)
            assert default in notes, one.name
        if " to " in one.range and record is not SeedConfig:
            assert notes.endswith(one.range), one.name


def test_a_field_of_a_record_is_an_option_of_a_command_that_takes_the_record() -> None:
    """All that a new option needs is its field."""

    @dataclass(frozen=True)
    class Zoom:
        factor: int = option(2, "How much larger.", ge=1, le=8, panel="Looks")
        filter: Literal["soft", "hard"] = option("soft", "How pixels are mixed.")
        corner: tuple[float, float] | None = option(None, "Where.", metavar="X,Y", read=read_point)
        mirror: bool = option(False, "Also mirrored.")

        def __post_init__(self) -> None:
            check(self)

    found: list[Zoom] = []

    def zoom(config: Zoom) -> None:
        found.append(config)

    app = typer.Typer(rich_markup_mode=None, add_completion=False)
    app.command(cls=Command)(takes(zoom))

    def given(*words: str) -> Any:
        return CliRunner().invoke(app, list(words), standalone_mode=False)

    for words in ((), ("--factor", "8", "--filter", "hard", "--corner", "1,2.5", "--mirror")):
        assert given(*words).exception is None
    assert found == [Zoom(), Zoom(8, "hard", (1, 2.5), True)]
    assert str(given("--factor", "9").exception) == "--factor 9: choose 1 to 8"
    assert str(given("--factor", "two").exception) == "--factor two: give a whole number"
    assert str(given("--filter", "x").exception) == "--filter x: choose soft or hard"
    assert str(given("--corner", "1").exception) == "--corner 1: give x,y in px"
    assert given("--help").stdout.splitlines() == [
        "Usage: zoom [OPTIONS]",
        "",
        "Options:",
        "  --filter soft|hard  How pixels are mixed.  [default: soft]",
        "  --corner X,Y        Where.",
        "  --mirror            Also mirrored.",
        "  --help              Show this message and exit.",
        "",
        "Looks:",
        "  --factor INTEGER  How much larger.  [default: 2; 1 to 8]",
    ]


def test_a_command_may_take_some_options_of_a_record_only() -> None:
    said = demosaic("restore", "--help")[1]
    assert "--threads" in said
    assert "--precision" not in said
    assert "--precision" in error(2, "restore", "a.png", "--precision", "fp32")


def test_the_help_of_train_shows_the_defaults_of_both_recipes() -> None:
    said = " ".join(demosaic("train", "--help")[1].split())
    for shown in (
        "[default: 20]",
        "[default: 5000 with seed]",
        "[default: 8; 4 with seed; 1 to 10000]",
        "[default: 0.02; 0.0002 with seed]",
        "[default: 100; 200 with seed]",
        "[default: 100; 250 with seed]",
        "[default: 100]",
        "[default: code]",
    ):
        assert shown in said, shown
