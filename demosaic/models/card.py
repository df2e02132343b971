"""What a model file says about itself: the model card."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from demosaic import __version__
from demosaic.config.networks import FlowConfig, ResUNetConfig, UNetConfig
from demosaic.config.training import SeedConfig, TrainConfig
from demosaic.files import write_bytes
from demosaic.records import between

FORMAT = 3
"""The number of the model file's format."""

FORMATS = (2, FORMAT)
"""Those that can be read. In the second one, no second stage is a flow."""

# Pictures are resized to what a stranger's model file says: these bound the memory
_Side = Annotated[int, between(1, 4096)]
_CellSide = Annotated[int, between(2, 1024)]

_RECIPES: dict[str, str] = {
    TrainConfig.preset: (
        "One network for cells of any size and offset, trained on mosaics drawn anew at every step."
        "\nIt gives the mean of all faces that fit a mosaic (`restored`) and, after a second stage,"
        "\nsharp single faces (`draw`). A draw is one of the faces that give the same mosaic; where"
        "\nseveral draws differ, the mosaic does not say what was there."
    ),
    SeedConfig.preset: "The 2020 article's pix2pix, trained on the stored pairs.",
}


_ALBUM = (
    "It learnt the people of an album: what it restores tends to look like them, whoever is behind",
    "the mosaic, and this file contains how they look. Those trained on are recognised better than",
    "others.",
    "",
)


@dataclass(frozen=True)
class ModelCard:
    """What a model file says about itself. Raises ValueError for impossible sizes."""

    preset: str
    network: UNetConfig | ResUNetConfig
    size: _Side
    """Side of the pictures it was trained on, pixels."""
    blocks: tuple[_CellSide, _CellSide] | None
    """Smallest and largest side of the mosaic cells it was trained on, pixels. None when its inputs
    were not mosaics: then nothing is reconciled.
    """
    sharp: bool
    """Whether there is a second network, of the stage that adds sharpness."""
    step: int
    seed: int
    dataset: str
    """Fingerprint of the dataset."""
    train_pairs: int
    val_pairs: int
    scores: dict[str, dict[str, float]] = field(default_factory=dict)
    """Means over the validation pairs, by the name of what was scored; the units are those of
    `evaluation.events.Scores`.
    """
    flow: FlowConfig | None = None
    """The second network, if it draws samples; None when it gives one picture, as before 0.3."""
    album: bool = False
    """Whether it learnt the people of an album, half and half with all others."""
    minutes: Annotated[float, between(0, 10**9)] | None = None
    """That the training took until this step. None if it counted steps: such a file is the same,
    byte for byte, however fast the machine is. None in files written before, too.
    """
    demosaic: str = __version__
    format: int = FORMAT

    def __post_init__(self) -> None:
        if self.size < 1 or (self.blocks and not 2 <= self.blocks[0] <= self.blocks[-1]):
            raise ValueError(f"pictures of {self.size} px with cells of {self.blocks} px")

    @property
    def undoes_mosaics(self) -> bool:
        """Whether the model was trained on mosaics, not on other pairs of pictures."""
        return self.blocks is not None


def write_card(path: Path, card: ModelCard) -> None:
    """Write MODEL.md, the card for people."""
    rows = [
        f"| {name} | {s['psnr']:.2f} | {s['ssim']:.3f} | {s['l1']:.4f} | {s['cell_error']:.2f} |"
        for name, s in card.scores.items()
    ]
    minutes = "" if card.minutes is None else f" in {card.minutes:.0f} minutes"
    mosaic = f"mosaic cells of {_range(card.blocks)} px" if card.blocks else "no mosaic"
    text = [
        f"# A demosaic model: preset {card.preset}, step {card.step}{minutes}",
        "",
        f"Trained on {card.train_pairs} pairs of {card.size} px ({mosaic}), dataset {card.dataset},"
        f" seed {card.seed}, demosaic {card.demosaic}.",
        "",
        _RECIPES[card.preset],
        "",
        f"Means over {card.val_pairs} validation pairs, of groups that were not trained on",
        "(draws, and all in mid-course, over a few of them):",
        "",
        "| | PSNR, dB | SSIM | L1 | cell error, grey levels |",
        "|---|---|---|---|---|",
        *rows,
        "",
        *(_ALBUM if card.album else ()),
        "What it draws is plausible, not true: it is invented from the pictures it was trained on,",
        "and worst for what they do not show. Do not use it to identify anyone. From several",
        "frames of a clip it brings back more of what was really there than from one picture.",
        "",
    ]
    write_bytes(path, "\n".join(text).encode())


def _range(ends: tuple[int, int]) -> str:
    return " to ".join(map(str, sorted({*ends})))
