"""What a run of the default recipe begins with: the networks, and the trial of their speed."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from demosaic.config.networks import NETWORKS, ResUNetConfig
from demosaic.config.training import FROM_BOX, FROM_NOTHING, TrainConfig
from demosaic.errors import USAGE, DemosaicError
from demosaic.models.box import model_file
from demosaic.models.checkpoint import load_model, read_card
from demosaic.models.compute import Compute, settle
from demosaic.models.inputs import observe, views
from demosaic.models.model import TwoStageModel
from demosaic.models.restorer import Restorer
from demosaic.models.resunet import ResUNet
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import pixelated


def fits_box(config: TrainConfig) -> bool:
    """Whether the network asked for is that of the model in the box, or none is asked for."""
    return (
        config.network == "auto"
        or NETWORKS[config.network] == read_card(model_file(Path(FROM_BOX))).network
    )


def known_networks(config: TrainConfig, compute: Compute) -> Restorer | None:
    """The networks of the model to start from; None for new ones.

    Raises DemosaicError for a model of another recipe.
    """
    if config.init == FROM_NOTHING:
        return None
    model = load_model(_init_file(config), compute.device)
    if not isinstance(model, TwoStageModel):
        raise DemosaicError(
            f"--init {config.init}: a model of --preset seed; name one of the default preset",
            USAGE,
        )
    model.faithful.requires_grad_(True)
    return model.generator


def architecture(config: TrainConfig, device: torch.device) -> ResUNetConfig:
    """The first stage's network: that of the model to start from, or a new one's of the size asked
    for.
    """
    if config.init != FROM_NOTHING:
        network = read_card(_init_file(config)).network
        if isinstance(network, ResUNetConfig):
            return network
    return NETWORKS[network_size(config, device)]


def _init_file(config: TrainConfig) -> Path:
    return model_file(Path(config.init))


def trial(config: TrainConfig, size: int) -> Callable[[Compute], Tensor]:
    """Work like that of a step on pictures of `size` px, on a network of its own, to choose the
    precision by.
    """
    grid = Grid.square(16)
    picture = np.random.default_rng(0).integers(0, 256, (size, size, 3), np.uint8)
    shown = views([observe(pixelated(picture, grid), grid)] * config.batch)
    networks: dict[torch.device, ResUNet] = {}

    def work(compute: Compute) -> Tensor:
        if compute.device not in networks:
            networks[compute.device] = _of_some_output(architecture(config, compute.device))
        network = networks[compute.device]
        settle(network, compute.device)
        here = shown.to(compute.device)
        with compute.precision():
            change = network(here.seen, here.hidden, here.guide) - here.seen
        change.square().mean().backward()
        output: Tensor = change.detach()
        return output

    return work


def _of_some_output(config: ResUNetConfig) -> ResUNet:
    """A new network which does not return its input, as new ones do."""
    network = ResUNet(config)
    nn.init.normal_(network.head.weight, std=0.01)
    return network


def network_size(config: TrainConfig, device: torch.device) -> str:
    """The network asked for; M on a GPU and S on a CPU when none is."""
    if config.network != "auto":
        return config.network
    return "S" if device.type == "cpu" else "M"
