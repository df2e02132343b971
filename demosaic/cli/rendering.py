"""Events in words and tables: what is printed of each."""

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import singledispatch
from typing import NamedTuple

from rich.table import Table
from rich.text import Text

from demosaic.cli.settings import Settings
from demosaic.config.restoration import RestoreConfig
from demosaic.dataset.events import (
    BuildReport,
    CheckReport,
    FaultFound,
    Forecast,
    ForgetReport,
    JoinReport,
    PairMoved,
)
from demosaic.doctor.events import Checked, DoctorReport
from demosaic.evaluation.events import EvaluationReport, WayScores
from demosaic.events import Event, Notice, PicturesDone, PictureSkipped
from demosaic.models.events import ModelExported, ModelFound, ModelsFound
from demosaic.privacy.events import AuditReport, ClipPixelated, FaceHidden, PicturePixelated
from demosaic.restoration.events import (
    ClipRestored,
    ClipStarted,
    PictureRestored,
    RegionRestored,
)
from demosaic.text import counted, in_one_line
from demosaic.training.events import (
    LATEST,
    LOG_EVERY,
    PAGE,
    Evaluated,
    ModelSaved,
    RunFound,
    RunsFound,
    SheetSaved,
    StepDone,
    TrainingStarted,
    TrainReport,
)


class _Figures(Table):
    """A table without lines, whose texts are shown as they are: names may come from strangers."""

    def __init__(self, title: str, *titles: str, widths: tuple[int, int]) -> None:
        """The first column is `widths[0]` or wider, the others `widths[1]`."""
        super().__init__(box=None, pad_edge=False)
        self.add_column(_plain(title), min_width=widths[0])
        for one in titles:
            self.add_column(_plain(one), justify="right", min_width=widths[1], no_wrap=True)

    def add(self, *cells: str | Text) -> None:
        """Add a row."""
        self.add_row(*(one if isinstance(one, Text) else _plain(one) for one in cells))


def _plain(text: str) -> Text:
    return Text(in_one_line(text))


def _best_in_bold(figure: float | None, best: float, form: str = ".2f") -> Text:
    """A cell with a figure, which is bold if it reads like the best one of its column."""
    if figure is None:
        return Text("")
    said = f"{figure:{form}}"
    return Text(said, "bold" if said == f"{best:{form}}" else "")


NEXT = "next: "
"""How the line with the command to run next begins."""


Printed = Sequence[str | Table]
"""Lines and tables, in the order in which they are printed."""

_WAYS = {"base": "smooth, same cells", "restored": "restored (the mean)"}
"""What is scored, in words, where its name does not say it."""


class _Metric(NamedTuple):
    """A metric in a table."""

    name: str
    title: str
    form: str
    best: Callable[[Iterable[float]], float]


_METRICS = (
    _Metric("psnr", "PSNR, dB", ".2f", max),
    _Metric("ssim", "SSIM", ".3f", max),
    _Metric("cell_error", "cell error", ".2f", min),
)

_USUAL_REALISMS = (None, 0.0, RestoreConfig.realism, 1.0)
"""What the screen shows of an evaluation; the page shows every one."""


@singledispatch
def printed(event: Event) -> Printed:
    """What is printed of an event; nothing of those that only move the live line."""
    return []


@singledispatch
def printed_in_full(event: Event) -> Printed:
    """What is printed of an event with `--verbose`: all that `printed` says, and more of some."""
    return printed(event)


@printed.register
def _(event: Notice) -> Printed:
    return [event.text]


@printed.register
def _(event: PictureSkipped) -> Printed:
    return [f"left out: {event.reason}"]


@printed.register
def _(event: PicturesDone) -> Printed:
    several = f"{event.done} of {event.total} pictures {event.what}"
    return [several] if event.total > 1 else []


@printed.register
def _(event: Settings) -> Printed:
    there = (f"{path} ({'there' if found else 'not there'})" for path, found in event.files.items())
    table = _Figures("option", "value", "from", widths=(12, 0))
    for one in event.settings:
        table.add(f"{one.command} {one.option}", one.value, one.source)
    none = "no default is yours: every option has its own, as --help says"
    return [f"looked into: {', '.join(there)}", *([table] if event.settings else [none])]


# Datasets


@printed.register
def _(event: PairMoved) -> Printed:
    return [f"moved from {event.before} to {event.now}: {event.photo}"]


