"""How far maps agree, by hand, and what is said of them."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.one_film.agreement import agreement_matrix, in_words, top_overlap
from evaluation.one_film.compare import FindingResult
from evaluation.one_film.evaluate import MethodResult
from evaluation.scores import Score
from evaluation.validity.gate import Verdict
from xai_methods import Explanation

NAMES = {"LIME": "lime", "LRP": "lrp", "SHAP": "kernel-shap", "Edge map": "edge-map"}


def peak(row: int, column: int, side: int = 20) -> np.ndarray:
    down, across = np.mgrid[:side, :side]
    return np.exp(-((down - row) ** 2 + (across - column) ** 2) / 20).astype(np.float32)


def test_overlap_by_hand():
    first = np.zeros((10, 10))
    first[0, :] = 1
    second = np.zeros((10, 10))
    second[0, :5] = 2
    assert top_overlap(first, first) == 1
    assert top_overlap(first, second) == 0.5
    assert top_overlap(first, 7 * second) == 0.5
    assert np.isnan(top_overlap(first, -second))


def test_the_matrix_is_symmetric_and_says_who_agrees():
    maps = {"a": peak(5, 5), "b": peak(5, 6), "c": peak(15, 15)}
    table = agreement_matrix(maps)
    assert (np.diag(table) == 1).all()
    np.testing.assert_array_equal(table.to_numpy(), table.to_numpy().T)
    assert table.loc["a", "b"] > 0.5 > table.loc["a", "c"]
    assert agreement_matrix({"a": peak(5, 5), "d": -peak(5, 5)}, "rank correlation").loc["a", "d"] == pytest.approx(-1)


def test_an_unknown_measure_is_named():
    with pytest.raises(ValueError, match="overlap, rank correlation"):
        agreement_matrix({}, "magic")


def result(scores: dict[str, tuple[float, float]], baseline: float = 0.3, passed: bool = True) -> FindingResult:
    methods = {}
    for place, (title, (pointing, auprc)) in enumerate(scores.items()):
        made = Explanation(peak(5, 5 + 4 * place), True, title, {}, 0, "Mass", 1.0, "f", "c", 0.1, 1)
        both = {"pointing_game": Score("pointing_game", pointing), "pixel_auprc": Score("pixel_auprc", auprc)}
        methods[title] = MethodResult("Mass", NAMES[title], title, made, made.values, both)
    verdict = Verdict("shown" if passed else "not shown", "a reason")
    baselines = {"edge-map": {"pixel_auprc": Score("pixel_auprc", baseline)}}
    return FindingResult("Mass", 1.0, 0.7, peak(5, 5) > 0.5, verdict, methods, baselines, {})


def test_words_name_who_points_where_and_who_beats_the_baselines():
    words = in_words(result({"LIME": (1, 0.2), "LRP": (1, 0.6), "SHAP": (0, 0.1)}))
    assert "LIME and LRP have their strongest point inside the outline of mass; SHAP outside it." in words
    assert "LRP lies on the outline better than every map that knows nothing" in words
    assert "agree most" in words
    assert "validity gate" not in words


def test_words_warn_where_nothing_beats_the_baselines_or_the_gate_failed():
    words = in_words(result({"LIME": (0, 0.1)}, passed=False))
    assert words.startswith("No map has its strongest point inside")
    assert "No map lies on the outline better" in words
    assert "did not pass the validity gate" in words


def test_a_baseline_among_the_methods_is_not_spoken_of_as_one():
    words = in_words(result({"LRP": (1, 0.6), "Edge map": (1, 0.9)}))
    assert "Edge map" not in words
    assert words.startswith("LRP has its strongest point inside")


def test_nothing_is_said_where_there_is_nothing():
    assert in_words(result({})) == ""
