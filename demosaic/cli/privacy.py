"""`pixelate` and `audit`."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from demosaic.cli.application import listening
from demosaic.cli.options import Only, own_option
from demosaic.cli.prepare import new_page
from demosaic.cli.shared import ForceOption, refuse_failures
from demosaic.cli.workers import ClusterOption, workers_of
from demosaic.config.clips import ClipConfig
from demosaic.config.compute import DeviceConfig
from demosaic.config.detector import DetectorConfig
from demosaic.config.privacy import AuditConfig, PixelateConfig
from demosaic.config.screen import ScreenConfig


def pixelate(
    photos: Annotated[
        list[Path], typer.Argument(metavar="PHOTO", help="Photos, clips, folders of them.")
    ],
    *,
    config: PixelateConfig,
    clips: Annotated[ClipConfig, Only("lossy_ok", "codec", "crf")],
    detectors: DetectorConfig,
    out: Annotated[
        Path | None,
        own_option(
            "The file to write, or the folder for several.",
            metavar="PATH",
            default="beside the photo, as NAME.pixelated and its suffix",
        ),
    ] = None,
    force: ForceOption = False,
    cluster: ClusterOption = None,
    screen: ScreenConfig,
) -> None:
    """Hide the faces in photos and clips: the opposite of restore.

    Every other pixel stays as it was. Thumbnails, place and names are removed. Look at the result:
    a face that is not found is not hidden. Pixelation and blur are not anonymity, as `restore`
    shows; `--style solid` leaves nothing to restore.

    \b
    demosaic pixelate photo.jpg
    demosaic pixelate ./album --out ./hidden --style solid
    demosaic pixelate clip.mp4
    """
    from demosaic.faces import engines
    from demosaic.privacy import pixelate as pixelation

    with listening(screen) as listen:
        needed = [*filter(Path.exists, photos)]
        with workers_of(cluster, needed, listen, out=out) as workers:
            report = pixelation.pixelate_files(
                photos,
                out,
                force=force,
                config=config,
                clips=clips,
                make_detector=partial(engines.make_detector, detectors.detector),
                workers=workers,
                listen=listen,
            )
        refuse_failures(report)


def audit(
    photos: Annotated[
        Path, typer.Argument(metavar="PHOTOS", help="Your photos, a folder for each person.")
    ],
    *,
    model: Annotated[
        Path | None,
        own_option(
            "The model that restores.",
            metavar="FILE",
            default="the one `restore` takes",
        ),
    ] = None,
    config: AuditConfig,
    detectors: DetectorConfig,
    devices: Annotated[DeviceConfig, Only("device", "threads")],
    pairs: Annotated[
        Path | None,
        own_option(
            "The dataset that the model was trained on; people in it are left out.",
            metavar="FOLDER",
            default="that of its run",
        ),
    ] = None,
    out: Annotated[
        Path,
        own_option("The page to write.", metavar="FILE", default="audit.html"),
    ] = Path("audit.html"),
    no_faces: Annotated[
        bool, typer.Option("--no-faces", help="Show nobody on the page, so that it can be mailed.")
    ] = False,
    force: ForceOption = False,
    screen: ScreenConfig,
) -> None:
    """Test how often people in an album can still be recognised once their faces are hidden.

    Some photos of each person are known, others are hidden as you hide faces, and restored if there
    is a model. Simple software, which learns from the album alone, then looks for the right person.
    A face that it misses may still be recognised by better software.

    \b
    demosaic audit ./photos --like published.jpg
    demosaic audit ./photos --block 20 --shape ellipse
    demosaic audit ./photos --style solid --no-faces
    """
    from demosaic import events
    from demosaic.faces import cache
    from demosaic.faces.engines import NETWORK_NAME, make_detector
    from demosaic.models import lookup
    from demosaic.privacy import attack
    from demosaic.privacy import page as audit_page

    page = new_page(out, force)
    known = cache.FaceCache(cache.user_cache(), NETWORK_NAME)
    make = partial(make_detector, detectors.detector)
    with listening(screen) as listen:
        model = lookup.choose_model(model, listen)
        done = attack.audit(
            photos,
            config,
            examiner=cache.Examiner(make, known),
            detector=make(),
            model=model,
            pairs=pairs,
            devices=devices,
            listen=listen,
        )
        audit_page.write_audit(page, done, faces=not no_faces)
        listen(events.Notice(f"look at {page}"))
        listen(done.report)
