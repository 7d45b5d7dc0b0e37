"""Model-independent baselines, as methods, so that every table can hold them.

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


class BaselineMethod(Method):
    """A map of the film alone: the same wherever it is drawn, on a classifier's input or in the film's own pixels."""

    family = "baseline"
    signed = False
    unit = "arbitrary"
    speed = "fast"
    role = "baseline"

    def _explain(self, request: Request) -> Attribution:
        return Attribution(self.draw(unit_pixels(request.classifier, request.film), request.rng))

    @abstractmethod
    def draw(self, pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The map of (H, W) pixels in [0, 1]: (H, W), not negative."""


@register
class Uniform(BaselineMethod):
    """The same value everywhere. Values: 1."""

    name = "uniform"
    title = "Uniform map"
    question = "Nothing: how would a map do that is the same everywhere?"
    reference = "This project"
    order = 201

    def draw(self, pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(H, W) float32 ones."""
        return np.ones(pixels.shape, dtype=np.float32)


@register
class CentrePrior(BaselineMethod):
    """A Gaussian at the centre, a quarter of the film wide. Values: in (0, 1]."""

    name = "centre-prior"
    title = "Centre prior"
    question = "Nothing: how would a map do that always points at the middle?"
    reference = "Judd et al. 2009, doi 10.1109/ICCV.2009.5459462"
    order = 202

    def draw(self, pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(H, W) float32 in (0, 1]."""
        rows, columns = ((np.arange(side) + 0.5) / side - 0.5 for side in pixels.shape)
        down, across = (np.exp(-0.5 * (axis / CENTRE_SIGMA) ** 2) for axis in (rows, columns))
        return np.outer(down, across).astype(np.float32)


@register
class EdgeMap(BaselineMethod):
    """Strength of the film's own edges. Values: Sobel gradient of pixels in [0, 1]."""

    name = "edge-map"
    title = "Edge map"
    question = "Nothing: how would a map do that shows the film's edges and knows no finding?"
    reference = "Adebayo et al. 2018, arXiv 1810.03292"
    order = 203

    def draw(self, pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Magnitude of the Sobel gradient: (H, W)."""
        down, across = (ndimage.sobel(pixels, axis=axis) for axis in (0, 1))
        return np.hypot(down, across)


@register
class RandomMap(BaselineMethod):
    """Noise. Values: independent and uniform in [0, 1), another map with each seed."""

    name = "random"
    title = "Random map"
    question = "Nothing: how would pure noise do?"
    reference = "This project"
    stochastic = True
    order = 204

    def draw(self, pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(H, W) independent numbers."""
        return rng.random(pixels.shape)
