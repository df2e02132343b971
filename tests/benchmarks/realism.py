"""How sharp, how honest and how like photographs the draws of a model are, by cell size.

    python tests/benchmarks/realism.py PAIRS MODEL --weights FOLDER

`FOLDER` is where the packages that `perceptual.py` names were unpacked. The faces are held-out
ones that were not enlarged, so that the originals are sharp. An older model without draws is shown
at its realisms, to compare with.
"""

import argparse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from perceptual import Recogniser, Vgg, as_batch, kid

from demosaic.config.compute import DeviceConfig
from demosaic.config.restoration import RestoreConfig
from demosaic.config.training import TrainConfig
from demosaic.dataset.reader import open_pairs
from demosaic.dataset.records import MOST_ENLARGED
from demosaic.evaluation.draws import DISTANCES, judge_draws
from demosaic.evaluation.metrics import detail, psnr
from demosaic.events import ignore
from demosaic.imaging.arrays import Pixels
from demosaic.models.checkpoint import load_model
from demosaic.models.compute import Compute, choose, settle
from demosaic.models.model import Model
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import cell_colours, pixelated
from demosaic.mosaic.quantise import finish


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--faces", type=int, default=40)
    parser.add_argument("--blocks", type=int, nargs="*", default=[8, 12, 16, 24])
    options = parser.parse_args()
    pairs = open_pairs(options.pairs, direction=TrainConfig.direction, multiple=32)
    sharp = [path for path in pairs.held_out[1] if pairs.enlarged(path) <= MOST_ENLARGED]
    targets = [pairs.target(path) for path in sharp[: options.faces]]
    model = load_model(options.model)
    compute, _ = choose(DeviceConfig(precision="bf16"))
    settle(model.generator, compute.device)
    vgg, recogniser = Vgg(options.weights), Recogniser()
    print(f"{len(targets)} faces")
    print("cells realism   dB  detail 1/2/4 px   LPIPS  DISTS    KID  likeness")
    for block in options.blocks:
        grid = Grid.square(block)
        for realism in dict.fromkeys((0.0, RestoreConfig.realism, 1.0)):
            made = [restored(model, one, grid, realism, compute) for one in targets]
            print(f"{block:5} {realism:7g} {line(made, targets, vgg, recogniser)}", flush=True)
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        for one in judge_draws({"model": model}, targets, compute, pool, ignore, options.blocks):
            below = one.realisms[0].psnr - one.mean_psnr
            print(
                f"{one.block:5} spread/error {one.spread:.2f}, truth in the range of 9 draws "
                f"{one.covered:.0%} (80 %), their mean {below:.2f} dB under the mean"
            )


def restored(model: Model, target: Pixels, grid: Grid, realism: float, compute: Compute) -> Pixels:
    """The picture that a user would get of a face (S, S, 3) pixelated on the grid."""
    observed = pixelated(target, grid)
    made = model.fill_faces([observed], [grid], [realism], compute)
    (faces,) = made.values()
    return finish(faces[0], cell_colours(observed, grid), grid)


def line(made: list[Pixels], targets: list[Pixels], vgg: Vgg, recogniser: Recogniser) -> str:
    """The numbers of one row."""
    near = np.mean([psnr(one, target) for one, target in zip(made, targets, strict=True)])
    sharp = [
        sum(detail(one, apart) for one in made) / sum(detail(one, apart) for one in targets)
        for apart in DISTANCES
    ]
    with torch.inference_mode():
        ours, true = as_batch(made), as_batch(targets)
        couples = [(ours[at : at + 4], true[at : at + 4]) for at in range(0, len(ours), 4)]
        lpips = np.mean([vgg.lpips(*couple) for couple in couples])
        dists = np.mean([vgg.dists(*couple) for couple in couples])
        sets = [torch.cat([vgg.embedding(couple[at]) for couple in couples]) for at in (0, 1)]
    likeness = [
        float(recogniser.describe(one) @ recogniser.describe(target))
        for one, target in zip(made, targets, strict=True)
    ]
    return (
        f"{near:6.2f}  {' '.join(f'{one:.2f}' for one in sharp)}  {lpips:8.3f} {dists:6.3f} "
        f"{kid(*sets):6.1f} {np.mean(likeness):9.3f}"
    )


if __name__ == "__main__":
    main()
