"""Events to the terminal. Only here is rich known."""

from collections import Counter
from collections.abc import Mapping
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

from demosaic.cli.rendering import (
    METRICS,
    disk_size,
    duration,
    found_table,
    gone_line,
    group_lines,
    hidden_line,
    metric_table,
    next_command,
    reasons,
    region_line,
    step_lines,
)
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
from demosaic.evaluation.events import EvaluationReport, Scores
from demosaic.events import Event, Notice, PicturesFound, PictureSkipped, WorkDone, WorkStarted
from demosaic.privacy.events import AuditReport, PicturePixelated
from demosaic.restoration.events import ClipRestored, FrameRestored, PictureRestored
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
                    reasons(dict(self._skipped.most_common())),
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
                        self.say(f"  {region_line(region)}")
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
                    self.say(f"  {hidden_line(face)}")
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
            for line in step_lines(event):
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
        self._terminal.print(found_table(report, few=False))
        if report.chance_few < 1:
            self._terminal.print(found_table(report, few=True))
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
        for line in group_lines(report):
            self.say(line)
        if report.skipped:
            self.say(f"left out: {reasons(report.skipped)} (see {report.folder}/skipped.jsonl)")
        self.say(f"look at {report.folder}/preview.jpg")
        self.say(next_command("train", report.folder))

    def _forecast(self, forecast: Forecast) -> None:
        self._end()
        ignored = f" ({forecast.ignored} more ignored)" if forecast.ignored else ""
        known = f"{forecast.known} of them in an earlier build, " if forecast.known else ""
        self.say(
            f"{counted(forecast.photos, 'file')}{ignored}, {known}{forecast.sampled} looked at"
        )
        made = f"about {counted(forecast.pairs, 'pair')}, {disk_size(forecast.megabytes)}"
        makes = f"adds {made}, to {forecast.there}" if forecast.there else f"makes {made}"
        self.say(f"a build takes about {duration(forecast.minutes)} and {makes}")
        if forecast.gone:
            self.say(gone_line(forecast))
        if forecast.skipped:
            self.say(f"left out of what was looked at: {reasons(forecast.skipped)}")
        self.say("nothing was written")

    def _forgot(self, report: ForgetReport) -> None:
        self._end()
        photos, pairs = counted(report.photos, "photo"), counted(report.pairs, "pair")
        self.say(f"forgotten: {photos}, and with {'it' if report.photos == 1 else 'them'} {pairs}")
        for photo in report.alike:
            self.say(f"nearly the same and still there: {photo}")
        self.say("models trained on them before, and their sheets, still know them: train again")
        self.say(next_command("train", report.folder))

    def trained(self, report: TrainReport) -> None:
        """Print what a training made and the command to run next."""
        self._end()
        self.say(f"trained {counted(report.step, 'step')}; the best was step {report.best_step}")
        self.say(f"models: {report.best} and {report.model}")
        self.say(f"look at {report.run}/samples")
        self.say(next_command("restore", "face.jpg", "--model", report.best))

    def scored(self, report: EvaluationReport) -> None:
        """Print what an evaluation found on aligned mosaics: a table a metric."""
        self._end()
        aligned = [scores for scores in report.scores if scores.aligned]
        for metric, title, form in METRICS:
            self._terminal.print(metric_table(aligned, metric, title, form))
        self.say(
            f"means over {counted(report.faces, 'face')}, computed on {report.computed} in "
            f"{report.seconds:.0f} s; ± is half of the interval that holds 95 of 100 such means"
        )


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
