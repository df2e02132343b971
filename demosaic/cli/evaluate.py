"""`evaluate` and `compare`."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from demosaic.cli.application import listening
from demosaic.cli.options import own_option
from demosaic.cli.prepare import keep_numpy_to_one_thread, new_page
from demosaic.cli.shared import ForceOption, ModelOption
from demosaic.cli.workers import ClusterOption, workers_of
from demosaic.config.compute import DeviceConfig
from demosaic.config.evaluation import EvaluateConfig
from demosaic.config.screen import ScreenConfig
from demosaic.errors import USAGE, DemosaicError


def _refuse_page_of_quick(config: EvaluateConfig, out: Path | None) -> None:
    """Raise DemosaicError where the page asked for would not be written."""
    if config.quick and out:
        raise DemosaicError("--quick writes no page: leave out --out", USAGE)


def evaluate(
    pairs: Annotated[Path, typer.Argument(metavar="PAIRS", help="The folder with the pairs.")],
    *,
    model: ModelOption = None,
    config: EvaluateConfig,
    devices: DeviceConfig,
    out: Annotated[
        Path | None,
        own_option("The page to write.", metavar="FILE", default="report.html beside the model"),
    ] = None,
    force: ForceOption = False,
    cluster: ClusterOption = None,
    screen: ScreenConfig,
) -> None:
    """Measure how good a model is, on faces it was not trained on.

    Pixelates held-out faces anew, with cells of 4 to 32 px from the corner and at any offset,
    restores them from faithful to sharp, and writes a page with figures, their intervals, plots,
    and the worst and the ordinary faces.

    \b
    demosaic evaluate ./pairs
    """
    _refuse_page_of_quick(config, out)
    keep_numpy_to_one_thread()
    from demosaic.evaluation import benchmark
    from demosaic.evaluation import page as scorecard
    from demosaic.models import compute, lookup
    from demosaic.models.box import beside

    compute.tune_allocator()
    with listening(screen) as listen:
        path = lookup.choose_model(model, listen)  # reported before the page's place
        page = None if config.quick else new_page(out or beside(path, "report.html"), force)
        with workers_of(cluster, [], listen) as workers:
            found = benchmark.evaluate(
                pairs, {"restored": path}, config, devices=devices, workers=workers, listen=listen
            )
        if page:
            scorecard.write_scorecard(page, found)
        listen(replace(found.report, page=str(page or "")))


def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="Run folders, or model files.")],
    *,
    config: EvaluateConfig,
    devices: DeviceConfig,
    pairs: Annotated[
        Path | None,
        own_option("The folder with the pairs.", metavar="FOLDER", default="that of the first run"),
    ] = None,
    out: Annotated[
        Path | None,
        own_option("The page to write.", metavar="FILE", default="compare.html"),
    ] = None,
    force: ForceOption = False,
    screen: ScreenConfig,
) -> None:
    """Measure several models side by side.

    The page also shows how their trainings went.

    \b
    demosaic compare runs/pairs-default runs/pairs-seed
    """
    _refuse_page_of_quick(config, out)
    keep_numpy_to_one_thread()
    from demosaic.evaluation import benchmark
    from demosaic.evaluation import page as scorecard
    from demosaic.models import compute
    from demosaic.training import curves as run_curves

    compute.tune_allocator()
    with listening(screen) as listen:
        named = dict(zip(run_curves.names_of(runs), runs, strict=True))
        models = {name: run_curves.best_model(run) for name, run in named.items()}
        chosen = pairs or run_curves.pairs_of(runs[0])
        page = None if config.quick else new_page(out or Path("compare.html"), force)
        found = benchmark.evaluate(chosen, models, config, devices=devices, listen=listen)
        if page:
            curves = {name: run_curves.training_curves(run) for name, run in named.items()}
            scorecard.write_scorecard(page, found, curves)
        listen(replace(found.report, page=str(page or "")))
