"""What LIME, Kernel SHAP and Owen values share: superpixels that are shown or hidden; their logits: ``game``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from classifiers import ChestClassifier
from xai_methods.average_film import average_film
from xai_methods.method import Request
from xai_methods.parameters import ParameterError, Parameters, parameter
from xai_methods.passes import empty_films, precision_parameter
from xai_methods.perturbation.superpixels import KINDS, MOST, superpixels

HIDES = ("mean", "blur", "black", "average")
BLUR = 1 / 16
"""Standard deviation of the blur that hides, as a share of the input's side."""


@dataclass(frozen=True)
class RegionParameters(Parameters):
    """Which regions a film is cut into and what stands in their place where they are hidden."""

    n_superpixels: int = parameter(50, "Regions the film is cut into.", low=2, high=MOST, step=1)
    superpixels: str = parameter(
        "slic", "How the film is cut into regions; anatomy: most of them in the chest.", choices=tuple(KINDS)
    )
    compactness: float = parameter(
        0.1,
        "SLIC, also along the anatomy: more makes regions squarer, less makes them follow edges.",
        low=0.001,
        high=10.0,
        step=0.001,
    )
    hide: str = parameter(
        "mean",
        "What a hidden region shows: its own mean grey, the film blurred, black, or the average normal film.",
        choices=HIDES,
    )
    precision: str = precision_parameter()


@dataclass(frozen=True)
class SamplingParameters(RegionParameters):
    """How many coalitions of regions a method draws. One with the same ``samples`` and seed draws the same."""

    samples: int = parameter(500, "Films evaluated with regions hidden.", low=50, high=20000, step=50)
    stop_at: float = parameter(
        0.98,
        "Stop early once two seeds are expected to agree so well (correlation); 1 never stops.",
        low=0.5,
        high=1.0,
        step=0.01,
    )


@dataclass(frozen=True, eq=False)
class Regions:
    """A film, its superpixels, and the same film with all of them hidden.

    Attributes:
        film: (S, S) float32 input, in the classifier's range. hidden: the same with every superpixel hidden.
        labels: (S, S) int32, 0 ... count - 1.
    """

    film: torch.Tensor
    hidden: torch.Tensor
    labels: np.ndarray

    @cached_property
    def where(self) -> torch.Tensor:
        """(S * S,) int64 superpixel of each pixel, on the film's device."""
        return torch.as_tensor(self.labels.ravel(), dtype=torch.int64, device=self.film.device)

    @property
    def count(self) -> int:
        """K, the number of superpixels."""
        return int(self.labels.max()) + 1

    def composites(self, coalitions: torch.Tensor) -> torch.Tensor:
        """Show the superpixels of each coalition and hide the rest: (N, K) bool to (N, 1, S, S)."""
        shown = coalitions.index_select(1, self.where).view(len(coalitions), 1, *self.labels.shape)
        return torch.where(shown, self.film, self.hidden, out=empty_films(len(coalitions), self.film))

    def paint(self, weights: np.ndarray) -> np.ndarray:
        """Paint each of (K,) weights on its superpixel: (S, S) float32."""
        return weights.astype(np.float32)[self.labels]


def regions_of(request: Request, parameters: RegionParameters) -> Regions:
    """Cut the film of ``request`` into superpixels and hide them all, as ``parameters`` say.

    Raises:
        ParameterError: the film cannot be cut so.
    """
    pixels = unit_pixels(request.classifier, request.film)
    labels = superpixels(pixels, parameters.superpixels, parameters.n_superpixels, parameters.compactness)
    return make_regions(request.classifier, request.film, labels, parameters.hide)


def make_regions(classifier: ChestClassifier, film: torch.Tensor, labels: np.ndarray, hide: str) -> Regions:
    """Hide all ``labels`` of a (1, 1, S, S) ``film`` in the classifier's range, one of :data:`HIDES`."""
    low, high = classifier.preprocessing.low, classifier.preprocessing.high
    hidden = low + (high - low) * hidden_pixels(unit_pixels(classifier, film), labels, hide)
    return Regions(film[0, 0], torch.as_tensor(hidden, dtype=film.dtype, device=film.device), labels)


def unit_pixels(classifier: ChestClassifier, film: torch.Tensor) -> np.ndarray:
    """Bring a (1, 1, S, S) input from the classifier's range to (S, S) float64 pixels, 0 black and 1 white."""
    low, high = classifier.preprocessing.low, classifier.preprocessing.high
    return (film[0, 0].double().cpu().numpy() - low) / (high - low)


def hidden_pixels(pixels: np.ndarray, labels: np.ndarray, hide: str) -> np.ndarray:
    """What stands where regions are hidden: (S, S) floats, 0 black and 1 white.

    Args:
        pixels: (S, S) film. labels: (S, S) superpixels, 0 ... K - 1.
        hide: "mean", each superpixel's own mean grey (the default of Ribeiro et al.'s code); "blur", the film under a
            Gaussian of a sixteenth of its side; "black", no film at all; "average", the mean of many normal films.

    Raises:
        ParameterError: ``hide`` is none of these.
    """
    if hide == "mean":
        greys = np.bincount(labels.ravel(), weights=pixels.ravel()) / np.bincount(labels.ravel())
        return greys[labels]
    if hide == "blur":
        return gaussian_filter(pixels, BLUR * pixels.shape[0], mode="nearest")
    if hide == "black":
        return np.zeros_like(pixels)
    if hide == "average":
        return average_film(pixels.shape[0])
    raise ParameterError(f"hide: expected one of {', '.join(HIDES)}, got {hide!r}")


def seed_agreement(weights: np.ndarray, errors: np.ndarray) -> float:
    """Correlation to expect between the weights of two seeds, from one run.

    Args:
        weights: (K,) estimated weights. errors: (K,) their standard errors.

    Returns:
        The share of the weights' variance that is not sampling error, 0 to 1; NaN where all weights are equal.
    """
    spread = float(np.var(weights, ddof=1))
    if spread == 0:
        return float("nan")
    return float(np.clip(1 - np.mean(errors**2) / spread, 0, 1))
