"""The first tab, asked as the page asks: mosaics found, measured, restored, written."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pytest
from PIL import Image

from demosaic.app.jobs import Job, Result
from demosaic.config.restoration import RestoreConfig
from demosaic.detection.detector import find_mosaics
from demosaic.imaging.arrays import Pixels
from demosaic.imaging.decoding import decode
from demosaic.imaging.encoding import encode_png
from demosaic.imaging.geometry import Box, crop, paste
from demosaic.mosaic.grid import Grid
from demosaic.restoration.image import restore_image
from demosaic.restoration.picture_file import restore_file
from doubles import COMPUTE, encoded, mosaicked, texture

if TYPE_CHECKING:
    from served import Served

BOX = Box(24, 16, 64, 48)
Made = TypeVar("Made")

FOUND = {
    "box": [24, 16, 64, 48],
    "block": [8, 8],
    "offset": [0, 0],
    "confidence": 1.0,
    "found": 0,
}


def photo() -> Pixels:
    """Noise with a mosaic in it."""
    return paste(texture(96, 128), mosaicked(48, 64, Grid.square(8)), BOX)


def in_thread_of_jobs(served: "Served", work: Callable[[], Made]) -> Made:
    """What the work returns. Its results depend on the thread, in the last bit."""
    done = []

    def as_job(job: Job) -> Result:
        done.append(work())
        return {}

    served.ended(served.jobs.start(as_job, served.tools.uploads.root).id)
    return done[0]


def restored(served: "Served", realism: float, seed: int) -> Pixels:
    """What the model makes of the photo."""
    config = RestoreConfig(realism=realism, seed=seed)
    return in_thread_of_jobs(
        served, lambda: restore_image(photo(), served.tools.model, config, COMPUTE).picture
    )


def test_mosaics_are_found_and_the_picture_is_shown(served: "Served") -> None:
    state = served.done("find", upload=served.upload(encode_png(photo())))
    assert state["result"] == {
        "width": 128,
        "height": 96,
        "frames": 1,
        "notes": [],
        "mosaics": [FOUND],
    }
    assert np.array_equal(decode(served.file(state, "shown.png")), photo())


def test_cells_are_found_in_a_box_drawn_by_hand(served: "Served") -> None:
    upload = served.upload(encode_png(photo()))
    mosaic = {"box": [27, 20, 61, 44]}
    found = served.done("measure", upload=upload, mosaic=mosaic)["result"]["mosaic"]
    assert (found["box"], found["block"], found["offset"]) == ([27, 20, 61, 44], [8, 8], [5, 4])
    state = served.ended(
        served.start("measure", upload=upload, mosaic={"box": [92, 0, 30, 30]}).json["id"]
    )
    assert state["error"] == (
        "No cells were found in the box at 92, 0 (30 x 30 px). "
        "Make it fit the mosaic, or set the cells by hand."
    )


def test_layers_are_the_mosaics_restored_at_three_realisms(served: "Served") -> None:
    upload = served.upload(encode_png(photo()))
    state = served.done("restore", upload=upload, mosaics=[FOUND_BY_HAND], draws=2, seed=5)
    assert state["result"] == {
        "mosaics": [{"sampler": "mean", "cell_error": state["result"]["mosaics"][0]["cell_error"]}],
        "draws": 2,
        "steps": [0.0, 0.5, 1.0],
        "spread": 0.0,
    }
    assert (state["done"], state["total"]) == (5, 5)
    for name, realism, seed in (("mean-0", 0.0, 5), ("draw-1-1-0", 0.5, 6)):
        shown = decode(served.file(state, f"{name}.png"))
        assert np.array_equal(shown, crop(restored(served, realism, seed), BOX)), name


FOUND_BY_HAND = {"box": [24, 16, 64, 48], "block": [8, 8], "offset": [0, 0]}


def test_the_spread_is_black_where_draws_agree(served: "Served") -> None:
    upload = served.upload(encode_png(photo()))
    state = served.done("restore", upload=upload, mosaics=[FOUND_BY_HAND], spread=True)
    spread = decode(served.file(state, "spread-0.png"))
    assert spread.shape == (48, 64, 3)
    assert state["result"]["spread"] >= 1
    assert spread.max() > 100


def test_an_ellipse_that_was_found_keeps_its_shape(served: "Served") -> None:
    y, x = np.mgrid[:96, :96]
    inside = (x - 47.5) ** 2 + (y - 47.5) ** 2 <= 48**2
    clean, around = texture(160, 160), Box(32, 32, 96, 96)
    piece = np.where(inside[:, :, None], mosaicked(96, 96, Grid.square(8)), crop(clean, around))
    picture = paste(clean, piece, around)
    (region,) = find_mosaics(picture)
    assert not region.hidden.all()
    upload = served.upload(encode_png(picture))
    (mosaic,) = served.done("find", upload=upload)["result"]["mosaics"]
    asked = {name: mosaic[name] for name in ("box", "block", "offset", "found")}
    state = served.done("restore", upload=upload, mosaics=[asked])
    shown = decode(served.file(state, "mean-0.png"))
    assert np.array_equal(shown[~region.hidden], crop(picture, region.box)[~region.hidden])


def test_a_grid_that_does_not_fit_is_refused_in_words(served: "Served") -> None:
    upload = served.upload(encode_png(photo()))
    mosaic = {**FOUND_BY_HAND, "block": [11, 8]}
    state = served.ended(served.start("restore", upload=upload, mosaics=[mosaic]).json["id"])
    assert state["error"] == (
        "The box at 24, 16 has no mosaic with cells of 11 x 8 px there. "
        "Move the grid until its lines lie on the edges of the cells."
    )


@pytest.mark.parametrize(("kind", "suffix"), [("TIFF", ".tif"), ("BMP", ".png")])
def test_a_download_is_the_file_that_the_command_writes(
    served: "Served", tmp_path: Path, kind: str, suffix: str
) -> None:
    data = encoded(Image.fromarray(photo()), kind, dpi=(300, 300))
    source, out = tmp_path / "face", tmp_path / f"out{suffix}"
    source.write_bytes(data)
    config = RestoreConfig(realism=0.7, seed=3)
    in_thread_of_jobs(
        served, lambda: restore_file(source, out, served.tools.model, config, COMPUTE)
    )
    asked = {"mosaics": [FOUND_BY_HAND], "realism": 0.7, "seed": 3}
    state = served.done("write", upload=served.upload(data), **asked)
    assert state["result"] == {"suffix": suffix}
    assert served.file(state, "result") == out.read_bytes()


def test_an_animation_is_restored_whole(served: "Served") -> None:
    frames = [Image.fromarray(photo()), Image.fromarray(photo()[::-1].copy())]
    data = encoded(frames[0], "PNG", save_all=True, append_images=frames[1:], duration=100)
    upload = served.upload(data)
    found = served.done("find", upload=upload)["result"]
    assert (found["frames"], found["mosaics"]) == (2, [])
    state = served.done("restore-frames", upload=upload, realism=0.5)
    with Image.open(io.BytesIO(served.file(state, "result"))) as result:
        assert getattr(result, "n_frames", 1) == 2
    assert state["result"]["suffix"] == ".png"


def test_two_tabs_work_one_after_the_other(served: "Served") -> None:
    uploads = [served.upload(encode_png(photo())) for _ in range(2)]
    asked = {"mosaics": [FOUND_BY_HAND]}
    jobs = [served.start("restore", upload=one, **asked).json["id"] for one in uploads]
    states = [served.ended(job) for job in jobs]
    assert [state["state"] for state in states] == ["done", "done"]
    first, second = (served.file(state, "draw-0-1-0.png") for state in states)
    assert first == second


def test_a_job_can_be_cancelled(served: "Served") -> None:
    upload = served.upload(encode_png(photo()))
    asked = {"upload": upload, "mosaics": [FOUND_BY_HAND], "draws": 8, "spread": True}
    job = served.start("restore", **asked).json["id"]
    assert served.send("DELETE", f"/jobs/{job}").status == 200
    assert served.ended(job)["state"] == "cancelled"
    assert served.send("GET", f"/jobs/{job}/mean-0.png").status == 404
