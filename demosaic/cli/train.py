"""`train`."""

import os
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import typer

from demosaic.cli.options import (
    DeviceOption,
    PrecisionOption,
    ThreadsOption,
    both_defaults,
    keep_numpy_to_one_thread,
)
from demosaic.config.compute import DeviceConfig
from demosaic.config.networks import DiscriminatorKind, UNetConfig
from demosaic.config.training import Direction, NetworkSize, Preset, SeedConfig, TrainConfig
from demosaic.errors import USAGE, DemosaicError


def train(
    pairs: Annotated[
        Path,
        typer.Argument(help="What build-dataset wrote, or any folder of side-by-side pictures."),
    ],
    preset: Annotated[
        Preset, typer.Option(help="The recipe; `seed` is the 2020 article.")
    ] = TrainConfig.preset,
    minutes: Annotated[
        float | None, typer.Option(help="Time to train.", show_default=f"{TrainConfig.minutes:g}")
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(help="Steps to train instead.", show_default=f"seed: {SeedConfig.steps}"),
    ] = None,
    network: Annotated[
        NetworkSize | None,
        typer.Option(help="Size of the network.", show_default="S on a CPU, M on a GPU"),
    ] = None,
    init: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Start from a model instead of anew.")
    ] = TrainConfig.init,
    batch: Annotated[
        int | None,
        typer.Option(help="Faces a step.", show_default=both_defaults("batch")),
    ] = None,
    parts: Annotated[
        int | None,
        typer.Option(
            help="Compute a step in so many parts: less memory, the same result.",
            show_default=str(TrainConfig.parts),
        ),
    ] = None,
    lr: Annotated[
        float | None, typer.Option(help="Learning rate.", show_default=both_defaults("lr"))
    ] = None,
    sharpen: Annotated[
        float | None,
        typer.Option(
            help="Share of the time for the stage that adds sharpness.",
            show_default=str(TrainConfig.sharpen),
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Decides the first weights and all that is drawn.")
    ] = TrainConfig.seed,
    limit: Annotated[
        int | None, typer.Option(help="Train on so many of the pairs only, the first by hash.")
    ] = TrainConfig.limit,
    direction: Annotated[
        Direction, typer.Option(help="Which half of a picture is the input.")
    ] = TrainConfig.direction,
    validations: Annotated[
        int | None,
        typer.Option(help="Validations in all.", show_default="8, fewer in less than 80 steps"),
    ] = None,
    validation_pairs: Annotated[
        int | None,
        typer.Option(
            help="Score at most so many validation pairs.",
            show_default=both_defaults("validation_pairs"),
        ),
    ] = None,
    save_every: Annotated[
        int | None,
        typer.Option(help="Steps between saved states.", show_default=both_defaults("save_every")),
    ] = None,
    l1_weight: Annotated[
        float | None,
        typer.Option(
            help="Seed only: weight of the absolute error beside the adversarial loss.",
            show_default=str(SeedConfig.l1_weight),
        ),
    ] = None,
    validate_every: Annotated[
        int | None,
        typer.Option(
            help="Seed only: steps between validations.",
            show_default=str(SeedConfig.validate_every),
        ),
    ] = None,
    discriminator: Annotated[
        DiscriminatorKind | None,
        typer.Option(
            help="Seed only: as in the article's code, or as in its printed summary.",
            show_default=UNetConfig.discriminator,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="Name of the run.", show_default="the pairs folder's and the preset"),
    ] = None,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Log for TensorBoard too, below the run.")
    ] = False,
    device: DeviceOption = DeviceConfig.device,
    precision: PrecisionOption = DeviceConfig.precision,
    threads: ThreadsOption = DeviceConfig.threads,
) -> None:
    """Turn pairs into a model.

    Learns to undo mosaics of any block and offset, drawn anew over the faces at every step. The
    same command goes on after a stop. With `--preset seed` it is the article's training, which also
    learns whatever else the left half of the pictures differs in.

    \b
    demosaic train ./pairs
    """
    chosen = {
        "minutes": minutes,
        "steps": steps,
        "network": network,
        "init": init,
        "batch": batch,
        "parts": parts,
        "lr": lr,
        "sharpen": sharpen,
        "seed": seed,
        "limit": limit,
        "direction": direction,
        "validations": validations,
        "validation_pairs": validation_pairs,
        "save_every": save_every,
        "l1_weight": l1_weight,
        "validate_every": validate_every,
        "discriminator": discriminator,
    }
    config = _recipe(preset, {name: value for name, value in chosen.items() if value is not None})
    devices_config = DeviceConfig(device=device, precision=precision, threads=threads)
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")  # huge pages; torch reads it on import
    keep_numpy_to_one_thread()
    from demosaic import events
    from demosaic.cli import console
    from demosaic.models import compute, lookup
    from demosaic.training import loop as training
    from demosaic.training import tensorboard as tensorboard_log
    from demosaic.training.run_folder import default_run

    run = _run_folder(name) if name else default_run(pairs, preset)

    compute.tune_allocator()
    with console.Console() as screen:
        listen = events.tee(screen, tensorboard_log.log_to_board(run)) if tensorboard else screen
        report = training.train(pairs, run, config, devices=devices_config, listen=listen)
        screen.trained(report)
        lookup.remember_model(Path(report.best))


def _run_folder(name: str) -> Path:
    """The folder of a run in runs/. Raises DemosaicError for a name that leads out of there."""
    if Path(name).name != name or name == "..":
        raise DemosaicError(f"--name {name}: choose one without folders, for a run in runs/", USAGE)
    return Path("runs") / name


def _recipe(preset: Preset, chosen: dict[str, Any]) -> TrainConfig | SeedConfig:
    """The preset with the options chosen. Raises DemosaicError for one that it does not have."""
    seed = preset == SeedConfig.preset
    kind = SeedConfig if seed else TrainConfig
    known = {field.name for field in fields(kind)}
    known = known - {"network"} | {"discriminator"} if seed else known
    if {"minutes", "steps"} <= chosen.keys() & known:
        raise DemosaicError("--minutes and --steps: give one of the two", USAGE)
    strange = [name for name in chosen if name not in known]
    if strange:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in strange)
        raise DemosaicError(f"{options}: --preset {preset} has no such option", USAGE)
    if "discriminator" in chosen:
        chosen = {**chosen, "network": UNetConfig(discriminator=chosen["discriminator"])}
        del chosen["discriminator"]
    return kind(**chosen)
