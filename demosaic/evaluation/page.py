"""The page of an evaluation: plots, tables and faces to compare."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from demosaic.config.restoration import RestoreConfig
from demosaic.evaluation.benchmark import SHOWN_BLOCK, Evaluation, Shown
from demosaic.evaluation.draws import DISTANCES
from demosaic.evaluation.events import AtRealism, Estimate, EvaluationReport, Way
from demosaic.files import without_user
from demosaic.reporting.page import Cell, Face, Gallery, Part, Section, Table, Text, write_report
from demosaic.reporting.plots import Plot, Point, Points, Series
from demosaic.text import counted

_METRICS: dict[str, tuple[str, Callable[[float], str]]] = {
    "psnr": ("PSNR, dB", "{:.2f}".format),
    "gain": ("PSNR over base, dB", "{:+.2f}".format),
    "ssim": ("SSIM", "{:.3f}".format),
    "ms_ssim": ("MS-SSIM", "{:.3f}".format),
    "sharpness": ("Sharpness, % of the originals'", "{:.0%}".format),
    "cell_error": ("Cell error, grey levels", "{:.2f}".format),
}
"""For each metric, its title and how its values are written."""

_HIGHER_IS_BETTER = ("psnr", "gain", "ssim", "ms_ssim")
_TRADED = (8, 16, 24)  # px; more lines in one plot would be hard to distinguish
_Found = dict[Way, dict[int, Estimate]]
"""Estimates by way and cell size."""


def write_scorecard(
    path: Path, evaluation: Evaluation, curves: Mapping[str, Mapping[str, Points]] | None = None
) -> None:
    """Write the page of an evaluation to `path`, whole or not at all, with the training `curves` of
    each model, if given: (step, value) by loss, by model. Raises DemosaicError.
    """
    report = evaluation.report
    sections = [
        _faces("Ordinary faces", evaluation.median, "around the median PSNR"),
        _faces("The worst faces", evaluation.worst, "those with the lowest PSNR"),
        _nearness(report),
        *([_draws(report)] if report.draws else []),
        _realism(evaluation),
        *([_training(curves)] if curves else []),
        _numbers(report),
        _how(report),
    ]
    write_report(path, title=_title(report), lead=_lead(report), sections=sections)


def _title(report: EvaluationReport) -> str:
    if len(report.models) > 1:
        return f"Models compared: {', '.join(report.models)}"
    return "How well the model restores faces it was not trained on"


def _lead(report: EvaluationReport) -> str:
    """What each model reaches at one cell size, in words."""
    near = _selected(report, "psnr", aligned=True)
    gain = _selected(report, "gain", aligned=True)
    sentences = []
    for name in report.models:
        way = _usual([way for way in near if way.method == name])
        more = gain[way][SHOWN_BLOCK]
        sentences.append(
            f"{way} reaches {near[way][SHOWN_BLOCK].mean:.2f} dB, {abs(more.mean):.2f} dB "
            f"{'better' if more.mean >= 0 else 'worse'} than smoothing "
            f"({more.low:+.2f} to {more.high:+.2f})."
        )
    return (
        f"On {counted(report.faces, 'face')} that no model was trained on, behind cells of "
        f"{SHOWN_BLOCK} px: {' '.join(sentences)}"
    )


def _usual(ways: Sequence[Way]) -> Way:
    """The way with the realism nearest to that which `restore` takes."""
    return min(ways, key=lambda way: abs((way.realism or 0.0) - RestoreConfig.realism))


def _selected(report: EvaluationReport, metric: str, *, aligned: bool) -> _Found:
    """The estimates of one metric on mosaics that begin in the corner, or anywhere."""
    found: _Found = {}
    for scores in report.scores:
        if scores.aligned == aligned and metric in scores.estimates:
            found.setdefault(scores.way, {})[scores.block] = scores.estimates[metric]
    return found


def _nearness(report: EvaluationReport) -> Section:
    plots = [
        _by_block(report, metric, aligned=aligned)
        for metric, aligned in (("gain", True), ("gain", False), ("ssim", True), ("ms_ssim", True))
        if _selected(report, metric, aligned=aligned)
    ]
    return Section(
        "Nearness to the truth",
        [
            Text(
                "How near each way to fill a mosaic comes to the original: pixel by pixel (PSNR, "
                "here minus that of base, the smooth image with the same cell means) and in its "
                "structure (SSIM, and MS-SSIM over five scales). Higher is better. Bands are 95 % "
                "confidence intervals of the mean over faces."
            ),
            *plots,
            _table(report, "psnr", aligned=True),
        ],
    )


def _by_block(report: EvaluationReport, metric: str, *, aligned: bool) -> Plot:
    """A metric by cell size: each model at its least and most realism, and the baselines."""
    found = _selected(report, metric, aligned=aligned)
    hidden = ("mosaic",) if metric == "gain" else ()  # so low that the others would look flat
    series = [
        Series(
            str(way),
            [Point(block, one.mean, one.low, one.high) for block, one in found[way].items()],
            muted=way.method not in report.models,
        )
        for way in _ends([*found])
        if way.method not in hidden
    ]
    name, _, unit = _METRICS[metric][0].partition(", ")
    place = "cells from the corner" if aligned else "cells at any offset"
    return Plot(f"{name}: {place}", "side of a cell, px", unit, series, _blocks(report))


def _ends(ways: Sequence[Way]) -> Iterator[Way]:
    """The ways without a realism, and each model's with the least and the most realism."""
    for way in ways:
        shares = [other.realism or 0.0 for other in ways if other.method == way.method]
        if way.realism is None or way.realism in (min(shares), max(shares)):
            yield way