@printed.register
def _(report: BuildReport) -> Printed:
    splits = ", ".join(f"{count} {split}" for split, count in report.splits.items() if count)
    stages = ", ".join(f"{stage} {count}" for stage, count in report.funnel.items())
    ignored = f", {report.ignored} more ignored" if report.ignored else ""
    rate = report.photos / report.seconds
    skipped = f"left out: {reasons(report.skipped)} (see {report.folder}/skipped.jsonl)"
    return [
        f"{counted(report.photos, 'file')} in {report.seconds:.0f} s ({rate:.0f}/s){ignored}",
        f"photos: {stages}",
        f"{counted(report.pairs, 'pair')} ({splits}), {report.new_pairs} of them new",
        f"sharp enough to learn sharpness from: {counted(report.sharp, 'pair')} of train",
        *_group_lines(report),
        *([skipped] if report.skipped else []),
        f"look at {report.folder}/preview.jpg",
        next_command("train", report.folder),
    ]


@printed.register
def _(forecast: Forecast) -> Printed:
    ignored = f" ({forecast.ignored} more ignored)" if forecast.ignored else ""
    known = f"{forecast.known} of them in an earlier build, " if forecast.known else ""
    made = f"about {counted(forecast.pairs, 'pair')}, {_disk_size(forecast.megabytes)}"
    makes = f"adds {made}, to {forecast.there}" if forecast.there else f"makes {made}"
    lines = [
        f"{counted(forecast.photos, 'file')}{ignored}, {known}{forecast.sampled} examined",
        f"a build takes about {_duration(forecast.minutes)} and {makes}",
    ]
    if forecast.gone:
        lines.append(_gone_line(forecast))
    if forecast.skipped:
        lines.append(f"left out of those examined: {reasons(forecast.skipped)}")
    return [*lines, "nothing was written: the same command without --dry-run builds"]


@printed.register
def _(report: JoinReport) -> Printed:
    left_out = [f"left out: {reasons(report.left_out)}"] if report.left_out else []
    made = f"{counted(report.pairs, 'side-by-side picture')} in {report.folder}"
    return [made, *left_out, next_command("train", report.folder, "--preset", "seed")]


@printed.register
def _(event: FaultFound) -> Printed:
    return [f"fault  {event.path}: {event.problem}"]


@printed.register
def _(report: CheckReport) -> Printed:
    looked_at = f"{counted(report.pairs, 'pair')} and {counted(report.photos, 'photo')}"
    return [f"checked {looked_at} of {report.folder}: {counted(report.faults, 'fault')}"]


@printed.register
def _(report: ForgetReport) -> Printed:
    photos, pairs = counted(report.photos, "photo"), counted(report.pairs, "pair")
    return [
        f"forgotten: {photos}, and with {'it' if report.photos == 1 else 'them'} {pairs}",
        *(f"nearly the same and still there: {photo}" for photo in report.alike),
        "models trained on them before, and their sheets, still know them: train again",
        next_command("train", report.folder),
    ]


# Training


@printed.register
def _(event: TrainingStarted) -> Printed:
    """Where to look while it trains."""
    where = f"watch {event.run}/{PAGE} in a browser: it renews itself; or see {event.run}/{LATEST}"
    return [where] if event.run else []


@printed.register
def _(event: StepDone) -> Printed:
    if event.step % LOG_EVERY:
        return []
    if "discriminator" in event.losses:
        return article_lines(event)
    losses = "  ".join(f"{name} {loss:.4g}" for name, loss in event.losses.items())
    return [f"step {event.step}  {event.progress:.1%}  {losses}"]


def article_lines(event: StepDone) -> list[str]:
    """A step as the article's program prints it."""
    losses = [round(event.losses[name], 4) for name in ("generator", "adversarial", "l1")]
    return [
        f"--------------- Train {event.step} ---------------",
        f"Discriminator loss: {event.losses['discriminator']:.4f}",
        f"Generator loss: {losses}",
    ]


