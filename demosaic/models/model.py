"""The two kinds of trained model, behind one interface: what they make of a mosaic."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from demosaic.config.restoration import RestoreConfig
from demosaic.errors import USAGE, DemosaicError
from demosaic.imaging.arrays import Floats, Pixels, resize, to_float, to_uint8
from demosaic.models.canvas import Canvas, Mosaic, canvas_of, cell_shown
from demosaic.models.card import ModelCard
from demosaic.models.compute import Compute
from demosaic.models.flow import Flow
from demosaic.models.inputs import Observation, Views, observe, views
from demosaic.models.noise import Spectrum, spectrum_of, usual_spectra
from demosaic.models.pix2pix import Generator
from demosaic.models.restorer import Restorer
from demosaic.models.resunet import ResUNet
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import cell_colours, paint_cells
from demosaic.mosaic.resampling import cropped_to_grid, padded_cells

_MOVES = ((0, 0), (1, 2), (2, 3), (3, 1))
"""Pixels down and across by which a canvas is moved for the best quality."""

_BEST = 2  # times the steps of a draw for the best quality

_BATCH = 4  # draws at a time: more take more memory and are not faster on a CPU


@dataclass(frozen=True)
class Model(ABC):
    """A trained network, ready to restore, and its card."""

    generator: Generator | Restorer
    card: ModelCard

    @property
    def undoes_mosaics(self) -> bool:
        """Whether it was trained on mosaics; if not, it translates whole pictures."""
        return self.card.undoes_mosaics

    @property
    def blocks(self) -> tuple[int, int]:
        """Smallest and largest side of the cells it was trained on, pixels. Raises DemosaicError
        for a model of other pictures than mosaics.
        """
        if self.card.blocks is None:
            raise DemosaicError(
                "this model was not trained on mosaics: it restores whole pictures only"
            )
        return self.card.blocks

    @property
    def draws(self) -> bool:
        """Whether it draws: with a realism above 0, each seed gives another picture."""
        return self.card.flow is not None

    def spectrum(self, image: Pixels, mosaic: Mosaic) -> Spectrum:
        """The spectrum of the errors of `fill` at realism 0 for a mosaic in an image (H, W, 3)."""
        side = cell_shown(image, mosaic, size=self.card.size, blocks=self.blocks)
        return spectrum_of(self.errors, side)

    @property
    def errors(self) -> torch.Tensor:
        """The spectra (len(CELLS), RINGS) of the errors at realism 0, by the size of the cells."""
        return usual_spectra()

    @abstractmethod
    def fill(
        self,
        image: Pixels,
        mosaic: Mosaic,
        colours: Floats,
        config: RestoreConfig,
        compute: Compute,
    ) -> Floats:
        """What the network makes of a mosaic in an image (H, W, 3): (3, box.height, box.width) in
        about [-1, 1], not yet finished.

        `colours` (3, rows, columns), 0..255, are those of the mosaic's cells. The network sees them
        at a cell size it was trained on, so the image may have any resolution. The config gives
        realism, seed, quality and consistency, which is 1 if it is None. Raises DemosaicError for a
        model of other pictures than mosaics.
        """

    @abstractmethod
    def fill_faces(
        self,
        observed: Sequence[Pixels],
        grids: Sequence[Grid],
        realisms: Sequence[float],
        compute: Compute,
        *,
        seed: int = 0,
    ) -> Mapping[float | None, Sequence[Floats]]:
        """What the network makes of whole mosaics (H, W, 3) of one size, each on its grid: for each
        realism the faces (3, H, W) in about [-1, 1], not yet finished. The only key is None when
        the model has no realism to choose.
        """

    @abstractmethod
    def draw_face(
        self,
        observed: Pixels,
        grid: Grid,
        seeds: Sequence[int],
        compute: Compute,
        *,
        realism: float = 1.0,
    ) -> Floats:
        """What the network draws from each seed for a whole mosaic (H, W, 3) on its grid:
        (len(seeds), 3, H, W) in about [-1, 1], not yet finished. All are the same unless the model
        `draws`.
        """

    @abstractmethod
    def translate(self, image: Pixels, compute: Compute) -> Pixels:
        """What a model of other pictures than mosaics makes of an image (H, W, 3); same size.

        Raises DemosaicError for a model that can only undo mosaics.
        """

    @abstractmethod
    def detail(self, observed: Pixels, grid: Grid, count: int, compute: Compute) -> Floats | None:
        """What the network adds to the smooth image of `count` copies of a mosaic (H, W, 3), as
        (count, 3, H, W): work to choose a precision by. None when it has no smooth image.
        """


@dataclass(frozen=True)
class Pix2PixModel(Model):
    """The 2020 article's model, of one cell size or of other pictures than mosaics."""

    generator: Generator

    def fill(
        self,
        image: Pixels,
        mosaic: Mosaic,
        colours: Floats,
        config: RestoreConfig,
        compute: Compute,
    ) -> Floats:
        """See `Model.fill`. The network sees nothing around the mosaic, and the config changes
        nothing.
        """
        canvas = self._fill_cells(colours, compute)
        return cropped_to_grid(canvas, mosaic.grid, mosaic.box.width, mosaic.box.height)

    def _fill_cells(self, colours: Floats, compute: Compute) -> Floats:
        """(3, block * rows, block * columns) in [-1, 1] from cells (3, rows, columns), 0..255,
        painted at the middle of the cell sizes it was trained on.
        """
        block, multiple = sum(self.blocks) // 2, self.generator.config.multiple
        _, rows, columns = colours.shape
        around, top, left = padded_cells(colours, multiple // math.gcd(multiple, block))
        size = (around.shape[1] * block, around.shape[2] * block)
        canvas = self._run(paint_cells(around, Grid.square(block), size), compute)
        down, across = (slice(start * block, None) for start in (top, left))
        return canvas[:, down, across][:, : rows * block, : columns * block]

    def _run(self, canvas: Pixels, compute: Compute) -> Floats:
        batch = compute.take(torch.from_numpy(to_float(canvas))[None])
        output: Floats = compute.infer(self.generator, batch)[0]
        return output

    def fill_faces(
        self,
        observed: Sequence[Pixels],
        grids: Sequence[Grid],
        realisms: Sequence[float],
        compute: Compute,
        *,
        seed: int = 0,
    ) -> Mapping[float | None, Sequence[Floats]]:
        """See `Model.fill_faces`; one face after the other."""
        return {
            None: [
                cropped_to_grid(
                    self._fill_cells(cell_colours(one, grid), compute),
                    grid,
                    one.shape[1],
                    one.shape[0],
                )
                for one, grid in zip(observed, grids, strict=True)
            ]
        }

    def draw_face(
        self,
        observed: Pixels,
        grid: Grid,
        seeds: Sequence[int],
        compute: Compute,
        *,
        realism: float = 1.0,
    ) -> Floats:
        """See `Model.draw_face`; all are the same."""
        made = self.fill_faces([observed], [grid], [realism], compute)[None]
        return np.stack([made[0]] * len(seeds))

    def translate(self, image: Pixels, compute: Compute) -> Pixels:
        """See `Model.translate`; computed at the size of the pictures it was trained on."""
        height, width = image.shape[:2]
        output = to_uint8(self._run(resize(image, self.card.size, self.card.size), compute))
        translated: Pixels = resize(output, width, height)
        return translated

    def detail(self, observed: Pixels, grid: Grid, count: int, compute: Compute) -> Floats | None:
        """None: it is shown the mosaic itself."""
        return None


@dataclass(frozen=True)
class TwoStageModel(Model):
    """A model of the default recipe: the faithful mean and, beside it, a second stage."""

    generator: Restorer

    @property
    def errors(self) -> torch.Tensor:
        """See `Model.errors`; as they were measured when the second stage began."""
        flow = self.generator.sharp
        return flow.spectrum if isinstance(flow, Flow) else usual_spectra()

    @property
    def faithful(self) -> ResUNet:
        """The network of the first stage."""
        return self.generator.faithful

    def fill(
        self,
        image: Pixels,
        mosaic: Mosaic,
        colours: Floats,
        config: RestoreConfig,
        compute: Compute,
    ) -> Floats:
        """See `Model.fill`. The network also sees what is around the mosaic, at the same scale."""
        canvas = canvas_of(image, mosaic, colours, size=self.card.size, blocks=self.blocks)
        if config.quality == "best" and config.realism == 0:
            made = self._averaged(canvas, config, compute)
        else:
            made = self._made(canvas, config, compute)
        return _scaled(made, mosaic.box.width, mosaic.box.height)

    def _averaged(self, canvas: Canvas, config: RestoreConfig, compute: Compute) -> Floats:
        """The mean of what the network makes of a canvas that is moved and mirrored: its errors
        depend on both, and partly cancel.
        """
        total = np.zeros((3, canvas.box.height, canvas.box.width), np.float32)
        for down, across in _MOVES:
            moved = canvas.moved(down, across)
            total += self._made(moved, config, compute)
            total += self._made(moved.mirrored(), config, compute)[:, :, ::-1]
        return total / np.float32(2 * len(_MOVES))

    def _made(self, canvas: Canvas, config: RestoreConfig, compute: Compute) -> Floats:
        """What the network makes of the mosaic in a canvas, (3, box.height, box.width)."""
        box = canvas.box
        observation = observe(
            canvas.picture,
            canvas.grid,
            box=box,
            hidden=canvas.hidden,
            consistency=1.0 if config.consistency is None else config.consistency,
        )
        effort = _BEST if config.quality == "best" else 1
        seeds = [config.seed]
        made = self._run([observation], config.realism, seeds, compute, effort=effort)
        inside: Floats = made[0, :, box.y : box.y + box.height, box.x : box.x + box.width]
        return inside

    def _run(
        self,
        observations: Sequence[Observation],
        realism: float,
        seeds: Sequence[int],
        compute: Compute,
        *,
        effort: int = 1,
    ) -> Floats:
        """One picture for each observation and seed, (N, 3, H, W), padded as `views` does."""
        shown = views(observations).to(compute.device)
        made: Floats = compute.infer(self.generator, shown, realism, seeds, effort)
        return made

    def _drawn(
        self, observation: Observation, seeds: Sequence[int], realism: float, compute: Compute
    ) -> Floats:
        """One picture for each seed, (len(seeds), 3, H, W), padded as `views` does."""
        if not (self.draws and realism > 0):
            once = self._run([observation], realism, seeds[:1], compute)
            return np.repeat(once, len(seeds), axis=0)
        parts = [seeds[start : start + _BATCH] for start in range(0, len(seeds), _BATCH)]
        return np.concatenate(
            [self._run([observation] * len(part), realism, part, compute) for part in parts]
        )

    def fill_faces(
        self,
        observed: Sequence[Pixels],
        grids: Sequence[Grid],
        realisms: Sequence[float],
        compute: Compute,
        *,
        seed: int = 0,
    ) -> Mapping[float | None, Sequence[Floats]]:
        """See `Model.fill_faces`; all in one batch."""
        shown = views([observe(one, grid) for one, grid in zip(observed, grids, strict=True)])
        made = self._at_each(shown.to(compute.device), realisms, seed, compute)
        height, width = observed[0].shape[:2]
        return {share: [*faces[:, :, :height, :width]] for share, faces in made.items()}

    def _at_each(
        self, shown: Views, realisms: Sequence[float], seed: int, compute: Compute
    ) -> dict[float | None, Floats]:
        """What the network makes at each realism, (N, 3, H, W)."""
        if not self.card.sharp:
            return {None: compute.infer(self.generator, shown, 0.0)}
        if not self.draws:
            return self._blends(shown, realisms, compute)
        seeds = [seed] * len(shown.seen)
        return {one: compute.infer(self.generator, shown, one, seeds) for one in realisms}

    def _blends(
        self, shown: Views, realisms: Sequence[float], compute: Compute
    ) -> dict[float | None, Floats]:
        """The blends of two pictures. Reconciling is affine, so blending its outputs gives its
        output for the blend: two passes serve any number of realisms.
        """
        ends: dict[float | None, Floats] = {
            end: compute.infer(self.generator, shown, end)
            for end in (0.0, 1.0)
            if any(share != 1 - end for share in realisms)
        }
        if len(ends) == 1:
            return ends
        return {share: (1 - share) * ends[0.0] + share * ends[1.0] for share in realisms}

    def draw_face(
        self,
        observed: Pixels,
        grid: Grid,
        seeds: Sequence[int],
        compute: Compute,
        *,
        realism: float = 1.0,
    ) -> Floats:
        """See `Model.draw_face`; several in one batch."""
        height, width = observed.shape[:2]
        made = self._drawn(observe(observed, grid), seeds, realism, compute)
        return made[:, :, :height, :width]

    def translate(self, image: Pixels, compute: Compute) -> Pixels:
        """Raises DemosaicError: the network sees nothing but mosaics."""
        raise DemosaicError("a model of the default recipe undoes mosaics only", USAGE)

    def detail(self, observed: Pixels, grid: Grid, count: int, compute: Compute) -> Floats | None:
        """See `Model.detail`."""
        shown = views([observe(observed, grid)] * count)
        made = compute.infer(self.generator, shown.to(compute.device), 0.0)
        added: Floats = made - shown.seen.numpy()
        return added


def _scaled(image: Floats, width: int, height: int) -> Floats:
    """The image (3, H, W) at another size."""
    scaled = resize(image.transpose(1, 2, 0), width, height)
    return np.ascontiguousarray(scaled.transpose(2, 0, 1))
