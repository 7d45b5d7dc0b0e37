"""Completeness: zero for a map whose values add up, undefined for methods that do not promise it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evaluation.scores import get_metric
from evaluation.scores.faithfulness.completeness import relative_residual
from tests.evaluation.cases import linear_case
from xai_methods import get_method


def test_shap_is_complete_and_a_map_twice_as_strong_is_not() -> None:
    case = linear_case()
    method = get_method("kernel-shap")
    explanation = method.explain(case.classifier, case.radiograph, case.classifier.findings[0])
    complete = replace(case, explanation=explanation)
    assert get_metric("completeness_residual")(complete).value == pytest.approx(0, abs=1e-3)
    doubled = replace(case, explanation=replace(explanation, values=2 * explanation.values))
    assert get_metric("completeness_residual")(doubled).value == pytest.approx(1, abs=1e-2)


def test_completeness_is_undefined_for_methods_that_do_not_promise_it() -> None:
    assert np.isnan(get_metric("completeness_residual")(linear_case()).value)
    assert np.isnan(relative_residual(1.0, 0.0))
    assert relative_residual(3.0, -2.0) == 2.5