@printed.register
def _(event: Evaluated) -> Printed:
    """The PSNR: a row for each way, a column for each kind of cells."""
    rows: dict[str, dict[str, float]] = {}
    for name, found in event.scores.items():
        cells, _, way = name.rpartition(", ")
        rows.setdefault(_WAYS.get(way, way), {})[cells.removeprefix("block ")] = found.psnr
    columns = list(dict.fromkeys(cells for row in rows.values() for cells in row))
    best = {cells: max(row[cells] for row in rows.values() if cells in row) for cells in columns}
    # The article's model knows cells of one size only: its column has no name
    table = _Figures("  dB, by px of a cell" if any(columns) else "  dB", *columns, widths=(21, 5))
    for way, row in rows.items():
        table.add(f"  {way}", *(_best_in_bold(row.get(one), best[one]) for one in columns))
    return [_validation_line(event), table]


def _validation_line(event: Evaluated) -> str:
    if not event.step:
        return "without a model"
    return f"validation at step {event.step}{': the best so far' if event.best else ''}"


@printed_in_full.register
def _(event: Evaluated) -> Printed:
    table = _Figures("", "PSNR dB", "SSIM", "L1", "cell error", widths=(12, 0))
    for name, found in event.scores.items():
        table.add(
            f"  {name}",
            f"{found.psnr:.2f}",
            f"{found.ssim:.3f}",
            f"{found.l1:.4f}",
            f"{found.cell_error:.2f}",
        )
    return [_validation_line(event), table]


@printed_in_full.register(SheetSaved)
@printed_in_full.register(ModelSaved)
def _(event: SheetSaved | ModelSaved) -> Printed:
    return [f"saved {event.path}"]


@printed.register
def _(report: TrainReport) -> Printed:
    score = "" if report.psnr is None else f", {report.psnr:.1f} dB in cells of 16 px"
    return [
        f"trained {counted(report.step, 'step')}; the best was step {report.best_step}{score}",
        f"models: {report.best} and {report.model}",
        f"look at {report.run}/{PAGE} or {report.run}/{LATEST}",
        next_command("restore", _to_restore(report), "--model", report.best),
    ]


@printed.register
def _(event: RunsFound) -> Printed:
    table = _Figures("run", "state", "steps", "minutes", "dB", "age", widths=(12, 0))
    for one in event.runs:
        minutes = "" if one.minutes is None else f"{one.minutes:.0f}"
        score = "" if one.psnr is None else f"{one.psnr:.2f}"
        table.add(one.name, _state(one), f"{one.step}", minutes, score, _age(one.hours))
    problems = (f"{one.name}: {one.problem}" for one in event.runs if one.problem)
    stopped = [one.name for one in event.runs if one.state == "stopped"]
    goes_on = "a stopped run continues when its command is repeated"
    return [table, *problems, *([goes_on] if stopped else [])]


def _state(run: RunFound) -> str:
    """How far a run has come, in words."""
    share = "" if run.state in ("finished", "damaged") else f" at {run.progress:.0%}"
    return f"{run.state}{share}{', no mosaics' if run.undoes_mosaics is False else ''}"


def _age(hours: float) -> str:
    """How long ago something was, in one unit."""
    if hours < 1:
        return f"{hours * 60:.0f} min"
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} days"


def _to_restore(report: TrainReport) -> str:
    """A name for the picture to try the model on: one that learned from other pairs than mosaics
    translates the whole of any picture.
    """
    return "face.jpg" if report.undoes_mosaics else "input.jpg"


@printed.register
def _(event: ModelExported) -> Printed:
    return [f"saved {event.out}", "its inputs are in docs/model-format.md, an example in examples/"]


@printed.register
def _(event: ModelsFound) -> Printed:
    first, *others = event.models
    return [
        *_model_lines(first, "restore takes"),
        *(line for one in others for line in _model_lines(one, "also at hand")),
    ]


def _model_lines(model: ModelFound, what: str) -> list[str]:
    """A model in two lines: where it is, and what it does."""
    if model.passed_over:
        what, model = "passed over", replace(model, why=model.passed_over)
    return [f"{what}: {model.path} ({model.why})", f"  {_model_does(model)}"]


def _model_does(model: ModelFound) -> str:
    if model.problem:
        return f"cannot be used: {model.problem}"
    cells = "no mosaics" if model.blocks is None else f"cells of {_cells_of(model.blocks)} px"
    usual = model.psnr.get("block 16, restored")
    score = f", {usual:.2f} dB at 16 px on its own validation faces" if usual else ""
    draws = ", draws" if model.draws else ""
    minutes = "" if model.minutes is None else f" in {model.minutes:.0f} minutes"
    return f"preset {model.preset}, {counted(model.step, 'step')}{minutes}, {cells}{draws}{score}"


