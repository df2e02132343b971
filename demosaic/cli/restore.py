"""`restore`."""

from pathlib import Path
from typing import Annotated

import typer

from demosaic.cli.application import listening
from demosaic.cli.options import (
    MODEL_AT_HAND,
    DeviceOption,
    ForceOption,
    RealismOption,
    ThreadsOption,
    read_cell_sides,
    read_regions,
    read_two,
)
from demosaic.config.compute import DeviceConfig
from demosaic.config.restoration import RestoreConfig
from demosaic.config.rules import Sampler


def restore(
    pictures: Annotated[
        list[Path], typer.Argument(help="Pictures, clips, folders of them, or patterns.")
    ],
    model: Annotated[
        Path | None,
        typer.Option(help="The model to take.", show_default=MODEL_AT_HAND),
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(
            metavar="X,Y,W,H",
            help="A pixelated rectangle, px, or `whole`; may be given several times.",
            show_default="every mosaic found",
        ),
    ] = None,
    mask: Annotated[
        str | None,
        typer.Option(help="A picture of the same size that is white where that one is pixelated."),
    ] = RestoreConfig.mask,
    block: Annotated[
        str | None,
        typer.Option(
            metavar="N|WxH", help="Side or sides of a mosaic cell, px.", show_default="as found"
        ),
    ] = None,
    offset: Annotated[
        str | None,
        typer.Option(
            metavar="X,Y",
            help="Where in a region cells of that size begin, px.",
            show_default="where they fit best",
        ),
    ] = None,
    sampler: Annotated[
        Sampler | None,
        typer.Option(
            help="What of a cell its colour was taken from.", show_default="as its border tells"
        ),
    ] = RestoreConfig.sampler,
    consistency: Annotated[
        float | None,
        typer.Option(
            help="How far the result is to pixelate back to what was shown, 0 to 1.",
            show_default="1 where colours are surely means, down to 0",
        ),
    ] = RestoreConfig.consistency,
    realism: RealismOption = RestoreConfig.realism,
    compare: Annotated[
        bool, typer.Option("--compare", help="Write before | after too, as NAME.compare.jpg.")
    ] = RestoreConfig.compare,
    copy_untouched: Annotated[
        bool,
        typer.Option("--copy-untouched", help="Copy pictures without a mosaic to the results."),
    ] = RestoreConfig.copy_untouched,
    out: Annotated[
        Path | None,
        typer.Option(
            help="The file to write, or the folder for several.",
            show_default="beside the picture, as NAME.restored and its suffix",
        ),
    ] = None,
    force: ForceOption = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Say what is done as JSON, a line a region.")
    ] = False,
    device: DeviceOption = DeviceConfig.device,
    threads: ThreadsOption = DeviceConfig.threads,
) -> None:
    """Restore pixelated faces.

    Nothing outside the mosaic changes. The result is a plausible face that agrees with the blocks,
    not the person's true face. It is not for identifying anyone; and pixelation is not anonymity.

    \b
    demosaic restore face.jpg
    demosaic restore group.png --region 310,120,192,192 --block 12
    demosaic restore clip.mp4
    """
    config = RestoreConfig(
        regions=read_regions(region or []),
        mask=mask,
        block=read_cell_sides(block) if block else None,
        offset=read_two("--offset", offset, ",", "x,y") if offset else None,
        sampler=sampler,
        consistency=consistency,
        realism=realism,
        compare=compare,
        copy_untouched=copy_untouched,
    )
    from demosaic.restoration import batch

    with listening(as_json) as listen:
        devices_config = DeviceConfig(device=device, threads=threads)
        batch.restore_files(
            pictures,
            out,
            force=force,
            model=model,
            config=config,
            devices=devices_config,
            listen=listen,
        )
