"""`serve`."""

from pathlib import Path
from typing import Annotated

from demosaic.cli.application import listening
from demosaic.cli.options import Only, own_option
from demosaic.cli.shared import ModelOption
from demosaic.config.compute import DeviceConfig
from demosaic.config.detector import DetectorConfig
from demosaic.config.screen import ScreenConfig
from demosaic.config.serving import ServeConfig
from demosaic.errors import DemosaicError, how_to_install


def serve(
    *,
    config: ServeConfig,
    model: ModelOption = None,
    album: Annotated[
        Path | None,
        own_option(
            "A folder of photos that the page may audit, a folder for each person.",
            metavar="FOLDER",
            default="none",
        ),
    ] = None,
    devices: Annotated[DeviceConfig, Only("device", "threads")],
    detectors: DetectorConfig,
    screen: ScreenConfig,
) -> None:
    """Restore and hide faces on a page in your browser.

    The page and what you drop on it stay on this machine. Only a browser here that has the address
    printed can open it. Ctrl-C ends it and removes what was uploaded.

    \b
    demosaic serve --open
    """
    try:
        from demosaic.app.server import serve as serve_page
    except ModuleNotFoundError as error:  # starlette and uvicorn are an extra
        if (error.name or "").startswith("demosaic"):
            raise
        raise DemosaicError(f"the page needs more packages: {how_to_install('app')}") from error

    with listening(screen) as listen:
        serve_page(
            config,
            model=model,
            album=album,
            devices=devices,
            detectors=detectors,
            listen=listen,
        )
