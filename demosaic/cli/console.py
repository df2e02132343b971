"""The listener that shows events on the terminal: one live line, and above it what is printed."""

from collections import Counter
from functools import singledispatchmethod
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
from rich.table import Column
from rich.text import Text

from demosaic.cli.rendering import NEXT, printed, printed_in_full, reasons
from demosaic.dataset.events import (
    BuildReport,
    CheckReport,
    Forecast,
    ForgetReport,
    PhotoDone,
    PhotosFound,
    PhotoSkipped,
)
from demosaic.evaluation.events import EvaluationReport
from demosaic.events import Event, PicturesFound, PictureSkipped, WorkDone, WorkStarted
from demosaic.privacy.events import AuditReport, PicturePixelated
from demosaic.restoration.events import ClipRestored, ClipStarted, FrameRestored, PictureRestored
from demosaic.text import counted, in_one_line, in_width
from demosaic.training.events import StepDone, TrainingStarted, TrainReport

_SMOOTHING = 0.95  # of the losses on the live line


def terminal(*, stderr: bool = False) -> Terminal:
    """The terminal of the process, on stdout or `stderr`."""
    return Terminal(highlight=False, soft_wrap=True, stderr=stderr)


class Console:
    """A listener that shows one live line of progress and prints above it what is worth keeping.

    Where the output is no terminal there is no live line; training then prints every tenth step.
    """

    def __init__(self, terminal: Terminal, *, quiet: bool = False, verbose: bool = False) -> None:
        """`quiet`: show nothing. `verbose`: show more of each event."""
        self._terminal = terminal
        self._quiet = quiet
        self._printed = printed_in_full if verbose else printed
        self._progress: Progress | None = None
        self._task = TaskID(0)
        self._skipped: Counter[str] = Counter()
        self._pairs = 0
        self._losses: dict[str, float] = {}
        self._frames = 0
        self._counts_frames = False

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
        """Print a line as it is: brackets in file names are no markup, and any bytes are shown. A
        terminal shows it in lines that end between words, except for a command to copy.
        """
        line = in_one_line(text)
        if self._terminal.is_terminal and not line.startswith(NEXT):
            line = in_width(line, self._terminal.width)
        self._terminal.print(line, markup=False, emoji=False)

    def __call__(self, event: Event) -> None:
        """Show an event."""
        if self._quiet:
            return
        self._follow(event)
        if self._progress and isinstance(event, StepDone):
            return  # the live line shows it
        for one in self._printed(event):
            if isinstance(one, str):
                self.say(one)
            else:
                self._terminal.print(one)

    @singledispatchmethod
    def _follow(self, event: Event) -> None:
        """Move the live line; most events leave it as it is."""

    @_follow.register(BuildReport)
    @_follow.register(CheckReport)
    @_follow.register(Forecast)
    @_follow.register(ForgetReport)
    @_follow.register(TrainReport)
    @_follow.register(EvaluationReport)
    @_follow.register(AuditReport)
    def _(self, event: Event) -> None:
        self._end()

    @_follow.register
    def _(self, event: PhotosFound) -> None:
        self._begin("photos", event.total)

    @_follow.register
    def _(self, event: PhotoSkipped) -> None:
        self._skipped[event.reason] += 1

    @_follow.register
    def _(self, event: PhotoDone) -> None:
        self._pairs += event.pairs
        self._advance(
            f"{counted(self._pairs, 'pair')}, {self._skipped.total()} left out",
            reasons(dict(self._skipped.most_common())),
        )

    @_follow.register
    def _(self, event: PicturesFound) -> None:
        self._begin("pictures", event.total)

    @_follow.register
    def _(self, event: ClipRestored) -> None:
        if self._counts_frames:
            self._end()
            self._counts_frames = False
        else:
            self._advance("")

    @_follow.register(PictureRestored)
    @_follow.register(PicturePixelated)
    @_follow.register(PictureSkipped)
    def _(self, event: Event) -> None:
        self._advance("")

    @_follow.register
    def _(self, event: ClipStarted) -> None:
        """A bar over the frames, unless there is one over several pictures."""
        self._frames = event.frames
        self._counts_frames = self._progress is None
        if self._counts_frames:
            self._begin("frames", event.frames)

    @_follow.register
    def _(self, event: FrameRestored) -> None:
        if self._counts_frames:
            self._advance(counted(len(event.regions), "mosaic"))
        elif self._progress:
            state = f"frame {event.number + 1} of {self._frames}"
            self._progress.update(self._task, state=state)

    @_follow.register
    def _(self, event: WorkStarted) -> None:
        self._begin(event.unit, event.total)

    @_follow.register
    def _(self, event: WorkDone) -> None:
        self._advance("", count=event.count)

    @_follow.register
    def _(self, event: StepDone) -> None:
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

    @_follow.register
    def _(self, event: TrainingStarted) -> None:
        """A bar over the budget, steps or minutes."""
        self._end()
        if not self._terminal.is_terminal:
            return
        self._progress = Progress(
            TextColumn(
                "step {task.fields[step]}",
                markup=False,
                table_column=Column(no_wrap=True, min_width=11),
            ),
            TextColumn(
                "{task.percentage:.0f}% of " + event.budget,
                markup=False,
                table_column=Column(no_wrap=True, min_width=len(event.budget) + 8),
            ),
            TextColumn(
                "{task.fields[rate]}", markup=False, table_column=Column(no_wrap=True, min_width=11)
            ),
            TimeRemainingColumn(table_column=Column(no_wrap=True, min_width=7)),
            _Rest("{task.fields[state]}", markup=False, table_column=Column()),
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
            TextColumn(unit, markup=False),
            BarColumn(bar_width=12),
            _Rate(table_column=Column(no_wrap=True, min_width=11)),
            TimeRemainingColumn(table_column=Column(no_wrap=True, min_width=7)),
            TextColumn("{task.fields[state]}", markup=False, table_column=Column(no_wrap=True)),
            _Rest("{task.fields[more]}", markup=False, table_column=Column()),
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
            self._progress.update(self._task, advance=count, state=state, more=in_one_line(more))

    def _end(self) -> None:
        if self._progress:
            self._progress.stop()
            self._progress = None


class _Rest(TextColumn):
    """A text, cut where there is no room for it.

    It counts as a text that can be wrapped: rich shortens such columns first, or else all of them.
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
