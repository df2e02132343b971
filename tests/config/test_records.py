"""Options refuse what cannot work, in one line that names them."""

import json
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict, fields, replace
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demosaic.config.compute import DeviceConfig
from demosaic.config.dataset import BuildConfig
from demosaic.config.networks import NETWORKS, ResUNetConfig, UNetConfig
from demosaic.config.privacy import PixelateConfig
from demosaic.config.restoration import RestoreConfig
from demosaic.config.rules import differences
from demosaic.config.training import SeedConfig, TrainConfig
from demosaic.errors import USAGE, DemosaicError
from demosaic.records import read

Config = (
    BuildConfig
    | DeviceConfig
    | UNetConfig
    | ResUNetConfig
    | RestoreConfig
    | PixelateConfig
    | TrainConfig
    | SeedConfig
)
CONFIGS: list[type[BuildConfig | DeviceConfig | UNetConfig | RestoreConfig | PixelateConfig]] = [
    BuildConfig,
    DeviceConfig,
    UNetConfig,
    RestoreConfig,
    PixelateConfig,
]
SMALL = ResUNetConfig(widths=(8, 8), down=(1, 2), up=(1,), attention=1, head=4)

REFUSED: list[tuple[Callable[[], Config], str]] = [
    (lambda: BuildConfig(size=15), "--size 15"),
    (lambda: BuildConfig(size=2049), "--size 2049"),
    (lambda: BuildConfig(block=0), "--block 0"),
    (lambda: BuildConfig(block=1), "--block 1"),
    (lambda: BuildConfig(block=2.5), "--block 2.5"),
    (lambda: BuildConfig(block=nan), "--block nan"),
    (lambda: BuildConfig(blocks=(1, 8)), "--blocks 1:8"),
    (lambda: BuildConfig(blocks=(9, 8)), "--blocks 9:8"),
    (lambda: BuildConfig(size=64, blocks=(8, 65)), "--blocks 8:65"),
    (lambda: BuildConfig(sampler="x"), "--sampler x: choose mean, centre, top-left or linear"),  # type: ignore[arg-type]
    (lambda: BuildConfig(offset="x"), "--offset x: choose corner or random"),  # type: ignore[arg-type]
    (lambda: BuildConfig(size=64, block=65), "--block 65"),
    (lambda: BuildConfig(margin=0.99), "--margin 0.99"),
    (lambda: BuildConfig(margin=4.1), "--margin 4.1"),
    (lambda: BuildConfig(margin=nan), "--margin nan"),
    (lambda: BuildConfig(min_face=7), "--min-face 7"),
    (lambda: BuildConfig(min_score=0.29), "--min-score 0.29"),
    (lambda: BuildConfig(min_score=1.01), "--min-score 1.01"),
    (lambda: BuildConfig(max_per_photo=-1), "--max-per-photo -1"),
    (lambda: BuildConfig(max_enlarge=0), "--max-enlarge 0"),
    (lambda: BuildConfig(max_enlarge=nan), "--max-enlarge nan"),
    (lambda: BuildConfig(min_sharpness=-0.1), "--min-sharpness -0.1"),
    (lambda: BuildConfig(min_sharpness=1.1), "--min-sharpness 1.1"),
    (lambda: BuildConfig(val=-0.1), "--val -0.1"),
    (lambda: BuildConfig(val=1), "--val 1"),
    (lambda: BuildConfig(test=-0.1), "--test -0.1"),
    (lambda: BuildConfig(test=1), "--test 1"),
    (lambda: BuildConfig(val=0.5, test=0.5), "--val and --test"),
    (lambda: UNetConfig(down=(8, 8), up=(8, 8)), "one down block more"),
    (lambda: UNetConfig(down=(8, 0), up=(8,)), "at least one filter"),
    (lambda: UNetConfig(discriminator="other"), "--discriminator other"),  # type: ignore[arg-type]
    (lambda: replace(SMALL, up=(1, 1)), "its blocks up"),
    (lambda: replace(SMALL, down=(1,)), "its blocks down"),
    (lambda: replace(SMALL, widths=(8, 0)), "at least one channel"),
    (lambda: replace(SMALL, head=0), "the head has at least one channel"),
    (lambda: TrainConfig(minutes=0), "--minutes 0"),
    (lambda: TrainConfig(minutes=nan), "--minutes nan"),
    (lambda: TrainConfig(steps=0), "--steps 0"),
    (lambda: TrainConfig(network="L"), "--network L"),  # type: ignore[arg-type]
    (lambda: TrainConfig(batch=0), "--batch 0"),
    (lambda: TrainConfig(batch=10**12), "--batch 1000000000000: choose 1 to 10000"),
    (lambda: TrainConfig(parts=0), "--parts 0"),
    (lambda: TrainConfig(batch=2, parts=3), "--parts 3"),
    (lambda: TrainConfig(lr=0), "--lr 0"),
    (lambda: TrainConfig(lr=nan), "--lr nan"),
    (lambda: TrainConfig(lr=inf), "--lr inf"),
    (lambda: TrainConfig(sharpen=-0.1), "--sharpen -0.1"),
    (lambda: TrainConfig(sharpen=1, init="none"), "--sharpen 1: name a model"),
    (lambda: TrainConfig(album=True, init="none"), "--album: starts from a model"),
    (lambda: TrainConfig(sharpen=nan), "--sharpen nan"),
    (lambda: TrainConfig(seed=-1), "--seed -1"),
    (lambda: TrainConfig(limit=0), "--limit 0"),
    (lambda: TrainConfig(direction="up"), "--direction up"),  # type: ignore[arg-type]
    (lambda: TrainConfig(validations=0), "--validations 0"),
    (lambda: TrainConfig(validation_pairs=0), "--validation-pairs 0"),
    (lambda: TrainConfig(save_every=0), "--save-every 0"),
    (lambda: SeedConfig(direction="up"), "--direction up"),  # type: ignore[arg-type]
    (lambda: SeedConfig(steps=0), "--steps 0"),
    (lambda: SeedConfig(batch=1), "--batch 1"),
    (lambda: SeedConfig(batch=10**12), "--batch 1000000000000: choose 2 to 10000"),
    (lambda: SeedConfig(lr=0), "--lr 0"),
    (lambda: SeedConfig(lr=nan), "--lr nan"),
    (lambda: SeedConfig(l1_weight=-1), "--l1-weight -1"),
    (lambda: SeedConfig(l1_weight=inf), "--l1-weight inf"),
    (lambda: SeedConfig(seed=2**63), "--seed 9223372036854775808: choose 0 to 9223372036854775807"),
    (lambda: SeedConfig(seed=-1), "--seed -1"),
    (lambda: SeedConfig(limit=0), "--limit 0"),
    (lambda: SeedConfig(validate_every=0), "--validate-every 0"),
    (lambda: SeedConfig(validation_pairs=0), "--validation-pairs 0"),
    (lambda: SeedConfig(save_every=0), "--save-every 0"),
    (lambda: SeedConfig(discriminator="other"), "--discriminator other: choose code or summary"),  # type: ignore[arg-type]
    (lambda: RestoreConfig(block=(1, 8)), "--block 1x8"),
    (lambda: RestoreConfig(block=(8, nan)), "--block 8xnan"),
    (lambda: RestoreConfig(offset=(1, 1)), "--block"),
    (lambda: RestoreConfig(block=(8, 8), offset=(nan, 1)), "--offset nan,1: give x,y"),
    (lambda: RestoreConfig(block=(8, 8), offset=(1, inf)), "--offset 1,inf"),
    (lambda: RestoreConfig(mask="m.png", regions="whole"), "--mask"),
    (lambda: RestoreConfig(consistency=1.1), "--consistency 1.1"),
    (lambda: RestoreConfig(consistency=nan), "--consistency nan"),
    (lambda: RestoreConfig(sampler="median"), "--sampler median"),  # type: ignore[arg-type]
    (lambda: RestoreConfig(realism=-0.1), "--realism -0.1"),
    (lambda: RestoreConfig(realism=1.1), "--realism 1.1"),
    (lambda: RestoreConfig(realism=nan), "--realism nan"),
    (lambda: RestoreConfig(regions=((-1, 0, 8, 8),)), "--region -1,0,8,8"),
    (lambda: RestoreConfig(regions=((0, 0, 8, 0),)), "--region 0,0,8,0"),
    (lambda: PixelateConfig(regions=((0, 0, 8, 8), (0, -1, 8, 8))), "--region 0,-1,8,8"),
    (lambda: PixelateConfig(regions=((0, 0, 0, 8),)), "--region 0,0,0,8"),
    (lambda: PixelateConfig(style="pink"), "--style pink"),  # type: ignore[arg-type]
    (lambda: PixelateConfig(block=0), "--block 0"),
    (lambda: PixelateConfig(block=1), "--block 1"),
    (lambda: PixelateConfig(block=2.5), "--block 2.5"),
    (lambda: PixelateConfig(block=nan), "--block nan"),
    (lambda: PixelateConfig(block=10_001), "--block 10001: choose 2 to 10000 px"),
    (lambda: PixelateConfig(shape="star"), "--shape star"),  # type: ignore[arg-type]
    (lambda: PixelateConfig(margin=0.9), "--margin 0.9"),
    (lambda: PixelateConfig(margin=4.1), "--margin 4.1"),
    (lambda: PixelateConfig(sampler="median"), "--sampler median"),  # type: ignore[arg-type]
    (lambda: PixelateConfig(min_score=0.29), "--min-score 0.29"),
    (lambda: DeviceConfig(precision="fp8"), "--precision fp8"),  # type: ignore[arg-type]
    (lambda: DeviceConfig(threads=0), "--threads 0"),
    (lambda: DeviceConfig(threads=1025), "--threads 1025: choose 1 to 1024"),
]


