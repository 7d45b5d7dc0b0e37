"""Infidelity and sensitivity-n: perfect on a linear model, worthless for a wrong map."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from evaluation.scores import get_metric
from evaluation.scores.faithfulness.completeness import total
from evaluation.scores.faithfulness.infidelity import (
    cell_subsets,
    contributions,
    correlation,
    infidelity,
    logit_drops,
    squares,
    sums_within,
)
from tests.evaluation.cases import SIDE, explanation_of, linear_case
from xai_methods import get_method, registry


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("name", ["infidelity", "sensitivity_n"])
def test_the_gradient_of_a_linear_model_foretells_all(name: str) -> None:
    score = get_metric(name)(linear_case())
    assert score.value == pytest.approx(0.0 if name == "infidelity" else 1.0, abs=1e-4)


@pytest.mark.parametrize("factor", [1e-3, 7.0])
def test_a_positive_factor_makes_no_difference(factor: float) -> None:
    gradient = linear_case().explanation.values
    for name in ("infidelity", "sensitivity_n", "deletion_blur"):
        one, other = (get_metric(name)(linear_case(scale * gradient)).value for scale in (1, factor))
        assert other == pytest.approx(one, abs=1e-3)


def test_the_opposite_of_the_truth_foretells_nothing() -> None:
    opposite = -linear_case().explanation.values
    assert get_metric("infidelity")(linear_case(opposite)).value == pytest.approx(1)
    assert get_metric("sensitivity_n")(linear_case(opposite)).value == pytest.approx(-1.0, abs=1e-4)


def test_the_same_map_moved_foretells_little() -> None:
    score = get_metric("infidelity")(linear_case())
    assert score.chance > 0.5


def test_a_zero_map_foretells_nothing_and_has_no_score() -> None:
    nothing = np.zeros((SIDE, SIDE))
    assert np.isnan(get_metric("infidelity")(linear_case(nothing)).value)
    assert np.isnan(get_metric("sensitivity_n")(linear_case(nothing)).value)


def test_a_new_gradient_method_is_scored_by_what_it_declares(monkeypatch: pytest.MonkeyPatch) -> None:
    class NewGradient(type(get_method("jacobian"))):  # type: ignore[misc]
        name = "new-gradient"

    class NewContribution(NewGradient):
        name, unit = "new-contribution", "share of the logit"

    for method in (NewGradient(), NewContribution()):
        monkeypatch.setitem(registry._METHODS, method.name, method)
    assert get_metric("infidelity")(linear_case(method="new-gradient")).value == pytest.approx(0, abs=1e-4)
    assert get_metric("infidelity")(linear_case(method="new-contribution")).value > 0.1


def test_infidelity_by_hand() -> None:
    sums, drops = np.array([1.0, 2.0]), np.array([2.0, 2.0])
    # The best factor is (1 * 2 + 2 * 2) / (1 + 4) = 1.2.
    assert infidelity(sums, drops) == pytest.approx((0.8**2 + 0.4**2) / 8)
    assert np.isnan(infidelity(sums, np.zeros(2)))


def test_correlation_is_undefined_where_nothing_varies() -> None:
    assert np.isnan(correlation(np.ones(5), np.arange(5.0)))
    assert correlation(np.arange(5.0), -2 * np.arange(5.0)) == pytest.approx(-1)


def test_a_superpixel_shares_its_value_out_and_a_gradient_is_multiplied() -> None:
    case = linear_case()
    labels = np.zeros((SIDE, SIDE), dtype=np.int32)
    labels[:, 8:] = 1
    values = np.where(labels == 0, 2.0, -3.0)
    explanation = replace(case.explanation, values=values.astype(np.float32), regions=labels, method="lime")
    spread = contributions(explanation, np.full((SIDE, SIDE), 9.0))
    assert spread[labels == 0].sum() == pytest.approx(2)
    assert spread[labels == 1].sum() == pytest.approx(-3)
    assert total(explanation) == pytest.approx(-1)
    gradient = explanation_of(case.classifier, case.radiograph, values, "jacobian")
    assert np.array_equal(contributions(gradient, np.full((SIDE, SIDE), 9.0)), 9 * values)
    contribution = explanation_of(case.classifier, case.radiograph, values, "lrp")
    assert np.array_equal(contributions(contribution, np.full((SIDE, SIDE), 9.0)), values)


def test_masks() -> None:
    boxes = squares(SIDE, 20, rng())
    sides = np.sqrt(boxes.sum(axis=(1, 2)))
    assert sides.min() >= SIDE // 8
    assert sides.max() <= SIDE // 2
    assert np.array_equal(sides, sides.astype(int))
    subsets = cell_subsets(28, 0.25, 10, rng())
    assert (subsets.reshape(10, 14, 2, 14, 2).any(axis=(2, 4)).sum(axis=(1, 2)) == 49).all()
    assert (subsets.sum(axis=(1, 2)) == 49 * 4).all()
    assert len({mask.tobytes() for mask in subsets}) == 10


def test_logit_drops_of_a_linear_model_are_sums() -> None:
    case = linear_case()
    hidden = torch.zeros_like(case.film)
    masks = squares(SIDE, 40, rng())
    gains = (case.classifier.network.weights[0] * case.film[0, 0].double()).numpy()
    seen: list[float] = []
    found = logit_drops(case.logits, case.film, hidden, masks, seen.append)
    np.testing.assert_allclose(found, sums_within(gains, masks), atol=1e-4)
    assert seen == [32 / 40, 1.0]


def test_passes_are_shared_between_maps_of_one_finding() -> None:
    case = linear_case()
    get_metric("infidelity")(case)
    other = replace(case, explanation=explanation_of(case.classifier, case.radiograph, np.eye(SIDE)))
    other.logits = lambda films: pytest.fail("the model ran again")  # type: ignore[method-assign, assignment, return-value]
    assert 0 <= get_metric("infidelity")(other).value <= 1
