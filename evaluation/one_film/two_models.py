"""What maps owe to the model and what to the method: the same film, finding and methods under two models."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F

from evaluation.one_film.agreement import top_overlap
from evaluation.one_film.compare import FindingResult
from xai_methods import baseline_methods

BETWEEN, WITHIN = "Between the models", "With other methods"
_GRID = 128
"""Longest side on which maps of large films are compared."""


def between_models(first: FindingResult, second: FindingResult) -> pd.DataFrame:
    """How far each method's maps of two models agree, beside how far it agrees with other methods on the same model.

    Agreement over architectures is one of four criteria of Arun et al. 2021 (doi 10.1148/ryai.2021200267). Maps are
    compared in the film's own pixels, by the overlap of their strongest tenths.

    Returns:
        A row a method that explained both models, by its title, columns ``BETWEEN`` and ``WITHIN`` (the mean over both
        models and all other methods; NaN where there is no other).
    """
    maps = [_maps(result) for result in (first, second)]
    shared = [title for title in maps[0] if title in maps[1]]
    beside: dict[str, list[float]] = {title: [] for title in shared}
    for drawn in maps:
        for one, other in combinations(shared, 2):
            overlap = top_overlap(drawn[one], drawn[other])
            beside[one].append(overlap)
            beside[other].append(overlap)
    rows = {title: (top_overlap(maps[0][title], maps[1][title]), _mean(beside[title])) for title in shared}
    return pd.DataFrame.from_dict(rows, orient="index", columns=[BETWEEN, WITHIN])


def _mean(values: list[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def _maps(result: FindingResult) -> dict[str, np.ndarray]:
    """By title, the maps that depend on the model, in the film's own pixels, smaller where the film is large."""
    return {
        done.title: _smaller(done.on_film)
        for done in result.methods.values()
        if done.on_film is not None and done.method not in baseline_methods()
    }


def _smaller(values: np.ndarray) -> np.ndarray:
    factor = _GRID / max(values.shape)
    if factor >= 1:
        return values
    grid = tuple(max(1, round(side * factor)) for side in values.shape)
    return F.interpolate(torch.tensor(values)[None, None], grid, mode="area")[0, 0].numpy()
