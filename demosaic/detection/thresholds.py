"""Every tuned number of detection, one record a stage, each with its evidence.

A step is the absolute difference of neighbouring pixels, in grey levels. A line is an edge between
cells. `tests/benchmarks/find_mosaic.py` measures what a change does; `docs/detection.md` explains
the stages.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class CandidateThresholds:
    """The coarse search for places whose steps repeat (`candidates`)."""

    tile: int = 16
    """Side in pixels of the tiles in which repetition is measured."""
    min_lag: int = 3
    """Shortest period looked for at each scale, pixels."""
    max_lag: int = 24
    """Longest period looked for at each scale, pixels."""
    averaged_tiles: tuple[int, int] = (5, 1)
    """Tiles along and across the axis over which the autocorrelation is averaged."""
    scales: tuple[int, ...] = (1, 2, 4)
    """Reductions of the picture: with lags of 3 to 24 px they reach cells of 3 to 96 px."""
    weak_jpeg_edge: float = 5
    """Mean step, grey levels, up to which an edge of JPEG's blocks is ignored. Three of four
    repeating places in photos kept as JPEG came from such weak edges."""
    faint_energy: float = 0.5
    """Squared grey levels added to the energy, so that faint noise has no period. At 2 some large
    cells are missed; at 0.1 none are gained."""
    min_correlation: float = 0.37
    """Autocorrelation one period on, along both axes, from which a tile is a candidate."""
    first_peak: float = 0.8
    """Share of the best autocorrelation that the shortest period must have; longer ones are its
    multiples."""


@dataclass(frozen=True)
class PeriodThresholds:
    """Period and phase of a profile of steps (`periodicity`)."""

    flat_profile: float = 1e-3
    """Standard deviation below which a profile is flat. A plain picture has 0, mosaics 0.5."""
    harmonics: int = 12
    """Multiples of a frequency whose power is summed. With 6 or 8, one period in 80 is taken for a
    fraction of itself; more only cost time."""
    near_peak: float = 0.65
    """Share of the highest power that a shorter period needs. JPEG of quality 60 takes a third of
    the power of the true one."""
    shorter_period: float = 0.87
    """Share of the best correlation that a shorter period needs. Half the true period reaches 0.73,
    less the noise."""
    whole_period_margin: float = 0.03
    """Correlation by which a fractional period must beat the nearest whole one."""
    ties: float = 1e-4
    """Correlations closer than this are equal."""
    positions_per_pixel: int = 32
    """Positions of a line tried in a pixel when a fit is refined. With 16, one box in 100 more has
    a line that is a pixel off."""
    phase_change: float = 1.3
    """How many times the steps of one lattice two lattices must meet, to be two. In single mosaics
    one lattice meets all but a quarter."""
    near_period_change: float = 1.05
    """The same, where the period is rounded to whole pixels."""
    double_period_change: float = 0.9
    """The same, for twice the period: a lattice of half the true period meets the lines of both."""
    whole_period: float = 0.1
    """Distance in pixels from a whole number within which a period is taken as whole."""
    rounding: float = 1e-3
    """Rounding error of summed steps."""


@dataclass(frozen=True)
class FitThresholds:
    """The fit of a lattice to a candidate, and whether it is a mosaic (`fit`)."""

    min_cells: int = 4
    """Rows and columns of cells that a mosaic has at least."""
    end_tolerance: float = 0.5
    """Part of a cell by which a mosaic of `min_cells` may be short: its ends are not yet exact."""
    min_confidence: float = 0.5
    """Confidence below which a region is no mosaic."""
    clear_confidence: float = 0.8
    """Confidence from which bare lines need no explanation. Mosaics through JPEG of quality 60 have
    more; checked fabric in fine cells has 0.77."""
    jpeg_confidence: float = 0.8
    """Confidence that a lattice needs which JPEG's blocks explain."""
    aligned_confidence: float = 0.95
    """The same, where they explain the lines along both axes. Such mosaics have 0.98 and more after
    JPEG of quality 40; photos of quality 15 have up to 0.92 in places."""
    jpeg_fit: float = 0.5
    """Fit that a lattice needs which JPEG's blocks explain. Mosaics have 0.55 and more, photos of
    quality 15 up to 0.45 where one axis is explained."""
    jpeg_step: float = 12
    """Step in grey levels that such a lattice needs. Smooth parts have less between JPEG's blocks,
    down to quality 10."""
    min_fit: float = 0.28
    """Fit, 0..1, below which a lattice is no mosaic. Of 3,600 clean photos one has 0.2 and none
    more; mosaics that were resized and saved as JPEG have 0.3."""
    min_early_fit: float = 0.2
    """The same, before the extent is known. Four of five false candidates have less."""
    rounds: int = 4
    """Rounds of fitting, because a place can turn out larger than it looked."""
    stable: float = 0.98
    """Share of the larger box that two rounds share when the fit is stable."""
    repeated: float = 0.9
    """Share of the larger box that two fits share when they are one."""
    max_splits: int = 16
    """How often a fit may be split where its phase changes, one split inside another."""
    gap: float = 6
    """Columns of evidence against a mosaic that divide it into two."""
    snap_cost: float = 0.2
    """Part of a cell: columns of evidence that an end on a line is worth."""
    min_snap_cost: float = 1.5
    """Columns of evidence that an end on a line is worth at least."""
    extra_column: float = 0.9
    """Evidence, of 1, that adds one more column beyond an end. At 0.5, one mosaic in 300 gets a
    column too many."""


