"""Events to the terminal. Only here is rich known."""

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from types import TracebackType

from rich.console import Console as Terminal
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column, Table
from rich.text import Text

from demosaic.dataset.events import (
    BuildReport,
    Forecast,
    ForgetReport,
    PairMoved,
    PhotoDone,
    PhotosFound,
    PhotoSkipped,
)
from demosaic.doctor.events import Checked
from demosaic.evaluation.events import EvaluationReport, Scores, WayScores
from demosaic.events import Event, Notice, PicturesFound, PictureSkipped, WorkDone, WorkStarted
from demosaic.privacy.events import Attack, AuditReport, FaceHidden, PicturePixelated
from demosaic.restoration.events import ClipRestored, FrameRestored, PictureRestored, RegionRestored
from demosaic.text import counted, in_one_line
from demosaic.training.events import (
    LOG_EVERY,
    Evaluated,
    ModelSaved,
    SheetSaved,
    StepDone,
    TrainingStarted,
    TrainReport,
)

_SMOOTHING = 0.95  # of the losses on the live line


class Console:
    """A listener that shows one live line of progress, and keeps above it what is worth keeping.

    Where the output is no terminal there is no live line; training then prints the article's own
    lines every ten steps.
    """

    def __init__(self, terminal: Terminal | None = None, *, stderr: bool = False) -> None:
        """Without a terminal given it is the process's own, on stdout or `stderr`."""
        self._terminal = terminal or Terminal(highlight=False, soft_wrap=True, stderr=stderr)
        self._progress: Progress | None = None
        self._task = TaskID(0)
        self._skipped: Counter[str] = Counter()
        self._pairs = 0
        self._losses: dict[str, float] = {}

    def __enter__(self) -> "Console":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def say(self, text: str) -> None:
        """Print a line as it is: brackets in file names are no markup, and any bytes are shown."""
        self._terminal.print(in_one_line(text), markup=False, emoji=False)

    def __call__(self, event: Event) -> None:
        """Show an event."""
        match event:
            case Notice(text):
                self.say(text)
            case PhotosFound(total, _):
                self._begin("photos", total)
            case PhotoSkipped(_, reason, _):
                self._skipped[reason] += 1
            case PairMoved(_, photo, before, now):
                self.say(f"moved from {before} to {now}: {photo}")
            case PhotoDone(_, pairs):
                self._pairs += pairs
                self._advance(
                    f"{counted(self._pairs, 'pair')}, {self._skipped.total()} left out",
                    _reasons(dict(self._skipped.most_common())),
                )
            case EvaluationReport():
                self.scored(event)
            case BuildReport():
                self.built(event)
            case ForgetReport():
                self._forgot(event)
            case Forecast():
                self._forecast(event)
            case TrainingStarted():
                self._begin_training(event)
            case StepDone():
                self._step(event)
            case Evaluated(step, scores, best):
                self._show_scores(step, scores, best)
            case SheetSaved(path, _) | ModelSaved(path, _):
                self.say(f"saved {path}")
            case PicturesFound(total):
                self._begin("pictures", total)
            case PictureRestored(picture, out, regions):
                self.say(f"restored {picture}: {out}")
                for region in regions:
                    if region.block:
                        self.say(f"  {_described(region)}")
                self._advance("")
            case FrameRestored(_, number, _, _):
                self._tell(f"frame {number}")
            case ClipRestored(clip, out, frames, restored, _):
                self.say(f"restored {clip}: {out}")
                self.say(f"  a mosaic in {restored} of {frames} frames")
                self._advance("")
            case PicturePixelated(picture, out, faces):
                self.say(f"pixelated {picture}: {out}")
                for face in faces:
                    self.say(f"  {_hidden(face)}")
                self._advance("")
            case PictureSkipped(_, reason):
                self.say(f"left out: {reason}")
                self._advance("")
            case WorkStarted(unit, total):
                self._begin(unit, total)
            case WorkDone(count):
                self._advance("", count=count)
            case Checked(what, found, advice):
                self.say(f"fault  {what}: {advice}" if advice else f"ok     {what}: {found}")

    def _begin_training(self, event: TrainingStarted) -> None:
        """A bar over the budget, steps or minutes."""
        self._end()
        if not self._terminal.is_terminal:
            return
        self._progress = Progress(
            TextColumn("step {task.fields[step]}", table_column=Column(no_wrap=True, min_width=11)),
            TextColumn(
                "{task.percentage:.0f}% of " + event.budget,
                table_column=Column(no_wrap=True, min_width=len(event.budget) + 8),
            ),
            TextColumn("{task.fields[rate]}", table_column=Column(no_wrap=True, min_width=11)),
            TimeRemainingColumn(table_column=Column(no_wrap=True, min_width=7)),
            _Rest("{task.fields[state]}", table_column=Column()),
            console=self._terminal,
            transient=True,
        )
        self._task = self._progress.add_task("", total=1.0, step=event.step, rate="", state="")
        self._progress.update(self._task, completed=event.progress)
        self._progress.start()

    def _begin(self, unit: str, total: int, completed: int = 0) -> None:
        self._end()
        if not self._terminal.is_terminal or total < 2:
            return
        self._progress = Progress(
            MofNCompleteColumn(
                table_column=Column(no_wrap=True, min_width=2 * len(str(total)) + 1)
            ),
            TextColumn(unit),
            BarColumn(bar_width=12),
            _Rate(table_column=Column(no_wrap=True, min_width=11)),
            TimeRemainingColumn(table_column=Column(no_wrap=True, min_width=7)),
            TextColumn("{task.fields[state]}", table_column=Column(no_wrap=True)),
            _Rest("{task.fields[more]}", table_column=Column()),
            console=self._terminal,
            transient=True,
        )
        self._task = self._progress.add_task(
            "", total=total, completed=completed, state="", more=""
        )
        self._progress.start()

    def _advance(self, state: str, more: str = "", count: int = 1) -> None:
        """`count` more done; `more` is shown as far as there is room."""
        if self._progress:
            self._progress.update(self._task, advance=count, state=state, more=more)

    def _tell(self, state: str) -> None:
        if self._progress:
            self._progress.update(self._task, state=state)

    def _end(self) -> None:
        if self._progress:
            self._progress.stop()
            self._progress = None

    def _step(self, event: StepDone) -> None:
        for name, loss in event.losses.items():
            before = self._losses.get(name, loss)
            self._losses[name] = _SMOOTHING * before + (1 - _SMOOTHING) * loss
        losses = "  ".join(f"{name} {loss:.3g}" for name, loss in self._losses.items())
        if self._progress:
            self._progress.update(
                self._task,
                completed=event.progress,
                step=event.step,
                rate=f"{event.seconds:.2f} s each",
                state=losses,
            )
        elif event.step % LOG_EVERY == 0:
            for line in _logged(event):
                self.say(line)

    def _show_scores(self, step: int, scores: Mapping[str, Scores], best: bool) -> None:
        self.say(f"validation at step {step}{': the best so far' if best else ''}")
        table = Table(box=None, pad_edge=False)
        table.add_column("", min_width=12)
        for title in ("PSNR dB", "SSIM", "L1", "cell error"):
            table.add_column(title, justify="right")
        for name, found in scores.items():
            table.add_row(
                f"  {name}",
                f"{found.psnr:.2f}",
                f"{found.ssim:.3f}",
                f"{found.l1:.4f}",
                f"{found.cell_error:.2f}",
            )
        self._terminal.print(table)

    def audited(self, report: AuditReport) -> None:
        """Print how often people were found, and what that means."""
        self._end()
        self.say(
            f"{counted(report.hidden, 'hidden face')} of "
            f"{counted(report.hidden_people, 'person', 'people')}, looked for among {report.people}"
        )
        for reason, count in report.left_out.items():
            self.say(f"left out: {counted(count, 'person', 'people')} {reason}")
        self._terminal.print(_found_table(report, few=False))
        if report.chance_few < 1:
            self._terminal.print(_found_table(report, few=True))
        self.say(
            f"with {counted(report.hidden, 'hidden face')}, less than {report.least_told:.0%} "
            "coming first cannot be told from chance"
        )
        self.say(report.finding)

    def built(self, report: BuildReport) -> None:
        """Print what a build made and the command to run next."""
        self._end()
        splits = ", ".join(f"{count} {split}" for split, count in report.splits.items() if count)
        rate = report.photos / report.seconds
        ignored = f", {report.ignored} more ignored" if report.ignored else ""
        self.say(
            f"{counted(report.photos, 'file')} in {report.seconds:.0f} s ({rate:.0f}/s){ignored}"
        )
        stages = ", ".join(f"{stage} {count}" for stage, count in report.funnel.items())
        self.say(f"photos: {stages}")
        self.say(f"{counted(report.pairs, 'pair')} ({splits}), {report.new_pairs} of them new")
        for line in _grouped(report):
            self.say(line)
        if report.skipped:
            self.say(f"left out: {_reasons(report.skipped)} (see {report.folder}/skipped.jsonl)")
        self.say(f"look at {report.folder}/preview.jpg")
        self.say(_next("train", report.folder))

    def _forecast(self, forecast: Forecast) -> None:
        self._end()
        ignored = f" ({forecast.ignored} more ignored)" if forecast.ignored else ""
        known = f"{forecast.known} of them in an earlier build, " if forecast.known else ""
        self.say(
            f"{counted(forecast.photos, 'file')}{ignored}, {known}{forecast.sampled} looked at"
        )
        made = f"about {counted(forecast.pairs, 'pair')}, {_size(forecast.megabytes)}"
        makes = f"adds {made}, to {forecast.there}" if forecast.there else f"makes {made}"
        self.say(f"a build takes about {_duration(forecast.minutes)} and {makes}")
        if forecast.gone:
            self.say(_gone(forecast))
        if forecast.skipped:
            self.say(f"left out of what was looked at: {_reasons(forecast.skipped)}")
        self.say("nothing was written")

    def _forgot(self, report: ForgetReport) -> None:
        self._end()
        photos, pairs = counted(report.photos, "photo"), counted(report.pairs, "pair")
        self.say(f"forgotten: {photos}, and with {'it' if report.photos == 1 else 'them'} {pairs}")
        for photo in report.alike:
            self.say(f"nearly the same and still there: {photo}")
        self.say("models trained on them before, and their sheets, still know them: train again")
        self.say(_next("train", report.folder))

    def trained(self, report: TrainReport) -> None:
        """Print what a training made and the command to run next."""
        self._end()
        self.say(f"trained {counted(report.step, 'step')}; the best was step {report.best_step}")
        self.say(f"models: {report.best} and {report.model}")
        self.say(f"look at {report.run}/samples")
        self.say(_next("restore", "face.jpg", "--model", report.best))

    def scored(self, report: EvaluationReport) -> None:
        """Print what an evaluation found on aligned mosaics: a table a metric."""
        self._end()
        aligned = [scores for scores in report.scores if scores.aligned]
        for metric, title, form in _METRICS:
            self._terminal.print(_metric_table(aligned, metric, title, form))
        self.say(
            f"means over {counted(report.faces, 'face')}, computed on {report.computed} in "
            f"{report.seconds:.0f} s; ± is half of the interval that holds 95 of 100 such means"
        )


