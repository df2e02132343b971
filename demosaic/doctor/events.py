"""What is said of an installation."""

from dataclasses import dataclass

from demosaic.events import Event


@dataclass(frozen=True)
class Checked(Event):
    """One thing that demosaic needs was looked at."""

    what: str
    found: str
    """What there is; empty when it is not as it should be."""
    advice: str = ""
    """What is wrong and what to do; empty when all is well."""


@dataclass(frozen=True)
class DoctorReport(Event):
    """What a look at the installation found."""

    checks: tuple[Checked, ...]
    seconds: float

    @property
    def problems(self) -> list[Checked]:
        """What is not well."""
        return [check for check in self.checks if check.advice]
