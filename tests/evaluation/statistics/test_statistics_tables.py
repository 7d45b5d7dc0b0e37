"""Means by finding: what they rest on, and what is left out."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from evaluation.one_film.table import by_finding
from evaluation.statistics.intervals import mean_interval


def rows() -> pd.DataFrame:
    scores = {"film": list("abcd"), "patient": ["p", "p", "q", "q"], "finding": ["F", "F", "F", "G"]}
    scores |= {"name": "m", "title": "M", "kind": "method", "area_matched_iou": [0.2, 0.4, math.nan, 0.8]}
    return pd.DataFrame(scores)


def test_means_with_the_films_and_patients_they_rest_on():
    found = by_finding(rows(), ["area_matched_iou"]).set_index("finding")
    assert found.loc["F", "area_matched_iou"] == pytest.approx(0.3)
    assert found.loc["F", ["area_matched_iou_n", "area_matched_iou_patients"]].tolist() == [2, 1]
    assert found.loc["G", "area_matched_iou_n"] == 1
    assert found.loc["F", ["title", "kind"]].tolist() == ["M", "method"]


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_intervals_are_those_over_patients(method):
    rng = np.random.default_rng(0)
    many = pd.concat([rows().iloc[[0]]] * 30, ignore_index=True)
    many["area_matched_iou"], many["patient"] = rng.random(30), np.arange(30) // 2
    found = by_finding(many, ["area_matched_iou"], method=method, seed=5).iloc[0]
    expected = mean_interval(
        many.area_matched_iou.to_numpy(), many.patient.to_numpy(), np.random.default_rng(5), method=method
    )
    assert (found.area_matched_iou_low, found.area_matched_iou_high) == (expected.low, expected.high)
