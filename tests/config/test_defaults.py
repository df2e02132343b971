"""The user's own defaults: where they come from, and what may have one."""

from pathlib import Path

import platformdirs
import pytest

from demosaic.cli.settings import Setting, settings_of
from demosaic.errors import USAGE, DemosaicError
from doubles import demosaic, error


@pytest.fixture(autouse=True)
def home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's configuration folder, empty; the working folder is another one."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder.parent / "config"))
    place = platformdirs.user_config_path("demosaic")
    place.mkdir(parents=True)
    return place


def test_the_command_line_is_before_the_environment_before_the_files(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "demosaic.toml").write_text("[train]\nminutes = 60\nbatch = 4\nlr = 0.01\n")
    Path("demosaic.toml").write_text("[train]\nbatch = 6\nsave-every = 7\n[restore]\nrealism = 1\n")
    monkeypatch.setenv("DEMOSAIC_TRAIN_SAVE_EVERY", "9")
    found = {one.option: (one.value, one.source) for one in settings_of("train").settings}
    assert found["--minutes"] == ("60", str(home / "demosaic.toml"))
    assert found["--batch"] == ("6", "demosaic.toml")
    assert found["--save-every"] == ("9", "DEMOSAIC_TRAIN_SAVE_EVERY")
    assert found["--seed"] == ("0", "demosaic")
    assert Setting("restore", "--realism", "1", "demosaic.toml") in settings_of(None).settings
    code, said, _ = demosaic("config", "restore")
    assert (code, "restore --realism" in said) == (0, True)


def test_a_default_arrives_as_if_it_were_typed_and_is_said() -> None:
    Path("demosaic.toml").write_text("[train]\nminutes = 3\nbatch = 20000\n")
    _, _, said = demosaic("train", "nowhere")
    lines = said.splitlines()
    assert lines[0] == "from demosaic.toml: --minutes 3, --batch 20000"
    assert lines[1] == "error: --batch 20000: choose 1 to 10000"
    assert "nowhere is not a folder" in demosaic("train", "nowhere", "--batch", "8", "-q")[2]
    assert demosaic("train", "nowhere", "--batch", "8", "--steps", "9")[2].count("minutes") == 0


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[train]\nminuts = 3", "minuts is no option of train that can have a default; did you"),
        ("[train]\ninit = 'a'", "init is no option of train that can have a default"),
        ("[train]\nforce = true", "force is no option of train"),
        ("[train]\nminutes = true", "minutes is true or false for a flag only"),
        ("minutes = 3", "put minutes below a command, such as [train]"),
        ("[train", "cannot read demosaic.toml: "),
    ],
)
def test_what_cannot_be_a_default_is_refused_by_name(text: str, named: str) -> None:
    Path("demosaic.toml").write_text(text)
    assert named in error(USAGE, "train", "nowhere")


def test_a_file_beside_the_photos_is_not_looked_into(folder: Path) -> None:
    (folder / "photos").mkdir()
    (folder / "photos" / "demosaic.toml").write_text("[build-dataset]\nsize = 99")
    assert settings_of(None).settings == ()
    with pytest.raises(DemosaicError, match="photo: choose one of build-dataset, train"):
        settings_of("photo")
