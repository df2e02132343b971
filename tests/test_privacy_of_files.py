"""What a photo says of place, owner and camera, and the user's name, stand in no file."""

import os
import shutil
import stat
import sys
from pathlib import Path

import pytest
from PIL import ExifTags, Image

import people
from dataset_doubles import build
from demosaic.config.training import SeedConfig
from demosaic.files import write_bytes
from demosaic.models.lookup import remember_model
from doubles import TINY, demosaic

OWNER, SERIAL, PLACE, PHONE = "Owner Quux", "SN-4711-XYZZY", "47.3769", "Phone Frobozz 9"
USER = "alice-plugh"


def a_photo_that_says_all(path: Path, number: int) -> None:
    """A drawn person, by a camera that writes down everything."""
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = exif[ExifTags.Base.Copyright] = OWNER
    exif[ExifTags.Base.Model] = PHONE
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.BodySerialNumber] = SERIAL
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.CameraOwnerName] = OWNER
    place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    place[ExifTags.GPS.GPSLatitudeRef], place[ExifTags.GPS.GPSAreaInformation] = "N", PLACE
    xmp = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'><owner>{OWNER} {PLACE}</owner></x:xmpmeta>"
    Image.fromarray(people.photo(number % 4, number // 4, 0).image).save(
        path, quality=92, exif=exif, xmp=xmp.encode(), comment=OWNER.encode()
    )


SECRETS = tuple(
    form for text in (OWNER, SERIAL, PLACE, PHONE, USER)
    for form in (text.encode(), text.encode("utf-16-le"))
)  # fmt: skip


def done(code: int, *words: str) -> None:
    """Run a command and expect this exit code."""
    ended, said, problem = demosaic(*words)
    assert ended == code, f"{said}\n{problem}"


def revealed(folder: Path) -> list[tuple[str, bytes]]:
    """The files below a folder that contain a secret, also in their names, with the secret."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [
        (path.relative_to(folder).as_posix(), secret)
        for path in files
        for secret in SECRETS
        if secret in path.relative_to(folder).as_posix().encode() + path.read_bytes()
    ]


@pytest.mark.slow
def test_no_command_writes_down_what_a_photo_says_or_the_user_s_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All names are typed as absolute paths through the user's folder."""
    home = tmp_path / USER
    work = home / "work"
    work.mkdir(parents=True)
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(home))
    monkeypatch.chdir(work)
    monkeypatch.setattr(SeedConfig, "network", TINY)
    photos, pairs, out = home / "photos", work / "pairs", work / "out"
    for number in range(4):
        a_photo_that_says_all(photos / f"person-{number % 4}" / f"{number}.jpg", number)
    (photos / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    (photos / "nowhere.jpg").symlink_to("nowhere")
    words = ["--size", "64", "--block", "8", "--val", "0.4", "--min-sharpness", "0"]
    done(0, "build-dataset", str(photos), str(pairs), "--workers", "1", *words)
    done(0, "build-dataset", str(photos), str(pairs), "--check")
    quick = ["--preset", "seed", "--steps", "1", "--batch", "2", "--precision", "fp32"]
    done(0, "train", str(pairs), *quick)
    run = work / "runs" / "pairs-seed"
    model = ["--model", str(run / "best.safetensors")]
    small = ["--faces", "1", "--threads", "1"]
    done(0, "evaluate", str(pairs), *model, *small)
    done(0, "compare", str(run), "--pairs", str(pairs), *small)
    done(1, "pixelate", str(photos), "--out", str(out))  # two are no photos
    first = next(line for line in (pairs / "pairs.jsonl").read_text().splitlines())
    name = first.split('"photo": "')[1].split('"')[0]
    done(0, "forget", str(pairs), name)
    # How a photo was taken, so the camera's kind, stays in a pixelated one
    assert {secret for _, secret in revealed(out)} == {PHONE.encode()}
    shutil.rmtree(out)
    assert revealed(work) == []
    assert len([*work.glob("**/*.html")]) == 3  # of evaluate, compare and train


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_pairs_and_remembered_faces_are_for_their_owner_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_photo_that_says_all(tmp_path / "album" / "person" / "1.jpg", 1)
    a_photo_that_says_all(tmp_path / "album" / "2.jpg", 2)
    (tmp_path / "album" / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    before = os.umask(0o022)
    try:
        build(tmp_path / "album", tmp_path / "pairs", looks=tmp_path / "looks")
        remember_model(tmp_path / "best.safetensors")
        write_bytes(tmp_path / "picture.png", b"for everybody")
    finally:
        os.umask(before)
    for folder in ("pairs", "looks", "data/demosaic"):
        made = [tmp_path / folder, *(tmp_path / folder).rglob("*")]
        modes = {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in made}
        assert modes == {(True, 0o700), (False, 0o600)}
    assert stat.S_IMODE((tmp_path / "picture.png").stat().st_mode) == 0o644
