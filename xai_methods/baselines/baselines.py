"""Maps that know nothing of the classifier, as methods, so that every table can hold them.

A method that does not beat them has shown nothing (Adebayo et al. 2018, arXiv 1810.03292, for edge maps).
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from scipy import ndimage

from xai_methods.method import Attribution, Method, Request
from xai_methods.perturbation.masking import unit_pixels
from xai_methods.registry import register

CENTRE_SIGMA = 0.25
"""Standard deviation of the centre prior, as a share of the film's height and width."""


def uniform_map(shape: tuple[int, int]) -> np.ndarray:
    """The same value everywhere: (H, W) float32 ones."""
    return np.ones(shape, dtype=np.float32)


def centre_prior(shape: tuple[int, int]) -> np.ndarray:
    """A Gaussian at the centre of a film of ``shape`` (H, W): float32 in (0, 1]."""
    rows, columns = ((np.arange(side) + 0.5) / side - 0.5 for side in shape)
    down, across = (np.exp(-0.5 * (axis / CENTRE_SIGMA) ** 2) for axis in (rows, columns))
    return np.outer(down, across).astype(np.float32)


def edge_strength(pixels: np.ndarray) -> np.ndarray:
    """Magnitude of the Sobel gradient of (H, W) float pixels: (H, W), not negative."""
    down, across = (ndimage.sobel(pixels, axis=axis) for axis in (0, 1))
    return np.hypot(down, across)


class _Baseline(Method):
    """A map that asks the model nothing."""

    family = "baseline"
    signed = False
    speed = "fast"
    role = "baseline"

    def _explain(self, request: Request) -> Attribution:
        return Attribution(self._map(request))

    @abstractmethod
    def _map(self, request: Request) -> np.ndarray:
        """(S, S) values, not negative."""


@register
class Uniform(_Baseline):
    """The same value everywhere. Values: 1."""

    name = "uniform"
    title = "Uniform map"
    question = "Nothing: how would a map do that is the same everywhere?"
    reference = "This project"
    order = 201

    def _map(self, request: Request) -> np.ndarray:
        return uniform_map((request.classifier.side, request.classifier.side))


@register
class CentrePrior(_Baseline):
    """A Gaussian at the centre of the input. Values: in (0, 1]."""

    name = "centre-prior"
    title = "Centre prior"
    question = "Nothing: how would a map do that always points at the middle?"
    reference = "Judd et al. 2009, doi 10.1109/ICCV.2009.5459462"
    order = 202

    def _map(self, request: Request) -> np.ndarray:
        return centre_prior((request.classifier.side, request.classifier.side))


@register
class EdgeMap(_Baseline):
    """Strength of the film's own edges. Values: Sobel gradient of pixels in [0, 1]."""

    name = "edge-map"
    title = "Edge map"
    question = "Nothing: how would a map do that shows the film's edges and knows no finding?"
    reference = "Adebayo et al. 2018, arXiv 1810.03292"
    order = 203

    def _map(self, request: Request) -> np.ndarray:
        return edge_strength(unit_pixels(request.classifier, request.film))


@register
class RandomMap(_Baseline):
    """Noise. Values: independent and uniform in [0, 1), another map with each seed."""

    name = "random"
    title = "Random map"
    question = "Nothing: how would pure noise do?"
    reference = "This project"
    order = 204

    def _map(self, request: Request) -> np.ndarray:
        return request.rng.random((request.classifier.side, request.classifier.side))