_METRICS = (
    ("psnr", "PSNR, dB", ".2f"),
    ("ssim", "SSIM", ".3f"),
    ("cell_error", "cell error", ".2f"),
)


def _metric_table(scores: Sequence[WayScores], metric: str, title: str, form: str) -> Table:
    """The means of a metric: a row a way, a column a cell size."""
    rows: dict[str, list[str]] = {}
    for one in scores:
        rows.setdefault(str(one.way), []).append(f"{one.estimates[metric].mean:{form}}")
    widest = max((one.estimates[metric].high - one.estimates[metric].low) / 2 for one in scores)
    table = Table(box=None, pad_edge=False)
    table.add_column(f"{title}, ±{widest:{form}} at most", min_width=27)
    for block in dict.fromkeys(one.block for one in scores):
        table.add_column(f"{block} px", justify="right")
    for way, cells in rows.items():
        table.add_row(f"  {way}", *cells)
    return table


def _next(*words: str) -> str:
    """The command to run next, as it can be pasted into a shell whatever the names in it are."""
    return f"next: demosaic {shlex.join(words)}"


def _reasons(skipped: Mapping[str, int]) -> str:
    return ", ".join(f"{count} x {reason}" for reason, count in skipped.items())


def _duration(minutes: float) -> str:
    return f"{minutes:.0f} minutes" if minutes >= 2 else f"{max(1, round(minutes * 60))} s"


