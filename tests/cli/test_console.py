"""What is on the screen: names as they are, the article's own lines, the next command."""

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console as Terminal

from demosaic.cli.console import Console
from demosaic.cli.rendering import article_lines
from demosaic.dataset.events import (
    BuildReport,
    Closest,
    Forecast,
    PairMoved,
    PhotoDone,
    PhotosFound,
    PhotoSkipped,
)
from demosaic.evaluation.events import Estimate, EvaluationReport, Scores, Way, WayScores
from demosaic.events import Event, Notice, PicturesDone, PicturesFound, PictureSkipped
from demosaic.restoration.events import PictureRestored, RegionRestored
from demosaic.training.events import (
    Evaluated,
    ModelSaved,
    SheetSaved,
    StepDone,
    TrainingStarted,
    TrainReport,
)

LOSSES = {"discriminator": 0.01532, "generator": 6.12345, "adversarial": 0.56789, "l1": 0.0555556}
ARTICLE = [
    "--------------- Train 4950 ---------------",
    "Discriminator loss: 0.0153",
    "Generator loss: [6.1235, 0.5679, 0.0556]",
]
NAMES = ["a [bold]b[/bold].png", "[1].png", ":smile:.png", "x" * 300 + ".png", "[/] two  gaps.png"]

REPORT = BuildReport(
    folder="pairs [1]",
    photos=30,
    ignored=4,
    funnel={"found": 30, "readable": 29, "kept": 20},
    pairs=20,
    splits={"train": 18, "val": 2, "test": 0},
    sharp=7,
    groups=6,
    closest=Closest("a/1.jpg", "b [2]/3.jpg", 62, 101),
    skipped={"no face": 7, "face too small": 3},
    new_pairs=5,
    moved=2,
    gone=3,
    pruned=0,
    seconds=2.0,
)

REGION = RegionRestored((8, 16, 120, 96), (12, 16), (0, 3), "mean", 0.94, 0.25)


def shown(*events: Event, live: bool = False, width: int = 80, **how: bool) -> str:
    """What a screen of `width` columns shows of some events, without its control codes."""
    screen = io.StringIO()
    terminal = Terminal(
        file=screen, force_terminal=live, width=width, soft_wrap=True, no_color=True
    )
    with Console(terminal, **how) as console:
        for event in events:
            console(event)
    return screen.getvalue()


@pytest.mark.parametrize("name", NAMES)
def test_names_are_shown_whole_and_as_they_are(name: str) -> None:
    assert shown(Notice(name)) == f"{name}\n"
    assert shown(ModelSaved(name, 1), SheetSaved(name, 1)) == ""
    assert shown(ModelSaved(name, 1), verbose=True) == f"saved {name}\n"
    assert shown(SheetSaved(name, 1), verbose=True) == f"saved {name}\n"
    assert (
        shown(PictureSkipped(name, f"{name}: not a picture"))
        == f"left out: {name}: not a picture\n"
    )
    restored = PictureRestored(name, f"out/{name}", (REGION,))
    assert shown(restored) == (
        f"restored {name}: out/{name}\n"
        "  120 x 96 px at 8,16: cells of 12 x 16 px, confidence 0.94, cell error 0.25\n"
    )
    assert shown(PictureRestored(name, name, ())) == f"restored {name}: {name}\n"


def test_a_region_of_single_pixels_names_its_sampler_and_no_error_of_means() -> None:
    corners = replace(REGION, sampler="top-left", cell_error=156.4)
    (_, line) = shown(PictureRestored("a", "b", (corners,))).splitlines()
    assert line.endswith("confidence 0.94, sampler top-left")


def test_a_step_is_logged_as_in_the_article() -> None:
    assert article_lines(StepDone(4950, 0.5, LOSSES, 0.99)) == ARTICLE


def test_where_there_is_no_terminal_every_tenth_step_is_printed() -> None:
    steps = [StepDone(step, 0.5, LOSSES, step / 5000) for step in (4949, 4950, 4951)]
    started = TrainingStarted(4948, 4948 / 5000, "5000 steps")
    assert shown(started, *steps).splitlines() == ARTICLE


def test_on_a_terminal_the_steps_are_one_live_line() -> None:
    steps = [StepDone(step, 0.5, LOSSES, step / 10) for step in range(1, 11)]
    said = shown(TrainingStarted(0, 0, "20 minutes"), *steps, live=True)
    assert "Train 10" not in said
    assert "step 10" in said
    assert "100% of 20 minutes" in said


def test_a_run_that_goes_on_begins_where_it_was() -> None:
    said = shown(TrainingStarted(7, 0.25, "28 steps"), live=True)
    assert "step 7" in said
    assert "25% of 28 steps" in said


def test_a_step_of_the_default_recipe_is_one_line_with_all_its_losses() -> None:
    losses = {"psnr": 23.456789, "critic": 0.69314718}
    steps = [StepDone(step, 0.5, losses, step / 300) for step in (99, 100, 101)]
    started = TrainingStarted(98, 98 / 300, "20 minutes")
    assert shown(started, *steps) == "step 100  33.3%  psnr 23.46  critic 0.6931\n"


