"""From drops of logits to the validity gate's figures: excesses, their tests, intervals and power."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evaluation.statistics.one_sided import Gain, gain, holm_levels
from evaluation.statistics.paired_tests import holm
from evaluation.validity.matched_blur import BlurredRegion

EFFECT = 0.2
"""What counts as looking there: in the region the logit loses this much more, in standard deviations over films; what
Cohen (1988, doi:10.4324/9780203771587) calls a small effect."""
PARTS = ("elsewhere", "without", "others")
"""The region against alike places on the film, against the same place on films without the finding, and this finding's
logit against the other findings'."""


def looks(
    pairs: Sequence[BlurredRegion], findings: Sequence[str], logits: np.ndarray, of: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Test, for each finding of ``of``, whether the network answers to what is in the outlined region.

    Args:
        pairs: as :func:`evaluation.validity.matched_blur.outlined_pairs` blurred them. findings: of the C columns.
        logits: (N, C) of the films as they are.

    Returns:
        By finding that is outlined: ``films``, ``patients``, ``p`` (one-sided; the largest of its parts, for all must
        hold: an intersection-union test, Berger 1982, doi:10.1080/00401706.1982.10487790), ``p_holm`` over the
        findings, ``level`` (Holm's for this finding), ``power`` to find ``effect`` at the level of Holm's first step,
        ``part`` (the one with the largest p), and for each of ``parts`` ``mean``, ``low``, ``high``, ``p``,
        ``patients``, in standard deviations of the logit over films. The ends of the intervals belong to ``level``: one
        lies above 0 exactly where its p lies below.
    """
    spread = np.maximum(logits.std(axis=0), 1e-12)
    tested = {}
    for finding in of:
        own = [pair for pair in pairs if pair.finding == finding]
        if own:
            tested[finding] = own, _parts(own, list(findings).index(finding), spread)
    p = np.array([_largest(parts)[1] for _, parts in tested.values()])
    levels, corrected = holm_levels(p), holm(p)
    first = float(np.nanmin(levels)) if np.isfinite(levels).any() else math.nan
    return {
        finding: _as_figures(own, parts, float(p[i]), float(corrected[i]), float(levels[i]), first)
        for i, (finding, (own, parts)) in enumerate(tested.items())
    }


def _parts(pairs: Sequence[BlurredRegion], column: int, spread: np.ndarray) -> dict[str, Gain]:
    patients = [pair.patient for pair in pairs]
    on_film = excess(pairs, "elsewhere") / spread
    found = {"elsewhere": gain(on_film[:, column], patients)}
    found["without"] = gain(excess(pairs, "controls")[:, column] / spread[column], patients)
    if len(spread) > 1:
        rest = np.delete(on_film, column, axis=1)
        found["others"] = gain(on_film[:, column] - rest.mean(axis=1), patients)
    return found


def excess(pairs: Sequence[BlurredRegion], beside: str) -> np.ndarray:
    """How much more the logits drop in the region than in the places ``beside`` it, alike in what blurring takes.

    What remains unlike after matching is taken off by the drops' slopes on it, pooled within pairs.

    Args:
        pairs: of one finding. beside: "elsewhere" on the film, or "controls", films without the finding.

    Returns:
        (pairs, C) logits; NaN where a pair has no such place.
    """
    sets = [getattr(pair, beside) for pair in pairs]
    some = [one for one in sets if len(one.drops)]
    result = np.full((len(pairs), pairs[0].region.drops.shape[1]), np.nan)
    if not some:
        return result
    taken = np.concatenate([one.taken - one.taken.mean(axis=0) for one in some])
    drops = np.concatenate([one.drops - one.drops.mean(axis=0) for one in some])
    scale = taken.std(axis=0)
    scale[scale < 1e-12] = np.inf
    slopes = np.linalg.lstsq(taken / scale, drops, rcond=None)[0] / scale[:, None]
    for row, (pair, one) in enumerate(zip(pairs, sets)):
        if len(one.drops):
            unlike = pair.region.taken[0] - one.taken.mean(axis=0)
            result[row] = pair.region.drops[0] - one.drops.mean(axis=0) - unlike @ slopes
    return result


def _largest(parts: Mapping[str, Gain]) -> tuple[str, float]:
    """The part with the largest p; an undefined one counts as largest."""
    name = max(parts, key=lambda one: math.inf if math.isnan(parts[one].p) else parts[one].p)
    return name, parts[name].p


def _as_figures(
    pairs: Sequence[BlurredRegion], parts: Mapping[str, Gain], p: float, corrected: float, level: float, first: float
) -> dict[str, Any]:
    name, _ = _largest(parts)
    return {
        "films": len(pairs),
        "patients": min(one.patients for one in parts.values()),
        "p": _plain(p),
        "p_holm": _plain(corrected),
        "level": _plain(level),
        "effect": EFFECT,
        "power": _plain(min(one.power(EFFECT, first) for one in parts.values())),
        "part": name,
        "parts": {part: _interval(one, level) for part, one in parts.items()},
    }


def _interval(one: Gain, level: float) -> dict[str, Any]:
    low, high = one.bounds(level) if math.isfinite(level) else (math.nan, math.nan)
    figures = {"mean": one.mean, "low": low, "high": high, "p": one.p}
    return {name: _plain(value) for name, value in figures.items()} | {"patients": one.patients}


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None
