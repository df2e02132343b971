"""What TensorBoard shows."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from demosaic.errors import DemosaicError
from demosaic.evaluation.events import Scores
from demosaic.events import Notice
from demosaic.training.events import Evaluated, StepDone
from demosaic.training.tensorboard import log_to_board


def test_losses_and_scores_reach_tensorboard(tmp_path: Path) -> None:
    listen = log_to_board(tmp_path)
    listen(Notice("nothing to plot"))
    listen(StepDone(1, 0.5, {"psnr": 20.0, "critic": 0.7}, 0.1))
    listen(StepDone(2, 0.5, {"psnr": 21.0, "critic": 0.6}, 0.2))
    listen(Evaluated(2, {"block 16, restored": Scores(24.0, 0.7, 0.1, 0.0)}, best=True))
    shown = EventAccumulator(str(tmp_path))
    shown.Reload()
    found = {
        tag: [(point.step, round(point.value, 4)) for point in shown.Scalars(tag)]
        for tag in shown.Tags()["scalars"]
    }
    assert found == {
        "loss/psnr": [(1, 20.0), (2, 21.0)],
        "loss/critic": [(1, 0.7), (2, 0.6)],
        "block 16, restored/psnr": [(2, 24.0)],
        "block 16, restored/ssim": [(2, 0.7)],
    }


def test_without_tensorboard_it_says_what_to_install(
    tmp_path: Path, distribution: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(DemosaicError) as caught:
        log_to_board(tmp_path)
    assert str(caught.value) == (
        f"--tensorboard needs the package tensorboard: pip install '{distribution}[tensorboard]'"
    )


@pytest.mark.skipif(
    version("tensorboard") < "2.21" and int(version("setuptools").split(".")[0]) >= 82,
    reason="this environment has newer setuptools than constraints.txt",
)
def test_the_program_tensorboard_starts() -> None:
    words = [sys.executable, "-m", "tensorboard.main", "--version"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.stdout.strip() == version("tensorboard")
