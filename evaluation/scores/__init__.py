"""Scores of a map: what each says, its chance level, and how it is computed."""

from evaluation.polarity import POLARITIES, Polarity
from evaluation.scores.base import Case, MapCase, Metric, Need
from evaluation.scores.ranked_map import RankedMap, Region
from evaluation.scores.registry import (
    chance_scores,
    get_metric,
    headline_metrics,
    localisation_metrics,
    metrics,
    register,
    score_case,
    score_map,
)
from evaluation.scores.score import Direction, Element, Score, Scores

__all__ = [
    "POLARITIES",
    "Case",
    "Direction",
    "Element",
    "MapCase",
    "Metric",
    "Need",
    "Polarity",
    "RankedMap",
    "Region",
    "Score",
    "Scores",
    "chance_scores",
    "get_metric",
    "headline_metrics",
    "localisation_metrics",
    "metrics",
    "register",
    "score_case",
    "score_map",
]
