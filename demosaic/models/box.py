"""The model in the box: the one that comes with the package."""

from pathlib import Path

from demosaic.config.training import FROM_BOX

BOX = Path(__file__).with_name("box.safetensors")
"""Its file, in half precision, with its checksum and the card for people, `box.md`, beside it."""


def model_file(named: Path) -> Path:
    """The file of a model that the user names: `box` is the one in the box."""
    return BOX if named == Path(FROM_BOX) else named


def beside(model: Path, name: str) -> Path:
    """Where to write a file about a model: beside it, and in the working folder for the one in the
    box, whose folder belongs to the program.
    """
    return Path(name) if model == BOX else model.with_name(name)
