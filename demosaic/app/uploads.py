"""What was uploaded, in a private temporary folder that goes when the program ends."""

import secrets
import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path

from demosaic.detection.region import Region

MOST_BYTES_OF_A_PICTURE = 100 * 2**20
MOST_BYTES_OF_A_CLIP = 2 * 2**30
_MOST_UPLOADS = 8
_MOST_BYTES = 4 * 2**30


@dataclass
class Upload:
    """One file that the page sent."""

    id: str
    folder: Path
    suffix: str
    """Chosen by us, never sent by the page as it is."""
    size: int
    """Bytes announced."""
    found: list[Region] = field(default_factory=list)
    """The mosaics found in it."""

    @property
    def source(self) -> Path:
        """The file itself."""
        return self.folder / f"source{self.suffix}"


class Uploads:
    """The last files that were sent. The oldest make room for new ones."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._kept: dict[str, Upload] = {}
        self._changing = threading.Lock()

    def add(self, suffix: str, size: int) -> Upload:
        """A place for a new file of `size` bytes."""
        identity = secrets.token_urlsafe(12)
        upload = Upload(identity, self.root / identity, suffix, size)
        upload.folder.mkdir(mode=0o700)
        with self._changing:
            self._kept[identity] = upload
            crowded = self._crowded()
        for old in crowded:
            self.remove(old)
        return upload

    def get(self, identity: str) -> Upload | None:
        """The upload with this id, if it is still kept."""
        return self._kept.get(identity)

    def remove(self, upload: Upload) -> None:
        """Forget an upload and all that was made of it."""
        with self._changing:
            self._kept.pop(upload.id, None)
        shutil.rmtree(upload.folder, ignore_errors=True)

    def _crowded(self) -> list[Upload]:
        """The oldest uploads, which must go."""
        kept = [*self._kept.values()]
        total, gone = sum(one.size for one in kept), list[Upload]()
        while len(kept) - len(gone) > _MOST_UPLOADS or total > _MOST_BYTES:
            total -= kept[len(gone)].size
            gone.append(kept[len(gone)])
        return gone
