"""The examples run as they are."""

import subprocess
import sys
from pathlib import Path

import numpy as np

from demosaic.imaging.decoding import read_image
from demosaic.models.checkpoint import save_model
from demosaic.mosaic.grid import Grid
from doubles import a_model, mosaicked, save

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_a_picture_is_restored_in_ten_lines_of_python(tmp_path: Path) -> None:
    model = a_model()
    save_model(tmp_path / "model.safetensors", model.generator, model.card)
    source = save(tmp_path / "a.png", mosaicked(32, 48, Grid.square(4)))
    script = EXAMPLES / "restore_in_python.py"
    words = [str(script), str(tmp_path / "model.safetensors"), str(source), str(tmp_path / "b.png")]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "box=(0, 0, 48, 32), block=(4, 4), offset=(0, 0), sampler='mean'" in done.stdout
    assert not np.array_equal(read_image(tmp_path / "b.png"), read_image(source))
