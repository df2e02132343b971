"""Whatever a file holds: it is read, or refused in one line. Nothing else ever happens.

`HYPOTHESIS_PROFILE=nightly` tries many more examples, other ones each night.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dataset_doubles import a_pair
from demosaic.config.dataset import BuildConfig
from demosaic.dataset.manifest import Manifest
from demosaic.dataset.records import Pair, Skipped
from demosaic.errors import DemosaicError
from demosaic.files import read_json, read_lines
from demosaic.imaging.decoding import decode
from demosaic.imaging.encoding import encode_png
from demosaic.imaging.opening import NotAPicture
from demosaic.models.checkpoint import load_model, read_card, save_model
from demosaic.records import read
from demosaic.training.curves import training_curves
from demosaic.training.run_folder import begun_options, pairs_of_run
from doubles import CARD, OUR_CARD, generator, texture

NUMBERS = st.integers() | st.floats() | st.sampled_from([0, -1, 2**31, 2**63, 10**40, 1e308])
TEXTS = st.text(max_size=20) | st.sampled_from(
    ["", "/", "..", "../../x", "\0", "a" * 300, "\udcff"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)


def places(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value inside a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    return [
        place
        for key, one in inside
        for place in ((*here, key), *(places(one, (*here, key)) if one_of_many(one) else ()))
    ]


def one_of_many(value: Any) -> bool:
    return isinstance(value, dict | list) and bool(value)


@st.composite
def changed(draw: st.DrawFn, value: Any) -> Any:
    """The JSON value with one value in it replaced, removed, or beside an unknown one."""
    made = json.loads(json.dumps(value))
    *way, last = draw(st.sampled_from(places(made)))
    inside = made
    for step in way:
        inside = inside[step]
    what = draw(st.sampled_from(["replaced", "removed", "added"]))
    if what == "removed":
        del inside[last]
    elif what == "added" and isinstance(inside, dict):
        inside[draw(TEXTS)] = draw(VALUES)
    else:
        inside[last] = draw(VALUES)
    return made


@st.composite
def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """The bytes with some of them changed, cut off, or put in twice."""
    made = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(0, len(made) - 1)))
        what = draw(st.sampled_from(["flipped", "cut", "doubled"]))
        if what == "cut":
            del made[place : place + draw(st.integers(1, 64))]
        elif what == "doubled":
            made[place:place] = made[place : place + draw(st.integers(1, 64))]
        elif made:
            made[place] ^= draw(st.integers(1, 255))
    return bytes(made)


def read_or_refused(use: Callable[[], object]) -> None:
    try:
        use()
    except DemosaicError as error:
        assert str(error) and "\n" not in str(error)
        assert len(str(error)) < 1000


@given(changed(vars(a_pair(1, "a/b.jpg", burst=("0" * 16, "1" * 16)))))
def test_a_line_of_a_pair_is_read_or_refused(line: Any) -> None:
    read_or_refused(lambda: read(Pair, line, "pairs.jsonl, line 1"))


@given(changed(vars(Skipped("a/b.jpg", "0" * 64, "no face", "", (1, 2, 3, 4)))))
def test_a_line_of_what_was_skipped_is_read_or_refused(line: Any) -> None:
    read_or_refused(lambda: read(Skipped, line, "skipped.jsonl, line 1"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to write files into, again and again."""
    return tmp_path_factory.mktemp("fuzz")


@given(header=changed({"format": 1, "config": asdict(BuildConfig()), "state": "finished"}))
def test_a_header_is_read_or_refused(header: Any, folder: Path) -> None:
    (folder / "dataset.json").write_text(json.dumps(header))

    def use() -> None:
        manifest = Manifest(folder)
        found = manifest.header()
        assert found is not None
        manifest.config(found)

    read_or_refused(use)


@pytest.mark.parametrize("card", [CARD, OUR_CARD], ids=["seed", "default"])
@given(data=st.data())
def test_a_card_is_read_or_refused(card: Any, folder: Path, data: st.DataObject) -> None:
    path = folder / "card.safetensors"
    text = json.dumps(data.draw(changed(asdict(card))))
    header = json.dumps({"__metadata__": {"demosaic": text}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    read_or_refused(lambda: read_card(path))


@given(data=st.data())
def test_the_bytes_of_a_model_are_a_model_or_refused(folder: Path, data: st.DataObject) -> None:
    save_model(folder / "whole.safetensors", generator(), CARD)
    path = folder / "damaged.safetensors"
    path.write_bytes(data.draw(damaged((folder / "whole.safetensors").read_bytes())))

    def use() -> None:
        found = load_model(path).generator.state_dict().values()
        assert all(bool(torch.isfinite(value).all()) for value in found)

    read_or_refused(use)


@given(damaged(encode_png(texture(16, 16))))
def test_the_bytes_of_a_picture_are_a_picture_or_none(data: bytes) -> None:
    try:
        picture = decode(data)
    except NotAPicture as error:
        assert "\n" not in str(error)
    else:
        assert picture.dtype == np.uint8
        assert (picture.ndim, picture.shape[2]) == (3, 3)


LINES = (json.dumps({"event": "StepDone", "step": 1, "losses": {"l1": 0.5}}) + "\n").encode()


@given(data=damaged(LINES * 3))
def test_the_bytes_of_json_are_read_or_refused(data: bytes, folder: Path) -> None:
    for name in ("events.jsonl", "a.json"):
        (folder / name).write_bytes(data)
    read_or_refused(lambda: read_lines(folder / "events.jsonl"))
    read_or_refused(lambda: training_curves(folder))
    read_or_refused(lambda: read_json(folder / "a.json"))


RUN = {"preset": "seed", "train": {"validations": 3}, "pairs": "../a", "fingerprint": "0" * 16}


@given(record=changed(RUN))
def test_what_a_run_says_of_itself_is_read_or_refused(record: Any, folder: Path) -> None:
    (folder / "resume.pt").touch()
    (folder / "config.json").write_text(json.dumps(record))
    read_or_refused(lambda: begun_options(folder))
    read_or_refused(lambda: pairs_of_run(folder))
