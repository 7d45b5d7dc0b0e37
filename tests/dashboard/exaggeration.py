"""A made series: a bright disc that grows, so that every figure of the page is known."""

from __future__ import annotations

import numpy as np

from evaluation.counterfactuals.exaggerated import Exaggerated, ExaggeratedPlane
from xai_methods.counterfactual import LEVELS, Cost, Plane, Series
from xai_methods.counterfactual.plane import LEVELS as PLANE_LEVELS

SIDE = 48


def made_series(refusal: str | None = None, finding: str = "Nodule", findings=("Nodule", "Effusion")) -> Series:
    down, across = np.mgrid[:SIDE, :SIDE]
    distance = np.hypot(down - 24, across - 24)
    films = np.stack([(0.2 + 0.5 * (distance < 4 + place)).astype(np.float32) for place in range(len(LEVELS))])
    levels = np.array(LEVELS, dtype=np.float32)
    probabilities = np.stack([levels, np.full_like(levels, 0.3)], axis=1)
    return Series(
        method="progressive-exaggeration", finding=finding, levels=levels, reached=levels.copy(), films=films,
        film=films[4], own=float(levels[4]), findings=tuple(findings), probabilities=probabilities,
        own_probabilities=probabilities[4], reconstruction=films[4], cost=Cost(0.01, 0.99, 0.001), refusal=refusal,
        evaluations=12,
    )  # fmt: skip


def made_plane(refusal: str | None = None) -> Plane:
    """Two findings: the first is reached as asked; the second too, but up to 10 points off as the first changes."""
    levels = np.array(PLANE_LEVELS)
    first, second = np.meshgrid(levels, levels, indexing="ij")
    reached = np.stack([first, second + (first - 0.5) / 4], axis=-1)
    films = np.broadcast_to(first[..., None, None], (*first.shape, SIDE, SIDE)).astype(np.float32)
    return Plane(
        method="progressive-exaggeration", findings=("Nodule", "Effusion"), levels=levels, films=films,
        reached=reached, film=films[2, 2], own=(0.5, 0.5), classifier_findings=("Nodule", "Effusion"),
        probabilities=reached, own_probabilities=reached[2, 2], refusal=refusal, evaluations=72,
    )  # fmt: skip


def measured(series: Series, ratios: np.ndarray | None = None) -> Exaggerated:
    """The series with made anatomy; its probabilities are on the scale of its targets."""
    known = np.linspace(0.4, 0.6, len(series.levels)) if ratios is None else ratios
    lungs = np.full(len(series.levels), 0.3)
    return Exaggerated(series, series.levels, 0.5, 0.01, known, lungs, 0.45, 0.3, 0.8)


def measured_plane(plane: Plane) -> ExaggeratedPlane:
    """The plane with made anatomy."""
    return ExaggeratedPlane(plane, np.stack([plane.levels] * 2), np.full(plane.films.shape[:2], 0.5), 0.45)
