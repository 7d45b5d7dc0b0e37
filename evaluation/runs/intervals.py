"""Bootstrap intervals of many maps at once: those with numbers on the same films share their draws."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from evaluation.statistics.intervals import DRAWS, Interval, bootstrap_counts


def mean_intervals(
    columns: Sequence[np.ndarray],
    patients: Sequence[str] | np.ndarray,
    rng: np.random.Generator,
    *,
    draws: int = DRAWS,
    level: float = 0.95,
) -> list[Interval]:
    """The ``mean_interval`` of each of several columns, as if each were asked alone with a copy of ``rng``.

    Columns that have numbers on the same films share their draws, which makes many maps as quick as one.

    Args:
        columns: (N,) each, one number a film; NaN is left out. patients, rng, draws, level: as there.
    """
    groups = np.asarray(patients)
    found: list[Interval] = [Interval(math.nan, math.nan, math.nan, 0, 0)] * len(columns)
    alike: dict[bytes, list[int]] = {}
    for place, column in enumerate(columns):
        alike.setdefault((~np.isnan(column)).tobytes(), []).append(place)
    state = rng.bit_generator.state
    for mask, places in alike.items():
        kept = np.frombuffer(mask, dtype=bool)
        if not kept.any():
            continue
        rng.bit_generator.state = state
        counts = bootstrap_counts(groups[kept], draws, rng)
        values = np.stack([np.asarray(columns[place], dtype=np.float64)[kept] for place in places], axis=1)
        drawn = counts @ values / counts.sum(axis=1)[:, None]
        limits = np.quantile(drawn, [0.5 - level / 2, 0.5 + level / 2], axis=0)
        number = len(set(groups[kept].tolist()))
        for k, place in enumerate(places):
            low, high = limits[:, k]
            mean = float(values[:, k].mean())
            found[place] = Interval(mean, float(low), float(high), len(values), number)
    return found
