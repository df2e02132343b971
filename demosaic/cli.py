"""Words to one call. Only here is Typer known; nothing heavy is imported before a command needs
it.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from demosaic import __version__
from demosaic.config.compute import DeviceConfig, Precision
from demosaic.config.dataset import BuildConfig, Offset
from demosaic.config.evaluation import EvaluateConfig
from demosaic.config.networks import DiscriminatorKind, UNetConfig
from demosaic.config.privacy import AuditConfig, PixelateConfig, Shape, Style
from demosaic.config.restoration import RestoreConfig
from demosaic.config.rules import LEAST_SCORE, Rectangle, Sampler
from demosaic.config.training import Direction, NetworkSize, Preset, SeedConfig, TrainConfig
from demosaic.errors import INTERRUPTED, USAGE, DemosaicError

if TYPE_CHECKING:
    from demosaic.events import Listener

_UsageError: Any = typer.BadParameter.__base__  # Typer gives no name of its own to the parent


@contextmanager
def _listening(as_json: bool) -> Iterator["Listener"]:
    """Who hears what a command does: the screen or, when another program reads stdout, both that
    and a screen on stderr.
    """
    from demosaic import console, events

    with console.Console(stderr=as_json) as screen:
        yield events.tee(events.write_to(sys.stdout), screen) if as_json else screen


class _Commands(TyperGroup):
    """Ends every foreseen failure with one line on stderr and its exit code."""

    def main(self, *args: Any, **extra: Any) -> Any:
        try:
            code = super().main(*args, **{**extra, "standalone_mode": False})
            if code == INTERRUPTED:  # what Typer makes of Ctrl-C
                code = _fail("stopped: give the same command again", INTERRUPTED)
        except DemosaicError as error:
            code = _fail(str(error), error.exit_code)
        except _UsageError as error:
            code = _fail(f"{error.format_message()} (see demosaic --help)", USAGE)
        sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str, code: int) -> int:
    from demosaic.text import in_one_line

    typer.echo(f"error: {in_one_line(' '.join(message.splitlines()))}", err=True)
    return code


def _number(text: str | float) -> float:
    """`16`, `0.1` or `1/12` as a number; a default is one already."""
    try:
        number = Fraction(text) if "/" in str(text) else Fraction(float(text))
    except (ValueError, OverflowError, ZeroDivisionError):
        raise DemosaicError(
            f"--block {text}: give px, or a share of the face such as 1/12", USAGE
        ) from None
    return number.numerator if number.denominator == 1 else float(number)


def _range(text: str) -> tuple[int, int]:
    try:
        smallest, largest = (int(part) for part in text.split(":"))
    except ValueError:
        raise DemosaicError(f"--blocks {text}: give two sides in px, as in 8:24", USAGE) from None
    return smallest, largest


def _both(name: str) -> str:
    """The default of an option that the two recipes share, for the help."""
    return f"{getattr(TrainConfig, name)}; seed: {getattr(SeedConfig, name)}"


_MOST_WORKERS = 61  # Windows waits for no more processes at once
_AT_HAND = "$DEMOSAIC_MODEL, the newest below runs/, or the last you trained"  # of models

# Options that mean the same in several commands
_Sampler = Annotated[Sampler, typer.Option(help="What of a cell its colour is taken from.")]
_Realism = Annotated[
    float, typer.Option(help="From the faithful mean, 0, to the sharpest guess, 1.")
]
_Force = Annotated[bool, typer.Option("--force", help="Replace results that are already there.")]
_ReplacePage = Annotated[
    bool, typer.Option("--force", help="Replace a page that is already there.")
]
_Blend = Annotated[
    float | None,
    typer.Option(help="Score this blend alone.", show_default="five from 0 to 1; quick: 0"),
]
_Faces = Annotated[int, typer.Option(help="Score at most so many held-out faces.")]
_Quick = Annotated[
    bool,
    typer.Option("--quick", help="PSNR, SSIM and cell error of aligned cells only, and no page."),
]
_Json = Annotated[
    bool, typer.Option("--json", help="Say what is found as JSON on stdout, the report last.")
]
_Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")]
_Precision = Annotated[
    Precision,
    typer.Option(
        help="Of the arithmetic; auto takes bf16 where it is faster and agrees with fp32."
    ),
]
_Threads = Annotated[int | None, typer.Option(help="CPU threads.", show_default="as is fastest")]


app = typer.Typer(
    cls=_Commands,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """The console script."""
    app()


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"demosaic {__version__}")
        raise typer.Exit()


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Say which version this is."
        ),
    ] = False,
) -> None:
    """Photo folders in, a face-restoring model out, in three commands.

    \b
    demosaic build-dataset ./photos ./pairs
    demosaic train ./pairs
    demosaic restore face.jpg
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command("build-dataset")
def build_dataset(
    photos: Annotated[
        Path, typer.Argument(help="The folder with your photos, nested as they are.")
    ],
    pairs: Annotated[Path, typer.Argument(help="The folder to write the pairs into.")],
    size: Annotated[int, typer.Option(help="Side of a face picture, px.")] = BuildConfig.size,
    block: Annotated[
        float,
        typer.Option(
            parser=_number,
            metavar="NUMBER",
            help="Side of a mosaic cell: px, or a share of the face such as 1/12.",
        ),
    ] = BuildConfig.block,
    blocks: Annotated[
        str | None,
        typer.Option(metavar="FROM:TO", help="Draw each pair's side from this range instead, px."),
    ] = None,
    offset: Annotated[
        Offset, typer.Option(help="Begin the cells in the corner, or anywhere.")
    ] = BuildConfig.offset,
    sampler: _Sampler = BuildConfig.sampler,
    margin: Annotated[
        float, typer.Option(help="Side of the crop, as a multiple of the face found.")
    ] = BuildConfig.margin,
    min_face: Annotated[
        int, typer.Option(help="Leave out faces narrower than this, photo px.")
    ] = BuildConfig.min_face,
    min_score: Annotated[
        float, typer.Option(help=f"Leave out what is less surely a face, {LEAST_SCORE} to 1.")
    ] = BuildConfig.min_score,
    max_per_photo: Annotated[
        int, typer.Option(help="Keep so many faces of a photo, the largest; 0 keeps all.")
    ] = BuildConfig.max_per_photo,
    max_enlarge: Annotated[
        float,
        typer.Option(
            help="Leave out faces that would have to be enlarged by more than this factor."
        ),
    ] = BuildConfig.max_enlarge,
    min_sharpness: Annotated[
        float, typer.Option(help="Leave out faces less sharp than this, 0 (blurred) to 1.")
    ] = BuildConfig.min_sharpness,
    group_by: Annotated[
        str,
        typer.Option(
            metavar="parent|photo|REGEX",
            help="What tells people apart: their folder, nothing, or what the first group of a "
            "regular expression finds in a photo's name below the folder.",
        ),
    ] = BuildConfig.group_by,
    max_per_group: Annotated[
        int, typer.Option(help="Keep so many pairs of whoever belongs together; 0 keeps all.")
    ] = BuildConfig.max_per_group,
    val: Annotated[float, typer.Option(help="Share of people for validation.")] = BuildConfig.val,
    test: Annotated[
        float, typer.Option(help="Share of people for a last test.")
    ] = BuildConfig.test,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove the pairs of photos that are gone.")
    ] = False,
    workers: Annotated[
        int,
        typer.Option(
            min=1, max=_MOST_WORKERS, help="Processes to work in.", show_default="one a core"
        ),
    ] = min(os.cpu_count() or 1, _MOST_WORKERS),
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Forecast pairs, time and disk; write nothing.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Say what is done as JSON on stdout, a line a photo.")
    ] = False,
) -> None:
    """Turn photos into pairs.

    Walks nested folders, finds every face, crops, pixelates, and splits by folder, so that a
    folder for each person keeps everyone on one side. Copies of one photo, however small or
    compressed, stay on one side too, wherever they lie.

    \b
    demosaic build-dataset ./photos ./pairs
    """
    config = BuildConfig(
        size=size,
        block=block,
        blocks=_range(blocks) if blocks else None,
        offset=offset,
        sampler=sampler,
        margin=margin,
        min_face=min_face,
        min_score=min_score,
        max_per_photo=max_per_photo,
        max_enlarge=max_enlarge,
        min_sharpness=min_sharpness,
        group_by=group_by,
        max_per_group=max_per_group,
        val=val,
        test=test,
    )
    from demosaic.dataset import build as building
    from demosaic.dataset import dry_run as forecasting
    from demosaic.faces import cache, detector

    make_detector = partial(detector.MediaPipeDetector, LEAST_SCORE)
    detector_name = detector.MediaPipeDetector.name()
    with _listening(as_json) as listen:
        if dry_run:
            looks = cache.Looks(cache.users_looks(), detector_name)
            look = cache.Look(make_detector, looks, remember=False)
            forecast = forecasting.forecast(
                photos, pairs, config, look=look, prune=prune, workers=workers, listen=listen
            )
            listen(forecast)
            return
        report = building.build_dataset(
            photos,
            pairs,
            config,
            make_detector=make_detector,
            detector_name=detector_name,
            looks=cache.users_looks(),
            prune=prune,
            workers=workers,
            listen=listen,
        )
        listen(report)


