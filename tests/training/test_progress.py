"""The page to look at while a run trains."""

from pathlib import Path

from demosaic.config.training import TrainConfig
from demosaic.files import write_lines
from demosaic.training.progress import write_progress
from doubles import grey

ROW = {"mosaic": grey(10), "mean": grey(20), "original": grey(30)}
STEP = {"event": "StepDone", "step": 10, "seconds": 1.0, "losses": {"psnr": 20.0}, "progress": 0.2}


def page(run: Path, step: int, done: float, rows: int = 1) -> str:
    write_progress(run, step, done, TrainConfig(minutes=5), [ROW] * rows)
    return (run / "progress.html").read_text()


def test_the_page_renews_itself_until_the_run_is_finished(tmp_path: Path) -> None:
    run = tmp_path / "mine [1]"
    run.mkdir()
    first = page(run, 0, 0.0, rows=0)
    assert "<title>Training mine [1]</title>" in first
    assert '<meta http-equiv="refresh" content="20">' in first
    assert "It may take 5 minutes. Faces come with the first validation." in first
    write_lines(run / "events.jsonl", [STEP])
    middle = page(run, 10, 0.2)
    assert "10 steps, 20% of 5 minutes. This page renews itself." in middle
    assert middle.count("face 1") >= 1
    assert "psnr in training" in middle
    last = page(run, 50, 1.0)
    assert "Finished after 50 steps." in last
    assert "refresh" not in last
