"""Localisation metrics, one idea a file: pure functions of a ranked map, each registered where it stands."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from evaluation.scores.base import Case, Metric
from evaluation.scores.ranked_map import RankedMap, Region
from evaluation.scores.registry import register


def localisation_metric(
    *, compute: Callable[[RankedMap], float], expected: Callable[[Region], float] | None = None, **about: Any
) -> Metric:
    """Register a metric that needs no more than a map ranked against an outline.

    Args:
        compute: the number of a map against a region that is not empty. expected: its chance level for that region.
        about: further fields of :class:`Metric`.
    """

    @functools.wraps(compute)
    def of_case(case: Case) -> float:
        return compute(case.ranked)

    if expected is not None:
        about["expected"] = lambda case: expected(case.ranked.region)
    return register(Metric(compute=of_case, element="localizability", needs=frozenset({"mask"}), **about))
