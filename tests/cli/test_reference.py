"""docs/cli.md and docs/events.md are what the commands say of themselves."""

from pathlib import Path

from demosaic.cli.reference import reference
from demosaic.cli.schema import schema

EVENTS = Path(__file__).parents[2] / "docs" / "events.md"
PAGE = Path(__file__).parents[2] / "docs" / "cli.md"


def test_the_reference_of_the_command_line_is_current() -> None:
    renew = "renew it: python -m demosaic.cli.reference > docs/cli.md"
    assert PAGE.read_text(encoding="utf-8") == reference(), renew


def test_the_schema_of_the_events_is_current() -> None:
    renew = "renew it: python -m demosaic.cli.schema > docs/events.md"
    assert EVENTS.read_text(encoding="utf-8") == schema(), renew


def test_the_reference_shows_every_command_with_its_usage() -> None:
    lines = reference().splitlines()
    usages = [line.strip("`") for line in lines if "[OPTIONS]" in line]
    assert usages == [
        "demosaic build-dataset [OPTIONS] PHOTOS PAIRS",
        "demosaic train [OPTIONS] PAIRS",
        "demosaic restore [OPTIONS] PICTURE...",
        "demosaic serve [OPTIONS]",
        "demosaic evaluate [OPTIONS] PAIRS",
        "demosaic compare [OPTIONS] RUN...",
        "demosaic runs [OPTIONS]",
        "demosaic models [OPTIONS]",
        "demosaic pixelate [OPTIONS] PHOTO...",
        "demosaic audit [OPTIONS] PHOTOS",
        "demosaic forget [OPTIONS] PAIRS NAME",
        "demosaic export [OPTIONS] MODEL",
        "demosaic config [OPTIONS] [COMMAND]",
        "demosaic doctor [OPTIONS]",
    ]
    assert [line for line in lines if line.startswith("## ")] == [
        f"## {usage.split()[1]}" for usage in usages
    ]
