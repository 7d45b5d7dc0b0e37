"""LIME against its closed form on a linear model, and against the authors' own regression."""

import numpy as np
import pytest
from lime.lime_base import LimeBase
from scipy.stats import spearmanr
from sklearn.metrics import pairwise_distances

from tests.families import random_classifier
from tests.xai_methods.linear_classifier import linear_classifier, region_sums, smooth_film
from xai_methods.parameters import ParameterError
from xai_methods.perturbation.lime import Lime, LimeParameters, fit_surrogate, pairs_of, proximity, sample_coalitions
from xai_methods.perturbation.masking import HIDES, make_regions
from xai_methods.perturbation.superpixels import KINDS
from xai_methods.registry import get_method


def _weights(explanation):
    """One weight a superpixel, off the painted map."""
    _, first = np.unique(explanation.regions, return_index=True)
    return explanation.values.ravel()[first]


@pytest.mark.parametrize("hide", HIDES)
@pytest.mark.parametrize("kind", KINDS)
def test_linear_model_gives_its_closed_form(kind, hide):
    classifier, film = linear_classifier(), smooth_film()
    parameters = LimeParameters(n_superpixels=20, superpixels=kind, hide=hide, samples=400, alpha=0.0)
    explanation = Lime().explain(classifier, film, "Finding 1", parameters=parameters)
    regions = make_regions(classifier, classifier.prepare(film), explanation.regions, hide)
    closed_form = region_sums(classifier, 1, regions.film, regions.hidden, regions.labels)
    assert np.abs(closed_form).max() > 1e-3
    assert np.abs(_weights(explanation) - closed_form).max() < 1e-5
    assert explanation.diagnostics["local_r2"] == pytest.approx(1, abs=1e-6)
    assert explanation.diagnostics["intercept"] + closed_form.sum() == pytest.approx(explanation.logit, abs=1e-5)
    assert explanation.diagnostics["seed_agreement"] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("alpha", [1.0, 7.5])
@pytest.mark.parametrize("width", [0.25, 1.0])
def test_same_surrogate_as_the_authors_code(width, alpha):
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(0)
    coalitions = sample_coalitions(300, 17, rng)
    logits = coalitions @ rng.normal(size=17) + coalitions[:, 0] * coalitions[:, 3] + rng.normal(size=300)
    data = coalitions.astype(float)
    distances = pairwise_distances(data, data[:1], metric="cosine").ravel()
    base = LimeBase(lambda d: np.sqrt(np.exp(-(d**2) / width**2)), random_state=0)
    intercept, pairs, r2, _ = base.explain_instance_with_data(
        data, logits[:, None], distances, 0, 17, feature_selection="none", model_regressor=Ridge(alpha=alpha)
    )
    surrogate = fit_surrogate(coalitions, logits, proximity(coalitions, width), alpha)
    assert np.allclose(surrogate.weights, [weight for _, weight in sorted(pairs)], atol=1e-9)
    assert surrogate.intercept == pytest.approx(intercept, abs=1e-9)
    assert surrogate.r2 == pytest.approx(r2, abs=1e-9)


def test_coalitions_are_the_whole_film_and_fair_coins():
    coalitions = sample_coalitions(4000, 30, np.random.default_rng(1))
    assert coalitions[0].all()
    assert coalitions[1:-1].mean() == 0.5
    assert np.abs(coalitions[1:].mean(axis=0) - 0.5).max() < 1e-3
    assert np.abs(coalitions[1::2].mean(axis=0) - 0.5).max() < 0.05
    assert np.abs(np.corrcoef(coalitions[1:].T) - np.eye(30)).max() < 0.08


@pytest.mark.parametrize("k", [2, 17, 32, 50])
def test_a_block_shows_each_superpixel_and_each_two_of_them_evenly(k):
    order = 1 << (k - 1).bit_length()
    coalitions = sample_coalitions(2 * order + 1, k, np.random.default_rng(2))
    signs = np.where(coalitions[1:], 1, -1)
    assert np.array_equal(signs[::2], -signs[1::2])
    assert np.array_equal(signs.T @ signs, 2 * order * np.eye(k, dtype=int))
    assert not np.array_equal(coalitions, sample_coalitions(2 * order + 1, k, np.random.default_rng(3)))


def test_any_coalition_is_as_likely_as_any_other():
    seen = np.zeros(8)
    for seed in range(800):
        drawn = sample_coalitions(4, 3, np.random.default_rng(seed))[1]
        seen[drawn @ (1 << np.arange(3))] += 1
    assert np.abs(seen / 100 - 1).max() < 0.35


def test_standard_errors_match_the_spread_over_draws():
    rng = np.random.default_rng(2)
    linear = rng.normal(size=12)

    def run():
        coalitions = sample_coalitions(300, 12, rng)
        logits = coalitions @ linear + 2 * coalitions[:, 0] * coalitions[:, 1] + rng.normal(size=300)
        return fit_surrogate(coalitions, logits, proximity(coalitions, 0.25), 1.0, pairs_of(300))

    runs = [run() for _ in range(200)]
    seen = np.std([one.weights for one in runs], axis=0)
    said = np.mean([one.errors for one in runs], axis=0)
    assert np.abs(said / seen - 1).max() < 0.2


