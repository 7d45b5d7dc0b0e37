"""Deletion and insertion: closed forms on a linear model, ties, and the map moved over the film."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from evaluation.scores import get_metric
from evaluation.scores.faithfulness.deletion import Curve, exchange_curve, hidden_film, moved, ranks
from tests.evaluation.cases import SIDE, linear_case


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def gains(case, hidden) -> np.ndarray:
    """What each pixel adds to the linear logit when it is shown: (S, S)."""
    weights = case.classifier.network.weights[0].numpy()
    return weights * (case.film - hidden)[0, 0].double().numpy()


@pytest.mark.parametrize("hide", ["black", "mean", "blur"])
def test_curves_of_a_linear_model_are_running_sums(hide: str) -> None:
    case = linear_case()
    hidden = hidden_film(case, hide)
    values = np.random.default_rng(3).standard_normal((SIDE, SIDE))
    ordered = gains(case, hidden).ravel()[np.argsort(-values.ravel())]
    places = ranks(values, rng())
    full, empty = case.logits(case.film)[0], case.logits(hidden)[0]
    steps = 8
    upto = [round(k * SIDE * SIDE / steps) for k in range(steps + 1)]
    lost = np.array([ordered[:count].sum() for count in upto])
    deletion = exchange_curve(case.logits, case.film, hidden, places, steps)
    insertion = exchange_curve(case.logits, hidden, case.film, places, steps)
    np.testing.assert_allclose(deletion.logits, full - lost, atol=1e-4)
    np.testing.assert_allclose(insertion.logits, empty + lost, atol=1e-4)
    assert deletion.area() == pytest.approx(np.trapezoid(full - lost, dx=1 / steps), abs=1e-4)


def test_no_order_deletes_faster_than_the_true_contributions() -> None:
    case = linear_case()
    hidden = hidden_film(case, "black")
    best = exchange_curve(case.logits, case.film, hidden, ranks(gains(case, hidden), rng())).area()
    worst = exchange_curve(case.logits, case.film, hidden, ranks(-gains(case, hidden), rng())).area()
    others = [
        exchange_curve(
            case.logits, case.film, hidden, ranks(np.random.default_rng(k).random((SIDE, SIDE)), rng())
        ).area()
        for k in range(10)
    ]
    assert best < min(others) < max(others) < worst


def test_hidden_films() -> None:
    case = linear_case()
    low = case.classifier.preprocessing.low
    assert bool((hidden_film(case, "black") == low).all())
    assert hidden_film(case, "mean").unique().numel() == 1
    assert float(hidden_film(case, "mean").mean()) == pytest.approx(float(case.film.mean()), abs=1e-5)
    assert hidden_film(case, "blur").shape == case.film.shape


def test_area_is_the_mean_height() -> None:
    curve = Curve(np.array([0, 0.5, 1.0]), np.array([2.0, 0.0, 2.0]))
    assert curve.area() == 1.0


def test_a_curve_has_a_step() -> None:
    case = linear_case()
    with pytest.raises(ValueError, match="at least one step"):
        exchange_curve(case.logits, case.film, case.film, ranks(np.zeros((SIDE, SIDE)), rng()), 0)


def test_progress_reaches_the_end_and_may_cancel() -> None:
    case = linear_case()
    seen: list[float] = []
    places = ranks(case.explanation.values, rng())
    exchange_curve(case.logits, case.film, case.film, places, 70, seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert len(seen) == 3


def test_ranks_follow_the_values_and_break_ties_in_lumps() -> None:
    values = np.zeros((64, 64))
    values[:, 32:] = 1
    places = ranks(values, rng())
    assert sorted(places.ravel()) == list(range(64 * 64))
    assert places[:, 32:].max() < places[:, :32].min()
    first = places < 512
    assert np.array_equal(first, ranks(values, rng()) < 512)
    neighbours = (first[:, 32:-1] == first[:, 33:]).mean()
    salt = np.random.default_rng(1).permutation(first[:, 32:].ravel()).reshape(64, 32)
    assert neighbours > (salt[:, :-1] == salt[:, 1:]).mean() + 0.2


def test_a_moved_map_keeps_its_values_and_leaves_its_place() -> None:
    values = np.zeros((32, 32))
    values[4:8, 4:8] = 1
    for seed in range(20):
        elsewhere = moved(values, np.random.default_rng(seed))
        assert elsewhere.sum() == values.sum()
        assert not (elsewhere * values).any()


@pytest.mark.parametrize("hide", ["black", "mean", "blur"])
def test_scores_stand_beside_the_same_map_moved(hide: str) -> None:
    hidden = hidden_film(linear_case(), hide)
    case = linear_case(gains(linear_case(), hidden))
    deletion, insertion = get_metric(f"deletion_{hide}")(case), get_metric(f"insertion_{hide}")(case)
    assert deletion.value < deletion.chance
    assert insertion.value > insertion.chance


def test_a_flat_map_has_no_order() -> None:
    score = get_metric("deletion_black")(linear_case(np.ones((SIDE, SIDE))))
    assert np.isnan(score.value)
    assert np.isnan(score.chance)


def test_answers_are_batched() -> None:
    case = linear_case()
    sizes: list[int] = []

    def model(films: torch.Tensor) -> np.ndarray:
        sizes.append(len(films))
        return case.logits(films)

    exchange_curve(model, case.film, case.film, ranks(case.explanation.values, rng()), 16)
    assert sizes == [17]
