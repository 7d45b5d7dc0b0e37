"""RISE against its own definition and against what a linear model must give."""

import numpy as np
import pytest
import torch

from tests.xai_methods.linear_classifier import HIGH, LOW, linear_classifier, smooth_film
from xai_methods.parameters import ParameterError
from xai_methods.perturbation.rise import Masks, Rise, RiseParameters


@pytest.mark.parametrize("shown", [0.3, 0.5])
def test_map_is_the_mean_logit_over_masks_that_show_a_pixel(shown):
    classifier, film = linear_classifier(32), smooth_film(32)
    parameters = RiseParameters(masks=150, cells=4, shown=shown, hide="black")
    explanation = Rise().explain(classifier, film, "Finding 1", parameters=parameters, seed=6)
    masks = Masks(150, 32, 4, shown, np.random.default_rng(6)).draw(0, 150).double()
    films = LOW + masks * (classifier.prepare(film)[0] - LOW)
    with torch.inference_mode():
        logits = classifier(films[:, None])[:, 1].double()
    expected = torch.einsum("n,nhw->hw", logits, masks) / masks.sum(dim=0) - logits.mean()
    np.testing.assert_allclose(explanation.values, expected.numpy(), atol=1e-5)
    assert explanation.diagnostics["mean_logit"] == pytest.approx(float(logits.mean()), abs=1e-5)
    assert explanation.evaluations == 151
    assert HIGH > LOW


@pytest.mark.parametrize("shown", [0.2, 0.5])
def test_masks_are_smooth_fair_and_fill_the_film(shown):
    masks = Masks(1000, 30, 7, shown, np.random.default_rng(0)).draw(0, 1000)
    assert masks.shape == (1000, 30, 30)
    assert 0 <= float(masks.min()) <= float(masks.max()) <= 1 + 1e-6
    assert float(masks.mean()) == pytest.approx(shown, abs=0.01)
    assert float((masks.mean(dim=0) - shown).abs().max()) < 0.06
    assert float(masks.diff(dim=2).abs().max()) < 0.5


def test_masks_of_one_half_come_with_their_complements():
    masks = Masks(50, 32, 5, 0.5, np.random.default_rng(1)).draw(0, 50)
    torch.testing.assert_close(masks[::2] + masks[1::2], torch.ones(25, 32, 32))


def test_it_finds_the_only_place_that_counts():
    classifier, film = linear_classifier(32), smooth_film(32)
    with torch.no_grad():
        classifier.network.weights.zero_()
        classifier.network.weights[0, 4:9, 20:26] = 1.0
    values = Rise().explain(classifier, film, "Finding 0", parameters=RiseParameters(hide="black")).values
    row, column = np.unravel_index(values.argmax(), values.shape)
    assert 2 <= row <= 10
    assert 18 <= column <= 28


def test_standard_error_is_that_of_single_masks():
    classifier, film = linear_classifier(32), smooth_film(32)
    parameters = RiseParameters(masks=200, cells=4, shown=0.4)
    runs = [Rise().explain(classifier, film, "Finding 1", parameters=parameters, seed=seed) for seed in range(30)]
    seen = np.std([run.values for run in runs], axis=0).mean()
    said = np.mean([run.diagnostics["standard_error"] for run in runs])
    assert said == pytest.approx(seen, rel=0.25)


@pytest.mark.parametrize("given", [{"masks": "1"}, {"cells": "1"}, {"shown": "1"}, {"hide": "noise"}])
def test_bad_parameters_are_named(given):
    with pytest.raises(ParameterError, match=next(iter(given))):
        RiseParameters.parse(given)
