"""Agreement against published worked examples and a reference library."""

from __future__ import annotations

import math

import numpy as np
import pytest

from evaluation.reader_study.agreement import intraclass_correlation, krippendorff_alpha, weighted_kappa

NAN = math.nan
KRIPPENDORFF = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
)
"""Krippendorff 2011, section C: four observers, twelve units."""
SHROUT_FLEISS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float)
"""Shrout and Fleiss 1979, table 2: six targets, four judges."""


@pytest.mark.parametrize(("level", "printed"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_is_that_of_the_published_example(level, printed):
    assert krippendorff_alpha(KRIPPENDORFF, level) == pytest.approx(printed, abs=0.0006)


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
def test_alpha_is_that_of_the_reference_library(level):
    reference = pytest.importorskip("krippendorff")
    rng = np.random.default_rng(11)
    for readers, cases in ((2, 30), (5, 12), (9, 60)):
        answers = rng.integers(1, 6, (readers, cases)).astype(float)
        answers[rng.random(answers.shape) < 0.3] = NAN
        expected = reference.alpha(answers, level_of_measurement=level)
        assert krippendorff_alpha(answers, level) == pytest.approx(expected, abs=1e-12)


def test_the_intraclass_correlation_is_that_of_the_published_example():
    assert intraclass_correlation(SHROUT_FLEISS.T) == pytest.approx(0.29, abs=0.005)


def test_kappa_is_one_where_readers_agree_and_zero_by_chance():
    alike = np.array([[1, 2, 3, 4, 5], [1, 2, 3, 4, 5]], float)
    assert weighted_kappa(alike) == 1
    rng = np.random.default_rng(3)
    assert abs(weighted_kappa(rng.integers(1, 6, (2, 4000)).astype(float))) < 0.05
    # Two readers, yes and no: 20 both yes, 15 both no, 5 and 10 apart; kappa 0.4 (Cohen 1960).
    first = np.repeat([1, 1, 0, 0], (20, 5, 10, 15)).astype(float)
    second = np.repeat([1, 0, 1, 0], (20, 5, 10, 15)).astype(float)
    assert weighted_kappa(np.stack([first, second])) == pytest.approx(0.4)


def test_nothing_to_compare_is_undefined():
    alone = np.array([[1.0, 2.0], [NAN, NAN]])
    assert all(math.isnan(value) for value in (krippendorff_alpha(alone, "nominal"), weighted_kappa(alone)))
    assert math.isnan(intraclass_correlation(alone))
    assert math.isnan(krippendorff_alpha(np.ones((3, 4)), "nominal"))
