"""Events in words and tables."""

import shlex
from collections.abc import Mapping, Sequence

from rich.table import Table

from demosaic.dataset.events import BuildReport, Forecast
from demosaic.evaluation.events import WayScores
from demosaic.privacy.events import Attack, AuditReport, FaceHidden
from demosaic.restoration.events import RegionRestored
from demosaic.text import counted
from demosaic.training.events import StepDone

METRICS = (
    ("psnr", "PSNR, dB", ".2f"),
    ("ssim", "SSIM", ".3f"),
    ("cell_error", "cell error", ".2f"),
)


def metric_table(scores: Sequence[WayScores], metric: str, title: str, form: str) -> Table:
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


def next_command(*words: str) -> str:
    """The command to run next, as it can be pasted into a shell whatever the names in it are."""
    return f"next: demosaic {shlex.join(words)}"


def reasons(skipped: Mapping[str, int]) -> str:
    """How many were left out for each reason."""
    return ", ".join(f"{count} x {reason}" for reason, count in skipped.items())


def duration(minutes: float) -> str:
    """A time in minutes, or in seconds where it is short."""
    return f"{minutes:.0f} minutes" if minutes >= 2 else f"{max(1, round(minutes * 60))} s"


def disk_size(megabytes: float) -> str:
    """A size on disk in MB or GB."""
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{megabytes:.0f} MB"


def gone_line(found: BuildReport | Forecast) -> str:
    """What becomes of what gone photos gave."""
    theirs = (
        f", and with them {counted(found.pruned, 'pair')}"
        if found.pruned
        else "; what they gave stays: --prune removes it"
    )
    return f"gone since an earlier build: {counted(found.gone, 'photo')}{theirs}"


def group_lines(report: BuildReport) -> list[str]:
    """What came of the groups, a line each."""
    lines = []
    if report.moved:
        lines.append(f"moved to another split with their groups: {counted(report.moved, 'pair')}")
    if report.gone:
        lines.append(gone_line(report))
    if report.closest:
        near = report.closest
        lines.append(
            f"{counted(report.groups, 'group')}; the closest of two splits: "
            f"{near.train} and {near.held_out}, "
            f"faces {near.face_bits} and scenes {near.scene_bits} of 256 bits apart"
        )
    return lines


def found_table(report: AuditReport, *, few: bool) -> Table:
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


def step_lines(event: StepDone) -> list[str]:
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


def region_line(region: RegionRestored) -> str:
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


def hidden_line(face: FaceHidden) -> str:
    """What was hidden, in one line."""
    x, y, width, height = face.box
    how = {
        "mosaic": f"cells of {face.block} px",
        "blur": f"blurred over {face.block} px",
        "solid": "black",
    }[face.style]
    score = "" if face.score is None else f", score {face.score:.2f}"
    return f"{width} x {height} px at {x},{y}: {how}{score}"