def test_a_validation_is_a_small_table_by_cells_and_the_full_one_if_asked() -> None:
    found = {
        "block 8, base": Scores(23.456, 0.6789, 0.05, 0.25),
        "block 16, base": Scores(21, 0.6, 0.06, 0.25),
        "block 8, restored": Scores(24, 0.7, 0.04, 3.5),
    }
    event = Evaluated(500, found, best=True)
    assert shown(event).splitlines() == [
        "validation at step 500: the best so far",
        "  dB, by px of a cell      8     16",
        "  smooth, same cells   23.46  21.00",
        "  restored (the mean)  24.00       ",
    ]
    lines = [line.split() for line in shown(event, verbose=True).splitlines()]
    assert lines[1:3] == [
        ["PSNR", "dB", "SSIM", "L1", "cell", "error"],
        ["block", "8,", "base", "23.46", "0.679", "0.0500", "0.25"],
    ]
    assert shown(replace(event, best=False)).startswith("validation at step 500\n")
    assert shown(replace(event, step=0)).startswith("without a model\n")


def test_the_article_s_scores_need_no_columns() -> None:
    found = {"restored": Scores(23, 0.7, 0.04, 3.5), "reconciled": Scores(24, 0.7, 0.04, 0)}
    assert shown(Evaluated(500, found, best=False)).splitlines() == [
        "validation at step 500",
        "  dB                        ",
        "  restored (the mean)  23.00",
        "  reconciled           24.00",
    ]


def test_the_last_validation_fits_into_80_columns() -> None:
    cells = ("block 4", "block 8", "block 12", "block 16", "block 24", "block 32")
    names = [f"{one}, restored" for one in (*cells, "block 16 at 5, 11")]
    found = {name: Scores(23, 0.7, 0.04, 3.5) for name in names}
    lines = shown(Evaluated(500, found, best=False)).splitlines()
    assert (len(lines), max(map(len, lines))) == (3, 76)


def test_the_best_of_a_column_stands_out() -> None:
    found = {"block 8, base": Scores(24.001, 0.6, 0, 0), "block 8, restored": Scores(24, 0.7, 0, 0)}
    lower = {"block 8, mosaic": Scores(23, 0.7, 0.04, 3.5)}
    screen = io.StringIO()
    terminal = Terminal(file=screen, force_terminal=True, width=80, color_system="standard")
    Console(terminal)(Evaluated(500, {**found, **lower}, best=False))
    bold = re.findall(r"\x1b\[1m *([\d.]+) *\x1b\[0m", screen.getvalue())
    assert bold == ["8", "24.00", "24.00"]  # the title, and two that read the same


def test_quiet_shows_nothing() -> None:
    assert shown(Notice("a"), TrainReport("r", "m", 6, "b", 3), quiet=True, live=True) == ""


def test_on_a_terminal_lines_end_between_words_and_commands_stay_whole() -> None:
    path = "runs/" + 70 * "x" + "/best.safetensors"
    said = shown(Notice(f"  this is written to {path} and then some more"), live=True)
    assert said.splitlines() == ["  this is written to", f"    {path}", "    and then some more"]
    built = replace(REPORT, folder=f"my {path}")
    assert f"next: demosaic train 'my {path}'\n" in shown(built, live=True)


def test_names_in_tables_are_shown_as_they_are_and_move_no_cursor() -> None:
    name, seen = "[bold]b[/bold] \x1b[31m\u202e", r"[bold]b[/bold] \x1b[31m\u202e"
    scores = {name: Scores(23.456, 0.6789, 0.05, 0.25)}
    assert seen in shown(Evaluated(500, scores, best=True))
    assert seen in shown(Evaluated(500, scores, best=True), verbose=True)
    estimates = {one: Estimate(1.0, 0.5, 1.5) for one in ("psnr", "ssim", "cell_error")}
    ways = (WayScores(Way(name), 8, True, estimates),)
    report = EvaluationReport("pairs", "val", 1, {}, "cpu", 1.0, ways)
    assert (shown(report).count(seen), shown(report, verbose=True).count(seen)) == (1, 3)


def test_what_a_strangers_file_says_is_no_code_on_the_live_line() -> None:
    seen = shown(
        PhotosFound(3),
        PhotoSkipped("a.jpg", "[red]odd\x9b2J"),
        PhotoDone("a.jpg", 0),
        live=True,
        width=120,
    )
    assert r"1 x [red]odd\x9b2J" in seen
    assert "\x9b" not in seen


def test_every_event_can_be_shown_anywhere() -> None:
    events: list[Event] = [
        PhotosFound(2),
        PhotoDone("a.jpg", 1),
        PhotoSkipped("b.jpg", "no face"),
        PhotoDone("b.jpg", 0),
        PairMoved("0", "c.jpg", "val", "train"),
        PicturesFound(2),
        PictureRestored("a", "b", ()),
        PictureSkipped("c", "why"),
        PicturesDone("restored", 1, 2),
    ]
    for live in (True, False):
        said = shown(*events, live=live)
        assert "restored a: b\n" in said
        assert "left out: why\n" in said
        assert " pictures restored\n" in said
        assert "moved from val to train: c.jpg\n" in said
    assert "1 pair, 1 left out" in shown(*events, live=True)
    assert "1 pair, 1 left out 1 x no face" in shown(*events, live=True, width=100)


