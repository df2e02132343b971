"""docs/dataset-format.md names every field that a dataset has."""

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from demosaic.dataset.records import ForgottenPhoto, Pair, Skipped

DOCUMENT = Path(__file__).parents[2] / "docs" / "dataset-format.md"


def described(section: str) -> list[str]:
    """The fields in the table of a section."""
    text = DOCUMENT.read_text(encoding="utf-8").split(f"\n## {section}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("section", "kind"),
    [("pairs.jsonl", Pair), ("skipped.jsonl", Skipped), ("forgotten.jsonl", ForgottenPhoto)],
)
def test_every_field_of_a_line_is_described(section: str, kind: type) -> None:
    assert described(section) == [field.name for field in fields(kind)]


def test_every_field_of_the_header_is_described(dataset: Path) -> None:
    assert described("dataset.json") == list(json.loads((dataset / "dataset.json").read_text()))
