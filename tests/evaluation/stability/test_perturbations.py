import numpy as np
import pytest

from evaluation.scores import Case, metrics
from evaluation.stability import study
from evaluation.stability.perturbations import (
    PERTURBATIONS,
    USUAL,
    averaged,
    first_flip,
    grain_of,
    noise_level,
    perturb,
    perturb_all,
)
from evaluation.stability.sensitivity import measure
from radiographs import Radiograph
from tests.evaluation.stability.made import flat_film, linear, probe_of
from tests.xai_methods.conftest import film_of
from xai_methods import Cancelled, get_method

BY_NAME = {p.name: p for p in PERTURBATIONS}


def with_noise(spread: float) -> Radiograph:
    noise = spread * np.random.default_rng(0).standard_normal((200, 220))
    return Radiograph(np.clip(film_of(220).pixels[:200] * 0.4 + 0.3 + noise, 0, 1).astype(np.float32))


@pytest.mark.parametrize("spread", [0.01, 0.03])
def test_the_noise_of_a_film_is_found_and_doubled_at_half_the_dose(spread):
    film = with_noise(spread)
    assert noise_level(film.pixels) == pytest.approx(spread, rel=0.1)
    added = perturb(film, BY_NAME["noise"], 2.0).pixels - film.pixels
    assert added.std() == pytest.approx(spread, rel=0.1)
    assert noise_level(flat_film().pixels) == pytest.approx(1 / 255 / 12**0.5)


def test_each_change_does_what_it_says():
    film = film_of(40)
    pixels = film.pixels
    np.testing.assert_array_equal(perturb(film, BY_NAME["shift"], 1.0, 3.0).pixels[:, 3:], pixels[:, :-3])
    brighter = perturb(film, BY_NAME["brighter"], 5.0).pixels
    np.testing.assert_allclose(brighter, np.clip(pixels + 0.05, 0, 1), atol=1e-6)
    flatter = perturb(film, BY_NAME["flatter"], -10.0).pixels
    assert flatter.std() == pytest.approx(0.9 * pixels.std(), rel=1e-3)
    assert perturb(film, BY_NAME["blur"], 1.0, 2.0).pixels.std() < pixels.std()
    turned = perturb(film, BY_NAME["rotation"], 2.0).pixels
    assert 0 < np.abs(turned - pixels).mean() < 0.1
    packed = [np.abs(perturb(film, BY_NAME["jpeg"], q).pixels - pixels).mean() for q in (90, 75, 50)]
    assert 0 < packed[0] < packed[1] < packed[2]


@pytest.mark.parametrize("perturbation", PERTURBATIONS, ids=lambda p: p.name)
def test_every_change_keeps_shape_and_range_and_grows_with_the_level(perturbation):
    film = with_noise(0.01)
    sizes = []
    for level, value in enumerate(perturbation.levels):
        made = perturb(film, perturbation, value, 1.5)
        assert made.shape == film.shape
        assert f"{abs(value):g}" in perturbation.at(level)
        sizes.append(np.abs(made.pixels - film.pixels).mean())
    assert 0 < sizes[0] < sizes[1] < sizes[2]


def test_large_films_are_averaged_down_and_small_ones_left_alone():
    large = Radiograph(np.tile(np.array([[0, 1], [1, 0]], dtype=np.float32), (64, 32)))
    small = averaged(large, 64)
    assert small.shape == (64, 32)
    np.testing.assert_allclose(small.pixels, 0.5)
    assert averaged(small, 64) is small


def test_grain_follows_the_fit():
    preprocessing = linear().preprocessing
    assert grain_of(preprocessing, (40, 80)) == 10
    from dataclasses import replace

    assert grain_of(replace(preprocessing, fit="crop"), (40, 80)) == 5


def test_flips_are_counted_against_the_threshold_and_the_mildest_comes_first():
    classifier = linear()
    film = film_of(64)
    probe = probe_of(classifier, film)
    found = measure(probe)
    just_below = found.logits.copy()
    just_below[0] -= 1e-6
    perturbed = perturb_all(probe, film, found, just_below)
    assert len(perturbed) == 3 * len(PERTURBATIONS)
    for done in perturbed:
        np.testing.assert_allclose(done.true, done.predicted, atol=1e-4)
        assert done.flips[0] == (done.true[0] < -1e-6)
    flipping = [done for done in perturbed if done.flips[0]]
    assert flipping
    assert first_flip(perturbed, 0).level == min(done.level for done in flipping)
    far = perturb_all(probe, film, found, found.logits - 100)
    assert first_flip(far, 0) is None


def test_a_study_holds_everything_and_can_be_done_again(family_classifier):
    classifier, film = family_classifier("resnet"), film_of(48)
    shares = []
    first = study(classifier, film, report=shares.append)
    again = study(classifier, film)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert first.passes == again.passes > 60
    np.testing.assert_array_equal(first.strongest.true, again.strongest.true)
    np.testing.assert_array_equal([d.true for d in first.perturbed], [d.true for d in again.perturbed])
    logits = classifier.logits(film)
    np.testing.assert_allclose(first.sensitivity.logits, logits, atol=1e-5)
    middle = len(first.strongest.steps) // 2
    np.testing.assert_allclose(first.probabilities()[middle], 1 / (1 + np.exp(-logits)), atol=1e-5)
    np.testing.assert_array_equal(first.moved_film(0), first.prepared)
    moved = first.moved_film(first.strongest.steps[-1])
    assert moved.min() >= 0
    assert moved.max() <= 1
    assert set(first.first_flips()) == set(classifier.findings)


def test_a_study_can_be_cancelled(family_classifier):
    with pytest.raises(Cancelled):
        study(family_classifier("resnet"), film_of(48), cancelled=lambda: True)


def test_assessments_give_the_numbers_of_the_study(family_classifier):
    classifier, film = family_classifier("resnet"), film_of(48)
    explanation = get_method("grad-cam").explain(classifier, film, "Finding 2")
    case = Case(classifier=classifier, radiograph=film, explanation=explanation, on_film=explanation.values)
    found = study(classifier, film)
    known = {name: one for name, one in metrics().items() if name.startswith("stability_")}
    scores = {name: one(case) for name, one in known.items()}
    assert scores["stability_spectral_norm"].value == pytest.approx(found.sensitivity.singular[0] * 32 / 255, rel=1e-5)
    assert scores["stability_distance"].value == pytest.approx(found.distances[1].l2, rel=1e-5)
    assert scores["stability_linear_radius"].value <= found.distances[1].l2 * 1.001
    for perturbation in PERTURBATIONS:
        (done,) = [d for d in found.perturbed if d.name == perturbation.name and d.level == USUAL]
        assert scores[f"stability_flip_{perturbation.name}"].value == float(done.flips[1])
    assert len(known) == 3 + len(PERTURBATIONS)
