"""Intervals of many columns at once are those of each column alone."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from evaluation.runs.intervals import mean_intervals
from evaluation.statistics.intervals import mean_interval


def test_each_column_gets_the_interval_it_has_alone() -> None:
    rng = np.random.default_rng(1)
    patients = np.array([f"p{i // 3}" for i in range(60)])
    columns = [rng.random(60) for _ in range(4)]
    columns[1][:7] = np.nan
    columns[2][:7] = np.nan
    columns[3][40] = np.nan
    found = mean_intervals(columns, patients, np.random.default_rng(9), draws=300)
    for column, interval in zip(columns, found):
        alone = mean_interval(column, patients, np.random.default_rng(9), draws=300)
        assert dataclasses.astuple(interval) == pytest.approx(dataclasses.astuple(alone))


def test_a_column_without_numbers_has_no_interval() -> None:
    empty, full = mean_intervals([np.full(4, np.nan), np.ones(4)], list("abcd"), np.random.default_rng(0), draws=20)
    assert math.isnan(empty.value)
    assert (empty.films, empty.patients) == (0, 0)
    assert (full.value, full.low, full.high, full.films, full.patients) == (1, 1, 1, 4, 4)
