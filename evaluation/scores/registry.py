"""All metrics by name, and scores of maps by them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Collection
from functools import cache
from typing import get_args

import numpy as np

from evaluation.scores.base import MapCase, Metric
from evaluation.scores.ranked_map import Polarity, Region
from evaluation.scores.score import Direction, Element, Score, Scores
from radiographs import extensions
from radiographs.nearness import near

PACKAGE = __name__.rpartition(".")[0]
FAMILIES = (
    "localisation.ranking",
    "localisation.pointing",
    "localisation.relevance",
    "localisation.overlap",
    "localisation.distance",
    "localisation.chexlocalize",
    "localisation.chestxray14",
    "complexity",
    "anatomy",
    "faithfulness.deletion",
    "faithfulness.road",
    "faithfulness.infidelity",
    "faithfulness.completeness",
    "robustness",
    "randomisation",
    "stability",
    "actionability",
)
"""Order in which people read the families of an element; those that are not named come last, within a family metrics
stand as they are defined."""
_ELEMENTS: tuple[Element, ...] = get_args(Element)
_metrics: dict[str, Metric] = {}


def register(metric: Metric) -> Metric:
    """Register a metric under its name.

    Raises:
        ValueError: the name is taken, or there is no such element or direction.
    """
    if not metric.compute.__module__.startswith(f"{PACKAGE}."):
        _load_own()  # so that a name that the program uses is refused to others, whichever is imported first
    if metric.name in _metrics:
        raise ValueError(f"a metric named {metric.name!r} is registered already")
    if metric.element not in _ELEMENTS or metric.direction not in get_args(Direction):
        raise ValueError(f"the metric {metric.name} has the element {metric.element!r}, direction {metric.direction!r}")
    _metrics[metric.name] = metric
    _ordered.cache_clear()
    return metric


@cache
def _load_own() -> None:
    """Import every module of the package, each of which registers what it holds."""
    package = importlib.import_module(PACKAGE)
    for module in pkgutil.walk_packages(package.__path__, f"{PACKAGE}."):
        importlib.import_module(module.name)


def _place(metric: Metric) -> tuple[int, int, str]:
    family = metric.compute.__module__.removeprefix(f"{PACKAGE}.")
    place = FAMILIES.index(family) if family in FAMILIES else len(FAMILIES)
    return _ELEMENTS.index(metric.element), place, family


@cache
def _ordered() -> dict[str, Metric]:
    _load_own()
    extensions.load("metrics")
    return {metric.name: metric for metric in sorted(_metrics.values(), key=_place)}


def metrics() -> dict[str, Metric]:
    """All metrics by name, by element of interpretability, then family (see ``FAMILIES``)."""
    return dict(_ordered())


def get_metric(name: str) -> Metric:
    """Return the metric called ``name``.

    Raises:
        LookupError: there is none; the message lists those there are.
    """
    known = metrics()
    if name not in known:
        raise LookupError(f"there is no metric {name!r}; {near(name, known)}")
    return known[name]


def localisation_metrics() -> dict[str, Metric]:
    """The metrics that need a map and an outline and nothing else, by name."""
    return {name: metric for name, metric in metrics().items() if metric.needs == {"mask"}}


def headline_metrics() -> dict[str, Metric]:
    """The handful of metrics that tables for people show, by name."""
    return {name: metric for name, metric in metrics().items() if metric.headline}


def score_case(case: MapCase, names: Collection[str] | None = None) -> Scores:
    """Score a case by the metrics in ``names``, by all by default: metric name to score, in the registry's order.

    Raises:
        LookupError: a metric is unknown.
    """
    return Scores({name: metric(case) for name, metric in _chosen(names, metrics()).items()})


def score_map(
    values: np.ndarray,
    mask: np.ndarray | Region,
    *,
    polarity: Polarity = "positive",
    names: Collection[str] | None = None,
) -> Scores:
    """Score one map against one mask with every metric that needs no more.

    Args:
        values: (H, W) attributions in the film's own pixels, any unit, finite.
        mask: (H, W) bool, what the expert outlined; a ``Region`` saves work where several maps share it, and tells
            the pixel spacing where it is known.
        polarity: "positive" scores the positive part, "abs" the absolute values, "raw" the values as they are.
        names: of the metrics wanted; all by default.

    Returns:
        Metric name to score, in the registry's order; NaN where a score is undefined.

    Raises:
        ValueError: shapes differ, a value is not finite, or the polarity is unknown.
        LookupError: a metric is unknown.
    """
    case = MapCase.of(values, mask, polarity)
    case.ranked  # noqa: B018 - a map that cannot be ranked is refused even where no metric looks at it
    return Scores({name: metric(case) for name, metric in _chosen(names, localisation_metrics()).items()})


def chance_scores(mask: np.ndarray | Region, names: Collection[str] | None = None) -> dict[str, Score]:
    """The chance level of every metric (or of those in ``names``) against (H, W) bool ``mask``, as scores."""
    region = Region.of(mask)
    case = MapCase.of(np.zeros(region.mask.shape, dtype=np.float32), region)
    found = {}
    for name, metric in _chosen(names, localisation_metrics()).items():
        level = metric.chance(case)
        found[name] = Score(name, level, level, metric.direction, metric.element)
    return found


def _chosen(names: Collection[str] | None, known: dict[str, Metric]) -> dict[str, Metric]:
    if names is None:
        return known
    wanted = {get_metric(name).name for name in names}
    return {name: metric for name, metric in known.items() if name in wanted}
