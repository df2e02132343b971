"""`train`."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from demosaic.cli.application import listening
from demosaic.cli.options import Chosen, completing, described, own_option
from demosaic.cli.prepare import keep_numpy_to_one_thread
from demosaic.config.compute import DeviceConfig
from demosaic.config.screen import ScreenConfig
from demosaic.config.training import RECIPES, TrainConfig, recipe, recipe_like
from demosaic.errors import USAGE, DemosaicError


def train(
    pairs: Annotated[
        Path,
        typer.Argument(
            metavar="PAIRS",
            help="What build-dataset wrote, or any folder of side-by-side pictures.",
        ),
    ],
    *,
    preset: Annotated[
        str,
        typer.Option(
            metavar="|".join(RECIPES),
            autocompletion=completing([*RECIPES]),
            show_default=False,
            help=described(
                "The recipe; seed is that of the 2020 article.", f"default: {TrainConfig.preset}"
            ),
        ),
    ] = TrainConfig.preset,
    chosen: Annotated[dict[str, Any], Chosen(RECIPES)],
    config_file: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="Take preset and options from a run's config.json; those given here come first.",
        ),
    ] = None,
    name: Annotated[
        str | None,
        own_option(
            "Name of the run in runs/.",
            metavar="TEXT",
            default="name of the pairs folder, and the preset",
        ),
    ] = None,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Also log for TensorBoard, in the run.")
    ] = False,
    devices: DeviceConfig,
    screen: ScreenConfig,
) -> None:
    """Turn pairs into a model.

    It learns to undo mosaics of any block and offset, drawn anew over the faces at every step. The
    same command continues after a stop. `--preset seed` trains as the article did; it also learns
    whatever else is different in the left half of the pictures.

    \b
    demosaic train ./pairs
    """
    if config_file is None:
        config = recipe(preset, chosen)
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")  # huge pages; torch reads it on import
    keep_numpy_to_one_thread()
    from demosaic import events
    from demosaic.models import compute, lookup
    from demosaic.training import loop as training
    from demosaic.training import tensorboard as tensorboard_log
    from demosaic.training.run_folder import config_in, default_run

    if config_file:
        config = recipe_like(config_in(config_file), chosen)
    run = _run_folder(name) if name else default_run(pairs, config.preset)
    compute.tune_allocator()
    with listening(screen) as listen:
        if tensorboard:
            listen = events.tee(listen, tensorboard_log.log_to_board(run))
        report = training.train(pairs, run, config, devices=devices, listen=listen)
        lookup.remember_model(Path(report.best))


def _run_folder(name: str) -> Path:
    """The folder of a run in runs/. Raises DemosaicError for a name that leads out of there."""
    if Path(name).name != name or name == "..":
        raise DemosaicError(f"--name {name}: choose one without folders, for a run in runs/", USAGE)
    return Path("runs") / name
