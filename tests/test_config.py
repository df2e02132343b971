"""Options refuse what cannot work, in one line that names them."""

import json
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict, fields, replace
from math import nan

import pytest

from demosaic.config import (
    BuildConfig,
    DeviceConfig,
    NetworkConfig,
    RestoreConfig,
    TrainConfig,
    differences,
)
from demosaic.errors import USAGE, DemosaicError

Config = BuildConfig | DeviceConfig | NetworkConfig | RestoreConfig | TrainConfig
CONFIGS: list[type[Config]] = [
    BuildConfig,
    DeviceConfig,
    NetworkConfig,
    RestoreConfig,
    TrainConfig,
]

REFUSED: list[tuple[Callable[[], Config], str]] = [
    (lambda: BuildConfig(size=15), "--size 15"),
    (lambda: BuildConfig(size=2049), "--size 2049"),
    (lambda: BuildConfig(block=1), "--block 1"),
    (lambda: BuildConfig(size=64, block=65), "--block 65"),
    (lambda: BuildConfig(margin=0.99), "--margin 0.99"),
    (lambda: BuildConfig(margin=4.1), "--margin 4.1"),
    (lambda: BuildConfig(margin=nan), "--margin nan"),
    (lambda: BuildConfig(min_face=7), "--min-face 7"),
    (lambda: BuildConfig(min_score=0), "--min-score 0"),
    (lambda: BuildConfig(min_score=1.01), "--min-score 1.01"),
    (lambda: BuildConfig(val=-0.1), "--val -0.1"),
    (lambda: BuildConfig(val=1), "--val 1"),
    (lambda: BuildConfig(test=-0.1), "--test -0.1"),
    (lambda: BuildConfig(test=1), "--test 1"),
    (lambda: BuildConfig(val=0.5, test=0.5), "--val and --test"),
    (lambda: NetworkConfig(down=(8, 8), up=(8, 8)), "one down block more"),
    (lambda: NetworkConfig(down=(8, 0), up=(8,)), "at least one filter"),
    (lambda: NetworkConfig(discriminator="other"), "--discriminator other"),  # type: ignore[arg-type]
    (lambda: TrainConfig(preset="none"), "--preset none"),  # type: ignore[arg-type]
    (lambda: TrainConfig(direction="up"), "--direction up"),  # type: ignore[arg-type]
    (lambda: TrainConfig(steps=0), "--steps 0"),
    (lambda: TrainConfig(batch=1), "--batch 1"),
    (lambda: TrainConfig(lr=0), "--lr 0"),
    (lambda: TrainConfig(lr=nan), "--lr nan"),
    (lambda: TrainConfig(l1_weight=-1), "--l1-weight -1"),
    (lambda: TrainConfig(seed=-1), "--seed -1"),
    (lambda: TrainConfig(limit=0), "--limit 0"),
    (lambda: TrainConfig(validate_every=0), "--validate-every 0"),
    (lambda: TrainConfig(validation_pairs=0), "--validation-pairs 0"),
    (lambda: TrainConfig(save_every=0), "--save-every 0"),
    (lambda: RestoreConfig(block=1), "--block 1"),
    (lambda: RestoreConfig(region=(-1, 0, 8, 8)), "--region (-1, 0, 8, 8)"),
    (lambda: RestoreConfig(region=(0, 0, 8, 0)), "--region (0, 0, 8, 0)"),
    (lambda: DeviceConfig(precision="fp8"), "--precision fp8"),  # type: ignore[arg-type]
    (lambda: DeviceConfig(threads=0), "--threads 0"),
]


@pytest.mark.parametrize(("make", "named"), REFUSED, ids=[named for _, named in REFUSED])
def test_a_value_that_cannot_work_is_refused_by_name(
    make: Callable[[], Config], named: str
) -> None:
    with pytest.raises(DemosaicError) as caught:
        make()
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == USAGE == 2


ALLOWED: list[Config] = [
    BuildConfig(size=16, block=16, margin=1, min_face=8, min_score=1, val=0, test=0),
    BuildConfig(size=2048, block=2, margin=4, val=0.5, test=0.49),
    NetworkConfig(down=(1,), up=(), discriminator="summary"),
    TrainConfig(steps=1, batch=2, l1_weight=0, limit=1, validate_every=1, validation_pairs=1),
    TrainConfig(save_every=1, seed=0, direction="right-to-left"),
    RestoreConfig(block=2, region=(0, 0, 1, 1)),
    DeviceConfig(precision="bf16", threads=1),
]


@pytest.mark.parametrize("config", ALLOWED, ids=repr)
def test_the_ends_of_every_range_are_allowed(config: Config) -> None:
    assert replace(config) == config


def test_several_problems_come_in_one_line() -> None:
    with pytest.raises(DemosaicError) as caught:
        BuildConfig(size=8, margin=9, val=2)
    for named in ("--size 8", "--margin 9", "--val 2"):
        assert named in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("config", CONFIGS)
def test_no_option_can_be_changed_afterwards(config: type[Config]) -> None:
    made = config()
    for option in fields(made):
        with pytest.raises(FrozenInstanceError):
            setattr(made, option.name, 1)


def test_the_article_s_networks_take_multiples_of_256_pixels() -> None:
    assert NetworkConfig().multiple == 256
    assert NetworkConfig(down=(4, 8), up=(4,)).multiple == 4


@pytest.mark.parametrize(
    "config", [NetworkConfig(), NetworkConfig(down=(4, 8), up=(4,), discriminator="summary")]
)
def test_a_network_survives_json(config: NetworkConfig) -> None:
    assert NetworkConfig.from_record(json.loads(json.dumps(asdict(config)))) == config


@pytest.mark.parametrize(
    "record",
    [{}, {"layers": 3}, {"down": 3, "up": 2}, {**asdict(NetworkConfig()), "attention": True}],
)
def test_another_program_s_network_is_a_type_error(record: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        NetworkConfig.from_record(record)


def test_a_config_does_not_differ_from_its_stored_self() -> None:
    for config in (BuildConfig(), TrainConfig()):
        assert differences(json.loads(json.dumps(asdict(config))), config) == []


def test_differences_read_like_options_in_the_order_of_their_names() -> None:
    before = json.loads(json.dumps(asdict(BuildConfig())))
    assert differences(before, BuildConfig(block=8, min_face=64)) == [
        "block 16 -> 8",
        "min-face 48 -> 64",
    ]


def test_differences_reach_into_the_network() -> None:
    before = json.loads(json.dumps(asdict(TrainConfig())))
    now = TrainConfig(network=NetworkConfig(discriminator="summary"), steps=10)
    assert differences(before, now) == ["discriminator code -> summary", "steps 5000 -> 10"]


def test_an_option_that_a_stored_config_lacks_or_has_too_much_is_a_difference() -> None:
    before = asdict(BuildConfig()) | {"angle": 90}
    del before["block"]
    assert differences(before, BuildConfig()) == ["angle 90 -> None", "block None -> 16"]
