"""What is due after which step."""

from dataclasses import replace

import pytest

from demosaic.config.training import SeedConfig, TrainConfig
from demosaic.training.schedule import Due, due

OURS = TrainConfig(steps=12, validations=3, save_every=5)
SEED = SeedConfig(steps=12, validate_every=4, save_every=5)


@pytest.mark.parametrize("config", [OURS, SEED])
def test_validations_and_savings_come_in_their_own_rhythm(config: TrainConfig | SeedConfig) -> None:
    found = [due(config, step, (step - 1) / 12, step / 12) for step in range(1, 12)]
    assert [one.validation for one in found] == [step in (4, 8) for step in range(1, 12)]
    assert [one.saving for one in found] == [step in (5, 10) for step in range(1, 12)]
    assert not any(one.last for one in found)


@pytest.mark.parametrize("config", [OURS, SEED])
def test_the_last_step_is_validated_and_saved(config: TrainConfig | SeedConfig) -> None:
    assert due(config, 12, 11 / 12, 1.0) == Due(validation=True, saving=True, last=True)


def test_a_budget_of_minutes_ends_with_whatever_step_is_then() -> None:
    config = replace(OURS, steps=None, validations=1)
    assert due(config, 7, 0.5, 0.9) == Due(validation=False, saving=False, last=False)
    assert due(config, 8, 0.9, 1.2) == Due(validation=True, saving=True, last=True)
