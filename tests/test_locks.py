"""One command at a time writes to a folder."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from demosaic.errors import DemosaicError
from demosaic.locks import written_alone

OTHER = """
import sys, time
from pathlib import Path
from demosaic.locks import written_alone

with written_alone(Path(sys.argv[1])):
    print("writing", flush=True)
    time.sleep(60)
"""


def test_a_second_writer_is_refused_with_the_first_one_s_process_and_time(tmp_path: Path) -> None:
    with written_alone(tmp_path / "pairs"):
        with pytest.raises(DemosaicError) as caught, written_alone(tmp_path / "pairs"):
            pass
        when = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
        assert re.sub(when, "NOW", str(caught.value)) == (
            f"process {os.getpid()}, which began at NOW, already writes to {tmp_path / 'pairs'}: "
            "wait until it ends, or stop it"
        )
        with written_alone(tmp_path / "others"):
            pass
    with written_alone(tmp_path / "pairs"):
        pass


def test_a_writer_that_says_nothing_of_itself_is_another_process(tmp_path: Path) -> None:
    with written_alone(tmp_path):
        (tmp_path / ".writer.json").write_text("[" * 5000)
        with pytest.raises(DemosaicError, match="another process already writes to"):
            written_alone(tmp_path).__enter__()


def test_a_killed_writer_is_in_nobody_s_way(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OTHER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"writing\n"
        with pytest.raises(DemosaicError, match=f"process {other.pid}, which began"):
            written_alone(tmp_path).__enter__()
        other.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        other.wait()
    with written_alone(tmp_path):
        pass


def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    letter = tmp_path / "letter"
    letter.write_text("dear")
    folder = tmp_path / "pairs"
    folder.mkdir()
    (folder / ".lock").symlink_to(letter)
    (folder / ".writer.json").symlink_to(letter)
    with pytest.raises(DemosaicError, match="cannot write"):
        written_alone(folder).__enter__()
    assert letter.read_text() == "dear"
