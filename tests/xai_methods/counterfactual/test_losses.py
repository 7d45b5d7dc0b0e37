"""Losses and the calibrated posterior, against values known by hand."""

import math

import numpy as np
import pytest
import torch
from scipy.special import expit

from xai_methods.counterfactual.calibration import fit_balanced, matching
from xai_methods.counterfactual.edit import Edit
from xai_methods.counterfactual.losses import (
    classifier_consistency,
    context_weights,
    discriminator_hinge,
    generator_hinge,
    reconstruction,
    roughness,
    size,
)


def test_hinge_losses_stop_at_the_margin():
    real, made = torch.tensor([2.0, 0.5]), torch.tensor([-3.0, 0.0])
    assert float(discriminator_hinge(real, made)) == pytest.approx((0 + 0.5) / 2 + (0 + 1) / 2)
    assert float(generator_hinge(made)) == pytest.approx(1.5)


def test_classifier_consistency_is_the_divergence_and_zero_where_asked_is_reached():
    asked = torch.tensor([0.2, 0.9])
    assert float(classifier_consistency(asked, torch.logit(asked))) == pytest.approx(0, abs=1e-6)
    found = float(classifier_consistency(torch.tensor([0.2]), torch.tensor([0.0])))
    assert found == pytest.approx(0.2 * math.log(0.2 / 0.5) + 0.8 * math.log(0.8 / 0.5), abs=1e-6)


def test_each_structure_weighs_as_much_as_the_whole_film_whatever_its_area():
    masks = torch.zeros(1, 2, 10, 10)
    masks[0, 0, 0, :5] = 1
    masks[0, 1, 5:, :] = 1
    weights = context_weights(torch.full((1, 1, 10, 10), 0.5), masks)
    assert float(weights.mean()) == pytest.approx(1)
    # Whole film 1, small structure 1 / 0.05, large structure 1 / 0.5; all together sum to 3.
    assert float(weights[0, 0, 0, 0]) == pytest.approx((1 + 20) / 3)
    assert float(weights[0, 0, 9, 9]) == pytest.approx((1 + 2) / 3)
    assert float(weights[0, 0, 1, 0]) == pytest.approx(1 / 3)


def test_without_structures_edges_weigh_more():
    films = torch.zeros(1, 1, 16, 16)
    films[..., 8:] = 1
    weights = context_weights(films)
    assert float(weights.mean()) == pytest.approx(1)
    assert float(weights[0, 0, 4, 7]) > 10 * float(weights[0, 0, 4, 2])


def test_reconstruction_is_a_weighted_mean_difference():
    films, again = torch.zeros(1, 1, 2, 2), torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]])
    assert float(reconstruction(films, again, torch.ones(1, 1, 2, 2))) == pytest.approx(0.25)
    assert float(reconstruction(films, again, torch.tensor([[[[3.0, 1], [0, 0]]]]))) == pytest.approx(0.75)


def test_an_even_edit_is_smooth_and_a_slope_counts_the_same_on_every_grid():
    even = Edit(torch.full((1, 2, 8, 8), 0.1), torch.full((1, 1, 8, 8), -0.2))
    assert float(roughness(even)) == pytest.approx(0, abs=1e-7)
    assert float(size(even)) == pytest.approx(0.21)
    slopes = [Edit(torch.zeros(1, 2, 8, 8), torch.linspace(0, 1, n).expand(1, 1, n, n)) for n in (64, 128)]
    assert float(roughness(slopes[0])) == pytest.approx(float(roughness(slopes[1])), rel=0.02)


def test_balanced_calibration_finds_the_likelihood_ratio_however_rare_the_finding():
    rng = np.random.default_rng(0)
    present = np.arange(40000) < 2000
    logits = rng.normal(np.where(present, -1.0, -3.0), 1.0)
    found = fit_balanced(logits, present)
    # Two normal densities of one spread: their log ratio is 2 (logit + 2).
    assert found.slope == pytest.approx(2, rel=0.08)
    assert -found.intercept / found.slope == pytest.approx(-2, abs=0.06)
    values = found.of(torch.tensor([-2.0, -1.0])).numpy()
    np.testing.assert_allclose(values, expit(found.slope * np.array([-2.0, -1.0]) + found.intercept), rtol=1e-5)
    np.testing.assert_allclose(torch.sigmoid(found.scaled(torch.tensor([-2.0, -1.0]))), values, rtol=1e-5)


def test_calibration_needs_both_kinds_of_film():
    with pytest.raises(ValueError, match="films without it"):
        fit_balanced(np.zeros(4), np.ones(4, dtype=bool))


def test_separable_films_do_not_give_an_endless_slope():
    found = fit_balanced(np.array([-1.0, -0.9, 0.9, 1.0]), np.array([False, False, True, True]))
    assert 1 < found.slope < 50


def test_matching_brings_mean_and_spread_over():
    rng = np.random.default_rng(1)
    other = rng.normal(5, 2, 1000)
    slope, intercept = matching(rng.normal(-3, 1, 5000), other)
    assert np.mean(slope * other + intercept) == pytest.approx(-3, abs=0.05)
    assert np.std(slope * other + intercept) == pytest.approx(1, abs=0.05)
