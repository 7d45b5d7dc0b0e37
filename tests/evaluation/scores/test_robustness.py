"""Robustness: nothing changes where nothing can, and what changes is seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from classifiers import ChestClassifier, ModelCard, Preprocessing
from evaluation.scores import Case, get_metric
from evaluation.scores.robustness import RADIUS, mean_pairwise, noisy, on_grid, relative_change
from radiographs import Radiograph
from tests.evaluation.cases import SIDE, linear_case
from tests.xai_methods.linear_classifier import Linear, linear_classifier, smooth_film
from xai_methods import get_method


def case_by(method: str, classifier: ChestClassifier, film: Radiograph, parameters=None, **more) -> Case:
    """A real question to a method."""
    chosen = get_method(method).parameters.parse(parameters or {})
    explanation = get_method(method).explain(classifier, film, classifier.findings[0], parameters=chosen)
    on_film = classifier.to_film(explanation, film)
    return Case(classifier=classifier, radiograph=film, explanation=explanation, on_film=on_film, **more)


def test_relative_change_by_hand() -> None:
    assert relative_change(np.array([[3.0, 4.0]]), np.array([[3.0, 9.0]])) == 1.0
    assert np.isnan(relative_change(np.zeros((2, 2)), np.ones((2, 2))))


def test_noise_stays_within_its_radius_and_the_grey_range() -> None:
    pixels = np.full((16, 16), 0.5)
    pixels[0] = 1.0
    film = noisy(pixels, np.random.default_rng(0))
    assert np.abs(film.pixels - pixels).max() <= RADIUS + 1e-6
    assert film.pixels.max() <= 1
    assert np.ptp(film.pixels[1:]) > RADIUS


def test_the_gradient_of_a_linear_model_never_changes() -> None:
    case = case_by("jacobian", linear_classifier(SIDE), smooth_film(SIDE))
    assert get_metric("max_sensitivity")(case).value == pytest.approx(0, abs=1e-6)
    assert get_metric("repeatability_ssim")(case).value == pytest.approx(1)
    assert get_metric("repeatability_spearman")(case).value == pytest.approx(1)


def test_gradient_times_input_changes_as_much_as_the_film() -> None:
    case = case_by("input-x-gradient", linear_classifier(SIDE), smooth_film(SIDE), {"baseline": "zero"})
    weights = case.classifier.network.weights[0].numpy()
    pixels = case.film[0, 0].double().numpy()
    found = get_metric("max_sensitivity")(case).value
    most = 4.0 * RADIUS * np.linalg.norm(weights) / np.linalg.norm(weights * pixels)
    assert 0.3 * most < found <= most + 1e-6


def test_a_sampled_map_differs_between_seeds() -> None:
    film = smooth_film(SIDE)
    case = case_by("smoothgrad", linear_classifier(SIDE), film)
    assert get_metric("repeatability_spearman")(case).value > 0.99
    few = case_by("lime", linear_classifier(SIDE), film, {"samples": 60})
    assert get_metric("repeatability_spearman")(few).value < 0.9999


def shifted(classifier: ChestClassifier) -> ChestClassifier:
    """Another model of the same answers but for a constant."""
    network = Linear(classifier.network.weights.numpy())
    network.bias.data += 1
    card = ModelCard("shifted", "Shifted", "", "", "", "", "")
    return ChestClassifier(network, classifier.findings, card, "whole", classifier.preprocessing)


def test_agreement_over_models() -> None:
    classifier, film = linear_classifier(SIDE), smooth_film(SIDE)
    other = linear_classifier(SIDE, seed=1)
    agree = get_metric("agreement_ssim"), get_metric("agreement_spearman")
    for score in agree:
        assert score(case_by("jacobian", classifier, film, others=(shifted(classifier),))).value == pytest.approx(1)
        assert abs(score(case_by("jacobian", classifier, film, others=(other,))).value) < 0.2
        assert np.isnan(score(case_by("jacobian", classifier, film)).value)
        assert np.isnan(score(case_by("jacobian", classifier, film, others=(classifier,))).value)


def test_models_that_do_not_know_the_finding_do_not_count() -> None:
    classifier, film = linear_classifier(SIDE), smooth_film(SIDE)
    stranger = ChestClassifier(
        Linear(np.zeros((1, SIDE, SIDE))), ("Other",), replace(classifier.card), "whole", classifier.preprocessing
    )
    assert np.isnan(get_metric("agreement_ssim")(case_by("jacobian", classifier, film, others=(stranger,))).value)


def test_maps_of_models_with_other_squares_meet_in_the_film() -> None:
    film = Radiograph(np.random.default_rng(0).random((40, 64)))
    spot = np.zeros((40, 64), dtype=bool)
    spot[16:24, 28:36] = True
    grids = []
    for side, fit in ((32, "pad"), (24, "crop")):
        weights = np.zeros((1, side, side))
        card = ModelCard("m", "M", "", "", "", "", "")
        classifier = ChestClassifier(Linear(weights), ("F",), card, "whole", Preprocessing(side, fit))
        grids.append(on_grid(classifier, classifier.preprocessing.prepare_mask(spot), film, 24))
    assert grids[0].shape == grids[1].shape == (15, 24)
    assert grids[0].argmax() // 24 == pytest.approx(grids[1].argmax() // 24, abs=1)
    assert np.corrcoef(grids[0].ravel(), grids[1].ravel())[0, 1] > 0.9


def test_mean_pairwise() -> None:
    values = np.random.default_rng(0).standard_normal((20, 20))
    alike, ranked = mean_pairwise([values, values, -values])
    assert ranked == pytest.approx(-1 / 3)
    assert alike < 1


def test_max_sensitivity_of_a_zero_map_is_undefined() -> None:
    case = linear_case(np.zeros((SIDE, SIDE)))
    case.explanation.parameters["reading"] = "signed"
    assert np.isnan(get_metric("max_sensitivity")(case).value)
