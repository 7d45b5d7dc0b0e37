"""The emulator's Shapley values are those of the function it is, and what it leaves was not seen by it."""

import itertools

import numpy as np
import pytest

from xai_methods.perturbation.emulator import MOST, Emulator, emulate
from xai_methods.perturbation.shap import exact_shapley


def _signs(n, players, rng):
    return np.where(rng.random((n, players)) < 0.5, 1.0, -1.0)


@pytest.mark.parametrize("players", [2, 7, 10])
def test_shapley_values_are_those_of_full_enumeration(players):
    rng = np.random.default_rng(players)
    emulator = Emulator(_signs(20, players, rng), rng.normal(size=20), rng.random(players))
    exact = exact_shapley(lambda coalitions: emulator(np.where(coalitions, 1.0, -1.0)), players)
    assert np.abs(exact.values).max() > 0.1
    assert np.allclose(emulator.shapley(), exact.values, atol=1e-10)
    assert emulator.shapley().sum() == pytest.approx(2 * emulator(np.ones((1, players)))[0])


def test_it_is_odd():
    rng = np.random.default_rng(0)
    emulator = Emulator(_signs(5, 6, rng), rng.normal(size=5), rng.random(6))
    signs = _signs(30, 6, rng)
    assert np.allclose(emulator(signs), -emulator(-signs))


def test_what_is_left_is_the_error_of_an_emulator_that_never_saw_the_answer():
    rng = np.random.default_rng(1)
    signs = _signs(40, 6, rng)
    answers = signs[:, 0] * signs[:, 1] * signs[:, 2] + 0.3 * signs[:, 3] * signs[:, 4] * signs[:, 5]
    mean, left = emulate(signs, answers, np.ones(6))
    # With noise of a size that no other answer changes, leaving one out by hand must give the same.
    from xai_methods.perturbation.emulator import NOISES, _kernel

    gram = _kernel(signs, signs, mean.scales)
    by_hand = {}
    for noise in NOISES:
        errors, weights = [], np.zeros(40)
        for out in range(40):
            rest = np.delete(np.arange(40), out)
            alone = np.linalg.solve(gram[np.ix_(rest, rest)] + noise * np.eye(39), answers[rest])
            errors.append(answers[out] - gram[out, rest] @ alone)
            weights[rest] += alone / 40
        by_hand[noise] = np.array(errors), weights
    errors, weights = min(by_hand.values(), key=lambda found: found[0] @ found[0])
    assert np.allclose(left, errors, atol=1e-8)
    assert np.allclose(mean.coefficients, weights, atol=1e-8)


def test_noise_is_not_learnt():
    rng = np.random.default_rng(2)
    signs, answers = _signs(400, 10, rng), rng.normal(size=400)
    found = emulate(signs, answers, np.ones(10))
    assert found is None or found[1] @ found[1] < 1.06 * (answers @ answers)


def test_beyond_its_most_centres_answers_are_foretold_by_those():
    rng = np.random.default_rng(3)
    signs = _signs(MOST + 200, 8, rng)
    answers = np.array([signs[:, triple].prod(axis=1) for triple in itertools.combinations(range(4), 3)]).sum(axis=0)
    emulator, left = emulate(signs, answers, np.ones(8))
    assert len(left) == MOST + 200
    assert len(emulator.centres) == MOST
    assert np.abs(left).max() < 0.5 * np.abs(answers).max()


def test_nothing_to_learn():
    signs = _signs(30, 5, np.random.default_rng(4))
    assert emulate(signs, np.zeros(30), np.ones(5)) is None
    assert emulate(signs, np.ones(30), np.zeros(5)) is None
