"""How fast the default recipe trains and restores, against the article's step in plain fp32.

    python tests/benchmarks/default_step.py

Prints, of one run on this machine: training faces a second of network S in both stages and of M,
milliseconds a face at inference, and each as a ratio to one step of the article's recipe in fp32.
"""

import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from demosaic.config.networks import NETWORKS, FlowConfig
from demosaic.config.training import SeedConfig, TrainConfig
from demosaic.dataset.reader import Batch
from demosaic.evaluation.validation import restored_pictures
from demosaic.imaging.arrays import to_float
from demosaic.models import compute as devices
from demosaic.models.flow import Flow
from demosaic.models.inputs import views
from demosaic.models.restorer import Restorer
from demosaic.models.resunet import ResUNet
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import pixelated
from demosaic.training import pix2pix
from demosaic.training.augmentation import draw_example
from demosaic.training.stages import Faces, FaithfulStage, FlowStage

ROUNDS = 5
SIDE = 256


def seconds(work: Callable[[], object]) -> float:
    """The fastest of a few rounds after one to warm up."""
    times = []
    for _ in range(1 + ROUNDS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times[1:])


def picture(rng: np.random.Generator) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Soft noise; what is in a picture costs no time."""
    return np.asarray(rng.integers(0, 256, (SIDE, SIDE, 3)), np.uint8)


def main() -> None:
    """Measure and print."""
    devices.tune_allocator()
    rng, config = np.random.default_rng(0), TrainConfig()
    short = devices.has_bf16(torch.device("cpu"))
    compute = devices.Compute(torch.device("cpu"), short)
    plain = devices.Compute(torch.device("cpu"), False)
    print(f"{torch.get_num_threads()} threads, {'bf16' if short else 'fp32'}")

    noise = np.stack([to_float(picture(rng)) for _ in range(4)])
    networks = pix2pix.Networks.fresh(SeedConfig(), plain.device)
    step = seconds(lambda: pix2pix.train_step(networks, Batch(noise, noise), SeedConfig(), plain))
    print(f"the article's step, 4 faces, fp32: {step:.2f} s")

    def drawn() -> Faces:
        examples = [draw_example(picture(rng), rng) for _ in range(config.batch)]
        targets = np.stack([to_float(example.target) for example in examples])
        shown = views([example.observation for example in examples])
        return Faces(shown, torch.from_numpy(targets), range(config.batch))

    def tell(name: str, time_taken: float) -> None:
        each = time_taken / config.batch
        print(f"{name}: {1 / each:.1f} faces/s, {each / (step / 4):.3f} x the article's face")

    tell("drawing faces and mosaics, in a thread of its own", seconds(drawn))
    faces = drawn()
    for size in ("S", "M"):
        stage = FaithfulStage(ResUNet(NETWORKS[size]), config.lr, compute, trained=False)
        tell(f"first stage of {size}", seconds(partial(one_step, stage, faces)))
    flow, mean = Flow(NETWORKS["S"], FlowConfig()), ResUNet(NETWORKS["S"])
    sharp = FlowStage(flow, mean, config.lr, compute, trained=False)
    tell("second stage of S", seconds(lambda: one_step(sharp, faces)))

    restorer = Restorer(ResUNet(NETWORKS["S"]), None).eval()
    restorer.to(memory_format=torch.channels_last)  # type: ignore[call-overload, unused-ignore]
    observed = [pixelated(picture(rng), Grid.square(16))]
    for here in (plain, compute) if short else (plain,):
        work = partial(restored_pictures, restorer, observed, Grid.square(16), here)
        taken = seconds(work)
        print(f"restoring a face, {here}: {1000 * taken:.0f} ms, {taken / step:.3f} x the step")


def one_step(stage: FaithfulStage | FlowStage, faces: Faces) -> None:
    """Gradients and update."""
    for weight in stage.trained():
        weight.grad = None
    stage.gradients(faces, 1.0)
    stage.update(0.5)


if __name__ == "__main__":
    main()
