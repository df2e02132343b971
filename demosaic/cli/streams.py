"""The output of the process: what it cannot show is escaped, and what cannot be written is said."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

from demosaic.errors import DemosaicError


@contextmanager
def careful_output() -> Iterator[None]:
    """Within, stdout shows characters beyond its encoding as escapes, and a write that fails raises
    DemosaicError. A closed pipe raises what it always does: its reader has seen enough.
    """
    before = sys.stdout
    if before is None:  # the caller closed it
        yield
        return
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    sys.stdout = cast(TextIO, _Output(before))
    try:
        yield
        sys.stdout.flush()
    finally:
        sys.stdout = before


class _Output:
    """A stream whose failures are DemosaicErrors."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write a text; the number of its characters."""
        if text == "":  # Typer tries whether the stream takes texts, and hides what is raised
            return 0
        with self._explained():
            return self._stream.write(text)

    def flush(self) -> None:
        """Write what was kept back."""
        with self._explained():
            self._stream.flush()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            self._give_up()
            raise DemosaicError(
                f"cannot write to stdout: {error.strerror}; send the output elsewhere"
            ) from error

    def _give_up(self) -> None:
        """What is kept back goes nowhere: Python itself would fail on it when the process ends."""
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)