@dataclass(frozen=True)
class OverlapThresholds:
    """Which of several finds remain (`detector`)."""

    same_place: float = 0.2
    """Share of the smaller mosaic from which two compete for the same pixels."""
    known: float = 0.6
    """Share of a place covered by mosaics already found, above which it only repeats them."""
    fragment: float = 0.2
    """Share of a mosaic above which an exact find with the same cells is all of it."""
    fragments: int = 3
    """Exact finds in one mosaic from which they are its flat remains after a resize."""
    same_cell: float = 0.5
    """Pixels by which the sides of cells may differ and still be the same."""
    max_covered: float = 0.5
    """Share of a mosaic that may lie under another."""
    min_past: int = 2
    """Pixels by which a mosaic is made larger at least where another lies on it."""
    min_cells_past: float = 2.5
    """Rows of cells above or below another mosaic that show where a covered one ends."""
    contrast_kept: float = 0.9
    """Contrast beside the other mosaic, as a share of its own, that a covered one needs."""
    max_rounds: int = 16
    """How often the rest of a place is searched after a find, one rest inside another."""


@dataclass(frozen=True)
class FlatCellThresholds:
    """Flat rectangles of a lossless file grouped into mosaics (`flat_cells`)."""

    min_cells: int = 16
    """Rectangles that fit together, as in 4 x 4 cells. One clean photo in 100 has 9."""
    min_part: int = 6
    """The same, beside a mosaic with cells of the same sides."""
    few_cells: int = 4
    """The same, for cells of `few_side` px and more, as in 2 x 2 cells."""
    few_side: int = 9
    """Sides of cells, pixels, from which few are a mosaic. In 3,000 clean pictures no flat
    rectangles that fit together have larger sides than a block of JPEG."""
    few_colours: float = 0.5
    """Share of few cells that have a colour of their own. A code or a board has two colours."""
    few_flat: float = 0.75
    """Share of flat pixels around few cells from which they are drawn, as in a screenshot."""
    max_groups: int = 200
    """Groups above which none is a mosaic: one mosaic that was resized can fall into 2,000, and no
    crowd has so many faces."""
    min_fill: float = 0.4
    """Share of their common box that the rectangles of a mosaic cover."""
    stray: float = 0.1
    """Share of the rectangles on the commonest line that begin on another line by chance."""
    min_lines: float = 0.6
    """Share of the observed lines that a lattice must have. Cells of 12.5 px meet two of three."""
    min_on_lines: float = 0.9
    """Share of the rectangles of a part that lie on the lines; the outermost may be cut."""