@pytest.mark.parametrize(("make", "named"), REFUSED)
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
    BuildConfig(block=0.01, blocks=(2, 256), offset="random", sampler="linear"),
    BuildConfig(blocks=(8, 8)),
    UNetConfig(down=(1,), up=(), discriminator="summary"),
    SeedConfig(steps=1, batch=2, l1_weight=0, limit=1, validate_every=1, validation_pairs=1),
    SeedConfig(save_every=1, seed=0, direction="right-to-left"),
    ResUNetConfig(widths=(1,), down=(0,), up=(), attention=9, head=1),
    TrainConfig(minutes=0.001, steps=1, batch=1, sharpen=0, limit=1, validations=1, seed=0),
    TrainConfig(
        batch=4, parts=4, sharpen=1, init="m", validation_pairs=1, save_every=1, network="M"
    ),
    RestoreConfig(block=(2, 2.5), offset=(0, 0), regions=((0, 0, 1, 1),), realism=0),
    RestoreConfig(regions="whole", sampler="linear", consistency=0),
    RestoreConfig(realism=1),
    PixelateConfig(block=0.01, margin=1, min_score=1, regions=((0, 0, 1, 1),), style="solid"),
    PixelateConfig(block=2, margin=4, min_score=0.3, sampler="linear", shape="ellipse"),
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


