"""What is due after a step: a validation, a saved state, the end."""

from dataclasses import dataclass

from demosaic.config.training import SeedConfig, TrainConfig


@dataclass(frozen=True)
class Due:
    """What is due after a step."""

    validation: bool
    saving: bool
    last: bool
    """Whether the budget is used up."""


def due(config: TrainConfig | SeedConfig, step: int, before: float, after: float) -> Due:
    """What is due after step number `step`, which used the budget from `before` to `after`
    (0..1). The last step is always followed by a validation and saved.
    """
    last = after >= 1
    return Due(
        validation=last or config.validates(step, before, after),
        saving=last or step % config.save_every == 0,
        last=last,
    )
