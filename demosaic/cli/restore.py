"""`restore`."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from demosaic.cli.application import listening
from demosaic.cli.options import Only, own_option
from demosaic.cli.shared import ForceOption, ModelOption, refuse_failures
from demosaic.cli.workers import ClusterOption, workers_of
from demosaic.config.clips import ClipConfig
from demosaic.config.compute import DeviceConfig
from demosaic.config.restoration import RestoreConfig
from demosaic.config.screen import ScreenConfig


def restore(
    pictures: Annotated[
        list[Path],
        typer.Argument(metavar="PICTURE", help="Pictures, clips, folders of them, or patterns."),
    ],
    *,
    model: ModelOption = None,
    config: RestoreConfig,
    clips: ClipConfig,
    # No trial of the precision: it would take longer than a picture
    devices: Annotated[DeviceConfig, Only("device", "threads")],
    out: Annotated[
        Path | None,
        own_option(
            "The file to write, or the folder for several.",
            metavar="PATH",
            default="beside the picture, as NAME.restored and its suffix",
        ),
    ] = None,
    open_page: Annotated[
        bool, typer.Option("--open", help="Write the page, and open it in the browser.")
    ] = False,
    force: ForceOption = False,
    cluster: ClusterOption = None,
    screen: ScreenConfig,
) -> None:
    """Restore pixelated faces.

    Nothing outside the mosaic changes. The result is a plausible face that agrees with the blocks,
    not the person's true face. It is not for identifying anyone; and pixelation is not anonymity.
    In a clip it hides less: frames in which a mosaic lies elsewhere on the face are restored
    together, and bring back some of what was really there.

    \b
    demosaic restore face.jpg
    demosaic restore group.png --region 310,120,192,192 --block 12
    demosaic restore clip.mp4
    demosaic restore ./album --out ./restored --open
    """
    import webbrowser

    from demosaic.restoration import batch

    if open_page:
        config = replace(config, page=True)
    with listening(screen) as listen:
        needed = [*filter(Path.exists, pictures), *([model] if model else [])]
        with workers_of(cluster, needed, listen, out=out) as workers:
            report = batch.restore_files(
                pictures,
                out,
                force=force,
                model=model,
                config=config,
                devices=devices,
                clips=clips,
                workers=workers,
                listen=listen,
            )
        if open_page and report.page:
            webbrowser.open(Path(report.page).resolve().as_uri())
        refuse_failures(report)
