"""Models that describe themselves, and what happens with files that are none."""

import json
import math
import os
import pickle
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from demosaic import __version__
from demosaic.config.networks import UNetConfig
from demosaic.config.restoration import RestoreConfig
from demosaic.errors import PROBLEM, DemosaicError
from demosaic.models.card import FORMAT
from demosaic.models.checkpoint import (
    load_model,
    load_state,
    read_card,
    save_model,
    save_state,
)
from demosaic.models.flow import Flow
from demosaic.models.restorer import Restorer
from demosaic.models.resunet import ResUNet
from demosaic.restoration.image import restore
from doubles import CARD, OUR_CARD, OURS, TINY, drawing_model, generator

CPU = torch.device("cpu")
SCORES = {"restored": {"psnr": 1 / 3, "ssim": 0.1, "l1": 0.2, "cell_error": 3.5}}


def our_model(*, sharp: bool = True) -> Restorer:
    """Our two networks, or one, whose every value is its own."""
    made = Restorer(ResUNet(OURS), ResUNet(OURS) if sharp else None)
    source = torch.Generator().manual_seed(2)
    for value in made.state_dict().values():
        value.copy_(torch.rand(value.shape, generator=source))
    return made


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "a model [1].safetensors"
    save_model(path, generator(), CARD)
    return path


def with_card(path: Path, **changes: Any) -> Path:
    """The model file with another description."""
    record = {**asdict(CARD), **changes}
    save_file(load_file(path), path, {"demosaic": json.dumps(record)})
    return path


def refusal(path: Path) -> str:
    """What `load_model` says of a file, in one line that names it."""
    with pytest.raises(DemosaicError) as caught:
        load_model(path, CPU)
    said = str(caught.value)
    assert caught.value.exit_code == PROBLEM
    assert str(path) in said
    assert "\n" not in said
    return said


class Bomb:
    """Unpickled, it makes a file."""

    def __init__(self, trace: Path) -> None:
        self._trace = trace

    def __reduce__(self) -> tuple[Any, tuple[str, int]]:
        return os.mkdir, (str(self._trace), 0o700)


# Round trips


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"network": UNetConfig(down=(2, 4), up=(6,))},
        {"network": replace(TINY, discriminator="summary")},
        {"size": 64},
        {"blocks": (4, 32)},
        {"blocks": None},
        {"step": 5000},
        {"seed": -1},
        {"dataset": "Straße [1]"},
        {"train_pairs": 1},
        {"val_pairs": 0},
        {"scores": SCORES},
        {"scores": {}},
        {"demosaic": "99.0"},
    ],
    ids=str,
)
def test_a_model_comes_back_as_it_was_saved(tmp_path: Path, change: dict[str, Any]) -> None:
    card = replace(CARD, **change)
    assert isinstance(card.network, UNetConfig)
    saved = generator(card.network)
    save_model(tmp_path / "model.safetensors", saved, card)
    loaded = load_model(tmp_path / "model.safetensors", CPU)
    assert loaded.card == card
    assert read_card(tmp_path / "model.safetensors") == card
    before, after = saved.state_dict(), loaded.generator.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("sharp", [True, False])
def test_a_model_of_ours_comes_back_as_it_was_saved(tmp_path: Path, sharp: bool) -> None:
    card, saved = replace(OUR_CARD, sharp=sharp), our_model(sharp=sharp)
    save_model(tmp_path / "model.safetensors", saved, card)
    loaded = load_model(tmp_path / "model.safetensors", CPU)
    assert loaded.card == card == read_card(tmp_path / "model.safetensors")
    assert isinstance(loaded.generator, Restorer)
    assert (loaded.generator.sharp is not None) == sharp
    before, after = saved.state_dict(), loaded.generator.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert not loaded.generator.training
    assert not any(weight.requires_grad for weight in loaded.generator.parameters())


