"""Kernel SHAP against exact Shapley values, the axioms, a linear model's closed form, and the shap library."""

import itertools
import math
from functools import partial

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from tests.families import random_classifier
from tests.xai_methods.linear_classifier import linear_classifier, region_sums, smooth_film
from xai_methods.parameters import ParameterError
from xai_methods.perturbation.masking import HIDES, make_regions
from xai_methods.perturbation.sampling_plan import plan_coalitions
from xai_methods.perturbation.shap import (
    KernelShap,
    KernelShapParameters,
    _solve,
    exact_shapley,
    kernel_shap,
)
from xai_methods.registry import get_method


def _weights(explanation):
    """One value a superpixel, off the painted map."""
    _, first = np.unique(explanation.regions, return_index=True)
    return explanation.values.ravel()[first]


def _game(players, seed=0):
    """A game with first, second and third order terms."""
    rng = np.random.default_rng(seed)
    linear, pairs, triples = rng.normal(size=players), rng.normal(size=(players,) * 2), rng.normal(size=(players,) * 3)

    def value(coalitions):
        z = coalitions.astype(float)
        return 0.3 + z @ linear + np.einsum("ni,ij,nj->n", z, pairs, z) + np.einsum("ni,nj,nk,ijk->n", z, z, z, triples)

    return value


def _by_orders(value, players):
    """Shapley values as the mean gain over all orders of joining."""
    gains = np.zeros(players)
    for order in itertools.permutations(range(players)):
        coalition = np.zeros((1, players), dtype=bool)
        before = value(coalition)[0]
        for player in order:
            coalition[0, player] = True
            after = value(coalition)[0]
            gains[player] += after - before
            before = after
    return gains / math.factorial(players)


def test_exact_shapley_is_the_mean_over_all_orders():
    value = _game(6)
    assert np.allclose(exact_shapley(value, 6).values, _by_orders(value, 6), atol=1e-10)


def test_glove_game():
    # Two left gloves (0, 1) and one right (2); a pair is worth 1. Known: 1/6, 1/6, 2/3.
    def value(coalitions):
        return ((coalitions[:, 0] | coalitions[:, 1]) & coalitions[:, 2]).astype(float)

    assert np.allclose(exact_shapley(value, 3).values, [1 / 6, 1 / 6, 2 / 3])
    assert np.allclose(kernel_shap(value, 3, 6, np.random.default_rng(0)).values, [1 / 6, 1 / 6, 2 / 3])


@pytest.mark.parametrize("players", [0, 21])
def test_exact_refuses_too_many_players(players):
    with pytest.raises(ValueError, match="1 to 20"):
        exact_shapley(_game(3), players)


@pytest.mark.parametrize("players", [2, 3, 7, 10])
def test_full_enumeration_is_exact(players):
    value = _game(players)
    estimate = kernel_shap(value, players, 2**players - 2, np.random.default_rng(0))
    assert estimate.enumerated == 1
    assert np.allclose(estimate.values, exact_shapley(value, players).values, atol=1e-8)
    assert (estimate.errors == 0).all()


def test_full_enumeration_agrees_with_the_shap_library():
    import shap

    value = _game(8, seed=5)
    explainer = shap.KernelExplainer(lambda data: value(data > 0.5), np.zeros((1, 8)))
    theirs = explainer.shap_values(np.ones((1, 8)), nsamples=1000, silent=True)[0]
    ours = kernel_shap(value, 8, 254, np.random.default_rng(0))
    assert np.allclose(ours.values, theirs, atol=1e-6)
    assert ours.base == pytest.approx(explainer.expected_value)


@pytest.mark.parametrize("samples", [40, 120, 500])
@pytest.mark.parametrize("seed", [0, 1])
def test_efficiency_holds_however_few_the_samples(samples, seed):
    estimate = kernel_shap(_game(14), 14, samples, np.random.default_rng(seed))
    assert estimate.values.sum() == pytest.approx(estimate.full - estimate.base, abs=1e-9)


def test_equal_players_get_equal_shares_and_a_dummy_gets_none():
    base = _game(5, seed=2)

    def value(coalitions):
        merged = coalitions[:, :5].copy()
        merged[:, 4] = coalitions[:, 4] & coalitions[:, 5]
        return base(merged)

    for shares in (exact_shapley(value, 7), kernel_shap(value, 7, 126, np.random.default_rng(0))):
        assert shares.values[4] == pytest.approx(shares.values[5], abs=1e-9)
        assert shares.values[6] == pytest.approx(0, abs=1e-9)
        assert abs(shares.values[4]) > 0.1


