"""What a command says, and how."""

from dataclasses import dataclass

from demosaic.config.options import check, option
from demosaic.config.rules import unless

_PANEL = "Output"


@dataclass(frozen=True)
class ScreenConfig:
    """What a command says, and how."""

    quiet: bool = option(False, "Say nothing, except errors.", short="-q", panel=_PANEL)
    verbose: bool = option(
        False, "Say more: every file written, every score.", short="-v", panel=_PANEL
    )
    json: bool = option(
        False,
        "Report every event as a line of JSON on stdout; text goes to stderr.",
        panel=_PANEL,
    )

    def __post_init__(self) -> None:
        check(
            self,
            unless(not (self.quiet and self.verbose), "--quiet and --verbose: give one of the two"),
        )
