"""A made series: a bright disc that grows, so that every figure of the page is known."""

from __future__ import annotations

import numpy as np

from xai_methods.counterfactual import LEVELS, Cost, Series

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
