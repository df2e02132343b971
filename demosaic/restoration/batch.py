"""Many files restored, pictures and clips, one after the other."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from demosaic.config.compute import DeviceConfig
from demosaic.config.restoration import RestoreConfig
from demosaic.errors import NOTHING_TO_DO, DemosaicError, how_to_install
from demosaic.events import Listener, Notice, ignore
from demosaic.files import make_folder, write_with
from demosaic.imaging.batch import Job, do_all, is_clip
from demosaic.models.checkpoint import load_model
from demosaic.models.compute import Compute, choose, settle_threads
from demosaic.models.model import Model
from demosaic.restoration.events import ClipRestored, PictureRestored
from demosaic.restoration.image import restore_file, trial


def restore_files(
    jobs: Sequence[Job],
    model_path: Path,
    config: RestoreConfig,
    *,
    devices: DeviceConfig | None = None,
    listen: Listener = ignore,
) -> int:
    """Restore every picture; say how many were. One that cannot be is said and the rest still done.

    Raises that picture's own DemosaicError when there is only one, or one for all when none could
    be.
    """
    settle_threads(devices or DeviceConfig())
    compute, _ = choose(devices or DeviceConfig())
    model = load_model(model_path, compute.device)
    if not model.undoes_mosaics:
        listen(Notice("this model was not trained on mosaics: its results are not reconciled"))
    elif any(is_clip(job.source) for job in jobs):  # many frames are worth a trial
        compute, why = choose(devices or DeviceConfig(), trial(model))
        listen(Notice(why))

    def restore(job: Job) -> PictureRestored | ClipRestored:
        try:
            if is_clip(job.source):
                return _restore_clip(job, model, config, compute, listen)
            restored = restore_file(job.source, job.out, model, config, compute)
        except DemosaicError as error:
            if config.copy_untouched and error.exit_code == NOTHING_TO_DO:
                _copy(job)
            raise
        return PictureRestored(str(job.source), str(job.out), restored.regions)

    return do_all(jobs, restore, "restored", listen)


def _copy(job: Job) -> None:
    """Put a picture as it is where its result would have gone, unless something is there."""
    copy = job.out.with_name(job.source.name)
    if not copy.exists():
        make_folder(copy.parent)
        write_with(copy, lambda part: shutil.copyfile(job.source, part))


def _restore_clip(
    job: Job, model: Model, config: RestoreConfig, compute: Compute, listen: Listener
) -> ClipRestored:
    try:
        from demosaic.restoration.clip import restore_clip
    except ModuleNotFoundError as error:  # PyAV is an extra
        raise DemosaicError(
            f"{job.source}: a clip needs PyAV (Python 3.11 or later): {how_to_install('video')}"
        ) from error
    return restore_clip(job.source, job.out, model, config, compute, listen)