def test_a_build_ends_with_counts_reasons_and_the_next_command() -> None:
    screen = io.StringIO()
    Console(Terminal(file=screen, width=80, soft_wrap=True))(REPORT)
    assert screen.getvalue().splitlines() == [
        "30 files in 2 s (15/s), 4 more ignored",
        "photos: found 30, readable 29, kept 20",
        "20 pairs (18 train, 2 val), 5 of them new",
        "sharp enough to learn sharpness from: 7 pairs of train",
        "moved to another split with their groups: 2 pairs",
        "gone since an earlier build: 3 photos; their pairs stay: --prune removes them",
        "6 groups, none in two splits; the most alike photos of two splits are a/1.jpg and "
        "b [2]/3.jpg",
        "left out: 7 x no face, 3 x face too small (see pairs [1]/skipped.jsonl)",
        "look at pairs [1]/preview.jpg",
        "next: demosaic train 'pairs [1]'",
    ]


@pytest.mark.parametrize("width", [80, 120])
def test_what_there_is_no_room_for_costs_nothing_of_the_rest(width: int) -> None:
    reasons = ["face cut by the border", "face too small", "too little round the face"] * 20
    skipped = [PhotoSkipped("a.jpg", reason) for reason in reasons]
    said = shown(PhotosFound(3000), *skipped, PhotoDone("a.jpg", 1234), live=True, width=width)
    line = [line for line in said.replace("\r", "\n").splitlines() if "1234" in line][-1]
    shown_line = re.sub(r"\x1b\[[^m]*?[A-Za-z]", "", line)
    assert re.match(r"   1/3000 +photos ", shown_line)  # columns of older rich are further apart
    assert "1234 pairs, 60 left out" in line
    losses = dict.fromkeys(("log_error", "critic", "adversarial", "likeness", "more"), 0.0123456)
    said = shown(
        TrainingStarted(0, 0, "20 minutes"),
        StepDone(1234, 0.5, losses, 0.5),
        live=True,
        width=width,
    )
    assert "step 1234" in said
    assert "50% of 20 minutes" in said
    assert "0.50 s each" in said


FORECAST = Forecast(
    photos=500,
    ignored=3,
    known=0,
    sampled=200,
    there=0,
    pairs=480,
    minutes=1,
    megabytes=48,
    skipped={"no face": 2},
    gone=0,
    pruned=0,
)


@pytest.mark.parametrize(
    ("minutes", "megabytes", "expected"),
    [
        (0.001, 0.4, "about 1 s and makes about 480 pairs, 0 MB"),
        (0.5, 48, "about 30 s and makes about 480 pairs, 48 MB"),
        (12.4, 4800, "about 12 minutes and makes about 480 pairs, 4.8 GB"),
    ],
)
def test_a_forecast_says_what_it_rests_on(minutes: float, megabytes: float, expected: str) -> None:
    forecast = replace(FORECAST, minutes=minutes, megabytes=megabytes)
    assert shown(forecast).splitlines() == [
        "500 files (3 more ignored), 200 examined",
        f"a build takes {expected}",
        "left out of those examined: 2 x no face",
        "nothing was written: the same command without --dry-run builds",
    ]


@pytest.mark.parametrize(
    ("pruned", "expected"),
    [
        (0, "gone since an earlier build: 7 photos; their pairs stay: --prune removes them"),
        (9, "gone since an earlier build: 7 photos, and with them 9 pairs"),
    ],
)
def test_a_forecast_says_what_an_earlier_build_left(pruned: int, expected: str) -> None:
    forecast = replace(FORECAST, known=400, there=410, pairs=80, gone=7, pruned=pruned)
    assert shown(forecast).splitlines()[:3] == [
        "500 files (3 more ignored), 400 of them in an earlier build, 200 examined",
        "a build takes about 60 s and adds about 80 pairs, 48 MB, to 410",
        expected,
    ]


def test_a_training_ends_with_its_models_and_the_next_command() -> None:
    screen = io.StringIO()
    report = TrainReport(run="r", model="r/m", step=6, best="my runs/b", best_step=3)
    Console(Terminal(file=screen, width=80, soft_wrap=True))(report)
    said = screen.getvalue()
    assert "trained 6 steps; the best was step 3\n" in said
    assert "look at r/progress.html or r/latest.png\n" in said
    other = replace(report, undoes_mosaics=False, psnr=23.456)
    assert "the best was step 3, 23.5 dB in cells of 16 px\n" in shown(other)
    assert "demosaic restore input.jpg --model 'my runs/b'\n" in shown(other)
    assert "demosaic restore face.jpg --model 'my runs/b'\n" in said
