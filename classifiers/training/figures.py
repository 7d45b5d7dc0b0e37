"""Figures of a classifier with intervals from a bootstrap over patients: AUROC, pointing, area-matched IoU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from scipy.stats import rankdata

from classifiers.training.nih_data import FINDINGS
from classifiers.training.outlines import OutlinedPair

BOOTSTRAPS = 1000
MAP_SIDE = 512
ENOUGH = 10
"""Positive films without which a finding does not count in a group's mean."""
RARE = "Hernia"
"""Too rare to be judged: means are given with and without it."""


def interval(values: np.ndarray) -> tuple[float, float]:
    """2.5th and 97.5th percentile, NaN left out."""
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)


def _patient_draws(patients: np.ndarray) -> list[np.ndarray]:
    """Rows of ``BOOTSTRAPS`` resamplings of whole patients."""
    rng = np.random.default_rng(0)
    names, inverse = np.unique(patients, return_inverse=True)
    rows_of = [np.flatnonzero(inverse == i) for i in range(len(names))]
    return [np.concatenate([rows_of[i] for i in rng.integers(0, len(names), len(names))]) for _ in range(BOOTSTRAPS)]


def aurocs(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(C,) area under the receiver operating characteristic of (N, C) logits; NaN where a label has one value only."""
    positive = labels.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        above = (rankdata(logits, axis=0) * labels).sum(axis=0) - positive * (positive + 1) / 2
        return above / (positive * (len(labels) - positive))


def auroc_figures(logits: np.ndarray, labels: np.ndarray, patients: np.ndarray) -> dict[str, Any]:
    """AUROC by finding and on average, with patient-bootstrap intervals and counts."""
    point = aurocs(logits, labels)
    spread = np.array([aurocs(logits[rows], labels[rows]) for rows in _patient_draws(patients)])
    found = {}
    for c, name in enumerate(FINDINGS):
        found[name] = {"auroc": float(point[c])} | _named("auroc", spread[:, c])
        found[name] |= {"positives": int(labels[:, c].sum()), "films": len(labels)}
    common = [c for c, name in enumerate(FINDINGS) if name != RARE]
    mean = {"auroc": float(np.nanmean(point))} | _named("auroc", np.nanmean(spread, axis=1))
    mean |= {"auroc_common": float(np.nanmean(point[common]))}
    mean |= _named("auroc_common", np.nanmean(spread[:, common], axis=1))
    return {"findings": found, "mean": mean, "films": len(labels), "patients": len(np.unique(patients))}


def group_figures(
    logits: np.ndarray, labels: np.ndarray, patients: np.ndarray, groups: dict[str, np.ndarray]
) -> dict[str, dict[str, Any]]:
    """Mean AUROC within groups of films, over the findings with at least ``ENOUGH`` positive films in the group.

    Args:
        groups: name -> (N,) bool. A group without such a finding is left out.
    """
    found: dict[str, dict[str, Any]] = {}
    for name, rows in groups.items():
        frequent = labels[rows].sum(axis=0) >= ENOUGH
        if frequent.any():
            z, y = logits[rows][:, frequent], labels[rows][:, frequent]
            draws = [np.nanmean(aurocs(z[drawn], y[drawn])) for drawn in _patient_draws(patients[rows])]
            found[name] = {"auroc": float(aurocs(z, y).mean())} | _named("auroc", np.array(draws))
            found[name] |= {"findings": int(frequent.sum()), "films": int(rows.sum())}
            found[name] |= {"patients": len(np.unique(patients[rows]))}
    return found


def _named(name: str, spread: np.ndarray) -> dict[str, float]:
    low, high = interval(spread)
    return {f"{name}_low": low, f"{name}_high": high}


def located(maps: np.ndarray, pairs: Sequence[OutlinedPair], rows: Sequence[int]) -> np.ndarray:
    """How well class maps find outlines: (n, 3) pointing (0 or 1), area-matched IoU, share of the film outlined.

    Pointing: the peak of the bicubically enlarged map lies in the outline, without tolerance.

    Args:
        maps: (N, 14, h, w) class maps. pairs: n outlined pairs. rows: the row of ``maps`` of each.
    """
    values = np.empty((len(pairs), 3))
    for i, (pair, row) in enumerate(zip(pairs, rows)):
        mask = pair.mask(MAP_SIDE)
        grid = torch.from_numpy(maps[row, FINDINGS.index(pair.finding)])[None, None]
        large = F.interpolate(grid, (MAP_SIDE, MAP_SIDE), mode="bicubic", align_corners=False)[0, 0].numpy()
        top = np.zeros(mask.size, dtype=bool)
        top[np.argpartition(-large.ravel(), int(mask.sum()))[: int(mask.sum())]] = True
        overlap = (top & mask.ravel()).sum() / (top | mask.ravel()).sum()
        values[i] = mask.flat[large.argmax()], overlap, mask.mean()
    return values


def pointing_figures(values: np.ndarray, pairs: Sequence[OutlinedPair], patients: np.ndarray) -> dict[str, Any]:
    """Means of :func:`located` by finding, over the findings and over all pairs, with patient-bootstrap intervals."""
    names = np.array([pair.finding for pair in pairs])
    findings = sorted(set(names))

    def means(index: np.ndarray) -> np.ndarray:
        groups = [values[index][names[index] == f] for f in findings]
        return np.array([g.mean(0) if len(g) else [np.nan] * 3 for g in groups])

    draws = _patient_draws(patients)
    point, spread = means(np.arange(len(names))), np.array([means(rows) for rows in draws])
    over_pairs = np.array([values[rows].mean(0) for rows in draws])
    found = {
        name: _located(point[i], spread[:, i]) | {"films": int((names == name).sum())}
        for i, name in enumerate(findings)
    }
    return {
        "findings": found,
        "mean": _located(np.nanmean(point, axis=0), np.nanmean(spread, axis=1)),
        "pairs": _located(values.mean(0), over_pairs) | {"n": len(names)},
        "films": len({pair.image for pair in pairs}),
        "patients": len(np.unique(patients)),
    }


def _located(point: np.ndarray, spread: np.ndarray) -> dict[str, float]:
    pointing, overlap = _named("pointing", spread[:, 0]), _named("area_matched_iou", spread[:, 1])
    figures = {"pointing": float(point[0])} | pointing | {"pointing_chance": float(point[2])}
    return figures | {"area_matched_iou": float(point[1])} | overlap