@pytest.mark.parametrize(
    "config", [kind() for kind in (*CONFIGS, TrainConfig, SeedConfig)] + [SMALL], ids=repr
)
def test_no_option_can_be_changed_afterwards(config: Config) -> None:
    for option in fields(config):
        with pytest.raises(FrozenInstanceError):
            setattr(config, option.name, 1)


def test_the_article_s_networks_take_multiples_of_256_pixels() -> None:
    assert UNetConfig().multiple == 256
    assert UNetConfig(down=(4, 8), up=(4,)).multiple == 4


@pytest.mark.parametrize(
    "config", [UNetConfig(), UNetConfig(down=(4, 8), up=(4,), discriminator="summary")]
)
def test_a_network_survives_json(config: UNetConfig) -> None:
    assert read(UNetConfig, json.loads(json.dumps(asdict(config))), "here") == config


@pytest.mark.parametrize("config", [*NETWORKS.values(), SMALL])
def test_a_network_of_ours_survives_json(config: ResUNetConfig) -> None:
    assert read(ResUNetConfig, json.loads(json.dumps(asdict(config))), "here") == config


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"layers": 3},
        asdict(UNetConfig()),
        {**asdict(SMALL), "depth": 3},
        {name: value for name, value in asdict(SMALL).items() if name != "up"},
        {name: value for name, value in asdict(SMALL).items() if name != "head"},
        {**asdict(SMALL), "widths": 8},
    ],
)
def test_another_program_s_network_is_not_taken_for_ours(
    record: dict[str, object],
) -> None:
    with pytest.raises(DemosaicError, match=r"^here is damaged"):
        read(ResUNetConfig, record, "here", complete=True)


@pytest.mark.parametrize(
    "record",
    [{}, {"layers": 3}, {"down": 3, "up": 2}, {**asdict(UNetConfig()), "attention": True}],
)
def test_another_program_s_network_is_not_the_article_s(
    record: dict[str, object],
) -> None:
    with pytest.raises(DemosaicError, match=r"^here is damaged"):
        read(UNetConfig, record, "here", complete=True)