@pytest.mark.parametrize("said", [True, False])
def test_a_model_with_another_number_of_networks_than_it_says_is_refused(
    tmp_path: Path, said: bool
) -> None:
    path = tmp_path / "model.safetensors"
    save_model(path, our_model(sharp=not said), replace(OUR_CARD, sharp=said))
    assert "its weights do not fit" in refusal(path)


@pytest.mark.parametrize(
    "change",
    [
        {"network": asdict(TINY)},
        {"network": {**asdict(OURS), "head": 0}},
        {"network": {**asdict(OURS), "up": [1, 1]}},
        {"network": {**asdict(OURS), "widths": 8}},
        {"network": {}},
        {"preset": "seed"},
        {"blocks": 4},
        {"blocks": ["a", "b"]},
        {"blocks": [32, 4]},
        {"size": 0},
        {"size": "256"},
    ],
    ids=str,
)
def test_a_damaged_description_of_ours_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "model.safetensors"
    save_model(path, our_model(), OUR_CARD)
    text = json.dumps({**asdict(OUR_CARD), **change})
    save_file(load_file(path), path, {"demosaic": text})
    assert "is not a demosaic model: its description is damaged" in refusal(path)


def test_a_loaded_model_is_ready_for_inference(model: Path) -> None:
    loaded = load_model(model, CPU).generator
    assert not loaded.training
    assert not any(weight.requires_grad for weight in loaded.parameters())
    image = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    expected = generator().eval()(image).detach()
    torch.testing.assert_close(loaded(image), expected)


def test_saving_leaves_nothing_but_the_model(model: Path) -> None:
    assert list(model.parent.iterdir()) == [model]


def test_saving_does_not_disturb_the_network_being_trained(tmp_path: Path) -> None:
    trained = generator().train()
    save_model(tmp_path / "model.safetensors", trained, CARD)
    assert trained.training
    assert all(weight.requires_grad for weight in trained.parameters())


def test_a_model_file_says_its_format_and_the_version_that_wrote_it(model: Path) -> None:
    card = read_card(model)
    assert (card.format, card.demosaic) == (FORMAT, __version__)


def test_a_state_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    state = {"step": 3, "best": {"step": 0, "psnr": float("-inf")}, "values": torch.arange(5.0)}
    save_state(tmp_path / "resume.pt", state)
    loaded = load_state(tmp_path / "resume.pt")
    assert torch.equal(loaded.pop("values"), torch.arange(5.0))
    assert loaded == {"step": 3, "best": {"step": 0, "psnr": float("-inf")}}
    assert [path.name for path in tmp_path.iterdir()] == ["resume.pt"]


# Files that are no models of ours


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    assert "there is no model file" in refusal(tmp_path / "nowhere [1].safetensors")


