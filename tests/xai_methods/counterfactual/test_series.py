"""From a card on disk to a series: what comes back, what is refused and why."""

import numpy as np
import pytest
import torch

from classifiers.weights import WeightsError
from radiographs import Radiograph
from tests.families import random_classifier
from tests.xai_methods.counterfactual.discs import SIDE
from xai_methods import get_method
from xai_methods.counterfactual import CounterfactualRefusedError, exaggerate, latent
from xai_methods.counterfactual.exaggeration import TRIED, exaggerated, unserved
from xai_methods.counterfactual.networks import GeneratorShape
from xai_methods.counterfactual.registry import generator_card, load_generator
from xai_methods.counterfactual.series import LEVELS, Cost, Limits, checked_levels, cost_of, shifts_for

LENIENT = Limits(1.0, -1.0)


def test_a_series_holds_what_the_classifier_says_of_each_step(classifier, folder, film):
    shares = []
    series = exaggerated(classifier, film, "Large", limits=LENIENT, report=shares.append, folder=folder)
    assert series.films.shape == (len(LEVELS), SIDE, SIDE)
    assert series.probabilities.shape == (len(LEVELS), 3)
    logits = classifier(torch.from_numpy(series.films)[:, None])
    np.testing.assert_allclose(series.probabilities, torch.sigmoid(logits), rtol=1e-4)
    np.testing.assert_allclose(series.reached, torch.sigmoid(logits[:, 0]), rtol=1e-4)
    assert series.own == pytest.approx(float(torch.sigmoid(classifier(film)[0, 0])), rel=1e-4)
    # This generator brightens by (condition - own) tanh 1 times its bound.
    brighter = (series.films[:, 0, 10] - film[0, 0, 0, 10].item()) / (GeneratorShape(2).strongest * np.tanh(1.0))
    assert (np.diff(brighter) >= -1e-5).all()
    assert series.own + brighter.min() >= TRIED[0] - 1e-3
    assert series.own + brighter.max() <= TRIED[-1] + 1e-3
    assert series.refusal is None
    assert shares == sorted(shares)
    np.testing.assert_allclose(series.difference, series.films[-1] - series.films[0])


def test_the_classifier_answers_as_asked_wherever_the_generator_can_bring_it(classifier, folder, film):
    series = exaggerated(classifier, film, "Large", limits=LENIENT, folder=folder)
    inside = (series.levels >= series.reached.min()) & (series.levels <= series.reached.max())
    assert inside.sum() >= 3
    np.testing.assert_allclose(series.reached[inside], series.levels[inside], atol=0.05)


def test_the_level_the_film_is_at_gives_the_film_itself(classifier, folder, film):
    own = float(torch.sigmoid(classifier(film)[0, 0]))
    series = exaggerated(classifier, film, "Large", (own, 0.97), LENIENT, folder=folder)
    np.testing.assert_allclose(series.films[0], film[0, 0], atol=1e-4)


def test_a_way_back_that_misses_the_film_is_refused_with_the_figures(classifier, folder, film):
    series = exaggerated(classifier, film, "Large", limits=Limits(0.0, -1.0), folder=folder)
    assert "changes the classifier's answer" in series.refusal
    assert f"{series.cost.answer:.2f}" in series.refusal
    assert "unlike the film" in exaggerated(classifier, film, "Large", limits=Limits(1.0, 1.0), folder=folder).refusal


def test_limits_speak_of_the_answer_first_and_refuse_what_is_not_a_number():
    assert Limits(0.2, 0.5).refusal(Cost(0.2, 0.5, 0.1)) is None
    assert "0.30" in Limits(0.2, 0.5).refusal(Cost(0.3, 0.1, 0.1))
    assert "0.10" in Limits(0.2, 0.5).refusal(Cost(0.1, 0.1, 0.1))
    assert Limits(0.2, 0.5).refusal(Cost(float("nan"), 1.0, 0.0)) is not None


def test_cost_of_the_film_itself_is_nothing(film):
    pixels = film[0, 0].numpy()
    assert cost_of(pixels, pixels, 0.0) == Cost(0.0, pytest.approx(1.0), 0.0)
    assert cost_of(pixels, np.zeros_like(pixels), -0.4).answer == pytest.approx(0.4)


