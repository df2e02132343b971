"""Seconds of a seed step, against the same arithmetic in plain fp32 torch; a ratio of one run.

    python tests/benchmarks/seed_step.py [--steps 5]

Each variant runs in a process of its own, since the allocator is tuned for good.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from demosaic.config.compute import DeviceConfig
from demosaic.config.training import SeedConfig
from demosaic.dataset.reader import Batch
from demosaic.models import compute as devices
from demosaic.training.pix2pix import Networks, train_step

BATCH, SIDE = 4, 256


class PlainGenerator(nn.Module):
    """The article's U-Net as one would write it down first."""

    def __init__(self) -> None:
        super().__init__()
        down, up = SeedConfig().network.down, SeedConfig().network.up
        self.down = nn.ModuleList(
            nn.Conv2d(a, b, 4, 2, 1) for a, b in zip((3, *down), down, strict=False)
        )
        wide = (down[-1], *(a + b for a, b in zip(up, down[-2::-1], strict=True)))
        self.up = nn.ModuleList(nn.Conv2d(a, b, 4) for a, b in zip(wide, up, strict=False))
        self.head = nn.Conv2d(wide[-1], 3, 4)
        self.norms = nn.ModuleList(nn.BatchNorm2d(n, 1e-3, 0.01) for n in (*down, *up))

    def forward(self, image: Tensor) -> Tensor:
        skips, norms = [], iter(self.norms)
        for conv in self.down:
            image = next(norms)(F.leaky_relu(conv(image), 0.2))
            skips.append(image)
        skips.pop()
        for conv in self.up:
            image = next(norms)(F.leaky_relu(conv(doubled(image)), 0.2))
            image = torch.cat([image, skips.pop()], 1)
        return torch.tanh(self.head(doubled(image)))


def doubled(image: Tensor) -> Tensor:
    """Nearest-neighbour doubling, padded for a "same" 4x4 convolution."""
    return F.pad(F.interpolate(image, scale_factor=2.0), (1, 2, 1, 2))


def plain_discriminator() -> nn.Sequential:
    layers: list[nn.Module] = []
    for a, b in zip((6, 64, 128, 256), (64, 128, 256, 512), strict=True):
        norm = nn.BatchNorm2d(b, 1e-3, 0.01)
        layers += [nn.Conv2d(a, b, 4, 2, 1), nn.LeakyReLU(0.2), norm]
    return nn.Sequential(*layers, nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(512, 1, 4))


def plain_step() -> Callable[[Batch], None]:
    """The article's step with torch's defaults: fp32, NCHW, torch.optim.Adam."""
    generator, discriminator = PlainGenerator(), plain_discriminator()
    g_adam, d_adam = (
        torch.optim.Adam(network.parameters(), 2e-4, (0.5, 0.999), 1e-7)
        for network in (generator, discriminator)
    )

    def judge(face: Tensor, observed: Tensor, label: float) -> Tensor:
        judged: Tensor = discriminator(torch.cat([face, observed], 1))
        return F.mse_loss(judged, torch.full_like(judged, label))

    def update(adam: torch.optim.Adam, loss: Tensor) -> None:
        adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        adam.step()

    def step(batch: Batch) -> None:
        observed, target = torch.from_numpy(batch.observed), torch.from_numpy(batch.target)
        generator.eval()
        with torch.no_grad():
            fake = generator(observed)
        generator.train()
        update(d_adam, judge(target, observed, 1.0))
        update(d_adam, judge(fake, observed, 0.0))
        discriminator.requires_grad_(False)
        restored = generator(observed)
        update(g_adam, judge(restored, observed, 1.0) + 100 * F.l1_loss(restored, target))
        discriminator.requires_grad_(True)

    return step


def our_step(precision: str) -> Callable[[Batch], None]:
    config = SeedConfig()
    compute, _ = devices.choose(DeviceConfig(precision=precision))  # type: ignore[arg-type]
    networks = Networks.fresh(config, compute.device)

    def step(batch: Batch) -> None:
        train_step(networks, batch, config, compute)

    return step


def median_seconds(step: Callable[[Batch], None], count: int) -> float:
    rng = np.random.default_rng(0)
    halves = (rng.uniform(-1, 1, (BATCH, 3, SIDE, SIDE)).astype(np.float32) for _ in range(2))
    batch, times = Batch(*halves), []
    for _ in range(2 + count):
        start = time.perf_counter()
        step(batch)
        times.append(time.perf_counter() - start)
    return statistics.median(times[2:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--only", choices=("plain", "fp32", "bf16"))
    options = parser.parse_args()
    if options.only == "plain":
        print(median_seconds(plain_step(), options.steps))
    elif options.only:
        devices.tune_allocator()
        print(median_seconds(our_step(options.only), options.steps))
    else:
        compare(options.steps)


def compare(steps: int) -> None:
    variants = ("plain", "fp32", *(["bf16"] if devices.has_bf16(torch.device("cpu")) else []))
    command = [sys.executable, __file__, "--steps", str(steps), "--only"]
    seconds = {}
    for name in variants:
        # As `demosaic train` does before it imports torch
        tuned = {} if name == "plain" else {"THP_MEM_ALLOC_ENABLE": "1"}
        done = subprocess.run(
            [*command, name], capture_output=True, check=True, env={**os.environ, **tuned}
        )
        seconds[name] = float(done.stdout)
    for name, taken in seconds.items():
        print(f"{name:6} {taken:.2f} s a step, {taken / seconds['plain']:.2f} x plain fp32 torch")


if __name__ == "__main__":
    main()
