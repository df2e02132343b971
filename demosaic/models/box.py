"""The model in the box: the one that comes with the package."""

from pathlib import Path

BOX = Path(__file__).with_name("box.safetensors")
"""Its file, in half precision, with its checksum and the card for people, `box.md`, beside it."""
