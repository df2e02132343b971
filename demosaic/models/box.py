"""The model in the box: the one that comes with the package."""

import hashlib
from pathlib import Path

from demosaic.errors import DemosaicError

BOX = Path(__file__).with_name("box.safetensors")
"""Its file, in half precision, with its checksum and the card for people, `box.md`, beside it."""


def check_box() -> str:
    """The checksum of the model in the box. Raises DemosaicError if it is not the one beside it."""
    try:
        found = hashlib.sha256(BOX.read_bytes()).hexdigest()
        expected = BOX.with_suffix(".sha256").read_text().split()[0]
    except OSError as error:
        raise DemosaicError(f"cannot read {BOX} ({error}): install demosaic again") from error
    if found != expected:
        raise DemosaicError(f"{BOX} is damaged: install demosaic again")
    return found
