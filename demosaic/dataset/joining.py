"""Two folders of pictures joined into side-by-side pictures, for what is no mosaic."""

from collections import Counter
from pathlib import Path

import numpy as np

from demosaic.dataset.events import JoinReport
from demosaic.errors import NOTHING_TO_DO, DemosaicError
from demosaic.events import Listener, WorkDone, WorkStarted, ignore
from demosaic.files import make_folder
from demosaic.imaging.decoding import read_image
from demosaic.imaging.discovery import find_images
from demosaic.imaging.encoding import write_png


def join_folders(
    inputs: Path, targets: Path, out: Path, *, listen: Listener = ignore
) -> JoinReport:
    """Write each picture of `inputs` beside that of the same path in `targets`, whatever its
    suffix, into the folder `out`, which is made: what `train --preset seed` takes. Folders such as
    train/ and val/ stay.

    Raises DemosaicError when `out` has something in it, or no two pictures belong together.
    """
    if out.exists() and any(out.iterdir()):
        raise DemosaicError(f"{out} is not empty: name a new folder")
    partners = {_name(path, targets): path for path in find_images(targets)}
    found = sorted(find_images(inputs))
    left_out: Counter[str] = Counter()
    joined = 0
    listen(WorkStarted("pictures", len(found)))
    for path in found:
        name = _name(path, inputs)
        problem = _join(path, partners.get(name), out / f"{name}.png")
        left_out.update([problem] if problem else [])
        joined += not problem
        listen(WorkDone(1))
    if not joined:
        why = ", ".join(f"{count} x {reason}" for reason, count in left_out.most_common())
        raise DemosaicError(f"nothing to join: {why or f'no picture in {inputs}'}", NOTHING_TO_DO)
    return JoinReport(str(out), joined, dict(left_out.most_common()))


def _name(path: Path, folder: Path) -> str:
    """What the pictures of a pair have in common: the way from the folder, without the suffix."""
    return path.relative_to(folder).with_suffix("").as_posix()


def _join(source: Path, target: Path | None, out: Path) -> str:
    """Write two pictures side by side; why not, if they cannot be."""
    if target is None:
        return "no picture of that name among the targets"
    try:
        left, right = read_image(source), read_image(target)
    except DemosaicError:
        return "not a picture"
    if left.shape != right.shape:
        return "of another size than its target"
    make_folder(out.parent)
    write_png(out, np.hstack([left, right]))
    return ""
