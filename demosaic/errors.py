"""The one exception class, and the exit codes of the command line."""

PROBLEM = 1
USAGE = 2
NOTHING_TO_DO = 3
INTERRUPTED = 130  # 128 + SIGINT, as shells report it

DISTRIBUTION = "demosaic-faces"
"""The name that pip knows; the package to import and the command are `demosaic`."""


def how_to_install(extra: str) -> str:
    """The command that installs what an optional feature needs; `extra` as in pyproject.toml."""
    return f"pip install '{DISTRIBUTION}[{extra}]'"


class DemosaicError(Exception):
    """Something the user can put right. The message is one sentence that names the file or the
    option, and the way out.
    """

    def __init__(self, message: str, exit_code: int = PROBLEM) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Interrupted(DemosaicError):
    """The user pressed Ctrl-C. The message says what was kept and how to continue."""

    def __init__(self, message: str) -> None:
        super().__init__(message, INTERRUPTED)
