"""How the local page is served."""

from dataclasses import dataclass

from demosaic.config.options import check, option

_LAST_PORT = 65_535


@dataclass(frozen=True)
class ServeConfig:
    """How the local page is served."""

    port: int = option(
        0, "The port of this machine to listen on.", ge=0, le=_LAST_PORT, shown="any that is free"
    )
    open: bool = option(False, "Open the page in your browser.")

    def __post_init__(self) -> None:
        check(self)
