"""The contract of all metrics: they leave the model as it is, can be cancelled, and say what they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from evaluation.scores import Case, MapCase, Region, get_metric, metrics, register, score_case, score_map
from evaluation.scores.actionability import strongest
from tests.evaluation.cases import SIDE, case_of
from tests.evaluation.looking import Spots, looker
from tests.families import random_classifier
from tests.xai_methods.conftest import film_of
from xai_methods import Cancelled, get_method

NAMES = [
    name
    for name, one in metrics().items()
    if one.element in ("model transparency", "actionability") and not name.startswith("stability_")
]
MEASURES_OF_ONE_TEST = {name for name in NAMES if name.startswith(("cascading", "independent"))} - {"cascading_ssim"}


@pytest.fixture(scope="module")
def classifier():
    return random_classifier("vgg", 2, SIDE, seed=4)


@pytest.fixture
def case(classifier) -> Case:
    film = film_of(SIDE)
    explanation = get_method("jacobian").explain(classifier, film, "Finding 1")
    mask = np.zeros(film.shape, dtype=bool)
    mask[4:9, 4:9] = True
    other = random_classifier("vgg", 2, 40, seed=5)
    return Case(
        classifier=classifier, radiograph=film, explanation=explanation, on_film=classifier.to_film(explanation, film),
        region=Region(mask), others=(other,),
    )  # fmt: skip


def hooks_of(classifier) -> int:
    return sum(len(m._forward_hooks) + len(m._backward_hooks) for m in classifier.modules())


@pytest.mark.parametrize("name", [name for name in NAMES if name not in MEASURES_OF_ONE_TEST])
def test_a_metric_leaves_everything_as_it_was(name: str, case: Case) -> None:
    classifier, dice = case.classifier, torch.get_rng_state()
    numpy_dice = np.random.get_state()[1].copy()  # noqa: NPY002
    seen: list[float] = []
    case.report = seen.append
    score = get_metric(name)(case)
    again = get_metric(name)(replace(case, shared={}))
    assert score.value == pytest.approx(again.value, nan_ok=True)
    assert classifier.digest == classifier._digest()
    assert not classifier.training
    assert hooks_of(classifier) == 0
    assert torch.equal(dice, torch.get_rng_state())
    assert np.array_equal(numpy_dice, np.random.get_state()[1])  # noqa: NPY002
    assert all(0 <= share <= 1 + 1e-9 for share in seen)


@pytest.mark.parametrize("name", [n for n in NAMES if metrics()[n].slow and n not in MEASURES_OF_ONE_TEST])
def test_slow_metrics_can_be_cancelled(name: str, case: Case) -> None:
    if name.startswith("repeatability"):
        drawn = get_method("smoothgrad").explain(case.classifier, case.radiograph, "Finding 1")
        case = replace(case, explanation=drawn)

    def cancel(share: float) -> None:
        raise Cancelled

    case.report = cancel
    with pytest.raises(Cancelled):
        get_metric(name)(case)


@pytest.mark.parametrize("name", NAMES)
def test_a_metric_says_what_it_is(name: str) -> None:
    one = get_metric(name)
    for words in (one.title, one.meaning, one.formula, one.source, one.caveat):
        assert words.strip() == words
        assert words
    assert one.meaning.endswith(".")
    assert one.caveat.endswith(".")


def test_a_method_without_chance_is_not_run_again_for_its_repeatability(case: Case) -> None:
    case.explain_again = lambda **given: pytest.fail("explained again")  # type: ignore[method-assign]
    assert get_metric("repeatability_ssim")(case).value == pytest.approx(1)


def test_an_arrays_case_has_the_scores_that_need_no_more() -> None:
    values = np.random.default_rng(0).normal(size=(16, 16))
    mask = np.zeros((16, 16), dtype=bool)
    mask[2:6, 2:6] = True
    scores = score_case(MapCase.of(values, mask))
    assert scores["pixel_auprc"] == score_map(values, mask)["pixel_auprc"]
    assert scores["entropy"].defined
    for name, metric in metrics().items():
        assert metric.needs <= {"mask"} or not scores[name].defined, name


def test_values_lie_in_the_range_that_a_metric_declares(case: Case) -> None:
    for name, score in score_case(case, [n for n in NAMES if "repeats" not in metrics()[n].needs]).items():
        metric = metrics()[name]
        assert not score.defined or metric.low <= score.value <= metric.high, name


def test_without_an_outline_what_needs_one_is_undefined(case: Case) -> None:
    case.region = Region(np.zeros(case.radiograph.shape, dtype=bool))
    for name in ("expert_blur_drop", "map_blur_drop"):
        score = get_metric(name)(case)
        assert np.isnan(score.value)
        assert np.isnan(score.chance)


def test_names_are_unique_and_unknown_ones_are_told() -> None:
    one = get_metric("road")
    with pytest.raises(ValueError, match="registered already"):
        register(one)
    with pytest.raises(LookupError, match=r"there is no metric 'rode'; did you mean 'road'"):
        get_metric("rode")


def test_blurring_what_the_model_looks_at_counts() -> None:
    spots = Spots()
    film, mask = spots.read("00"), spots.annotations("00")[0].mask
    right = np.where(mask, 1.0, 0.0) + 0.001 * np.random.default_rng(0).random(mask.shape)
    seeing = case_of(looker(), film, right, mask=mask)
    blind = case_of(looker(mirrored=True), film, right, mask=mask)
    for name in ("expert_blur_drop", "map_blur_drop"):
        assert get_metric(name)(seeing).value > 1
        assert get_metric(name)(blind).value < 1e-3
        assert get_metric(name)(seeing).chance == 0
    assert np.array_equal(strongest(seeing), mask)


def test_a_map_without_positive_evidence_has_no_peak_to_blur() -> None:
    spots = Spots()
    film, mask = spots.read("00"), spots.annotations("00")[0].mask
    case = case_of(looker(), film, -np.ones(film.shape), mask=mask)
    assert np.isnan(get_metric("map_blur_drop")(case).value)


def test_randomisation_is_measured_once_for_all_its_measures(case: Case) -> None:
    first = get_metric("cascading_ssim")(case).value
    case.explain_again = lambda **given: pytest.fail("explained again")  # type: ignore[method-assign]
    assert get_metric("cascading_spearman")(case).value != first
    assert np.isfinite(get_metric("randomised_ssim")(case).value)