@dataclass(frozen=True)
class LosslessThresholds:
    """The extent of a mosaic whose cells are exactly flat (`lossless`)."""

    min_step: float = 3
    """Step, grey levels, from which flat cells are a mosaic. Rounding leaves steps of 1 or 2 in
    smooth parts."""
    min_on_lines: float = 0.9
    """Share of the steps that lie on lines in a mosaic. JPEG's blocks have as many between."""
    plain: float = 0.8
    """Share of flat pixels from which the next cells are plain: cells of 10 px in one colour."""
    full: float = 0.975
    """Share of a box or an ellipse from which a mosaic that fills it is that shape. An ellipse
    fills 0.79 of its box."""


@dataclass(frozen=True)
class RefinementThresholds:
    """Lines and ends along an axis to the pixel (`refinement`), all in steps of one line.

    From 3,400 ends of whole cells through JPEG that lie on a line or a pixel beside one, by a
    regression that distinguishes these.
    """

    max_step: float = 2.0
    """The most that one step counts."""
    evidence: float = 0.25
    """What a column's evidence of 1 is worth."""
    unusual: float = 0.4
    """Penalty for an end that moved by more than a pixel, for one on an edge of JPEG's blocks, and
    for cells that do not fill the mosaic."""
    changed_lines: float = 0.5
    """Penalty for leaving whole cells. At 0.4, one mosaic in 100 through JPEG 60 loses them."""
    sliver: float = 1.0
    """Penalty for a cell of one pixel at an end."""


@dataclass(frozen=True)
class OutlineThresholds:
    """Box or ellipse, from evidence at each pixel (`outline`)."""

    noise: float = 0.15
    """Grey levels; smaller steps are no evidence."""
    doubt: float = 0.05
    """Taken off each evidence of 1: what is plain inside and outside is rather outside."""
    calm_window: int = 7
    """Pixels over which steps inside cells are averaged; few enough to keep an end sharp."""
    step_window: int = 9
    """Pixels over which steps on lines are averaged at least; larger cells take their period."""
    usual_percentile: float = 65
    """Percentile of the core that stands for the mosaic; some of its pixels are less clear."""
    min_share: float = 0.12
    """Steps inside cells, as a share of those on lines, below which nothing speaks more clearly for
    a mosaic. Calmer ones are blurred at its end."""
    everywhere: float = 0.4
    """Part of a cell within which a mosaic has steps on lines everywhere."""
    max_side: int = 256
    """Pixels a side that are judged; larger parts are reduced."""
    reaches: tuple[float, ...] = (1 / 3, 1)
    """Parts of a box that are looked at around it, one after the other until all of an ellipse is
    seen."""
    max_corner: float = -0.15
    """Mean evidence in each corner of its box below which an ellipse is one. 98 of 100 ellipses
    through JPEG have less; boxes taken for ellipses have more."""
    whole_picture: float = 0.95
    """Share of all evidence in a box from which the mosaic is the whole picture: the price of a
    plain border."""
    outside: float = 1.15
    """Positive evidence around a box, as a multiple of the evidence in it, up to which the mosaic
    is that box. Around ellipses it is 1.21 and more, around 6 of 10 boxes less."""
    strict_share: float = 0.25
    """Weight of the strict evidence when an ellipse gets its final place."""


@dataclass(frozen=True)
class EllipseThresholds:
    """The edge of an ellipse, where it cuts through cells (`ellipse`)."""

    rounds: int = 3
    """Sweeps over the ends."""
    search: float = 0.8
    """Part of a cell within which an edge is looked for."""
    min_search: int = 6
    """Pixels within which an edge is looked for at least."""
    evidence: float = 30
    """Root steps that all of the evidence is worth. 10 and 60 find fewer ellipses."""
    on_line: float = 0.1
    """The same, for an end on a line, where most programs put it. At 0.2, ellipses that end
    elsewhere are missed as often in JPEG of quality 60 as without looking at edges."""
    line_distance: float = 0.6
    """Pixels from a line within which an end lies on it."""
    min_side: int = 6
    """Pixels of an ellipse along each axis at least."""