def _size(megabytes: float) -> str:
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{megabytes:.0f} MB"


def _gone(found: BuildReport | Forecast) -> str:
    """What becomes of what gone photos gave."""
    theirs = (
        f", and with them {counted(found.pruned, 'pair')}"
        if found.pruned
        else "; what they gave stays: --prune removes it"
    )
    return f"gone since an earlier build: {counted(found.gone, 'photo')}{theirs}"


def _grouped(report: BuildReport) -> list[str]:
    """What came of the groups, a line each."""
    lines = []
    if report.moved:
        lines.append(f"moved to another split with their groups: {counted(report.moved, 'pair')}")
    if report.gone:
        lines.append(_gone(report))
    if report.closest:
        near = report.closest
        lines.append(
            f"{counted(report.groups, 'group')}; the closest of two splits: "
            f"{near.train} and {near.held_out}, "
            f"faces {near.face_bits} and scenes {near.scene_bits} of 256 bits apart"
        )
    return lines


class _Rest(TextColumn):
    """A text as far as there is room. It counts as one that can be wrapped: only from such columns
    does rich take what a line is too long by, or else from all.
    """

    def render(self, task: Task) -> Text:
        text = super().render(task)
        text.no_wrap, text.overflow = True, "ellipsis"
        return text


class _Rate(ProgressColumn):
    """Photos a second, or seconds a step when that is more."""

    def render(self, task: Task) -> Text:
        speed = task.speed
        if not speed:
            return Text("")
        return Text(f"{speed:.0f}/s" if speed >= 2 else f"{1 / speed:.2f} s each")


