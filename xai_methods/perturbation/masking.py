"""What LIME and Kernel SHAP share: superpixels that are shown or hidden, and the logits of the films that result."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from classifiers import ChestClassifier
from classifiers.precision import settle_precision
from xai_methods.average_film import average_film
from xai_methods.method import Request
from xai_methods.parameters import ParameterError, Parameters, parameter
from xai_methods.passes import empty_films, precision_parameter, predict_logits
from xai_methods.perturbation.superpixels import KINDS, MOST, superpixels

HIDES = ("mean", "blur", "black", "average")
BLUR = 1 / 16
"""Standard deviation of the blur that hides, as a share of the input's side."""

TRIED, TWICE = 32, 4
"""Coalitions predicted before "auto" is settled, and how many of them in both precisions."""
ROUGHEST = 0.05
"""Most that rounding may scatter logits, as a share of what hiding regions scatters them."""


@dataclass(frozen=True)
class RegionParameters(Parameters):
    """Which regions a film is cut into and what stands in their place where they are hidden."""

    n_superpixels: int = parameter(50, "Regions the film is cut into.", low=2, high=MOST, step=1)
    superpixels: str = parameter("slic", "How the film is cut into regions.", choices=tuple(KINDS))
    compactness: float = parameter(
        0.1, "SLIC only: more makes regions squarer, less makes them follow edges.", low=0.001, high=10.0, step=0.001
    )
    hide: str = parameter(
        "mean",
        "What a hidden region shows: its own mean grey, the film blurred, black, or the average normal film.",
        choices=HIDES,
    )
    precision: str = precision_parameter()


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


def coalition_logits(
    request: Request,
    regions: Regions,
    coalitions: np.ndarray,
    precision: str = "float32",
    span: tuple[float, float] = (0.0, 1.0),
) -> np.ndarray:
    """Explained logit of the film under each coalition of shown superpixels.

    Equal coalitions are computed once; films are composed and predicted a batch at a time, and ``request`` hears of the
    progress and may cancel between batches.

    Args:
        request: the question. regions: the film and its superpixels.
        coalitions: (N, K) bool, True where a superpixel is shown.
        precision: of the passes, one of ``PRECISIONS``. span: shares of the whole work done before and after.

    Returns:
        (N,) float64 logits.

    Raises:
        Cancelled: the work was cancelled.
    """
    _, first, back = np.unique(np.packbits(coalitions, axis=1), axis=0, return_index=True, return_inverse=True)
    unique = torch.as_tensor(coalitions[first], device=request.film.device)
    logits = predict_logits(request, lambda a, b: regions.composites(unique[a:b]), len(unique), precision, span)
    return logits[back.reshape(-1)]


class Game:
    """The game "which superpixels are shown": (N, K) bool coalitions to (N,) float64 logits.

    The empty and the full coalition are always predicted in float32, so that what is shared out is exact. Where "auto"
    would take bfloat16, a few films are predicted both ways first: a game whose answers hardly move drowns in rounding.

    Args:
        request: the question. regions: the film and its superpixels.
        precision: of all other passes. budget: coalitions there will be at most, for the progress.
    """

    def __init__(self, request: Request, regions: Regions, precision: str, budget: int) -> None:
        self.request, self.regions, self.precision = request, regions, precision
        self.budget = max(budget, 1)
        self.requested = 0
        rough = precision == "auto" and settle_precision(precision, request.film.device) == "bfloat16"
        self._untried = TRIED if rough else 0

    def __call__(self, coalitions: np.ndarray) -> np.ndarray:
        """Logit of each coalition; equal ones within a call are predicted once."""
        ends = coalitions.all(axis=1) | ~coalitions.any(axis=1)
        logits = np.empty(len(coalitions))
        for these, precision in ((ends, "float32"), (~ends, self.precision)):
            if these.any():
                logits[these] = self._predict(coalitions[these], precision)
        return logits

    def _predict(self, coalitions: np.ndarray, precision: str) -> np.ndarray:
        if precision == "auto" and self._untried and len(coalitions) > TWICE:
            first, self._untried = coalitions[: self._untried], 0
            logits = self._predict(first, "bfloat16")
            done = min(self.requested / self.budget, 1.0)
            exact = coalition_logits(self.request, self.regions, first[:TWICE], "float32", (done, done))
            if np.std(exact - logits[:TWICE], ddof=1) > ROUGHEST * np.std(logits):
                self.precision = "float32"
                return self._predict(coalitions, "float32")
            return np.concatenate([logits, self._predict(coalitions[len(first) :], precision)])
        before, self.requested = self.requested, self.requested + len(coalitions)
        span = (min(before / self.budget, 1.0), min(self.requested / self.budget, 1.0))
        return coalition_logits(self.request, self.regions, coalitions, precision, span)


def stop_parameter() -> Any:
    """Declare the field ``stop_at`` of a sampling method's parameters."""
    return parameter(
        0.98,
        "Stop early once two seeds are expected to agree so well (correlation); 1 never stops.",
        low=0.5,
        high=1.0,
        step=0.01,
    )


def looks(least: int, most: int, stop_at: float) -> list[int]:
    """Numbers of samples after which to see if they suffice: from ``least``, a half more each time, to ``most``.

    All but the last are even or odd as ``least`` is, so that pairs stay whole.
    """
    found: list[int] = []
    while stop_at < 1 and least < most:
        found.append(least)
        least += max(least // 4 * 2, 2)
    return [*found, most]


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
