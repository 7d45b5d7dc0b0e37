"""The coalitions that LIME and Kernel SHAP share keep their budget, their pairs, and both laws of sizes."""

from math import comb

import numpy as np
import pytest

from xai_methods.perturbation.sampling_plan import BY_LEVERAGE, coin_law, looks, plan_coalitions, shapley_law


@pytest.mark.parametrize(("players", "samples"), [(10, 50), (20, 300), (50, 1000), (50, 60), (300, 2000), (13, 2)])
def test_plan_keeps_its_budget_its_pairs_and_the_kernel(players, samples):
    plan = plan_coalitions(players, samples, np.random.default_rng(0))
    sizes = plan.coalitions.sum(axis=1)
    assert len(plan.evaluated) == samples
    assert np.array_equal(plan.evaluated[::2], ~plan.evaluated[1::2])
    assert sizes.min() >= 1
    assert sizes.max() <= players - 1
    if samples < 300:
        return
    for law in (shapley_law(players), coin_law(players)):
        weights = plan.weights(law)
        assert weights.sum() == pytest.approx(law[1:-1].sum())
        got = np.bincount(sizes, weights, players + 1) + np.bincount(players - sizes, weights, players + 1)
        assert np.abs(np.cumsum(got[1:-1] / 2) - np.cumsum(law[1:-1])).max() < 0.02


def test_laws_are_those_of_fair_coins_and_of_the_shapley_kernel():
    shown = np.random.default_rng(0).random((200_000, 9)) < 0.5
    assert np.abs(np.bincount(shown.sum(axis=1), minlength=10) / 200_000 - coin_law(9)).max() < 0.004
    kernel = np.array([0.0] + [1 / (comb(9, size) * size * (9 - size)) * comb(9, size) for size in range(1, 9)] + [0.0])
    assert np.allclose(shapley_law(9), kernel / kernel.sum())


def test_plan_draws_sizes_by_leverage_scores_and_by_coins():
    plan = plan_coalitions(50, 4900, np.random.default_rng(0))
    drawn = np.bincount(plan.sizes[plan.whole :], minlength=26)
    leverage, coins = np.full(26, 2 / 49), 2 * coin_law(50)[:26]
    leverage[25], coins[25] = 1 / 49, coin_law(50)[25]
    expected = BY_LEVERAGE * leverage + (1 - BY_LEVERAGE) * coins
    outer = plan.whole // 50
    expected = expected[1 + outer :] / expected[1 + outer :].sum() * (2450 - plan.whole)
    assert np.abs(drawn[1 + outer :] - expected).max() <= 1
    assert np.allclose(plan.expected[plan.whole :], expected[plan.sizes[plan.whole :] - 1 - outer])


def test_plan_takes_sizes_in_full_that_would_be_drawn_whole():
    plan = plan_coalitions(50, 6000, np.random.default_rng(0))
    whole = plan.evaluated[: 2 * plan.whole]
    assert len(whole) == 100
    assert len(np.unique(whole, axis=0)) == 100
    law = shapley_law(50)
    assert plan.weights(law)[:50].sum() == pytest.approx(law[1] + law[49])


@pytest.mark.parametrize(("players", "samples"), [(9, 300), (12, 1000), (12, 4000)])
def test_no_coalition_is_judged_twice(players, samples):
    judged = plan_coalitions(players, samples, np.random.default_rng(1)).evaluated
    assert len(np.unique(judged, axis=0)) == len(judged) == samples


@pytest.mark.parametrize("players", [14, 30])
def test_the_first_part_of_a_plan_keeps_the_kernel(players):
    plan = plan_coalitions(players, 600, np.random.default_rng(0))
    part = plan.first(plan.whole + 50)
    assert part.whole == plan.whole
    for law in (shapley_law(players), coin_law(players)):
        assert part.weights(law).sum() == pytest.approx(law[1:-1].sum())
        assert np.allclose(part.weights(law)[: part.whole], plan.weights(law)[: plan.whole])
    sizes = plan.coalitions[plan.whole :].sum(axis=1)
    assert part.coalitions[part.whole :].sum(axis=1).std() == pytest.approx(sizes.std(), rel=0.25)


@pytest.mark.parametrize(("least", "most"), [(101, 500), (8, 9), (30, 30), (50, 20)])
def test_looks_keep_pairs_whole_and_end_at_the_budget(least, most):
    found = looks(least, most, 0.9)
    assert found[-1] == most
    assert found == sorted(set(found))
    assert all((number - least) % 2 == 0 for number in found[:-1])
    assert looks(least, most, 1.0) == [most]
