"""Films that show nothing, against which a film is explained."""

from __future__ import annotations

import torch
from scipy.ndimage import gaussian_filter

from xai_methods.method import Request
from xai_methods.parameters import ParameterError

BASELINES = ("black", "mid grey", "mean grey", "blur", "zero")
"""Black; the grey half way to white; the film's own mean grey; the film blurred; the number 0 in the input's range."""
BLUR = 1 / 16
"""Standard deviation of the blur, as a share of the input's side."""


def reference_film(request: Request, kind: str) -> torch.Tensor:
    """Return the (1, 1, S, S) input that stands for the absence of findings, in the classifier's range.

    "zero" is what much of the literature calls input 0. Which grey that is depends on the classifier: black where its
    inputs run from 0 to 1, mid grey where they run from -1024 to 1024 (see :func:`grey_of_zero`).

    Args:
        request: the question. kind: one of :data:`BASELINES`.

    Raises:
        ParameterError: ``kind`` is none of these.
    """
    film, preprocessing = request.film, request.classifier.preprocessing
    if kind == "black":
        return torch.full_like(film, preprocessing.low)
    if kind == "mid grey":
        return torch.full_like(film, (preprocessing.low + preprocessing.high) / 2)
    if kind == "mean grey":
        return film.mean().expand_as(film).clone()
    if kind == "blur":
        blurred = gaussian_filter(film[0, 0].cpu().numpy(), BLUR * request.classifier.side, mode="nearest")
        return torch.as_tensor(blurred, dtype=film.dtype, device=film.device)[None, None]
    if kind == "zero":
        return torch.zeros_like(film)
    raise ParameterError(f"baseline: expected one of {', '.join(BASELINES)}, got {kind!r}")


def grey_of_zero(request: Request) -> float:
    """Where input 0 lies on the scale of greys: 0 is black, 1 is white; outside of these no film shows it."""
    preprocessing = request.classifier.preprocessing
    return -preprocessing.low / (preprocessing.high - preprocessing.low)