@app.command()
def forget(
    pairs: Annotated[Path, typer.Argument(help="What build-dataset wrote.")],
    name: Annotated[
        str, typer.Argument(help="A photo or a folder as pairs.jsonl names it, or a person.")
    ],
) -> None:
    """Take a photo, or everything of a person, out of a dataset.

    Removes its pairs, its lines, its place on the sheets and what the detector saw of it. Later
    builds leave it out, whatever its name: only the hash of its content stays. The photo itself is
    not touched, and models trained before still know it.

    \b
    demosaic forget ./pairs "Jane Doe/holiday.jpg"
    demosaic forget ./pairs "Jane Doe"
    """
    from demosaic import console
    from demosaic.dataset import forget as forgetting
    from demosaic.faces import cache

    with console.Console() as screen:
        report = forgetting.forget(pairs, name, looks=cache.users_looks(), listen=screen)
        screen(report)


@app.command()
def train(
    pairs: Annotated[
        Path,
        typer.Argument(help="What build-dataset wrote, or any folder of side-by-side pictures."),
    ],
    preset: Annotated[
        Preset, typer.Option(help="The recipe; `seed` is the 2020 article.")
    ] = TrainConfig.preset,
    minutes: Annotated[
        float | None, typer.Option(help="Time to train.", show_default=f"{TrainConfig.minutes:g}")
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(help="Steps to train instead.", show_default=f"seed: {SeedConfig.steps}"),
    ] = None,
    network: Annotated[
        NetworkSize | None,
        typer.Option(help="Size of the network.", show_default="S on a CPU, M on a GPU"),
    ] = None,
    init: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Start from a model instead of anew.")
    ] = TrainConfig.init,
    batch: Annotated[
        int | None,
        typer.Option(help="Faces a step.", show_default=_both("batch")),
    ] = None,
    parts: Annotated[
        int | None,
        typer.Option(
            help="Compute a step in so many parts: less memory, the same result.",
            show_default=str(TrainConfig.parts),
        ),
    ] = None,
    lr: Annotated[
        float | None, typer.Option(help="Learning rate.", show_default=_both("lr"))
    ] = None,
    sharpen: Annotated[
        float | None,
        typer.Option(
            help="Share of the time for the stage that adds sharpness.",
            show_default=str(TrainConfig.sharpen),
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Decides the first weights and all that is drawn.")
    ] = TrainConfig.seed,
    limit: Annotated[
        int | None, typer.Option(help="Train on so many of the pairs only, the first by hash.")
    ] = TrainConfig.limit,
    direction: Annotated[
        Direction, typer.Option(help="Which half of a picture is the input.")
    ] = TrainConfig.direction,
    validations: Annotated[
        int | None,
        typer.Option(help="Validations in all.", show_default="8, fewer in less than 80 steps"),
    ] = None,
    validation_pairs: Annotated[
        int | None,
        typer.Option(
            help="Score at most so many validation pairs.", show_default=_both("validation_pairs")
        ),
    ] = None,
    save_every: Annotated[
        int | None,
        typer.Option(help="Steps between saved states.", show_default=_both("save_every")),
    ] = None,
    l1_weight: Annotated[
        float | None,
        typer.Option(
            help="Seed only: weight of the absolute error beside the adversarial loss.",
            show_default=str(SeedConfig.l1_weight),
        ),
    ] = None,
    validate_every: Annotated[
        int | None,
        typer.Option(
            help="Seed only: steps between validations.",
            show_default=str(SeedConfig.validate_every),
        ),
    ] = None,
    discriminator: Annotated[
        DiscriminatorKind | None,
        typer.Option(
            help="Seed only: as in the article's code, or as in its printed summary.",
            show_default=UNetConfig.discriminator,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="Name of the run.", show_default="the pairs folder's and the preset"),
    ] = None,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Log for TensorBoard too, below the run.")
    ] = False,
    device: _Device = DeviceConfig.device,
    precision: _Precision = DeviceConfig.precision,
    threads: _Threads = DeviceConfig.threads,
) -> None:
    """Turn pairs into a model.

    Learns to undo mosaics of any block and offset, drawn anew over the faces at every step. The
    same command goes on after a stop. With `--preset seed` it is the article's training, which also
    learns whatever else the left half of the pictures differs in.

    \b
    demosaic train ./pairs
    """
    chosen = {
        "minutes": minutes,
        "steps": steps,
        "network": network,
        "init": init,
        "batch": batch,
        "parts": parts,
        "lr": lr,
        "sharpen": sharpen,
        "seed": seed,
        "limit": limit,
        "direction": direction,
        "validations": validations,
        "validation_pairs": validation_pairs,
        "save_every": save_every,
        "l1_weight": l1_weight,
        "validate_every": validate_every,
        "discriminator": discriminator,
    }
    config = _recipe(preset, {name: value for name, value in chosen.items() if value is not None})
    devices_config = DeviceConfig(device=device, precision=precision, threads=threads)
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")  # huge pages; torch reads it on import
    _keep_numpy_to_one_thread()
    from demosaic import console, events, files
    from demosaic.models import compute, lookup
    from demosaic.training import loop as training
    from demosaic.training import tensorboard as tensorboard_log

    run = _run_folder(name or f"{files.real_path(pairs).name}-{preset}")

    compute.tune_allocator()
    with console.Console() as screen:
        listen = events.tee(screen, tensorboard_log.log_to_board(run)) if tensorboard else screen
        report = training.train(pairs, run, config, devices=devices_config, listen=listen)
        screen.trained(report)
        lookup.remember_model(Path(report.best))


