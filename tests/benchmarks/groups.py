"""How well a model restores different people: by skin tone, by pose, and its worst tenth.

    python tests/benchmarks/groups.py PAIRS MODEL

The skin's tone is the individual typology angle (Chardon, Cretois and Hourseau 1991) of the cheeks,
in the classes of Del Bino and Bernerd (2013). It is measured in the photograph, so the light counts
too: a face in the dark is measured darker than it is. Grey photographs have no angle. The pose is
how far the nose is from the middle of the eyes, in distances between the eyes. Age is not measured:
nothing here can tell it honestly.
"""

import argparse
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from demosaic.config.compute import DeviceConfig
from demosaic.config.training import TrainConfig
from demosaic.dataset.reader import open_pairs
from demosaic.evaluation.baselines import unlearned
from demosaic.evaluation.metrics import psnr
from demosaic.faces.short_range import ShortRangeDetector
from demosaic.imaging.arrays import Doubles, Pixels
from demosaic.models.checkpoint import load_model
from demosaic.models.compute import choose, settle
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import pixelated
from demosaic.restoration.image import restore_face

BLOCKS = (8, 16, 24)
TONES = ((55, "very light"), (41, "light"), (28, "intermediate"), (10, "tan"), (-30, "brown"))
LEAST_CHROMA = 4.0  # of the cheeks, in CIELAB; a grey photograph has less
POSES = ((0.15, "frontal"), (0.3, "a little turned"))


@dataclass(frozen=True)
class Score:
    """Of one face and cell size, dB."""

    restored: float
    smooth: float
    """The smooth image with the same cells."""


def main() -> None:
    """Print a table with a line for each group."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--faces", type=int, default=200)
    options = parser.parse_args()
    pairs = open_pairs(options.pairs, direction=TrainConfig.direction, multiple=32)
    targets = [pairs.target(path) for path in pairs.held_out[1][: options.faces]]
    scores = scored(targets, options.model)
    groups = defaultdict(list)
    detector = ShortRangeDetector(min_score=0.3)
    for number, target in enumerate(targets):
        for group in ("all", *groups_of(target, detector)):
            groups[group].append(number)
    worst = np.argsort([np.mean([one.restored for one in row]) for row in scores])
    groups["the worst tenth"] = [*worst[: max(1, len(targets) // 10)]]
    sizes = " | ".join(f"{block} px, dB (gain)" for block in BLOCKS)
    print(f"| group | faces | {sizes} |\n|---|---|{'---|' * len(BLOCKS)}")
    for group, members in sorted(groups.items()):
        print(f"| {group} | {len(members)} | {cells([scores[one] for one in members])} |")


def scored(targets: list[Pixels], path: Path) -> list[list[Score]]:
    """For each face a score at each of `BLOCKS`."""
    model = load_model(path)
    compute, _ = choose(DeviceConfig(precision="bf16"))
    settle(model.generator, compute.device)
    found = []
    for target in targets:
        row = []
        for block in BLOCKS:
            grid = Grid.square(block)
            observed = pixelated(target, grid)
            restored = restore_face(observed, grid, model, compute=compute, realism=0)
            row.append(
                Score(psnr(restored, target), psnr(unlearned(observed, grid)["base"], target))
            )
        found.append(row)
    return found


def groups_of(target: Pixels, detector: ShortRangeDetector) -> list[str]:
    """The groups that a face (H, W, 3) belongs to; none when its features are not found."""
    faces = detector.detect(target)
    if not faces:
        return ["no features found"]
    right, left, nose, _, _, _ = (np.asarray(point, np.float64) for point in faces[0].keypoints)
    apart = float(np.hypot(*(left - right)))
    turned = abs(nose[0] - (left[0] + right[0]) / 2) / apart
    pose = next((name for most, name in POSES if turned < most), "turned")
    return [f"pose: {pose}", f"tone: {tone(target, [right, left], nose, apart)}"]


def tone(target: Pixels, eyes: list[Doubles], nose: Doubles, apart: float) -> str:
    """The class of the cheeks' median colour: they are below the eyes, as low as the nose."""
    reach = max(2, round(apart / 8))
    patches = []
    for eye in eyes:
        x, y = round(float(eye[0])), round(float(nose[1]))
        patch = target[max(0, y - reach) : y + reach, max(0, x - reach) : x + reach]
        patches.append(patch.reshape(-1, 3))
    colour = np.median(np.concatenate(patches), axis=0).astype(np.float32) / 255
    lightness, a, b = cv2.cvtColor(colour[None, None], cv2.COLOR_RGB2LAB)[0, 0]
    if np.hypot(a, b) < LEAST_CHROMA:
        return "grey photograph"
    angle = np.degrees(np.arctan2(lightness - 50, b))
    return next((name for least, name in TONES if angle > least), "dark")


def cells(rows: list[list[Score]]) -> str:
    """Means of a group, and gains over the smooth image, for each cell size."""
    text = []
    for column in zip(*rows, strict=True):
        restored = np.mean([one.restored for one in column])
        gain = restored - np.mean([one.smooth for one in column])
        text.append(f"{restored:.2f} ({gain:+.2f})")
    return " | ".join(text)


if __name__ == "__main__":
    main()
