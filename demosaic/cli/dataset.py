"""`build-dataset` and `forget`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from demosaic.cli.application import listening
from demosaic.cli.options import MOST_WORKERS, SamplerOption, read_block, read_block_range
from demosaic.config.dataset import BuildConfig, Offset
from demosaic.config.rules import LEAST_SCORE


def build_dataset(
    photos: Annotated[
        Path, typer.Argument(help="The folder with your photos, nested as they are.")
    ],
    pairs: Annotated[Path, typer.Argument(help="The folder to write the pairs into.")],
    size: Annotated[int, typer.Option(help="Side of a face picture, px.")] = BuildConfig.size,
    block: Annotated[
        float,
        typer.Option(
            parser=read_block,
            metavar="NUMBER",
            help="Side of a mosaic cell: px, or a share of the face such as 1/12.",
        ),
    ] = BuildConfig.block,
    blocks: Annotated[
        str | None,
        typer.Option(metavar="FROM:TO", help="Draw each pair's side from this range instead, px."),
    ] = None,
    offset: Annotated[
        Offset, typer.Option(help="Begin the cells in the corner, or anywhere.")
    ] = BuildConfig.offset,
    sampler: SamplerOption = BuildConfig.sampler,
    margin: Annotated[
        float, typer.Option(help="Side of the crop, as a multiple of the face found.")
    ] = BuildConfig.margin,
    min_face: Annotated[
        int, typer.Option(help="Leave out faces narrower than this, photo px.")
    ] = BuildConfig.min_face,
    min_score: Annotated[
        float, typer.Option(help=f"Leave out what is less surely a face, {LEAST_SCORE} to 1.")
    ] = BuildConfig.min_score,
    max_per_photo: Annotated[
        int, typer.Option(help="Keep so many faces of a photo, the largest; 0 keeps all.")
    ] = BuildConfig.max_per_photo,
    max_enlarge: Annotated[
        float,
        typer.Option(
            help="Leave out faces that would have to be enlarged by more than this factor."
        ),
    ] = BuildConfig.max_enlarge,
    min_sharpness: Annotated[
        float, typer.Option(help="Leave out faces less sharp than this, 0 (blurred) to 1.")
    ] = BuildConfig.min_sharpness,
    group_by: Annotated[
        str,
        typer.Option(
            metavar="parent|photo|REGEX",
            help="What tells people apart: their folder, nothing, or what the first group of a "
            "regular expression finds in a photo's name below the folder.",
        ),
    ] = BuildConfig.group_by,
    max_per_group: Annotated[
        int, typer.Option(help="Keep so many pairs of whoever belongs together; 0 keeps all.")
    ] = BuildConfig.max_per_group,
    val: Annotated[float, typer.Option(help="Share of people for validation.")] = BuildConfig.val,
    test: Annotated[
        float, typer.Option(help="Share of people for a last test.")
    ] = BuildConfig.test,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove the pairs of photos that are gone.")
    ] = False,
    workers: Annotated[
        int,
        typer.Option(
            min=1, max=MOST_WORKERS, help="Processes to work in.", show_default="one a core"
        ),
    ] = min(os.cpu_count() or 1, MOST_WORKERS),
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Forecast pairs, time and disk; write nothing.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Say what is done as JSON on stdout, a line a photo.")
    ] = False,
) -> None:
    """Turn photos into pairs.

    Walks nested folders, finds every face, crops, pixelates, and splits by folder, so that a
    folder for each person keeps everyone on one side. Copies of one photo, however small or
    compressed, stay on one side too, wherever they lie.

    \b
    demosaic build-dataset ./photos ./pairs
    """
    config = BuildConfig(
        size=size,
        block=block,
        blocks=read_block_range(blocks) if blocks else None,
        offset=offset,
        sampler=sampler,
        margin=margin,
        min_face=min_face,
        min_score=min_score,
        max_per_photo=max_per_photo,
        max_enlarge=max_enlarge,
        min_sharpness=min_sharpness,
        group_by=group_by,
        max_per_group=max_per_group,
        val=val,
        test=test,
    )
    from demosaic.dataset import build as building
    from demosaic.dataset import dry_run as forecasting
    from demosaic.faces import cache, detector

    with listening(as_json) as listen:
        if dry_run:
            looks = cache.Looks(cache.users_looks(), detector.MediaPipeDetector.name())
            look = cache.Look(detector.default_detector, looks, remember=False)
            forecast = forecasting.forecast(
                photos, pairs, config, look=look, prune=prune, workers=workers, listen=listen
            )
            listen(forecast)
            return
        report = building.build_dataset(
            photos,
            pairs,
            config,
            prune=prune,
            workers=workers,
            listen=listen,
        )
        listen(report)


def forget(
    pairs: Annotated[Path, typer.Argument(help="What build-dataset wrote.")],
    name: Annotated[
        str, typer.Argument(help="A photo or a folder as pairs.jsonl names it, or a person.")
    ],
) -> None:
    """Take a photo, or everything of a person, out of a dataset.

    Removes its pairs, its lines, its place on the sheets and what the detector saw of it. Later
    builds leave it out, whatever its name: only the hash of its content stays. The photo itself is
    not touched, and models trained before still know it.

    \b
    demosaic forget ./pairs "Jane Doe/holiday.jpg"
    demosaic forget ./pairs "Jane Doe"
    """
    from demosaic.cli import console
    from demosaic.dataset import forget as forgetting
    from demosaic.faces import cache

    with console.Console() as screen:
        report = forgetting.forget(pairs, name, looks=cache.users_looks(), listen=screen)
        screen(report)