def _found_table(report: AuditReport, *, few: bool) -> Table:
    """How often the right person came first, or among the first few: a row a cell size."""
    table = Table(box=None, pad_edge=False)
    table.add_column("% among first 5" if few else "% found first", min_width=17)
    for way in report.ways:
        table.add_column(way, justify="right", min_width=15)
    table.add_row("clear", _found(report.best("clear", None), few))
    for block in report.blocks:
        attacks = [report.best(way, block) for way in report.ways]
        name = f"{block} px, {attacks[0].cells:g} cells"
        table.add_row(name, *(_found(attack, few) for attack in attacks))
    chance = report.chance_few if few else report.chance_first
    table.add_row("chance", f"{100 * chance:.1f}")
    return table


def _found(attack: Attack, few: bool) -> str:
    """A share in %, with its interval."""
    found = attack.few if few else attack.first
    return f"{100 * found.mean:.1f} ({100 * found.low:.0f}-{100 * found.high:.0f})"


def _logged(event: StepDone) -> list[str]:
    """What is printed of a step where there is no live line."""
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


def _described(region: RegionRestored) -> str:
    """A mosaic in one line."""
    x, y, width, height = region.box
    across, down = region.block or (0, 0)
    # The means of cells that show one of their pixels are not what they should agree with
    means = region.sampler in (None, "mean")
    agrees = f"cell error {region.cell_error:.2f}" if means else f"sampler {region.sampler}"
    return (
        f"{width} x {height} px at {x},{y}: cells of {across:.4g} x {down:.4g} px, "
        f"confidence {region.confidence:.2f}, {agrees}"
    )


def _hidden(face: FaceHidden) -> str:
    """What was hidden, in one line."""
    x, y, width, height = face.box
    how = {
        "mosaic": f"cells of {face.block} px",
        "blur": f"blurred over {face.block} px",
        "solid": "black",
    }[face.style]
    score = "" if face.score is None else f", score {face.score:.2f}"
    return f"{width} x {height} px at {x},{y}: {how}{score}"
