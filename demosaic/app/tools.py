"""What the jobs of the page work with."""

from dataclasses import dataclass
from pathlib import Path

from demosaic.app.uploads import Upload, Uploads
from demosaic.config.compute import DeviceConfig
from demosaic.config.detector import DetectorConfig
from demosaic.errors import DemosaicError
from demosaic.models.compute import Compute
from demosaic.models.model import Model


@dataclass(frozen=True)
class Tools:
    """What the jobs of the page work with."""

    model: Model
    model_file: Path
    compute: Compute
    devices: DeviceConfig
    detectors: DetectorConfig
    uploads: Uploads
    album: Path | None = None
    """The folder that may be audited."""

    def upload(self, identity: str) -> Upload:
        """The upload with this id. Raises DemosaicError when it is no longer kept."""
        found = self.uploads.get(identity)
        if found is None:
            raise DemosaicError("This file is no longer kept here. Choose it again.")
        return found