def _cells_of(blocks: tuple[int, int]) -> str:
    return " to ".join(map(str, sorted({*blocks})))


# Pictures and clips


@printed.register
def _(event: PictureRestored) -> Printed:
    regions = (f"  {_region_line(region)}" for region in event.regions if region.block)
    more = f" to {event.samples[-1]}" if event.samples else ""
    spread = [f"  how far draws differ: {event.spread}"] if event.spread else []
    both = _comparison(event.comparison)
    return [f"restored {event.picture}: {event.out}{more}", *regions, *spread, *both]


@printed.register
def _(event: ClipStarted) -> Printed:
    width, height = event.size
    return [
        f"{event.clip}: {counted(event.frames, 'frame')} of {width} x {height} px, "
        f"{event.seconds:.1f} s, encoded as {event.codec} {event.pixels}",
        f"takes about {_duration(event.forecast / 60)} if each frame is as the first",
    ]


@printed.register
def _(event: ClipRestored) -> Printed:
    copied = f"; {event.copied} frames copied as they were" if event.copied else ""
    where = f"{event.restored} of {event.frames} frames"
    return [
        f"restored {event.clip}: {event.out}",
        f"  {counted(event.mosaics, 'mosaic')} in {where}{copied}",
        *_agreement(event),
        *_comparison(event.comparison),
    ]


def _comparison(path: str) -> Printed:
    """Where before and after are, if they were written."""
    return [f"  before and after: {path}"] if path else []


def _agreement(event: ClipRestored) -> Printed:
    """How far the cells of a clip's result are off, as it is decoded."""
    if event.cell_error is None:
        return []
    return [
        f"  cell error {event.cell_error:.2f} after decoding, {event.largest_error:.1f} at most"
    ]


@printed.register
def _(event: PicturePixelated) -> Printed:
    faces = (f"  {_hidden_line(face)}" for face in event.faces)
    return [f"pixelated {event.picture}: {event.out}", *faces]


@printed.register
def _(event: ClipPixelated) -> Printed:
    return [
        f"pixelated {event.clip}: {event.out}",
        f"  {counted(event.faces, 'face')} in {event.hidden} of {event.frames} frames, "
        f"{event.bridged} times where the detector missed one",
        f"  look at {event.sheet}, and at the whole clip: a face that is never found is not hidden",
    ]


# Measurements


@printed.register
def _(report: EvaluationReport) -> Printed:
    aligned = [one for one in report.scores if one.aligned]
    usual = [one for one in aligned if one.way.realism in _USUAL_REALISMS]
    return [_metric_table(usual, _METRICS[0]), *_about_evaluation(report)]


@printed_in_full.register
def _(report: EvaluationReport) -> Printed:
    aligned = [one for one in report.scores if one.aligned]
    return [*(_metric_table(aligned, one) for one in _METRICS), *_about_evaluation(report)]


def _about_evaluation(report: EvaluationReport) -> list[str]:
    """What the figures are, and where there are more of them."""
    return [
        f"means over {counted(report.faces, 'face')}, computed on {report.computed} in "
        f"{report.seconds:.0f} s; ± is half of the interval that holds 95 of 100 such means",
        *([f"look at {report.page}"] if report.page else []),
    ]


@printed.register
def _(report: AuditReport) -> Printed:
    hidden = counted(report.hidden, "hidden face")
    people = counted(report.hidden_people, "person", "people")
    return [
        report.verdict,
        report.advice,
        _found_table(report),
        f"{hidden} of {people}, looked for among {report.people}; from {report.least_significant} "
        "on, a number is more than guessing (*)",
        *(
            f"left out: {counted(count, 'person', 'people')} {reason}"
            for reason, count in report.left_out.items()
        ),
    ]


@printed.register
def _(event: Checked) -> Printed:
    if event.advice:
        return [f"fault  {event.what}: {event.advice}"]
    return [f"ok     {event.what}: {event.found}"]


@printed.register
def _(report: DoctorReport) -> Printed:
    good = f"all {len(report.checks)} checks are ok: demosaic works here"
    return [] if report.problems else [good, next_command("restore", "face.jpg")]


