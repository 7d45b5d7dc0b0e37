"""What is summed up over films: means over patients with n, refusals apart, realism beside that of real films."""

import numpy as np
import pandas as pd
import pytest

from evaluation.counterfactuals.study import realism, summary


def rows(**columns: list[float]) -> pd.DataFrame:
    count = len(next(iter(columns.values())))
    named = {"film": [f"film {k}" for k in range(count)], "patient": [f"patient {k}" for k in range(count)]}
    return pd.DataFrame(named | {"method": "m", "finding": "f"} | columns)


def test_films_refused_count_as_refused_and_in_no_other_mean():
    found = summary(rows(refused=[0.0, 0.0, 1.0, 0.0], flipped=[1.0, 0.0, 0.0, 1.0], answer=[0.1, 0.2, 0.6, 0.3]))
    assert (found["refused"]["value"], found["refused"]["films"]) == (0.25, 4)
    assert (found["flipped"]["value"], found["flipped"]["films"]) == (pytest.approx(2 / 3), 3)
    # What a refusal rests on is known of all.
    assert (found["answer"]["value"], found["answer"]["films"]) == (pytest.approx(0.3), 4)


def test_what_is_unknown_everywhere_is_null_not_a_number():
    found = summary(rows(refused=[0.0, 0.0], iou=[float("nan")] * 2))
    assert found["iou"]["value"] is None
    assert found["iou"]["films"] == 0


def test_made_films_equal_to_the_real_ones_are_real_and_themselves():
    real = np.random.default_rng(0).normal(size=(40, 5))
    found = realism(real, real.copy(), np.arange(40), [str(k) for k in range(40)])
    assert found["frechet"] == pytest.approx(0, abs=1e-9)
    assert found["frechet_of_half"] == pytest.approx(0, abs=1e-9)
    assert found["frechet_of_real_halves"] > 0.1
    assert found["identity"]["value"] == 1.0