def _blocks(report: EvaluationReport) -> list[int]:
    return list(dict.fromkeys(scores.block for scores in report.scores))


def _table(report: EvaluationReport, metric: str, *, aligned: bool) -> Table:
    """A row for each way and a column for each cell size. Where higher is better, the best of a
    column is set off.
    """
    found = _selected(report, metric, aligned=aligned)
    best = {
        block: max(by_block[block].mean for by_block in found.values()) for block in _blocks(report)
    }
    title, written = _METRICS[metric]
    rows = []
    for way, by_block in found.items():
        row: list[str | Cell] = [str(way)]
        for block, one in by_block.items():
            interval = f"{written(one.low)}\u2013{written(one.high)}"
            is_best = metric in _HIGHER_IS_BETTER and one.mean == best[block]
            row.append(Cell(written(one.mean), interval, is_best))
        rows.append(row)
    place = "cells from the corner" if aligned else "cells at any offset"
    return Table(f"{title}: {place}", ["", *(f"{block} px" for block in _blocks(report))], rows)


def _realism(evaluation: Evaluation) -> Section:
    report = evaluation.report
    return Section(
        "Fidelity against realism",
        [
            Text(
                "A model's --realism goes from 0, the mean of all faces that fit a mosaic, which "
                "is blurred where they differ, to 1, one sharp guess: the sharper, the further "
                "from the original. Sharpness is the detail finer than the cells, right or wrong, "
                "as a share of the originals'. The edges of a mosaic's cells count as detail, too."
            ),
            *(_trade(report, name) for name in report.models if _is_blended(report, name)),
            _spectrum(evaluation),
            _table(report, "sharpness", aligned=True),
        ],
    )


def _is_blended(report: EvaluationReport, name: str) -> bool:
    """Whether a model was scored at several realisms, so that there is a line to draw."""
    return len({scores.way for scores in report.scores if scores.way.method == name}) > 1


def _draws(report: EvaluationReport) -> Section:
    """The section about draws: a table for each model."""
    names = dict.fromkeys(one.method for one in report.draws)
    return Section(
        "Draws",
        [
            Text(
                "At a realism above 0 the model draws: each seed gives another face that agrees "
                "with the cells. Detail is the difference of neighbouring pixels as a share of the "
                "originals', right or wrong; 100 % is as sharp. A true sample lies up to 3 dB "
                "under the mean. Spread over error says whether draws differ as much as they err; "
                "1 is right, less is too sure. The originals' pixels should lie in the range of 9 "
                f"draws 80 times in 100. Measured on {report.draws[0].faces} faces. Below, spread "
                "is black where draws agree, and white where they differ by 40 grey levels or more."
            ),
            *(_draw_plot(report, name) for name in names),
            *(_draw_table(report, name) for name in names),
        ],
    )


def _draw_plot(report: EvaluationReport, name: str) -> Plot:
    """PSNR against detail from the mean to a draw; a line for each cell size."""
    series = [
        Series(
            f"cells of {one.block} px",
            [Point(at.psnr, 100 * at.detail[0], label=f"{at.realism:g}") for at in one.realisms],
        )
        for one in report.draws
        if one.method == name
    ]
    return Plot(f"{name}, by realism", "PSNR, dB", "detail at 1 px, %", series)


def _draw_table(report: EvaluationReport, name: str) -> Table:
    """A row for each number, a column for each cell size."""
    found = [one for one in report.draws if one.method == name]
    ends = [(one.realisms[0], one.realisms[-1]) for one in found]
    rows = [
        ["PSNR of the mean, dB", *(f"{mean.psnr:.2f}" for mean, _ in ends)],
        ["a draw, dB below it", *(f"{mean.psnr - draw.psnr:.2f}" for mean, draw in ends)],
        [
            "the mean of 9 draws, dB below it",
            *(f"{one.realisms[0].psnr - one.mean_psnr:.2f}" for one in found),
        ],
        *(
            [f"detail at {distance} px, mean / draw", *(_shares(*end, at) for end in ends)]
            for at, distance in enumerate(DISTANCES)
        ),
        ["spread over error", *(f"{one.spread:.2f}" for one in found)],
        ["inside the range of 9 draws", *(f"{one.covered:.0%}" for one in found)],
    ]
    return Table(f"Draws: {name}", ["", *(f"{one.block} px" for one in found)], rows)


