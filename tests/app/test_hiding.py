"""The second tab, asked as the page asks: faces found, and hidden where the page says."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import people
from demosaic.config.privacy import PixelateConfig
from demosaic.imaging.batch import Job
from demosaic.imaging.decoding import decode
from demosaic.imaging.encoding import encode_png
from demosaic.privacy.pixelate import faces_in, pixelate_file
from doubles import texture

if TYPE_CHECKING:
    from served import Served


def test_faces_are_found_with_their_margin(served: "Served") -> None:
    from demosaic.faces.engines import make_detector

    data = encode_png(np.ascontiguousarray(people.photo(0, 0, 0).image))
    state = served.done("find-faces", upload=served.upload(data))
    places = faces_in(data, PixelateConfig(), make_detector())
    assert state["result"]["faces"] == [
        {"box": [*one.box.corners], "score": one.score} for one in places
    ]
    assert len(places) == 1
    assert np.array_equal(decode(served.file(state, "shown.png")), decode(data))


def test_a_download_is_the_file_that_the_command_writes(served: "Served", tmp_path: Path) -> None:
    source, out = tmp_path / "photo.png", tmp_path / "out.png"
    source.write_bytes(encode_png(texture(80, 100)))
    boxes = ((10, 10, 40, 40), (60, 30, 30, 30))
    config = PixelateConfig(regions=boxes, style="mosaic", shape="ellipse", block=0.2)
    pixelate_file(Job(source, out), config, None)
    state = served.done(
        "hide",
        upload=served.upload(source.read_bytes()),
        boxes=boxes,
        style="mosaic",
        shape="ellipse",
        block=0.2,
    )
    assert served.file(state, "result") == out.read_bytes()
    assert np.array_equal(decode(served.file(state, "shown.png")), decode(out.read_bytes()))


def test_a_solid_box_is_black_and_nothing_else_changes(served: "Served") -> None:
    photo = texture(80, 100)
    state = served.done(
        "hide",
        upload=served.upload(encode_png(photo)),
        boxes=[(10, 20, 30, 40)],
        style="solid",
        shape="box",
        block=0.1,
    )
    photo[20:60, 10:40] = 0
    assert np.array_equal(decode(served.file(state, "result")), photo)


def test_boxes_that_cannot_be_hidden_are_refused(served: "Served") -> None:
    asked: dict[str, object] = {"upload": served.upload(encode_png(texture(80, 100)))}
    asked |= {"style": "solid", "shape": "box", "block": 0.1}
    for boxes, problem in (
        ([], "Draw a box around each face first."),
        ([(90, 0, 20, 20)], "the region 90,0,20,20 is not inside the picture of 100 x 80 px"),
        ([(-1, 0, 20, 20)], "--region -1,0,20,20: give x,y,width,height, the last two 1 or more"),
    ):
        state = served.ended(served.start("hide", boxes=boxes, **asked).json["id"])
        assert (state["state"], state["error"]) == ("failed", problem)