def test_a_folder_is_no_model(tmp_path: Path) -> None:
    best = tmp_path / "best.safetensors"
    assert refusal(tmp_path) == f"{tmp_path} is a folder: name a model in it, such as {best}"


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"x" * 5000, b"\xff" * 64])
def test_another_kind_of_file_is_no_model(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    assert "is not a demosaic model" in refusal(path)


def test_another_programs_safetensors_are_no_model_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "foreign.safetensors"
    save_file({"weight": torch.zeros(3)}, path, {"format": "pt"})
    assert "is not a demosaic model: another program wrote it" in refusal(path)
    save_file({"weight": torch.zeros(3)}, path)
    assert "is not a demosaic model: another program wrote it" in refusal(path)


@pytest.mark.parametrize("share", [0.001, 0.2, 0.999])
def test_a_truncated_model_is_refused(model: Path, share: float) -> None:
    whole = model.read_bytes()
    model.write_bytes(whole[: int(len(whole) * share)])
    assert "is not a demosaic model" in refusal(model)


def test_a_model_of_format_2_is_read_as_one_that_gives_one_sharp_picture(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_model(path, our_model(), OUR_CARD)
    record = {**asdict(OUR_CARD), "format": 2}
    del record["flow"]
    save_file(load_file(path), path, {"demosaic": json.dumps(record)})
    loaded = load_model(path)
    assert (loaded.card.sharp, loaded.card.flow, loaded.draws) == (True, None, False)
    assert isinstance(loaded.generator, Restorer)
    assert isinstance(loaded.generator.sharp, ResUNet)


def test_a_model_that_draws_comes_back_with_the_spectrum_of_its_noise(tmp_path: Path) -> None:
    saved = drawing_model()
    save_model(tmp_path / "model.safetensors", saved.generator, saved.card)
    loaded = load_model(tmp_path / "model.safetensors", CPU)
    assert loaded.draws
    before, after = saved.generator.state_dict(), loaded.generator.state_dict()
    assert "sharp.spectrum" in after
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("value", [-1.0, 1e6])
def test_noise_that_no_error_looks_like_is_refused(tmp_path: Path, value: float) -> None:
    path, made = tmp_path / "model.safetensors", drawing_model()
    assert isinstance(made.generator, Restorer) and isinstance(made.generator.sharp, Flow)
    made.generator.sharp.spectrum[1, 2] = value
    save_model(path, made.generator, made.card)
    assert "the spectrum of its noise has amplitudes that no error has" in refusal(path)


def test_a_newer_format_names_the_version_that_reads_it(model: Path) -> None:
    said = refusal(with_card(model, format=FORMAT + 1, demosaic="7.8", something_new=1))
    assert f"has format {FORMAT + 1}" in said
    assert "use demosaic 7.8" in said


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        json.dumps({"format": FORMAT}),
        json.dumps({**asdict(CARD), "unknown": 1}),
        json.dumps({**asdict(CARD), "network": {}}),
        json.dumps({**asdict(CARD), "network": {**asdict(TINY), "depth": 3}}),
        json.dumps({**asdict(CARD), "network": {**asdict(TINY), "down": [4]}}),
        json.dumps({**asdict(CARD), "network": {**asdict(TINY), "down": [4.5, 8, 8]}}),
        json.dumps({**asdict(CARD), "network": {**asdict(TINY), "down": ["a", "b", "c"]}}),
    ],
)
def test_a_damaged_description_is_refused(model: Path, text: str) -> None:
    save_file(load_file(model), model, {"demosaic": text})
    assert "is not a demosaic model: its description is damaged" in refusal(model)


def test_weights_of_another_network_are_refused(model: Path) -> None:
    other = asdict(UNetConfig(down=(8, 8, 16), up=(8, 4)))
    assert "its weights do not fit" in refusal(with_card(model, network=other))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"down": [10**7, 8, 16]}, "a layer has at most 4096 channels"),
        ({"down": [1] * 10_001, "up": [1] * 10_000}, "a network has at most 10 levels"),
        ({"down": [2**70, 8, 16]}, "is too large"),
    ],
)
def test_a_network_larger_than_any_of_ours_is_refused_before_it_is_built(
    model: Path, change: dict[str, Any], said: str
) -> None:
    assert said in refusal(with_card(model, network={**asdict(TINY), **change}))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"down": (65, 2)}, "a level has at most 64 blocks"),
        ({"down": (-1, 2)}, "a level has at most 64 blocks"),
        ({"head": 10**7}, "a layer has at most 4096 channels"),
    ],
)
def test_our_network_is_bounded_too(change: dict[str, Any], said: str) -> None:
    with pytest.raises(DemosaicError, match=said):
        replace(OURS, **change)


@pytest.mark.parametrize(
    "change", [{"size": 10**6}, {"blocks": [4]}, {"blocks": [4, 8, 16]}, {"blocks": [2, 10**9]}]
)
def test_a_card_that_would_take_any_memory_is_refused(model: Path, change: dict[str, Any]) -> None:
    assert "its description is damaged" in refusal(with_card(model, **change))


def test_a_description_nested_without_end_is_refused(model: Path) -> None:
    for text in ("[" * 100_000, '{"format":' * 40 + "1" + "}" * 40):
        save_file(load_file(model), model, {"demosaic": text})
        assert "its description is damaged: its JSON is nested too deep" in refusal(model)