def test_seed_decides_the_map_and_agreement_is_honest():
    classifier, film = random_classifier("resnet", side=64), smooth_film(64)
    parameters = LimeParameters(n_superpixels=20, samples=200)
    first, again, *others = (
        Lime().explain(classifier, film, "Finding 2", parameters=parameters, seed=seed) for seed in (0, 0, 1, 2)
    )
    assert np.array_equal(first.values, again.values)
    seen = np.mean([np.corrcoef(_weights(first), _weights(other))[0, 1] for other in others])
    assert first.diagnostics["seed_agreement"] == pytest.approx(seen, abs=0.15)
    assert seen < 1


def test_diagnostics_and_cost_are_said():
    classifier, film = linear_classifier(), smooth_film()
    explanation = Lime().explain(
        classifier, film, "Finding 0", parameters=LimeParameters(20, samples=400, precision="float32", stop_at=1.0)
    )
    assert explanation.diagnostics["n_superpixels"] == 20 == explanation.regions.max() + 1
    assert explanation.diagnostics["samples_per_superpixel"] == 20
    assert explanation.evaluations == 401
    assert explanation.signed
    assert all(np.isfinite(list(explanation.diagnostics.values())))


def _fits(draw, n, runs, rng):
    """Surrogates of a game with second and third order terms, over repeated draws of ``n`` coalitions."""
    linear, pairs, triples = rng.normal(size=10), rng.normal(size=(10, 10)) / 2, rng.normal(size=(10, 10, 10)) / 10
    fits = []
    for _ in range(runs):
        shown = draw(n, 10)
        z = shown.astype(float)
        logits = z @ linear + np.einsum("ni,ij,nj->n", z, pairs, z) + np.einsum("ni,nj,nk,ijk->n", z, z, z, triples)
        fits.append(fit_surrogate(shown, logits, proximity(shown, 0.25), 0.0).weights)
    return np.array(fits)


def test_pairs_aim_at_the_same_surrogate_as_single_draws_and_scatter_less():
    draws = np.random.default_rng(3)

    def alone(n, k):
        shown = draws.random((n, k)) < 0.5
        shown[0] = True
        return shown

    single = _fits(alone, 200, 400, np.random.default_rng(4))
    paired = _fits(lambda n, k: sample_coalitions(n, k, draws), 200, 400, np.random.default_rng(4))
    scatter = single.std(axis=0)
    assert np.abs(single.mean(axis=0) - paired.mean(axis=0)).max() < 0.25 * scatter.max()
    assert paired.std(axis=0).mean() < 0.8 * scatter.mean()


@pytest.mark.parametrize("family", ["resnet", "densenet"])
def test_bfloat16_gives_the_map_of_float32(family):
    classifier, film = random_classifier(family, side=64), smooth_film(64)
    exact, rough = (
        Lime().explain(
            classifier,
            film,
            "Finding 1",
            parameters=LimeParameters(n_superpixels=20, samples=300, precision=precision, stop_at=1.0),
        )
        for precision in ("float32", "bfloat16")
    )
    assert spearmanr(_weights(exact), _weights(rough)).statistic >= 0.99
    assert not np.array_equal(exact.values, rough.values)
    assert exact.logit == rough.logit


def test_it_stops_early_where_seeds_agree_and_says_how_many_films_it_judged():
    classifier, film = linear_classifier(), smooth_film()
    explanation = Lime().explain(
        classifier, film, "Finding 0", parameters=LimeParameters(20, samples=400, precision="float32")
    )
    assert explanation.diagnostics["samples"] == 81
    assert explanation.evaluations == 82


def test_a_classifier_that_never_changes_its_mind_has_no_fit():
    coalitions = sample_coalitions(60, 5, np.random.default_rng(0))
    surrogate = fit_surrogate(coalitions, np.full(60, 1.25), proximity(coalitions, 0.25), 1.0)
    assert np.abs(surrogate.weights).max() < 1e-12
    assert np.isnan(surrogate.r2)


def test_fewer_samples_than_superpixels_stay_finite():
    classifier, film = linear_classifier(64), smooth_film(64)
    parameters = LimeParameters(n_superpixels=100, samples=50, alpha=0.0)
    assert np.isfinite(Lime().explain(classifier, film, "Finding 0", parameters=parameters).values).all()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"n_superpixels": "1"}, "n_superpixels: expected 2 to 300"),
        ({"samples": "10"}, "samples: expected 50 to 20000"),
        ({"kernel_width": "0"}, "kernel_width: expected 0.05 to 10"),
        ({"superpixels": "voronoi"}, "superpixels: expected one of slic"),
    ],
)
def test_bad_parameters_are_named(given, said):
    with pytest.raises(ParameterError, match=said):
        LimeParameters.parse(given)


def test_it_is_registered():
    assert isinstance(get_method("lime"), Lime)
