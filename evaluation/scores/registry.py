"""All localisation metrics by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np

from evaluation.scores.named import Named
from evaluation.scores.ranked_map import RankedMap, Reading, Region, read_map
from evaluation.scores.score import Direction, Element, Score

Compute = Callable[[RankedMap], float]
Chance = Callable[[Region], float]


@dataclass(frozen=True)
class Metric:
    """One metric: calling it with (values, mask) gives its number.

    Attributes:
        name: registered name. title: name for people. meaning: one line in plain words.
        formula: in plain Unicode text, in the notation of ``evaluation.scores.document``.
        compute: the number of a map ranked against a region; it may assume that the region is not empty.
        expected: what a map of independent random numbers gets in expectation; NaN where there is no closed form.
        chance_formula: the same in plain Unicode text. source: author, year, DOI or arXiv id.
        caveat: when it misleads, in one line. order: place in lists.
        low, high: the bounds of the number. unit: "" for a plain number. direction: which way is better.
        element: what kind of question it answers. headline: whether tables for people show it.
        coverage: for a number that rests on a threshold, the metric that says which share of the film was marked.
    """

    name: str
    title: str
    meaning: str
    formula: str
    compute: Compute
    source: str
    caveat: str
    order: int
    expected: Chance = lambda region: math.nan
    chance_formula: str = ""
    low: float = 0.0
    high: float = 1.0
    unit: str = ""
    direction: Direction = "higher"
    element: Element = "localizability"
    headline: bool = False
    coverage: str | None = None

    def __call__(self, values: np.ndarray, mask: np.ndarray | Region) -> float:
        """Score (H, W) values against an (H, W) bool mask as they are; NaN where the number is undefined.

        Raises:
            ValueError: shapes differ, or a value is not finite.
        """
        return self.of(RankedMap(values, Region.of(mask)))

    def of(self, ranked: RankedMap) -> float:
        """The number of a map that is ranked already; NaN where it is undefined."""
        return math.nan if ranked.region.area == 0 else float(self.compute(ranked))

    def chance(self, mask: np.ndarray | Region) -> float:
        """What a map of random numbers gets in expectation against (H, W) bool ``mask``; NaN for an empty one."""
        region = Region.of(mask)
        return math.nan if region.area == 0 else float(self.expected(region))


_metrics: Named[Metric] = Named("a metric", "evaluation.scores.localisation")
register, metrics, get_metric = _metrics.add, _metrics.all, _metrics.get


def headline_metrics() -> dict[str, Metric]:
    """The handful of metrics that tables for people show, by name."""
    return {name: metric for name, metric in metrics().items() if metric.headline}


def score_map(
    values: np.ndarray,
    mask: np.ndarray | Region,
    *,
    reading: Reading = "positive",
    names: Collection[str] | None = None,
) -> dict[str, Score]:
    """Score one map against one mask with every metric.

    Args:
        values: (H, W) attributions in the film's own pixels, any unit, finite.
        mask: (H, W) bool, what the expert outlined; a ``Region`` saves work where several maps share it, and tells
            the pixel spacing where it is known.
        reading: "positive" scores the positive part, "abs" the absolute values, "raw" the values as they are.
        names: of the metrics wanted; all by default.

    Returns:
        Metric name to score, in the registry's order; NaN where a score is undefined.

    Raises:
        ValueError: shapes differ, a value is not finite, or the reading is unknown.
        LookupError: a metric is unknown.
    """
    region = Region.of(mask)
    ranked = RankedMap(read_map(values, reading), region, raw=values)
    return {
        name: Score(name, metric.of(ranked), metric.chance(region), metric.direction, metric.element)
        for name, metric in _chosen(names).items()
    }


def chance_scores(mask: np.ndarray | Region, names: Collection[str] | None = None) -> dict[str, Score]:
    """The chance level of every metric (or of those in ``names``) against (H, W) bool ``mask``, as scores."""
    region = Region.of(mask)
    levels = {name: (metric, metric.chance(region)) for name, metric in _chosen(names).items()}
    return {
        name: Score(name, level, level, metric.direction, metric.element) for name, (metric, level) in levels.items()
    }


def _chosen(names: Collection[str] | None) -> dict[str, Metric]:
    known = metrics()
    if names is None:
        return known
    wanted = {get_metric(name).name for name in names}
    return {name: metric for name, metric in known.items() if name in wanted}
