"""The one exception class, and the exit codes of the command line."""

PROBLEM = 1
USAGE = 2
NOTHING_TO_DO = 3
INTERRUPTED = 130  # by SIGINT, see `exit_code_of`

DISTRIBUTION = "demosaic-faces"
"""The name that pip knows; the package to import and the command are `demosaic`."""


def exit_code_of(signal: int) -> int:
    """The exit code of a process that a signal ended, as shells report it."""
    return 128 + signal


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


class DiskFull(DemosaicError):
    """Nothing more can be written: what is next would fail too."""


class Interrupted(DemosaicError):
    """The user pressed Ctrl-C, or the system ended the process. The message says what was kept and
    how to continue.
    """

    def __init__(self, message: str, exit_code: int = INTERRUPTED) -> None:
        super().__init__(message, exit_code)