@dataclass(frozen=True)
class LookalikeThresholds:
    """What has lines as a mosaic has them and is none (`lookalikes`)."""

    uneven: float = 0.2
    """Variance inside cells, as a share of the squared step between them, that no mosaic has.
    Mosaics through JPEG of quality 60 have 0.03, checked fabric 0.4."""
    bare: float = 0.55
    """Median step across a line, as a share of the mean one, below which lines are bare. Mosaics
    have 0.61 and more, a subdivided check 0.5."""
    repeating: float = 0.7
    """Difference to the cell after the next, as a share of that to the next, below which cells
    repeat. Mosaics have 1.1 and more, patterns of two colours 0.1."""
    many_cells: int = 16
    """Cells from which their tones are judged."""
    min_tones: float = 10
    """Grey levels between the dark and the light tone of a pattern at least."""
    same_tone: float = 0.1
    """Difference to a tone, as a share of that between both, up to which a cell has it."""
    two_tones: float = 0.96
    """Share of cells with one of two tones from which they are a code or a board. Of 1,200 mosaics
    in photos one has 0.94 and none more."""
    joint: float = 1.8
    """Step on lines, as a multiple of the difference of the cells beside them, from which there are
    joints between cells. Mosaics have up to 0.9, sharpened ones 1.64; most tiled walls more."""
    joint_noise: float = 4
    """Grey levels that compression adds to a step."""
    rounding: float = 1.0
    """Squared grey levels that rounding adds."""


@dataclass(frozen=True)
class KnownCellThresholds:
    """Mosaics whose cells have a known size (`known_cells`)."""

    min_side: int = 3
    """Sides of cells, pixels."""
    min_cells: int = 4
    """Flat cells that touch, as in 2 x 2."""
    min_fill: float = 0.7
    """Share of their box that flat cells cover; some are too much like their neighbours."""
    uneven: float = 0.1
    """Variance inside a cell, as a share of its mean squared step to its neighbours. Slopes in a
    photo have 0.08 and more, mosaics through JPEG of quality 60 about 0.03."""
    min_step: float = 3
    """Root mean squared step to the neighbours, grey levels; a wall is flat too."""
    min_confidence: float = 0.7
    """Confidence below which cells are no mosaic."""


@dataclass(frozen=True)
class SamplerThresholds:
    """Whether cells show their mean or their top-left pixel (`sampler`)."""

    lossless_margin: float = 1.5
    """Log likelihood ratio by which top-left pixels must win in a lossless file, where a mean taken
    for one loses its exact colour."""
    clear_mean: float = 12.0
    """Log likelihood ratio from which JPEG cells are means. Of 1,184 mosaics of top-left pixels, 8
    look so much like means."""
    unclear_consistency: float = 0.25
    """How far colours are enforced that may be top-left pixels. Means keep 0.6 of the 1 dB that
    full enforcement gives."""
    chroma: float = 0.5
    """Weight of colour in JPEG, which mixes colours across a border."""
    ring: int = 2
    """Width in pixels of the visible ring round a cell. With 1, one mosaic in 50 is undecided."""
    min_pixels: int = 4
    """Visible pixels that a cell needs to count."""
    max_pixels: int = 64
    """Visible pixels of a cell that are used."""
    max_cells: int = 256
    """Cells at the border that are used; more only cost time."""
    rough: float = 6.0
    """How many times the usual noise a cell may have; rougher ones are no cells of the mosaic."""
    rough_window: int = 5
    """Cells across a median filter that ignores single rough cells in JPEG. Without it, 20 of 240
    full-picture mosaics of means are taken for top-left pixels; with it, 1."""
    rounding_noise: float = 3.0
    """Squared grey levels of noise that rounding alone makes."""


CANDIDATES = CandidateThresholds()
PERIOD = PeriodThresholds()
FIT = FitThresholds()
OVERLAP = OverlapThresholds()
FLAT_CELLS = FlatCellThresholds()
LOSSLESS = LosslessThresholds()
REFINEMENT = RefinementThresholds()
OUTLINE = OutlineThresholds()
ELLIPSE = EllipseThresholds()
LOOKALIKE = LookalikeThresholds()
KNOWN_CELLS = KnownCellThresholds()
SAMPLER = SamplerThresholds()