def _run_folder(name: str) -> Path:
    """The folder of a run in runs/. Raises DemosaicError for a name that leads out of there."""
    if Path(name).name != name or name == "..":
        raise DemosaicError(f"--name {name}: choose one without folders, for a run in runs/", USAGE)
    return Path("runs") / name


def _recipe(preset: Preset, chosen: dict[str, Any]) -> TrainConfig | SeedConfig:
    """The preset with the options chosen. Raises DemosaicError for one that it does not have."""
    seed = preset == SeedConfig.preset
    kind = SeedConfig if seed else TrainConfig
    known = {field.name for field in fields(kind)}
    known = known - {"network"} | {"discriminator"} if seed else known
    if {"minutes", "steps"} <= chosen.keys() & known:
        raise DemosaicError("--minutes and --steps: give one of the two", USAGE)
    strange = [name for name in chosen if name not in known]
    if strange:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in strange)
        raise DemosaicError(f"{options}: --preset {preset} has no such option", USAGE)
    if "discriminator" in chosen:
        chosen = {**chosen, "network": UNetConfig(discriminator=chosen["discriminator"])}
        del chosen["discriminator"]
    return kind(**chosen)


@app.command()
def restore(
    pictures: Annotated[
        list[Path], typer.Argument(help="Pictures, clips, folders of them, or patterns.")
    ],
    model: Annotated[
        Path | None,
        typer.Option(help="The model to take.", show_default=_AT_HAND),
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(
            metavar="X,Y,W,H",
            help="A pixelated rectangle, px, or `whole`; may be given several times.",
            show_default="every mosaic found",
        ),
    ] = None,
    mask: Annotated[
        str | None,
        typer.Option(help="A picture of the same size that is white where that one is pixelated."),
    ] = RestoreConfig.mask,
    block: Annotated[
        str | None,
        typer.Option(
            metavar="N|WxH", help="Side or sides of a mosaic cell, px.", show_default="as found"
        ),
    ] = None,
    offset: Annotated[
        str | None,
        typer.Option(
            metavar="X,Y",
            help="Where in a region cells of that size begin, px.",
            show_default="where they fit best",
        ),
    ] = None,
    sampler: Annotated[
        Sampler | None,
        typer.Option(
            help="What of a cell its colour was taken from.", show_default="as its border tells"
        ),
    ] = RestoreConfig.sampler,
    consistency: Annotated[
        float | None,
        typer.Option(
            help="How far the result is to pixelate back to what was shown, 0 to 1.",
            show_default="1 where colours are surely means, down to 0",
        ),
    ] = RestoreConfig.consistency,
    realism: _Realism = RestoreConfig.realism,
    compare: Annotated[
        bool, typer.Option("--compare", help="Write before | after too, as NAME.compare.jpg.")
    ] = RestoreConfig.compare,
    copy_untouched: Annotated[
        bool,
        typer.Option("--copy-untouched", help="Copy pictures without a mosaic to the results."),
    ] = RestoreConfig.copy_untouched,
    out: Annotated[
        Path | None,
        typer.Option(
            help="The file to write, or the folder for several.",
            show_default="beside the picture, as NAME.restored and its suffix",
        ),
    ] = None,
    force: _Force = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Say what is done as JSON, a line a region.")
    ] = False,
    device: _Device = DeviceConfig.device,
    threads: _Threads = DeviceConfig.threads,
) -> None:
    """Restore pixelated faces.

    Nothing outside the mosaic changes. The result is a plausible face that agrees with the blocks,
    not the person's true face. It is not for identifying anyone; and pixelation is not anonymity.

    \b
    demosaic restore face.jpg
    demosaic restore group.png --region 310,120,192,192 --block 12
    demosaic restore clip.mp4
    """
    config = RestoreConfig(
        regions=_regions(region or []),
        mask=mask,
        block=_sides(block) if block else None,
        offset=_two("--offset", offset, ",", "x,y") if offset else None,
        sampler=sampler,
        consistency=consistency,
        realism=realism,
        compare=compare,
        copy_untouched=copy_untouched,
    )
    from demosaic import events
    from demosaic.imaging import batch
    from demosaic.models import lookup
    from demosaic.restoration import batch as restoring

    with _listening(as_json) as listen:
        planned = batch.plan(pictures, out, "restored", force=force, listen=listen)
        path, why = (model, "--model") if model else lookup.find_model(Path())
        listen(events.Notice(f"model {path} ({why})"))
        devices_config = DeviceConfig(device=device, threads=threads)
        done = restoring.restore_files(planned, path, config, devices=devices_config, listen=listen)
        if len(planned) > 1:
            listen(events.Notice(f"{done} of {len(planned)} pictures restored"))