def test_another_classifier_or_finding_is_not_served(classifier, folder, film):
    assert unserved(classifier, "Large", folder) is None
    assert "Large, Small" in unserved(classifier, "Other", folder)
    other = random_classifier("resnet", 3, 32)
    assert "No generator was trained" in unserved(other, "Finding 1", folder)
    with pytest.raises(LookupError, match="No generator"):
        exaggerated(other, film, "Finding 1", folder=folder)


@pytest.mark.parametrize("levels", [(0.5,), (0.6, 0.4), (0.0, 0.5), (0.5, 1.0), tuple(np.linspace(0.01, 0.9, 65))])
def test_levels_that_make_no_series_are_refused(levels):
    with pytest.raises(ValueError, match="levels"):
        checked_levels(levels)


def test_an_unknown_explainer_is_named_beside_those_there_are(classifier):
    with pytest.raises(LookupError, match="latent-shift"):
        exaggerate(classifier, None, "Large", method="magic")


@pytest.mark.parametrize("name", ["progressive-exaggeration", "latent-shift"])
def test_the_difference_hangs_beside_the_heatmaps(shipped, classifier, film, name):
    radiograph, method = Radiograph(film[0, 0].numpy()), get_method(name)
    assert method.serves(classifier, "Large") is None
    lenient = method.parameters.parse({"refuse": False})
    explanation = method.explain(classifier, radiograph, "Large", parameters=lenient)
    series = exaggerate(classifier, radiograph, "Large", lenient.levels, method=name, limits=LENIENT)
    np.testing.assert_allclose(explanation.values, np.abs(series.difference), atol=1e-6)
    assert explanation.diagnostics["decision flips"] == float(series.flips)
    assert explanation.evaluations > len(LEVELS)


def test_a_method_refuses_what_its_card_refuses(shipped, classifier, film):
    # The untrained autoencoder of these cards draws nothing like the film.
    with pytest.raises(CounterfactualRefusedError, match="reconstruction"):
        get_method("latent-shift").explain(classifier, Radiograph(film[0, 0].numpy()), "Large")


def test_a_method_that_does_not_serve_says_why(shipped, film):
    other = random_classifier("resnet", 3, 32)
    with pytest.raises(LookupError, match="No generator was trained"):
        get_method("progressive-exaggeration").explain(other, Radiograph(film[0, 0].numpy()), "Finding 1")


def test_weights_that_are_not_the_cards_are_refused(classifier, folder, tmp_path):
    card = generator_card(classifier, folder)
    (tmp_path / "g.json").write_text((folder / "g.json").read_text())
    with pytest.raises(WeightsError, match="does not lie beside"):
        load_generator(card, torch.device("cpu"), tmp_path)
    (tmp_path / "g.safetensors").write_bytes(b"something else")
    with pytest.raises(WeightsError, match="SHA-256"):
        load_generator(card, torch.device("cpu"), tmp_path)


def test_latent_shift_serves_any_classifier_and_moves_the_answer_both_ways(folder, film):
    classifier = random_classifier("resnet", 3, 32)
    series = latent.shifted(classifier, film, "Finding 2", limits=LENIENT, folder=folder)
    own = float(torch.sigmoid(classifier(4 * film - 2)[0, 1]))
    assert series.own == pytest.approx(own, abs=1e-4)
    assert (np.diff(series.reached) >= -1e-3).all()
    assert series.reached[0] < own < series.reached[-1] or np.ptp(series.reached) > 0
    assert series.cost.likeness < 0.9


def test_latent_shift_lands_where_the_search_says(folder, classifier, film):
    series = latent.shifted(classifier, film, "Large", (0.2, 0.4, 0.5, 0.9), LENIENT, folder=folder)
    logits = classifier(torch.from_numpy(series.films)[:, None])[:, 0]
    np.testing.assert_allclose(series.reached, torch.sigmoid(logits), rtol=1e-4)


def test_shifts_are_read_off_the_stretch_that_rises():
    tried = np.array([-2.0, -1.0, 0.0, 1.0, 2.0, 4.0], dtype=np.float32)
    posteriors = np.array([0.3, 0.1, 0.4, 0.6, 0.8, 0.5])
    chosen = shifts_for(tried, posteriors, np.array([0.05, 0.25, 0.4, 0.7, 0.95]))
    np.testing.assert_allclose(chosen, [-1.0, -0.5, 0.0, 1.5, 2.0], atol=1e-6)