# Parts of lines, and tables


def _metric_table(scores: Sequence[WayScores], metric: _Metric) -> Table:
    """The means of a metric: a row a way, a column a cell size, the best of each in bold."""
    rows: dict[str, list[float]] = {}
    for one in scores:
        way = str(one.way)
        rows.setdefault(_WAYS.get(way, way), []).append(one.estimates[metric.name].mean)
    best = [metric.best(column) for column in zip(*rows.values(), strict=True)]
    widest = max(
        (found.high - found.low) / 2 for found in (s.estimates[metric.name] for s in scores)
    )
    blocks = (f"{block} px" for block in dict.fromkeys(one.block for one in scores))
    title = f"{metric.title}, ±{widest:{metric.form}} at most"
    table = _Figures(title, *blocks, widths=(27, 0))
    for way, means in rows.items():
        cells = (
            _best_in_bold(mean, top, metric.form) for mean, top in zip(means, best, strict=True)
        )
        table.add(f"  {way}", *cells)
    return table


def next_command(*words: str) -> str:
    """The command to run next, as it can be pasted into a shell whatever the names in it are."""
    return f"{NEXT}demosaic {shlex.join(words)}"


def reasons(skipped: Mapping[str, int]) -> str:
    """How many were left out for each reason."""
    return ", ".join(f"{count} x {reason}" for reason, count in skipped.items())


def _duration(minutes: float) -> str:
    """A time in minutes, or in seconds where it is short."""
    return f"{minutes:.0f} minutes" if minutes >= 2 else f"{max(1, round(minutes * 60))} s"


def _disk_size(megabytes: float) -> str:
    """A size on disk in MB or GB."""
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{megabytes:.0f} MB"


def _gone_line(found: BuildReport | Forecast) -> str:
    """What becomes of the pairs of photos that are gone."""
    theirs = (
        f", and with them {counted(found.pruned, 'pair')}"
        if found.pruned
        else "; their pairs stay: --prune removes them"
    )
    return f"gone since an earlier build: {counted(found.gone, 'photo')}{theirs}"


def _group_lines(report: BuildReport) -> list[str]:
    """What a build reports of its groups, a line each."""
    lines = []
    if report.moved:
        lines.append(f"moved to another split with their groups: {counted(report.moved, 'pair')}")
    if report.gone:
        lines.append(_gone_line(report))
    if report.closest:
        near = report.closest
        lines.append(
            f"{counted(report.groups, 'group')}, none in two splits; the most alike photos of two "
            f"splits are {near.train} and {near.held_out}"
        )
    return lines


def _found_table(report: AuditReport) -> Table:
    """How many faces the best attack found again, by the way they were hidden."""
    table = _Figures(f"found again, of {report.hidden}", "", widths=(48, 6))
    clear = report.best(None)
    table.add("  nothing hides them", f"{clear.found}{'*' if clear.above_chance else ' '}")
    for hiding in report.hidings:
        best = report.best(hiding)
        yours = ", as asked" if hiding == report.asked else ""
        table.add(f"  {hiding}{yours}", f"{best.found}{'*' if best.above_chance else ' '}")
    table.add("  guessing", f"{report.chance * report.hidden:.1f} ")
    return table


def _region_line(region: RegionRestored) -> str:
    """A mosaic in one line."""
    x, y, width, height = region.box
    across, down = region.block or (0, 0)
    # Cells that show one of their pixels need not agree in their means
    means = region.sampler in (None, "mean")
    agrees = f"cell error {region.cell_error:.2f}" if means else f"sampler {region.sampler}"
    return (
        f"{width} x {height} px at {x},{y}: cells of {across:.4g} x {down:.4g} px, "
        f"confidence {region.confidence:.2f}, {agrees}"
    )


_UNSURE = 0.6
"""A face detector's score below which the user should look."""


def _hidden_line(face: FaceHidden) -> str:
    """What was hidden, in one line."""
    x, y, width, height = face.box
    how = {
        "mosaic": f"cells of {face.block} px",
        "blur": f"blurred over {face.block} px",
        "solid": "black",
    }[face.style]
    score = "" if face.score is None else f", score {face.score:.2f}"
    if face.score is not None and face.score < _UNSURE:
        score += ": check that this is a face"
    return f"{width} x {height} px at {x},{y}: {how}{score}"
