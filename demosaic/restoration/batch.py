"""Many files restored, pictures and clips, one after the other."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from os import PathLike
from pathlib import Path

from demosaic.clips import without_pyav
from demosaic.config.clips import ClipConfig
from demosaic.config.compute import DeviceConfig
from demosaic.config.restoration import RestoreConfig
from demosaic.errors import NOTHING_TO_DO, USAGE, DemosaicError
from demosaic.events import Listener, Notice, ignore
from demosaic.files import make_folder, write_with
from demosaic.imaging.batch import BatchReport, Job, Sources, do_all, is_clip, plan
from demosaic.models.compute import Compute, choose, settle_threads
from demosaic.models.lookup import load_model
from demosaic.models.model import Model
from demosaic.restoration.events import ClipRestored, PictureRestored
from demosaic.restoration.image import ShowFrame, refuse_draws, trial
from demosaic.restoration.page import RestorePage
from demosaic.restoration.picture_file import restore_file
from demosaic.workers.processes import Workers


def restore_files(
    pictures: Sources,
    out: str | PathLike[str] | None = None,
    *,
    force: bool = False,
    model: str | PathLike[str] | Model | None = None,
    config: RestoreConfig = RestoreConfig(),
    devices: DeviceConfig = DeviceConfig(),
    clips: ClipConfig = ClipConfig(),
    workers: Workers | None = None,
    listen: Listener = ignore,
) -> BatchReport[PictureRestored | ClipRestored]:
    """Restore the mosaics in files and write the results; what `demosaic restore` does.

    `pictures`: one or several pictures, clips, folders of them, or patterns such as
    `photos/**/*.jpg`. `out`: the file to write, or the folder for several; without it a result goes
    beside its picture, as NAME.restored and the suffix. Results that are there stay, unless `force`
    is given. `model`: a model or its file; without one, that which `demosaic restore` takes.
    `workers` do the work, as `workers.cluster` makes them, without a page; without them this
    process does.

    A picture that cannot be restored is reported as skipped. Raises DemosaicError when there is no
    model or no picture, when there is only one picture and it cannot be restored, or when none
    could be.
    """
    jobs = plan(
        pictures,
        Path(out) if out is not None else None,
        "restored",
        force=force,
        count=config.samples,
        listen=listen,
    )
    if workers:
        if config.page:
            listen(Notice("several workers write no page: leave out --page, or use one process"))
        return _restore_elsewhere(jobs, model, config, devices, clips, workers, listen)
    page = _page_of(jobs, Path(out) if out is not None else None, force) if config.page else None
    return _restore_all(jobs, model, config, devices, clips, listen, page)


def _page_of(jobs: Sequence[Job], out: Path | None, force: bool) -> Path:
    """Where the page goes: beside the result of one picture, or in the folder of several. It gets a
    number where there is one already, unless `force`: it may show what was restored earlier.
    """
    first = jobs[0].out
    folder = out if out and len(jobs) > 1 else first.parent
    page = folder / ("restored.html" if len(jobs) > 1 else f"{first.stem}.html")
    numbers = (page.with_name(f"{page.stem}-{number}.html") for number in count(2))
    return next(one for one in chain((page,), numbers) if force or not one.exists())


def _restore_all(
    jobs: Sequence[Job],
    model: str | PathLike[str] | Model | None,
    config: RestoreConfig,
    devices: DeviceConfig,
    clips: ClipConfig,
    listen: Listener,
    page: Path | None,
) -> BatchReport[PictureRestored | ClipRestored]:
    settle_threads(devices)
    compute, _ = choose(devices)
    loaded = load_model(model, compute.device, listen)
    refuse_draws(loaded, config)
    if not loaded.undoes_mosaics:
        listen(Notice("this model was not trained on mosaics: its output is used as it is"))
    elif any(is_clip(job.source) for job in jobs):  # many frames are worth a trial
        compute, why = choose(devices, trial(loaded))
        listen(Notice(why))

    shown = RestorePage(page, loaded, config, compute) if page else None

    restoring = _Restoring(loaded, config, compute, clips, shown)
    report = do_all(jobs, restoring, "restored", listen)
    if shown:
        shown.write(report.skipped)
        listen(Notice(f"look at {shown.path}"))
        report = replace(report, page=str(shown.path))
    return report


@dataclass(frozen=True)
class _Restoring:
    """Restores files one by one."""

    model: Model
    config: RestoreConfig
    compute: Compute
    clips: ClipConfig
    shown: RestorePage | None = None

    def __call__(self, job: Job, listen: Listener) -> PictureRestored | ClipRestored:
        try:
            return self._restored(job, listen)
        except DemosaicError as error:
            if self.config.copy_untouched and error.exit_code == NOTHING_TO_DO:
                _copy(job)
            raise

    def _restored(self, job: Job, listen: Listener) -> PictureRestored | ClipRestored:
        how = self.model, self.config, self.compute
        if not is_clip(job.source):
            show = self.shown.add_picture if self.shown else None
            return restore_file(job.source, job.out, *how, listen, show)
        show_frame = self.shown.add_frame if self.shown else None
        clip = _restore_clip(job, *how, self.clips, listen, show_frame)
        if self.shown:
            self.shown.add_clip(clip)
        return clip


def _restore_elsewhere(
    jobs: Sequence[Job],
    model: str | PathLike[str] | Model | None,
    config: RestoreConfig,
    devices: DeviceConfig,
    clips: ClipConfig,
    workers: Workers,
    listen: Listener,
) -> BatchReport[PictureRestored | ClipRestored]:
    """The same by workers; the model is sent to them, and each of them chooses where to compute."""
    if config.page:
        raise DemosaicError("--cluster writes no page: leave out --page and --open", USAGE)
    loaded = load_model(model, listen=listen)
    refuse_draws(loaded, config)
    return do_all(jobs, _Sent(loaded, config, devices, clips), "restored", listen, workers)


@dataclass
class _Sent:
    """Restores files where it was sent to."""

    model: Model
    config: RestoreConfig
    devices: DeviceConfig
    clips: ClipConfig
    _restoring: _Restoring | None = None

    def __call__(self, job: Job, listen: Listener) -> PictureRestored | ClipRestored:
        if self._restoring is None:
            self._restoring = self._begun()
        return self._restoring(job, listen)

    def _begun(self) -> _Restoring:
        # As many workers as cores are usual: more threads would be in each other's way
        settle_threads(replace(self.devices, threads=self.devices.threads or 1))
        compute, _ = choose(self.devices)
        model = load_model(self.model, compute.device)
        return _Restoring(model, self.config, compute, self.clips)


def _copy(job: Job) -> None:
    """Copy a picture to where its result would have gone, unless something is there."""
    copy = job.out.with_name(job.source.name)
    if not copy.exists():
        make_folder(copy.parent)
        write_with(copy, lambda part: shutil.copyfile(job.source, part))


def _restore_clip(
    job: Job,
    model: Model,
    config: RestoreConfig,
    compute: Compute,
    clips: ClipConfig,
    listen: Listener,
    show: ShowFrame | None,
) -> ClipRestored:
    try:
        from demosaic.restoration.clip import restore_clip
    except ModuleNotFoundError as error:  # PyAV is an extra
        raise without_pyav(job.source) from error
    return restore_clip(job.source, job.out, model, config, compute, listen, clips, show)