def with_weights(path: Path, change: Callable[[torch.Tensor], torch.Tensor]) -> Path:
    """The model file with other weights; the counts of batches stay."""
    weights = {
        name: change(value) if value.is_floating_point() else value
        for name, value in load_file(path).items()
    }
    save_file(weights, path, {"demosaic": json.dumps(asdict(CARD))})
    return path


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_another_precision_are_brought_to_that_of_the_network(
    model: Path, kind: torch.dtype
) -> None:
    before = load_model(model, CPU).generator.state_dict()
    after = load_model(with_weights(model, lambda one: one.to(kind)), CPU).generator
    assert {name: value.dtype for name, value in after.state_dict().items()} == {
        name: value.dtype for name, value in before.items()
    }
    assert after(torch.zeros(1, 3, 32, 32)).shape == (1, 3, 32, 32)


def test_weights_that_are_whole_numbers_are_refused(model: Path) -> None:
    assert "its weights do not fit" in refusal(with_weights(model, lambda one: one.to(torch.int8)))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_weights_that_are_not_finite_are_refused(model: Path, value: float) -> None:
    said = refusal(with_weights(model, lambda one: torch.full_like(one, value)))
    assert "its weights, such as " in said
    assert "are not finite" in said


def test_a_double_that_is_infinite_in_the_precision_of_the_network_is_refused(model: Path) -> None:
    huge = with_weights(model, lambda one: torch.full(one.shape, 1e300, dtype=torch.float64))
    assert "are not finite" in refusal(huge)


def test_a_model_whose_output_is_not_finite_restores_nothing(model: Path) -> None:
    with_weights(model, lambda one: torch.full_like(one, 1e38) if one.ndim == 4 else one)
    mosaic = np.zeros((32, 32, 3), np.uint8)
    with pytest.raises(DemosaicError, match="what the model computes is not finite"):
        restore(mosaic, model=model, config=RestoreConfig(block=(4, 4), regions="whole"))


def test_missing_weights_are_refused(model: Path) -> None:
    weights = load_file(model)
    weights.pop("head.bias")
    save_file(weights, model, {"demosaic": json.dumps(asdict(CARD))})
    assert "its weights do not fit" in refusal(model)


# Nothing is unpickled


def test_a_pickle_given_as_a_model_is_not_run(tmp_path: Path) -> None:
    trace, path = tmp_path / "trace", tmp_path / "model.safetensors"
    path.write_bytes(pickle.dumps(Bomb(trace)))
    refusal(path)
    torch.save({"demosaic": Bomb(trace)}, path)
    refusal(path)
    assert not trace.exists()


def test_a_pickle_given_as_a_state_is_not_run(tmp_path: Path) -> None:
    trace, path = tmp_path / "trace", tmp_path / "resume.pt"
    for write in (
        lambda: path.write_bytes(pickle.dumps(Bomb(trace))),
        lambda: torch.save({"step": Bomb(trace)}, path),
    ):
        write()
        with pytest.raises(DemosaicError, match="damaged") as caught:
            load_state(path)
        assert str(path) in str(caught.value)
        assert not trace.exists()


def test_the_bomb_of_these_tests_does_go_off_when_unpickled(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Bomb(tmp_path / "trace")))
    assert (tmp_path / "trace").exists()


def test_a_truncated_state_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "resume.pt"
    save_state(path, {"step": 3, "values": torch.zeros(1000)})
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(DemosaicError, match="delete it to train from the start"):
        load_state(path)


def test_a_full_disk_is_one_line_that_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(state: object, path: Path) -> None:
        path.write_bytes(b"the beginning")
        raise RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 704 vs 598")

    save_state(tmp_path / "resume.pt", {"step": 1})
    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(DemosaicError, match=r"cannot write .*resume\.pt: the disk is full"):
        save_state(tmp_path / "resume.pt", {"step": 2})
    assert load_state(tmp_path / "resume.pt") == {"step": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["resume.pt"]
