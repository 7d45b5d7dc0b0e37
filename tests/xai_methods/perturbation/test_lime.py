"""LIME against its closed form on a linear model, and against the authors' own regression."""

import numpy as np
import pytest
from lime.lime_base import LimeBase
from scipy.stats import spearmanr
from sklearn.metrics import pairwise_distances

from tests.families import random_classifier
from tests.xai_methods.linear_classifier import linear_classifier, region_sums, smooth_film
from xai_methods.parameters import ParameterError
from xai_methods.perturbation.game import forget_answers
from xai_methods.perturbation.lime import Lime, LimeParameters, fit_surrogate, planned_surrogate, proximity
from xai_methods.perturbation.masking import HIDES, make_regions
from xai_methods.perturbation.sampling_plan import plan_coalitions
from xai_methods.perturbation.superpixels import KINDS
from xai_methods.registry import get_method


def _weights(explanation):
    """One weight a superpixel, off the painted map."""
    _, first = np.unique(explanation.regions, return_index=True)
    return explanation.values.ravel()[first]


def coins(number, players, rng):
    """Coalitions as the authors draw them: the first shows all, the others each player with probability 1/2."""
    drawn = rng.random((number, players)) < 0.5
    drawn[0] = True
    return drawn


def game(players, seed=4):
    """A game with first, second and third order terms."""
    rng = np.random.default_rng(seed)
    linear, pairs = rng.normal(size=players), rng.normal(size=(players, players)) / 2
    triples = rng.normal(size=(players, players, players)) / 10

    def value(shown):
        z = shown.astype(float)
        return z @ linear + np.einsum("ni,ij,nj->n", z, pairs, z) + np.einsum("ni,nj,nk,ijk->n", z, z, z, triples)

    return value


@pytest.mark.parametrize("hide", HIDES)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "anatomy"])
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
    coalitions = coins(300, 17, rng)
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


def planned(value, players, samples, seeds, alpha=0.0):
    """Surrogates of one game under plans of several seeds."""
    plans = [plan_coalitions(players, samples, np.random.default_rng(seed)) for seed in range(seeds)]
    return [planned_surrogate(plan, value(plan.chosen), 0.25, alpha) for plan in plans]


@pytest.mark.parametrize(("players", "samples"), [(9, 150), (9, 400), (24, 100), (24, 300)])
def test_stated_errors_are_the_real_ones_also_where_sizes_are_enumerated(players, samples):
    runs = planned(game(players), players, samples, 120, alpha=1.0)
    real = np.var([run.weights for run in runs], axis=0, ddof=1).sum()
    said = np.mean([(run.errors**2).sum() for run in runs])
    assert np.sqrt(said / real) == pytest.approx(1.0, abs=0.12)


def test_shared_coalitions_aim_at_the_surrogate_of_the_authors_draws_and_scatter_less():
    value, draws = game(10), np.random.default_rng(3)
    alone = []
    for _ in range(300):
        shown = coins(202, 10, draws)
        alone.append(fit_surrogate(shown, value(shown), proximity(shown, 0.25), 0.0).weights)
    shared = [run.weights for run in planned(value, 10, 200, 300)]
    scatter = np.std(alone, axis=0)
    assert np.abs(np.mean(alone, axis=0) - np.mean(shared, axis=0)).max() < 0.25 * scatter.max()
    assert np.std(shared, axis=0).mean() < 0.8 * scatter.mean()


@pytest.mark.parametrize("players", [2, 3, 8])
def test_all_coalitions_give_the_surrogate_of_endless_draws(players):
    value = game(players)
    every = (np.arange(2**players)[:, None] >> np.arange(players)) & 1 == 1
    (found,) = planned(value, players, 2**players - 2, 1)
    # The film itself comes once more than the coins bring it.
    weights = (1 + every.all(axis=1)) * proximity(every, 0.25)
    expected = fit_surrogate(every, value(every), weights, 0.0)
    assert np.allclose(found.weights, expected.weights, atol=1e-8)
    assert (found.errors == 0).all()


def test_kernel_shap_of_the_same_seed_needs_no_film_of_its_own():
    classifier, film = random_classifier("resnet", side=64), smooth_film(64)
    settings = {"n_superpixels": 20, "samples": 200, "precision": "float32", "stop_at": 1.0}
    shap, lime = get_method("kernel-shap"), Lime()
    alone = shap.explain(classifier, film, "Finding 2", parameters=shap.parameters(**settings))
    after = lime.explain(classifier, film, "Finding 2", parameters=LimeParameters(**settings))
    forget_answers(classifier)
    before = lime.explain(classifier, film, "Finding 2", parameters=LimeParameters(**settings))
    then = shap.explain(classifier, film, "Finding 2", parameters=shap.parameters(**settings))
    assert (alone.evaluations, after.evaluations) == (before.evaluations, then.evaluations) == (202, 0)
    # Batches are sized by measured times, and on some processors a batch of another size rounds otherwise.
    np.testing.assert_allclose(after.values, before.values, atol=1e-5)
    np.testing.assert_allclose(alone.values, then.values, atol=1e-5)


@pytest.mark.parametrize("name", ["lime", "kernel-shap"])
def test_it_shows_itself_early_sharpens_and_ends_with_the_same_map(name, monkeypatch):
    monkeypatch.setattr("xai_methods.method.EARLY_SECONDS", 0.0)
    classifier, film, method = random_classifier("resnet", side=64), smooth_film(64), get_method(name)
    parameters = method.parameters(n_superpixels=20, samples=200, stop_at=1.0)
    early = []
    shown = method.explain(classifier, film, "Finding 2", parameters=parameters, early=early.append)
    forget_answers(classifier)
    unseen = method.explain(classifier, film, "Finding 2", parameters=parameters)
    # Batches are sized by measured times, see above.
    np.testing.assert_allclose(shown.values, unseen.values, atol=1e-5)
    assert shown.evaluations == unseen.evaluations
    assert len(early) > 4
    assert early[0].diagnostics["samples"] < 100
    errors = [one.diagnostics["standard_error"] for one in (*early, shown)]
    assert 0 < errors[-1] < max(errors)
    close = [np.corrcoef(_weights(one), _weights(shown))[0, 1] for one in early]
    assert close[0] > 0.3
    assert close[-1] > 0.95


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
    assert explanation.diagnostics["samples"] == 400
    assert explanation.evaluations == 402
    assert explanation.signed
    assert all(np.isfinite(list(explanation.diagnostics.values())))


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
    assert explanation.diagnostics["samples"] == 80
    assert explanation.evaluations == 82


def test_a_classifier_that_never_changes_its_mind_has_no_fit():
    coalitions = coins(60, 5, np.random.default_rng(0))
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