def test_estimates_close_in_on_the_exact_values():
    value, players = _game(12, seed=4), 12
    exact = exact_shapley(value, players).values
    far, near = (
        np.mean([np.abs(kernel_shap(value, players, n, np.random.default_rng(s)).values - exact) for s in range(10)])
        for n in (100, 1600)
    )
    assert near < far / 3


def test_standard_errors_match_the_spread_over_draws():
    value = _game(14, seed=1)
    runs = [kernel_shap(value, 14, 400, np.random.default_rng(seed)) for seed in range(150)]
    seen = np.std([run.values for run in runs], axis=0)
    said = np.mean([run.errors for run in runs], axis=0)
    assert 0.7 < (said / seen).mean() < 1.4


@pytest.mark.parametrize(("players", "samples"), [(11, 100), (11, 300), (24, 500)])
def test_stated_errors_are_the_real_ones_though_sizes_are_shared_out_and_nothing_is_drawn_twice(players, samples):
    ratios = []
    for number in range(4):
        rng = np.random.default_rng(5 + number)
        weights, level, out = rng.normal(size=(players, 8)), rng.normal(size=8) / 2, rng.normal(size=8)
        value = partial(_network, weights, level, out)
        runs = [kernel_shap(value, players, samples, np.random.default_rng(seed)) for seed in range(60)]
        real = np.var([run.values for run in runs], axis=0, ddof=1).sum()
        ratios.append(math.sqrt(np.mean([(run.errors**2).sum() for run in runs]) / real))
    # Without regard to sizes and to what is left to draw it is 1.1 to 1.25.
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.09)


def _network(weights: np.ndarray, level: np.ndarray, out: np.ndarray, coalitions: np.ndarray) -> np.ndarray:
    return np.tanh(2 / math.sqrt(len(weights)) * coalitions @ weights + level) @ out


@pytest.mark.parametrize("hide", HIDES)
@pytest.mark.parametrize("n_superpixels", [8, 25])
def test_linear_model_gives_its_closed_form(n_superpixels, hide):
    classifier, film = linear_classifier(), smooth_film()
    parameters = KernelShapParameters(n_superpixels=n_superpixels, hide=hide, samples=300)
    explanation = KernelShap().explain(classifier, film, "Finding 1", parameters=parameters)
    regions = make_regions(classifier, classifier.prepare(film), explanation.regions, hide)
    closed_form = region_sums(classifier, 1, regions.film, regions.hidden, regions.labels)
    assert np.abs(closed_form).max() > 1e-3
    assert np.abs(_weights(explanation) - closed_form).max() < 1e-5


@pytest.fixture(scope="module")
def network_game():
    """Ten superpixels under a random residual network: all 1024 logits."""
    classifier, film = random_classifier("resnet", side=64), smooth_film(64, seed=1)
    parameters = KernelShapParameters(n_superpixels=10)
    explanation = KernelShap().explain(classifier, film, "Finding 3", parameters=parameters)
    regions = make_regions(classifier, classifier.prepare(film), explanation.regions, "mean")

    everything = torch.tensor((np.arange(1024)[:, None] >> np.arange(10)) & 1 == 1)
    with torch.inference_mode():
        logits = torch.cat([classifier(regions.composites(part))[:, 2] for part in everything.split(64)])
    return explanation, lambda coalitions: logits.double().numpy()[coalitions @ (1 << np.arange(10))]


def test_ten_superpixels_on_a_network_are_exact(network_game):
    explanation, value = network_game
    oracle = exact_shapley(value, 10).values
    kernel = kernel_shap(value, 10, 1022, np.random.default_rng(0)).values
    for estimate in (_weights(explanation), kernel):
        assert np.abs(estimate - oracle).max() < 0.01 * np.abs(oracle).max()
        assert spearmanr(estimate, oracle).statistic == pytest.approx(1)
    assert explanation.evaluations == 1024
    assert explanation.diagnostics["enumerated_share"] == 1


def test_efficiency_on_a_network(network_game):
    explanation, _ = network_game
    total = float(_weights(explanation).astype(float).sum())
    assert total == pytest.approx(explanation.logit - explanation.diagnostics["base_value"], abs=1e-5)
    assert explanation.diagnostics["additivity_residual"] < 1e-5


