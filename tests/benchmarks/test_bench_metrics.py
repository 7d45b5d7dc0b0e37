"""What the benchmark compares is the same work with the same result."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from benchmarks.bench_metrics import BOTH, case, ours, theirs


@pytest.mark.skipif(importlib.util.find_spec("quantus") is None, reason="needs quantus")
def test_both_sides_give_the_same_numbers():
    values, mask = case(96)
    values = values - values.min() + np.float32(0.01)
    mine, other = ours(values, mask), theirs(values, mask)
    assert list(mine) == list(other) == list(BOTH)
    for name in BOTH:
        assert mine[name] == pytest.approx(other[name], abs=1e-5), name
