"""Nobody else gets in, and no request makes the server read, write or load what it should not."""

import json
import struct
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from demosaic.imaging.encoding import encode_png
from demosaic.mosaic.grid import Grid
from doubles import mosaicked, texture

if TYPE_CHECKING:
    from served import Served

PATHS = ("/", "/about", "/static/page.js", "/jobs/x", "/jobs/x/result", "/nothing")


def picture() -> bytes:
    return encode_png(mosaicked(48, 64, Grid.square(8)))


def png(width: int, height: int) -> bytes:
    """A PNG whose header announces a size, with few bytes of pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(100_000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


# Who asks


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("cookie", ["", "demosaic-1=x", "demosaic-{port}=wrong", "=;;\x7f"])
def test_nobody_gets_in_without_the_token(served: "Served", path: str, cookie: str) -> None:
    answer = served.send("GET", path, Cookie=cookie.format(port=served.port))
    assert (answer.status, answer.body) == (
        403,
        b"Open the address that demosaic printed in the terminal.",
    )


def test_a_wrong_token_sets_no_cookie(served: "Served") -> None:
    answer = served.send("GET", "/?token=wrong", without=("Cookie",))
    assert (answer.status, answer.headers.get("set-cookie")) == (403, None)


def test_the_address_that_was_printed_gives_the_page_and_a_cookie(served: "Served") -> None:
    path = served.address.partition(str(served.port))[2]
    answer = served.send("GET", path, without=("Cookie", "Origin"), Sec_Fetch_Site="cross-site")
    assert answer.status == 200
    assert answer.headers["set-cookie"] == (
        f"{served.plain['Cookie']}; Path=/; HttpOnly; SameSite=Strict"
    )
    assert answer.body.startswith(b"<!doctype html>")


def test_the_token_opens_the_page_only(served: "Served") -> None:
    query = served.address.partition("?")[2]
    assert served.send("GET", f"/about?{query}", without=("Cookie",)).status == 403
    assert served.send("POST", f"/jobs?{query}", b"{}", without=("Cookie",)).status == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "localhost:1", ""]
)
def test_another_name_for_this_machine_is_refused(served: "Served", host: str) -> None:
    host = host.format(port=served.port)
    answer = served.send("GET", "/about", Host=host, Origin=f"http://{host}")
    assert (answer.status, answer.body) == (421, b"This server has another name.")


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://{host}", ""]
)
def test_another_page_can_ask_for_nothing(served: "Served", origin: str) -> None:
    origin = origin.format(host=served.plain["Host"])
    for method, path in (
        ("GET", "/about"),
        ("POST", "/jobs"),
        ("POST", "/uploads"),
        ("DELETE", "/jobs/x"),
    ):
        answer = served.send(method, path, b"{}", Origin=origin)
        assert (answer.status, answer.body) == (403, b"Only the page itself may ask for this.")


def test_what_changes_something_must_say_where_it_comes_from(served: "Served") -> None:
    assert served.send("POST", "/jobs", b"{}", without=("Origin",)).status == 403
    assert served.send("GET", "/about", without=("Origin",)).status == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_page_can_show_no_picture_of_ours(served: "Served", site: str) -> None:
    assert served.send("GET", "/about", without=("Origin",), Sec_Fetch_Site=site).status == 403


def test_every_answer_forbids_to_load_anything_from_elsewhere(served: "Served") -> None:
    for path in PATHS:
        headers = served.send("GET", path).headers
        assert headers["content-security-policy"] == (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
            "media-src 'self'; connect-src 'self'; frame-src 'self'; base-uri 'none'; "
            "form-action 'none'; frame-ancestors 'none'"
        )
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["x-content-type-options"] == "nosniff"


def test_the_page_names_no_other_host_and_has_no_script_inside(served: "Served") -> None:
    page = served.send("GET", "/").body.decode()
    assert "//" not in page
    assert "<style" not in page and " style=" not in page
    assert page.count("<script") == page.count('<script type="module" src="/static/')


# What is sent


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"#!/bin/sh\necho hello", "not a picture"),
        (b"", "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
        (
            png(60_000, 60_000),
            "This picture has 60000 x 60000 pixels. At most 60 million are opened here.",
        ),
        (
            png(9_000, 9_000),
            "This picture has 9000 x 9000 pixels. At most 60 million are opened here.",
        ),
    ],
    ids=["text", "nothing", "svg", "bomb", "large"],
)
def test_a_hostile_upload_is_refused_and_not_kept(
    served: "Served", data: bytes, problem: str
) -> None:
    before = {*served.tools.uploads.root.iterdir()}
    answer = served.send("POST", "/uploads", data)
    assert (answer.status, answer.json) == (400, {"error": problem})
    assert {*served.tools.uploads.root.iterdir()} == before


def test_a_damaged_picture_fails_in_words_without_the_name_of_our_file(served: "Served") -> None:
    upload = served.upload(png(2_000, 2_000))
    state = served.ended(served.start("find", upload=upload).json["id"])
    assert state["state"] == "failed"
    assert state["error"].startswith("damaged picture")
    assert str(served.tools.uploads.root) not in state["error"]


def test_a_size_is_refused_before_anything_is_read(served: "Served") -> None:
    assert served.send("POST", "/uploads", Content_Length=str(2**40)).status == 413
    assert served.send("POST", "/uploads?suffix=.mp4", Content_Length=str(2**40)).status == 413
    assert served.send("POST", "/jobs", Content_Length=str(2**20)).status == 413
    answer = served.send("POST", "/uploads", Transfer_Encoding="chunked")
    assert (answer.status, answer.json) == (411, {"error": "The size is missing."})


def test_huge_headers_do_not_stop_the_server(served: "Served") -> None:
    with suppress(ConnectionError):  # it may be closed before all was sent
        assert served.send("GET", "/about", X_Huge="x" * 2**20).status == 400
    assert served.send("GET", "/about").status == 200


@pytest.mark.parametrize("suffix", ["../../x", ".mp4/../../x", ".exe", "/etc/passwd", ".png"])
def test_no_name_that_is_sent_becomes_a_path(served: "Served", suffix: str) -> None:
    answer = served.send("POST", f"/uploads?suffix={suffix}", b"x")
    assert (answer.status, answer.json) == (400, {"error": "This kind of clip is not known."})


@pytest.mark.parametrize(
    "name", ["../server.py", "%2e%2e%2fserver.py", "..%5cserver.py", "page.html%00", "/etc/passwd"]
)
def test_only_the_files_of_the_page_and_of_its_jobs_are_read(served: "Served", name: str) -> None:
    job = served.done("find", upload=served.upload(picture()))["id"]
    for path in (f"/static/{name}", f"/jobs/{job}/{name}", f"/jobs/{job}/../source.png"):
        assert served.send("GET", path).status == 404


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[" * 60_000,
        b"[]",
        b"{}",
        b'{"task": "quit"}',
        b'{"task": ["find"]}',
        b'{"task": "find"}',
        b'{"task": "find", "upload": 7}',
        b'{"task": "find", "upload": "../x"}',
        b'{"task": "find", "upload": "x", "album": "/"}',
        b'{"task": "audit", "album": "/"}',
    ],
)
def test_a_request_of_another_form_is_refused(served: "Served", body: bytes) -> None:
    answer = served.send("POST", "/jobs", body)
    assert answer.status == 400
    assert [*answer.json] == ["error"]


@pytest.mark.parametrize(
    ("mosaic", "problem"),
    [
        ({"box": [60, 0, 64, 48]}, "A box is not inside the picture."),
        ({"box": [0, 0, 64, 48], "block": [1e-9, 8]}, "--block 1e-09x8: choose 2 or more"),
        (
            {"box": [0, 0, 64, 48], "block": [1, 8], "found": 0},
            "A cell has at least 2 px on each side.",
        ),
    ],
)
def test_a_mosaic_that_cannot_be_is_refused(
    served: "Served", mosaic: dict[str, object], problem: str
) -> None:
    upload = served.upload(picture())
    served.done("find", upload=upload)
    state = served.ended(served.start("restore", upload=upload, mosaics=[mosaic]).json["id"])
    assert (state["state"], state["error"]) == ("failed", problem)


@pytest.mark.parametrize("number", ["NaN", "1e999", "-1", str(2**70), "true", '"1"'])
def test_a_number_out_of_range_is_refused(served: "Served", number: str) -> None:
    upload = served.upload(picture())
    for name in ("seed", "draws"):
        body = f'{{"task": "restore", "upload": "{upload}", "mosaics": [], "{name}": {number}}}'
        assert served.send("POST", "/jobs", body.encode()).status == 400


def test_uploads_are_private_and_the_oldest_make_room(served: "Served") -> None:
    data = encode_png(texture(8, 8))
    ids = [served.upload(data) for _ in range(10)]
    root = served.tools.uploads.root
    assert [(root / one).exists() for one in ids] == [False] * 2 + [True] * 8
    assert {path.stat().st_mode & 0o777 for path in root.iterdir()} == {0o700}
    answer = served.start("find", upload=ids[0])
    assert answer.json == {"error": "This file is no longer kept here. Choose it again."}


def test_a_second_server_has_a_cookie_of_its_own(served: "Served") -> None:
    name = served.plain["Cookie"].partition("=")[0]
    assert name == f"demosaic-{served.port}"
    assert json.loads(served.send("GET", "/about").body)["album"] is None
