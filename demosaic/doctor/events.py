"""Events of checking an installation."""

from dataclasses import dataclass

from demosaic.events import Event


@dataclass(frozen=True)
class Checked(Event):
    """One check of the installation is done."""

    what: str
    found: str
    """What was found; empty when something is wrong."""
    advice: str = ""
    """What is wrong and how to mend it; empty when all is well."""


@dataclass(frozen=True)
class DoctorReport(Event):
    """The result of all checks."""

    checks: tuple[Checked, ...]
    seconds: float

    @property
    def problems(self) -> list[Checked]:
        """The checks that failed."""
        return [check for check in self.checks if check.advice]
