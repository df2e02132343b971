"""What a model says about itself, for people."""

from dataclasses import replace
from pathlib import Path

from demosaic.models.card import write_card
from doubles import CARD, OUR_CARD


def test_the_card_says_what_a_person_should_know(tmp_path: Path) -> None:
    write_card(tmp_path / "MODEL.md", CARD)
    text = (tmp_path / "MODEL.md").read_text(encoding="utf-8")
    assert "# A demosaic model: preset seed, step 6\n" in text
    assert "| reconciled | 20.12 | 0.500 | 0.0625 | 0.00 |\n" in text
    assert "cells of 4 px" in text
    assert "plausible, not true" in text
    assert "Do not use it to identify anyone" in text


def test_the_card_of_a_model_for_many_blocks_names_both_ends(tmp_path: Path) -> None:
    write_card(tmp_path / "MODEL.md", OUR_CARD)
    text = (tmp_path / "MODEL.md").read_text(encoding="utf-8")
    assert "# A demosaic model: preset default, step 6\n" in text
    assert "cells of 4 to 32 px" in text


def test_the_card_of_other_pictures_speaks_of_no_mosaic(tmp_path: Path) -> None:
    write_card(tmp_path / "MODEL.md", replace(CARD, blocks=None))
    assert "no mosaic" in (tmp_path / "MODEL.md").read_text(encoding="utf-8")


def test_a_card_knows_whether_its_model_undoes_mosaics() -> None:
    assert CARD.undoes_mosaics
    assert not replace(CARD, blocks=None).undoes_mosaics
