"""The model in the box, from a trained model file.

    demosaic build-dataset PORTRAITS pairs
    demosaic train pairs --steps 40000 --seed 0
    python tools/pack_model.py runs/pairs-default/best.safetensors

It writes `box.safetensors` with the weights in half precision, its checksum, and `box.md`, the card
for people. What the card says beyond the model's own is read from a text file, with --about: the
pictures that the model was trained on, their licence, and what it is not for.
"""

import argparse
import hashlib
from pathlib import Path

import torch

from demosaic.files import write_bytes
from demosaic.models.box import BOX
from demosaic.models.card import write_card
from demosaic.models.checkpoint import load_model, save_model


def main() -> None:
    """Write the files of the box from the model named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--about", type=Path, help="a text to add to the card")
    parser.add_argument("--out", type=Path, default=BOX)
    asked = parser.parse_args()
    model = load_model(asked.model)
    save_model(asked.out, model.generator.to(torch.float16), model.card)
    checksum = hashlib.sha256(asked.out.read_bytes()).hexdigest()
    write_bytes(asked.out.with_suffix(".sha256"), f"{checksum}  {asked.out.name}\n".encode())
    card = asked.out.with_suffix(".md")
    write_card(card, model.card)
    if asked.about:
        write_bytes(card, card.read_bytes() + b"\n" + asked.about.read_bytes())


if __name__ == "__main__":
    main()
