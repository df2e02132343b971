"""`pixelate` and `audit`."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from demosaic.cli.application import listening
from demosaic.cli.options import (
    DeviceOption,
    ForceOption,
    RealismOption,
    ReplacePageOption,
    SamplerOption,
    ThreadsOption,
    new_page,
    read_block,
    read_rectangle,
)
from demosaic.config.compute import DeviceConfig
from demosaic.config.privacy import AuditConfig, PixelateConfig, Shape, Style
from demosaic.config.rules import LEAST_SCORE


def pixelate(
    photos: Annotated[list[Path], typer.Argument(help="Photos, or folders of them.")],
    style: Annotated[
        Style, typer.Option(help="What to put over a face; solid alone hides for good.")
    ] = PixelateConfig.style,
    block: Annotated[
        float,
        typer.Option(
            parser=read_block,
            metavar="NUMBER",
            help="Side of a cell, or spread of the blur: px, or below 1 a share of the face.",
        ),
    ] = PixelateConfig.block,
    shape: Annotated[
        Shape, typer.Option(help="Hide the whole box or the ellipse in it.")
    ] = PixelateConfig.shape,
    margin: Annotated[
        float, typer.Option(help="Side of the box, as a multiple of the face found.")
    ] = PixelateConfig.margin,
    region: Annotated[
        list[str] | None,
        typer.Option(
            metavar="X,Y,W,H",
            help="Hide this rectangle, px, instead; may be given several times.",
            show_default="every face found",
        ),
    ] = None,
    sampler: SamplerOption = PixelateConfig.sampler,
    min_score: Annotated[
        float, typer.Option(help=f"Hide nothing that is less surely a face, {LEAST_SCORE} to 1.")
    ] = PixelateConfig.min_score,
    out: Annotated[
        Path | None,
        typer.Option(
            help="The file to write, or the folder for several.",
            show_default="beside the photo, as NAME.pixelated and its suffix",
        ),
    ] = None,
    force: ForceOption = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Say what is done as JSON, a line a photo.")
    ] = False,
) -> None:
    """Hide the faces in photos: the opposite of restore.

    Every other pixel stays as it was. Thumbnails, place and names are not kept. Look at the result:
    a face that is not found is not hidden. Pixelation and blur are not anonymity, as `restore`
    shows; `--style solid` leaves nothing to restore.

    \b
    demosaic pixelate photo.jpg
    demosaic pixelate ./album --out ./hidden --style solid
    """
    config = PixelateConfig(
        regions=tuple(read_rectangle(text) for text in region or ()),
        style=style,
        block=block,
        shape=shape,
        margin=margin,
        sampler=sampler,
        min_score=min_score,
    )
    from demosaic.privacy import pixelate as pixelation

    with listening(as_json) as listen:
        pixelation.pixelate_files(photos, out, force=force, config=config, listen=listen)


def audit(
    photos: Annotated[Path, typer.Argument(help="Your photos, a folder for each person.")],
    model: Annotated[
        Path | None,
        typer.Option(
            help="The model that restores.", show_default="the one `restore` takes, if there is one"
        ),
    ] = None,
    pairs: Annotated[
        Path | None,
        typer.Option(
            help="The dataset the model was trained on: who is in it is left out.",
            show_default="that of its run",
        ),
    ] = None,
    faces: Annotated[int, typer.Option(help="Hide so many faces.")] = AuditConfig.faces,
    gallery: Annotated[
        int, typer.Option(help="Look for them among so many known ones.")
    ] = AuditConfig.gallery,
    realism: RealismOption = AuditConfig.realism,
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("audit.html"),
    force: ReplacePageOption = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Say what was found as one JSON object.")
    ] = False,
    device: DeviceOption = DeviceConfig.device,
    threads: ThreadsOption = DeviceConfig.threads,
) -> None:
    """Measure how little a mosaic hides the people of an album.

    Some photos of each person are known, others are pixelated, and restored where there is a model;
    then it is counted how often simple recognisers, which learn on the album alone, find the right
    person. Nothing they miss is safe from better ones.

    \b
    demosaic audit ./photos
    """
    config = AuditConfig(faces=faces, gallery=gallery, realism=realism)
    from demosaic import events
    from demosaic.cli import console
    from demosaic.faces import cache
    from demosaic.faces.detector import MediaPipeDetector, default_detector
    from demosaic.models import lookup
    from demosaic.privacy import attack
    from demosaic.privacy import page as audit_page
    from demosaic.reporting import page as reporting

    page = new_page(out, force)
    looks = cache.Looks(cache.users_looks(), MediaPipeDetector.name())
    with console.Console(stderr=as_json) as screen:
        model = model or lookup.model_at_hand(Path())
        screen(events.Notice(f"model {model}" if model else "no model: nothing is restored"))
        done = attack.audit(
            photos,
            config,
            look=cache.Look(default_detector, looks),
            detector=default_detector(),
            model=model,
            pairs=pairs,
            devices=DeviceConfig(device=device, threads=threads),
            listen=screen,
        )
        reporting.write_report(
            page,
            title=audit_page.TITLE,
            lead=audit_page.lead(done.report),
            sections=audit_page.sections(done),
        )
        screen.audited(done.report)
        screen.say(f"look at {page}")
    if as_json:
        typer.echo(json.dumps(asdict(done.report)))
