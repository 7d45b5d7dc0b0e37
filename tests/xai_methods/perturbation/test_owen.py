"""Owen values against their definition by orders, a linear model's closed form, and shap's partition explainer."""

import itertools

import numpy as np
import pytest

from tests.xai_methods.linear_classifier import linear_classifier, region_sums, smooth_film
from xai_methods.parameters import ParameterError
from xai_methods.perturbation.masking import make_regions
from xai_methods.perturbation.owen import OwenParameters, OwenValues, Part, halve, owen_values
from xai_methods.perturbation.superpixels import superpixels

EVEN = np.ones(6)


def _game(players, seed=0):
    rng = np.random.default_rng(seed)
    linear, pairs, triples = rng.normal(size=players), rng.normal(size=(players,) * 2), rng.normal(size=(players,) * 3)

    def value(coalitions):
        z = coalitions.astype(float)
        return 0.3 + z @ linear + np.einsum("ni,ij,nj->n", z, pairs, z) + np.einsum("ni,nj,nk,ijk->n", z, z, z, triples)

    return value


def _tree(nested) -> Part:
    if isinstance(nested, int):
        return Part(np.array([nested]))
    halves = (_tree(nested[0]), _tree(nested[1]))
    return Part(np.sort(np.concatenate([half.members for half in halves])), halves)


def _orders(nested):
    """All orders of joining in which each part of the tree joins without a break."""
    if isinstance(nested, int):
        return [(nested,)]
    firsts, seconds = _orders(nested[0]), _orders(nested[1])
    return [a + b for a, b in itertools.product(firsts, seconds)] + [
        b + a for a, b in itertools.product(firsts, seconds)
    ]


SIX = ((0, (4, 1)), ((2, 5), 3))


def test_exact_values_are_the_mean_over_orders_that_keep_parts_together():
    value, gains, orders = _game(6), np.zeros(6), _orders(SIX)
    assert len(orders) == 2**5
    for order in orders:
        shown = np.zeros((1, 6), dtype=bool)
        for player in order:
            before = value(shown)[0]
            shown[0, player] = True
            gains[player] += (value(shown)[0] - before) / len(orders)
    result = owen_values(value, _tree(SIX), EVEN, 1000)
    np.testing.assert_allclose(result.values, gains, atol=1e-10)
    assert result.resolved == 1


def _clustering(nested, players):
    """The tree in the form shap takes: rows of left, right, distance, leaves."""
    rows = []

    def add(node):
        if isinstance(node, int):
            return node, 1, 0
        (left, few, low), (right, many, high) = add(node[0]), add(node[1])
        rows.append((left, right, 1 + max(low, high), few + many))
        return players + len(rows) - 1, few + many, 1 + max(low, high)

    add(nested)
    return np.array(rows, dtype=float)


def test_same_values_as_the_shap_library():
    import shap

    value = _game(6, seed=3)
    masker = shap.maskers.Partition(np.zeros((1, 6)), clustering=_clustering(SIX, 6))
    explainer = shap.explainers.Partition(lambda data: value(np.asarray(data) > 0.5), masker)
    theirs = explainer(np.ones((1, 6)), fixed_context=None, max_evals=1000, silent=True)
    ours = owen_values(value, _tree(SIX), EVEN, 1000)
    np.testing.assert_allclose(ours.values, theirs.values[0], atol=1e-8)


@pytest.mark.parametrize("samples", [4, 10, 40])
def test_efficiency_holds_however_few_the_samples(samples):
    result = owen_values(_game(6), _tree(SIX), np.arange(1.0, 7), samples)
    assert result.values.sum() == pytest.approx(result.full - result.base, abs=1e-10)
    assert result.samples <= samples + 1
    assert 0 <= result.resolved <= 1


def test_what_is_not_halved_is_shared_by_area():
    areas = np.array([1.0, 2.0, 3.0, 1.0, 1.0, 2.0])
    result = owen_values(_game(6), _tree(SIX), areas, 2)
    assert result.resolved == 0
    np.testing.assert_allclose(result.values[[0, 1, 4]] / result.values[0], [1, 2, 1])


def test_a_tree_halves_the_film_by_area():
    labels = np.kron(np.arange(16).reshape(2, 8), np.ones((4, 4), dtype=int))
    tree = halve(labels)
    left, right = tree.halves
    assert sorted(left.members) == [0, 1, 2, 3, 8, 9, 10, 11]
    assert len(left.members) == len(right.members) == 8

    def leaves(part):
        return [part.members] if part.halves is None else [x for half in part.halves for x in leaves(half)]

    assert sorted(np.concatenate(leaves(tree))) == list(range(16))


@pytest.mark.parametrize("n", [2, 13])
def test_linear_model_gives_its_closed_form(n):
    classifier, film = linear_classifier(), smooth_film()
    parameters = OwenParameters(n_superpixels=n, samples=1000)
    explanation = OwenValues().explain(classifier, film, "Finding 1", parameters=parameters)
    regions = make_regions(classifier, classifier.prepare(film), explanation.regions, "mean")
    closed_form = region_sums(classifier, 1, regions.film, regions.hidden, regions.labels)
    _, first = np.unique(explanation.regions, return_index=True)
    assert np.abs(explanation.values.ravel()[first] - closed_form).max() < 1e-5
    assert explanation.diagnostics["resolved_share"] == 1
    assert explanation.diagnostics["additivity_residual"] < 1e-5


def test_same_superpixels_as_lime():
    classifier, film = linear_classifier(), smooth_film()
    explanation = OwenValues().explain(classifier, film, "Finding 0")
    pixels = (classifier.prepare(film)[0, 0].double().numpy() + 1.5) / 4
    assert np.array_equal(explanation.regions, superpixels(pixels))


@pytest.mark.parametrize("given", [{"n_superpixels": "1"}, {"samples": "0"}, {"hide": "noise"}])
def test_bad_parameters_are_named(given):
    with pytest.raises(ParameterError, match=next(iter(given))):
        OwenParameters.parse(given)
