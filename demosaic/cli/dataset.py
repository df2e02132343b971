"""`build-dataset` and `forget`."""

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from demosaic.cli.application import listening
from demosaic.cli.options import described
from demosaic.cli.workers import ClusterOption, workers_of
from demosaic.config.dataset import BuildConfig
from demosaic.config.detector import DetectorConfig
from demosaic.config.screen import ScreenConfig
from demosaic.errors import DemosaicError

if TYPE_CHECKING:
    from demosaic.events import Listener

_MOST_WORKERS = 61  # Windows waits for no more processes at once


def build_dataset(
    photos: Annotated[
        Path, typer.Argument(metavar="PHOTOS", help="The folder with your photos, however nested.")
    ],
    pairs: Annotated[
        Path, typer.Argument(metavar="PAIRS", help="The folder to write the pairs into.")
    ],
    *,
    config: BuildConfig,
    detectors: DetectorConfig,
    targets: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Look for no faces: join each picture with that of the same name in this folder, "
            "for train --preset seed.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Estimate pairs, time and disk; write nothing.")
    ] = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="Compare an earlier build with its photos; write nothing."),
    ] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove the pairs of photos that are gone.")
    ] = False,
    workers: Annotated[
        int,
        typer.Option(
            metavar="INTEGER",
            min=1,
            max=_MOST_WORKERS,
            help=described(
                "Processes to work in.", "default: one per core", f"1 to {_MOST_WORKERS}"
            ),
        ),
    ] = min(os.cpu_count() or 1, _MOST_WORKERS),
    cluster: ClusterOption = None,
    screen: ScreenConfig,
) -> None:
    """Turn photos into pairs.

    Walks nested folders, finds every face, crops it, pixelates it, and splits by folder: with a
    folder for each person, nobody is in two splits. Copies of one photo stay in one split too,
    however small or compressed, and wherever they are.

    \b
    demosaic build-dataset ./photos ./pairs
    demosaic build-dataset ./A ./pairs --targets ./B
    """
    from demosaic.dataset import build as building
    from demosaic.dataset import dry_run as forecasting
    from demosaic.dataset import joining
    from demosaic.faces import cache, engines

    with listening(screen) as listen:
        if targets:
            listen(joining.join_folders(photos, targets, pairs, listen=listen))
            return
        if check:
            _check(photos, pairs, listen)
            return
        if dry_run:
            known = cache.FaceCache(cache.user_cache(), engines.NETWORK_NAME)
            make = partial(engines.make_detector, detectors.detector)
            examiner = cache.Examiner(make, known, remember=False)
            forecast = forecasting.forecast(
                photos,
                pairs,
                config,
                examiner=examiner,
                prune=prune,
                workers=workers,
                listen=listen,
            )
            listen(forecast)
            return
        with workers_of(cluster, [photos], listen, processes=workers) as found:
            report = building.build_dataset(
                photos,
                pairs,
                config,
                detector=detectors.detector,
                prune=prune,
                workers=found or workers,
                listen=listen,
            )
        listen(report)


def _check(photos: Path, pairs: Path, listen: "Listener") -> None:
    from demosaic.dataset.check import check_dataset

    report = check_dataset(photos, pairs, listen=listen)
    listen(report)
    if report.faults:
        raise DemosaicError(
            f"{pairs} is not as it was built: delete its damaged pictures, and the same command "
            "without --check makes them again"
        )


def forget(
    pairs: Annotated[Path, typer.Argument(metavar="PAIRS", help="What build-dataset wrote.")],
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="A photo or a folder as pairs.jsonl names it, or a person."
        ),
    ],
    *,
    screen: ScreenConfig,
) -> None:
    """Remove a photo, or everything of a person, from a dataset.

    Removes its pairs, its lines, its pictures on the sheets and what the detector saw of it. Later
    builds leave it out, whatever its name: only the hash of its content stays. The photo itself is
    not touched, and models trained before still know it.

    \b
    demosaic forget ./pairs "Jane Doe/holiday.jpg"
    demosaic forget ./pairs "Jane Doe"
    """
    from demosaic.dataset import forget as forgetting
    from demosaic.faces import cache

    with listening(screen) as listen:
        listen(forgetting.forget(pairs, name, looks=cache.user_cache(), listen=listen))