def test_a_config_does_not_differ_from_its_stored_self() -> None:
    for config in (BuildConfig(), TrainConfig(), SeedConfig()):
        assert differences(json.loads(json.dumps(asdict(config))), config) == []


def test_differences_read_like_options_in_the_order_of_their_names() -> None:
    before = json.loads(json.dumps(asdict(BuildConfig())))
    assert differences(before, BuildConfig(block=8, min_face=64)) == [
        "block 16 -> 8",
        "min-face 48 -> 64",
    ]


def test_differences_name_what_changed_in_the_network_of_an_earlier_seed_run() -> None:
    """It was nested then, and is flat now."""
    before = json.loads(json.dumps(asdict(SeedConfig())))
    network = {name: before.pop(name) for name in ("down", "up", "discriminator")}
    changed = replace(SeedConfig(), discriminator="summary")
    assert differences({**before, "network": network}, changed) == ["discriminator code -> summary"]


def test_an_earlier_run_s_config_which_nests_its_network_is_read_the_same() -> None:
    now = SeedConfig(discriminator="summary", down=(4, 8), up=(4,), steps=10)
    before = json.loads(json.dumps(asdict(now)))
    before["network"] = {name: before.pop(name) for name in ("down", "up", "discriminator")}
    assert differences(before, now) == []
    assert differences(before, replace(now, discriminator="code", steps=20)) == [
        "discriminator summary -> code",
        "steps 10 -> 20",
    ]


def test_an_option_that_a_stored_config_lacks_or_has_too_much_is_a_difference() -> None:
    before = asdict(BuildConfig()) | {"angle": 90}
    del before["block"]
    assert differences(before, BuildConfig()) == ["angle 90 -> None", "block None -> 16"]


# Budgets


def test_a_budget_is_said_in_words() -> None:
    assert TrainConfig().budget == "20 minutes"
    assert TrainConfig(minutes=0.5).budget == "0.5 minutes"
    assert TrainConfig(steps=300).budget == "300 steps"
    assert SeedConfig().budget == "5000 steps"


def test_progress_is_a_share_of_the_minutes_or_of_the_steps_when_there_are_any() -> None:
    assert TrainConfig(minutes=2).progress(1000, 30.0) == 0.25
    assert TrainConfig(minutes=2, steps=40).progress(10, 1e9) == 0.25
    assert SeedConfig(steps=8).progress(6, 1e9) == 0.75


@given(st.integers(1, 60), st.integers(1, 12))
def test_validations_come_as_often_as_asked_and_end_with_the_budget(steps: int, count: int) -> None:
    """One a step at most, so fewer where there are fewer steps."""
    config = TrainConfig(steps=steps, validations=count)
    progress = [config.progress(step, 0.0) for step in range(steps + 1)]
    due = [
        step
        for step in range(1, steps + 1)
        if config.validates(step, progress[step - 1], progress[step])
    ]
    assert len(due) == min(count, steps)
    assert due[-1] == steps
    assert all(abs(step - (number + 1) * steps / len(due)) <= 1 for number, step in enumerate(due))


@pytest.mark.parametrize(("steps", "count"), [(1, 1), (12, 1), (40, 4), (79, 7), (900, 8)])
def test_a_short_run_is_validated_less_often_unless_asked(steps: int, count: int) -> None:
    config = TrainConfig(steps=steps)
    due = [config.validates(n, n / steps, (n + 1) / steps) for n in range(steps)]
    assert sum(due) == count
    assert due[-1]


def test_the_article_validates_every_so_many_steps() -> None:
    config = SeedConfig(steps=10, validate_every=4)
    due = [step for step in range(1, 11) if config.validates(step, 0.0, 1.0)]
    assert due == [4, 8]


def test_the_two_recipes_go_by_their_presets() -> None:
    assert (TrainConfig.preset, SeedConfig.preset) == ("default", "seed")
    assert (TrainConfig().multiple, SeedConfig().multiple) == (32, 256)
    assert set(NETWORKS) == {"S", "box", "M"}
    assert all(4 << (len(one.widths) - 1) == TrainConfig.multiple for one in NETWORKS.values())
    assert all(one.widths[one.attention] % 4 == 0 for one in NETWORKS.values())