def test_sampled_map_is_repeatable_and_additive():
    classifier, film = random_classifier("densenet", side=64), smooth_film(64)
    parameters = KernelShapParameters(n_superpixels=20, samples=200)
    first, again, other = (
        KernelShap().explain(classifier, film, "Finding 1", parameters=parameters, seed=seed) for seed in (0, 0, 1)
    )
    assert np.array_equal(first.values, again.values)
    assert not np.array_equal(first.values, other.values)
    assert first.diagnostics["enumerated_share"] == 0
    assert 0 <= first.diagnostics["seed_agreement"] <= 1
    total = float(_weights(first).astype(float).sum())
    assert total == pytest.approx(first.logit - first.diagnostics["base_value"], abs=1e-5)


def test_same_superpixels_as_lime():
    classifier, film = linear_classifier(), smooth_film()
    one, other = (get_method(name).explain(classifier, film, "Finding 0") for name in ("lime", "kernel-shap"))
    assert np.array_equal(one.regions, other.regions)


@pytest.mark.parametrize(("samples", "enumerated"), [(1000, True), (50, False)])
def test_twelve_superpixels_are_exact_by_default_but_a_small_budget_is_kept(samples, enumerated):
    classifier, film = linear_classifier(), smooth_film()
    parameters = KernelShapParameters(n_superpixels=12, samples=samples, precision="float32")
    explanation = KernelShap().explain(classifier, film, "Finding 0", parameters=parameters)
    assert explanation.evaluations == 4096 if enumerated else 26 < explanation.evaluations <= 52
    assert (explanation.diagnostics["enumerated_share"] == 1) == enumerated


@pytest.mark.parametrize("family", ["resnet", "densenet"])
def test_bfloat16_gives_the_map_of_float32_and_the_same_sum(family):
    classifier, film = random_classifier(family, side=64), smooth_film(64)
    exact, rough = (
        KernelShap().explain(
            classifier,
            film,
            "Finding 1",
            parameters=KernelShapParameters(n_superpixels=20, samples=400, precision=precision, stop_at=1.0),
        )
        for precision in ("float32", "bfloat16")
    )
    assert spearmanr(_weights(exact), _weights(rough)).statistic >= 0.99
    assert not np.array_equal(exact.values, rough.values)
    for explanation in (exact, rough):
        total = float(_weights(explanation).astype(float).sum())
        assert total == pytest.approx(explanation.logit - explanation.diagnostics["base_value"], abs=1e-5)


def test_the_mean_over_draws_is_the_exact_value_and_the_emulator_lessens_the_scatter():
    value, players = _game(14, seed=3), 14
    exact = exact_shapley(value, players).values
    runs = [kernel_shap(value, players, 400, np.random.default_rng(seed)) for seed in range(60)]
    found = np.array([run.values for run in runs])
    assert np.abs(found.mean(axis=0) - exact).max() < 4 * found.std(axis=0).max() / np.sqrt(len(runs))
    plan = plan_coalitions(players, 400, np.random.default_rng(0))
    plain = []
    for seed in range(60):
        plan = plan_coalitions(players, 400, np.random.default_rng(seed))
        worth = value(plan.evaluated)
        plain.append(_solve(plan, (worth[::2] - worth[1::2]) / 2, runs[0].full - runs[0].base)[0])
    assert found.std(axis=0).mean() < 0.8 * np.std(plain, axis=0).mean()


def test_it_stops_early_where_seeds_agree_and_keeps_its_budget_where_not():
    value = _game(14, seed=1)
    easy, hard = (kernel_shap(value, 14, 2000, np.random.default_rng(0), stop_at) for stop_at in (0.9, 1.0))
    exact = exact_shapley(value, 14).values
    assert easy.samples < hard.samples == 2000
    assert easy.values.sum() == pytest.approx(easy.full - easy.base, abs=1e-9)
    assert np.corrcoef(easy.values, exact)[0, 1] > 0.9


@pytest.mark.parametrize("given", [{"n_superpixels": "1"}, {"samples": "0"}, {"hide": "noise"}, {"paired": "true"}])
def test_bad_parameters_are_named(given):
    with pytest.raises(ParameterError, match=next(iter(given))):
        KernelShapParameters.parse(given)


def test_kernel_shap_refuses_a_game_of_one():
    with pytest.raises(ValueError, match="at least 2 players"):
        kernel_shap(_game(2), 1, 100, np.random.default_rng(0))
