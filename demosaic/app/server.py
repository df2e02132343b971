"""The server of the page: on this machine only, until Ctrl-C."""

import secrets
import socket
import tempfile
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import uvicorn

from demosaic import __version__
from demosaic.app.guard import ADDRESS, Guard
from demosaic.app.jobs import Jobs, Result
from demosaic.app.routes import application
from demosaic.app.tools import Tools
from demosaic.app.uploads import Uploads
from demosaic.config.compute import DeviceConfig
from demosaic.config.detector import DetectorConfig
from demosaic.config.serving import ServeConfig
from demosaic.errors import DemosaicError
from demosaic.events import Listener, Notice, ignore
from demosaic.files import real_path
from demosaic.models.box import BOX
from demosaic.models.compute import choose, settle_threads
from demosaic.models.lookup import choose_model, load_model

_MOST_CONNECTIONS = 64
_PATIENCE = 2  # seconds that a download may take after Ctrl-C


def serve(
    config: ServeConfig,
    *,
    model: Path | None = None,
    album: Path | None = None,
    devices: DeviceConfig = DeviceConfig(),
    detectors: DetectorConfig = DetectorConfig(),
    listen: Listener = ignore,
) -> None:
    """Show the page until Ctrl-C. Uploads are removed then.

    `model`: its file; without one, that which `demosaic restore` takes. `album`: a folder that may
    be audited. Raises DemosaicError when the port is taken, or there is no such model or folder.
    """
    if album is not None and not album.is_dir():
        raise DemosaicError(f"--album {album}: there is no such folder")
    with (
        listening_on(config.port) as port,
        tempfile.TemporaryDirectory(prefix="demosaic-") as folder,
    ):
        tools = _tools(Path(folder), model, album, devices, detectors, listen)
        jobs, token = Jobs(), secrets.token_urlsafe(32)
        number = port.getsockname()[1]
        address = f"http://{ADDRESS}:{number}/?token={token}"
        listen(Notice(f"open {address}"))
        listen(Notice("only this machine can; Ctrl-C ends it and removes what was uploaded"))
        if config.open:
            webbrowser.open(address)
        server = server_of(tools, jobs, token, number)
        try:
            server.run(sockets=[port])
        except KeyboardInterrupt:  # the usual end
            pass
        finally:
            jobs.close()


def server_of(tools: Tools, jobs: Jobs, token: str, port: int) -> uvicorn.Server:
    """A server of the page that answers whoever has the token."""
    app = Guard(application(tools, jobs, _about(tools)), token, port)
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=_PATIENCE,
    )
    return uvicorn.Server(config)


@contextmanager
def listening_on(port: int) -> Iterator[socket.socket]:
    """A socket that only this machine can reach. Raises DemosaicError when the port is taken."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as one:
        try:
            one.bind((ADDRESS, port))
            one.listen()
        except OSError as error:
            raise DemosaicError(
                f"--port {port}: {error.strerror}; choose another, or leave it out"
            ) from error
        yield one


def _tools(
    folder: Path,
    model: Path | None,
    album: Path | None,
    devices: DeviceConfig,
    detectors: DetectorConfig,
    listen: Listener,
) -> Tools:
    settle_threads(devices)
    compute, _ = choose(devices)
    path = choose_model(model, listen)
    loaded = load_model(path, compute.device)
    if not loaded.undoes_mosaics:
        raise DemosaicError(
            f"{path}: this model was not trained on mosaics; choose another --model"
        )
    return Tools(loaded, path, compute, devices, detectors, Uploads(folder), album)


def _about(tools: Tools) -> Result:
    """What the page says of this program."""
    file = tools.model_file
    return {
        "version": __version__,
        "model": "the model in the box" if file == BOX else f"{file.parent.name}/{file.name}",
        "draws": tools.model.draws,
        "sharp": tools.model.card.sharp,
        "clips": find_spec("av") is not None,
        "album": real_path(tools.album).name if tools.album else None,
    }