@app.command()
def pixelate(
    photos: Annotated[list[Path], typer.Argument(help="Photos, or folders of them.")],
    style: Annotated[
        Style, typer.Option(help="What to put over a face; solid alone hides for good.")
    ] = PixelateConfig.style,
    block: Annotated[
        float,
        typer.Option(
            parser=_number,
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
    sampler: _Sampler = PixelateConfig.sampler,
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
    force: _Force = False,
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
        regions=tuple(_rectangle(text) for text in region or ()),
        style=style,
        block=block,
        shape=shape,
        margin=margin,
        sampler=sampler,
        min_score=min_score,
    )
    from demosaic import events
    from demosaic.faces import detector
    from demosaic.imaging import batch
    from demosaic.privacy import pixelate as pixelation

    make_detector = partial(detector.MediaPipeDetector, LEAST_SCORE)
    with _listening(as_json) as listen:
        planned = batch.plan(photos, out, "pixelated", force=force, listen=listen)
        done = pixelation.pixelate_files(
            planned, config, make_detector=make_detector, listen=listen
        )
        if len(planned) > 1:
            listen(events.Notice(f"{done} of {len(planned)} pictures pixelated"))


def _keep_numpy_to_one_thread() -> None:
    """Unless told otherwise, and before it is imported: the cores are the workers' or torch's, and
    waiting for each other numpy's threads took a tenth of two while S trained.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _how_to_score(
    faces: int, realism: float | None, quick: bool, out: Path | None
) -> EvaluateConfig:
    """How to score models. Raises DemosaicError where the page asked for would not be written."""
    if quick and out:
        raise DemosaicError("--quick writes no page: leave out --out", USAGE)
    return EvaluateConfig(faces=faces, realism=realism, quick=quick)


def _new_page(page: Path, force: bool) -> Path:
    """Where to write a page. Raises DemosaicError before the work when it may not be written."""
    if page.is_dir():
        raise DemosaicError(f"{page} is a folder: name the page to write with --out")
    if page.exists() and not force:
        raise DemosaicError(f"{page} is already there: --force replaces it")
    if not os.access(page.parent, os.W_OK):
        raise DemosaicError(f"cannot write {page}: choose another place with --out")
    return page


@app.command()
def evaluate(
    pairs: Annotated[Path, typer.Argument(help="The folder with the pairs.")],
    model: Annotated[
        Path | None,
        typer.Option(help="The model to score.", show_default=_AT_HAND),
    ] = None,
    faces: _Faces = EvaluateConfig.faces,
    realism: _Blend = EvaluateConfig.realism,
    quick: _Quick = EvaluateConfig.quick,
    out: Annotated[
        Path | None,
        typer.Option(help="The page to write.", show_default="report.html beside the model"),
    ] = None,
    force: _ReplacePage = False,
    as_json: _Json = False,
    device: _Device = DeviceConfig.device,
    precision: _Precision = DeviceConfig.precision,
    threads: _Threads = DeviceConfig.threads,
) -> None:
    """Say how good a model is, on faces it was not trained on.

    Pixelates held-out faces anew, with cells of 4 to 32 px from the corner and at any offset,
    restores them from faithful to sharp, and writes a page with numbers, their intervals, plots,
    and the worst and the ordinary faces.

    \b
    demosaic evaluate ./pairs
    """
    config = _how_to_score(faces, realism, quick, out)
    devices_config = DeviceConfig(device=device, precision=precision, threads=threads)
    _keep_numpy_to_one_thread()
    from demosaic import events
    from demosaic.evaluation import benchmark
    from demosaic.evaluation import page as scorecard
    from demosaic.models import checkpoint, compute, lookup

    compute.tune_allocator()
    with _listening(as_json) as listen:
        path, why = (model, "--model") if model else lookup.find_model(Path())
        listen(events.Notice(f"model {path} ({why})"))
        checkpoint.read_card(path)  # no model is said before no place for its page
        page = None if quick else _new_page(out or path.with_name("report.html"), force)
        models = {"restored": path}
        found = benchmark.evaluate(pairs, models, config, devices=devices_config, listen=listen)
        if page:
            scorecard.write_scorecard(page, found)
            listen(events.Notice(f"look at {page}"))


@app.command()
def compare(
    runs: Annotated[list[Path], typer.Argument(help="Run folders, or model files.")],
    pairs: Annotated[
        Path | None,
        typer.Option(help="The folder with the pairs.", show_default="that of the first run"),
    ] = None,
    faces: _Faces = EvaluateConfig.faces,
    realism: _Blend = EvaluateConfig.realism,
    quick: _Quick = EvaluateConfig.quick,
    out: Annotated[
        Path | None, typer.Option(help="The page to write.", show_default="compare.html")
    ] = None,
    force: _ReplacePage = False,
    as_json: _Json = False,
    device: _Device = DeviceConfig.device,
    precision: _Precision = DeviceConfig.precision,
    threads: _Threads = DeviceConfig.threads,
) -> None:
    """Score several models side by side.

    The page also shows how their trainings went.

    \b
    demosaic compare runs/pairs-default runs/pairs-seed
    """
    config = _how_to_score(faces, realism, quick, out)
    devices_config = DeviceConfig(device=device, precision=precision, threads=threads)
    _keep_numpy_to_one_thread()
    from demosaic import events
    from demosaic.evaluation import benchmark
    from demosaic.evaluation import page as scorecard
    from demosaic.models import compute
    from demosaic.training import curves as run_curves

    compute.tune_allocator()
    with _listening(as_json) as listen:
        named = dict(zip(run_curves.names_of(runs), runs, strict=True))
        models = {name: run_curves.best_model(run) for name, run in named.items()}
        chosen = pairs or run_curves.pairs_of(runs[0])
        page = None if quick else _new_page(out or Path("compare.html"), force)
        found = benchmark.evaluate(chosen, models, config, devices=devices_config, listen=listen)
        if page:
            curves = {name: run_curves.training_curves(run) for name, run in named.items()}
            scorecard.write_scorecard(page, found, curves)
            listen(events.Notice(f"look at {page}"))


@app.command()
def export(
    model: Annotated[Path, typer.Argument(help="The model file.")],
    onnx: Annotated[
        bool, typer.Option("--onnx", help="As ONNX, the only format so far.", show_default=False)
    ] = True,
    out: Annotated[
        Path | None, typer.Option(help="The file to write.", show_default="beside the model")
    ] = None,
    realism: _Realism = RestoreConfig.realism,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a file that is already there.")
    ] = False,
) -> None:
    """Write a model as ONNX, for programs without PyTorch.

    \b
    demosaic export runs/pairs-default/best.safetensors --onnx
    """
    config = RestoreConfig(realism=realism)
    from demosaic import console
    from demosaic.models import checkpoint
    from demosaic.models import onnx as exporting

    path = out or model.with_suffix(".onnx")
    if path.is_file() and not force:
        raise DemosaicError(f"{path} is already there: --force replaces it")
    exporting.export_onnx(checkpoint.load_model(model), path, realism=config.realism)
    with console.Console() as screen:
        screen.say(f"saved {path}")


@app.command()
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
    realism: _Realism = AuditConfig.realism,
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("audit.html"),
    force: _ReplacePage = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Say what was found as one JSON object.")
    ] = False,
    device: _Device = DeviceConfig.device,
    threads: _Threads = DeviceConfig.threads,
) -> None:
    """Measure how little a mosaic hides the people of an album.

    Some photos of each person are known, others are pixelated, and restored where there is a model;
    then it is counted how often simple recognisers, which learn on the album alone, find the right
    person. Nothing they miss is safe from better ones.

    \b
    demosaic audit ./photos
    """
    config = AuditConfig(faces=faces, gallery=gallery, realism=realism)
    from demosaic import console, events
    from demosaic.faces import cache
    from demosaic.faces.detector import MediaPipeDetector
    from demosaic.models import lookup
    from demosaic.privacy import attack
    from demosaic.privacy import page as audit_page
    from demosaic.reporting import page as reporting

    page = _new_page(out, force)
    make_detector = partial(MediaPipeDetector, LEAST_SCORE)
    looks = cache.Looks(cache.users_looks(), MediaPipeDetector.name())
    with console.Console(stderr=as_json) as screen:
        model = model or lookup.model_at_hand(Path())
        screen(events.Notice(f"model {model}" if model else "no model: nothing is restored"))
        done = attack.audit(
            photos,
            config,
            look=cache.Look(make_detector, looks),
            detector=make_detector(),
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


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Say whether everything demosaic needs is there and works.

    Looks at versions, devices and the disk, then takes a drawn face through the whole program:
    found, pixelated, trained on for one step, restored. Ends with 1 when something is wrong.

    \b
    demosaic doctor
    """
    from demosaic import console
    from demosaic.doctor import checks as examination

    with console.Console(stderr=as_json) as screen:
        report = examination.diagnose(Path(), listen=screen)
    if as_json:
        typer.echo(json.dumps(asdict(report)))
    if report.problems:
        failed = ", ".join(check.what for check in report.problems)
        raise DemosaicError(f"{len(report.problems)} of {len(report.checks)} failed: {failed}")


def _regions(texts: list[str]) -> tuple[Rectangle, ...] | Literal["whole"]:
    """What --region says, given any number of times."""
    return "whole" if texts == ["whole"] else tuple(map(_rectangle, texts))


def _rectangle(text: str) -> Rectangle:
    try:
        x, y, width, height = (int(part) for part in text.split(","))
    except ValueError:
        raise DemosaicError(f"--region {text}: give x,y,width,height in pixels", USAGE) from None
    return x, y, width, height


def _sides(text: str) -> tuple[float, float]:
    """The width and height of a cell, from one number for both or from two."""
    return _two("--block", text if "x" in text else f"{text}x{text}", "x", "N or WxH")


def _two(option: str, text: str, between: str, wanted: str) -> tuple[float, float]:
    try:
        first, second = (float(part) for part in text.split(between))
    except ValueError:
        raise DemosaicError(f"{option} {text}: give {wanted} in pixels", USAGE) from None
    return first, second