def _shares(mean: AtRealism, draw: AtRealism, at: int) -> str:
    return f"{mean.detail[at]:.0%} / {draw.detail[at]:.0%}"


def _trade(report: EvaluationReport, name: str) -> Plot:
    """PSNR over base against sharpness of a model, from its least to its most realism; a line for
    each cell size.
    """
    near = _selected(report, "gain", aligned=True)
    sharp = _selected(report, "sharpness", aligned=True)
    ways = [way for way in near if way.method == name]
    labelled = {*_ends(ways)}
    series = [
        Series(
            f"cells of {block} px",
            [
                Point(
                    near[way][block].mean,
                    100 * sharp[way][block].mean,
                    label=f"{way.realism:g}" if way in labelled and way.realism is not None else "",
                )
                for way in ways
            ],
        )
        for block in _TRADED
    ]
    return Plot(f"{name}, by realism", _METRICS["gain"][0], _METRICS["sharpness"][0], series)


def _spectrum(evaluation: Evaluation) -> Plot:
    """The amplitudes of each way by frequency, as shares of the originals'."""
    shown = {str(way) for way in _ends([*_selected(evaluation.report, "psnr", aligned=True)])}
    series = [
        Series(
            name,
            # Photos that were enlarged have nothing but rounding in the finer half
            [Point(cycles, 100 * shares[cycles]) for cycles in range(1, len(shares) // 2 + 1)],
            muted=name in ("mosaic", "bicubic", "base"),
        )
        for name, shares in evaluation.spectra.items()
        if name in shown
    ]
    return Plot(
        f"Spectrum at cells of {SHOWN_BLOCK} px",
        "cycles a face",
        "amplitude, % of the originals'",
        series,
        span=(0, 150),
    )


def _faces(title: str, faces: Sequence[Shown], chosen: str) -> Section:
    parts: list[Part] = [
        Text(
            f"{chosen[0].upper()}{chosen[1:]} at cells of {SHOWN_BLOCK} px, as a mean over all "
            "models and realisms; they are not chosen by hand. Drag the edge, or reach it with the "
            "tab key and use the arrow keys."
        )
    ]
    if faces:
        usual = f", realism {RestoreConfig.realism:g}"
        beside = next((name for name in faces[0].pictures if name.endswith(usual)), "")
        named = [
            Face(f"{title}, {number}: {face.psnr:.1f} dB", face.pictures)
            for number, face in enumerate(faces, 1)
        ]
        parts.append(Gallery(named, beside))
    return Section(title, parts)


def _training(curves: Mapping[str, Mapping[str, Points]]) -> Section:
    """A plot for each loss, with a line for each run."""
    names = dict.fromkeys(name for found in curves.values() for name in found)
    plots = [
        Plot(
            name,
            "step",
            "",
            [
                Series(run, [Point(step, value) for step, value in found[name]])
                for run, found in curves.items()
                if name in found
            ],
        )
        for name in names
    ]
    source = "From each run's events.jsonl. Each point of a loss is the mean of 5 % of the run."
    return Section("Training", [Text(source), *plots])


def _numbers(report: EvaluationReport) -> Section:
    """All tables that are not in the sections above."""
    explanation = Text(
        "The cell error is the difference between a picture, pixelated again, and the colours of "
        "the mosaic it was made from; restored pictures agree with them. Cells at any offset: the "
        "offset is drawn for each face."
    )
    tables = [
        _table(report, metric, aligned=aligned)
        for aligned in (True, False)
        for metric in _METRICS
        if _selected(report, metric, aligned=aligned)
        and (metric, aligned) not in (("psnr", True), ("sharpness", True))
    ]
    return Section("All other numbers", [explanation, *tables], folded=True)


def _how(report: EvaluationReport) -> Section:
    files = {name: without_user(Path(path)) for name, path in report.models.items()}
    models = ", ".join(file if name == file else f"{name} ({file})" for name, file in files.items())
    pairs = without_user(Path(report.pairs))
    return Section(
        "How this was measured",
        [
            Text(
                f"Models: {models}. Faces: the first {report.faces} by hash of {pairs} in "
                f"the split {report.split}, pixelated again. Computed on {report.computed} in "
                f"{report.seconds:.0f} s. Intervals are Efron's bootstrap over faces. No trained "
                "judge of realism is used, as none comes with demosaic: sharpness takes its place, "
                "so look at the faces."
            )
        ],
    )
