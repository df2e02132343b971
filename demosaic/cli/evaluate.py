"""`evaluate` and `compare`."""

from pathlib import Path
from typing import Annotated

import typer

from demosaic.cli.application import listening
from demosaic.cli.options import (
    MODEL_AT_HAND,
    BlendOption,
    DeviceOption,
    FacesOption,
    JsonOption,
    PrecisionOption,
    QuickOption,
    ReplacePageOption,
    ThreadsOption,
    keep_numpy_to_one_thread,
    new_page,
)
from demosaic.config.compute import DeviceConfig
from demosaic.config.evaluation import EvaluateConfig
from demosaic.errors import USAGE, DemosaicError


def _how_to_score(
    faces: int, realism: float | None, quick: bool, out: Path | None
) -> EvaluateConfig:
    """How to score models. Raises DemosaicError where the page asked for would not be written."""
    if quick and out:
        raise DemosaicError("--quick writes no page: leave out --out", USAGE)
    return EvaluateConfig(faces=faces, realism=realism, quick=quick)


def evaluate(
    pairs: Annotated[Path, typer.Argument(help="The folder with the pairs.")],
    model: Annotated[
        Path | None,
        typer.Option(help="The model to score.", show_default=MODEL_AT_HAND),
    ] = None,
    faces: FacesOption = EvaluateConfig.faces,
    realism: BlendOption = EvaluateConfig.realism,
    quick: QuickOption = EvaluateConfig.quick,
    out: Annotated[
        Path | None,
        typer.Option(help="The page to write.", show_default="report.html beside the model"),
    ] = None,
    force: ReplacePageOption = False,
    as_json: JsonOption = False,
    device: DeviceOption = DeviceConfig.device,
    precision: PrecisionOption = DeviceConfig.precision,
    threads: ThreadsOption = DeviceConfig.threads,
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
    keep_numpy_to_one_thread()
    from demosaic import events
    from demosaic.evaluation import benchmark
    from demosaic.evaluation import page as scorecard
    from demosaic.models import checkpoint, compute, lookup

    compute.tune_allocator()
    with listening(as_json) as listen:
        path, why = (model, "--model") if model else lookup.find_model(Path())
        listen(events.Notice(f"model {path} ({why})"))
        checkpoint.read_card(path)  # no model is said before no place for its page
        page = None if quick else new_page(out or path.with_name("report.html"), force)
        models = {"restored": path}
        found = benchmark.evaluate(pairs, models, config, devices=devices_config, listen=listen)
        if page:
            scorecard.write_scorecard(page, found)
            listen(events.Notice(f"look at {page}"))


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Run folders, or model files.")],
    pairs: Annotated[
        Path | None,
        typer.Option(help="The folder with the pairs.", show_default="that of the first run"),
    ] = None,
    faces: FacesOption = EvaluateConfig.faces,
    realism: BlendOption = EvaluateConfig.realism,
    quick: QuickOption = EvaluateConfig.quick,
    out: Annotated[
        Path | None, typer.Option(help="The page to write.", show_default="compare.html")
    ] = None,
    force: ReplacePageOption = False,
    as_json: JsonOption = False,
    device: DeviceOption = DeviceConfig.device,
    precision: PrecisionOption = DeviceConfig.precision,
    threads: ThreadsOption = DeviceConfig.threads,
) -> None:
    """Score several models side by side.

    The page also shows how their trainings went.

    \b
    demosaic compare runs/pairs-default runs/pairs-seed
    """
    config = _how_to_score(faces, realism, quick, out)
    devices_config = DeviceConfig(device=device, precision=precision, threads=threads)
    keep_numpy_to_one_thread()
    from demosaic import events
    from demosaic.evaluation import benchmark
    from demosaic.evaluation import page as scorecard
    from demosaic.models import compute
    from demosaic.training import curves as run_curves

    compute.tune_allocator()
    with listening(as_json) as listen:
        named = dict(zip(run_curves.names_of(runs), runs, strict=True))
        models = {name: run_curves.best_model(run) for name, run in named.items()}
        chosen = pairs or run_curves.pairs_of(runs[0])
        page = None if quick else new_page(out or Path("compare.html"), force)
        found = benchmark.evaluate(chosen, models, config, devices=devices_config, listen=listen)
        if page:
            curves = {name: run_curves.training_curves(run) for name, run in named.items()}
            scorecard.write_scorecard(page, found, curves)
            listen(events.Notice(f"look at {page}"))
