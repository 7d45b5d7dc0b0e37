"""Shares of the evidence in lungs, heart and air: hand-counted films, and NaN where undefined."""

from __future__ import annotations

import math

import numpy as np
import pytest

import evaluation.baselines.anatomy_prior as priors
import evaluation.scores.anatomy as scores
from classifiers.anatomy import Anatomy
from evaluation.baselines.anatomy_prior import HEART_FINDINGS, LUNG_FINDINGS, anatomy_prior, organ_mask, organ_of
from evaluation.scores import Case, get_metric, score_map
from evaluation.scores.anatomy import anatomy_of, relevance_share
from radiographs import Radiograph
from radiographs.findings import FURTHER_FINDINGS, NIH_FINDINGS, canonical
from tests.evaluation.looking import looker
from xai_methods import Explanation

SHAPE = (10, 20)
NAMES = ("relevance_in_lungs", "relevance_in_heart", "relevance_outside_body")


def box(top: int, bottom: int, left: int, right: int) -> np.ndarray:
    mask = np.zeros(SHAPE, dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


def anatomy(sure: bool = True, heart: bool = True, all_body: bool = False) -> Anatomy:
    return Anatomy(
        right_lung=box(2, 8, 3, 8),
        left_lung=box(2, 8, 12, 17),
        heart=box(5, 9, 7, 14) if heart else box(0, 0, 0, 0),
        body=box(0, 10, 0, 20) if all_body else box(0, 10, 2, 18),
        sure=sure,
        reason="" if sure and heart else "Something is amiss.",
    )


def case(
    on_film: np.ndarray, finding: str = "Nodule", found: Anatomy | None = None, shared: dict[str, object] | None = None
) -> Case:
    classifier = looker()
    explanation = Explanation(np.zeros((48, 48), dtype=np.float32), True, "made", {}, 0, finding, 0.0, "", "", 0.0, 0)
    kept = {"anatomy": found or anatomy()} if shared is None else shared
    film = Radiograph(np.full(SHAPE, 0.5))
    return Case(classifier=classifier, radiograph=film, explanation=explanation, on_film=on_film, shared=kept)


def spots(*values: tuple[int, int, float]) -> np.ndarray:
    on_film = np.zeros(SHAPE, dtype=np.float32)
    for row, column, value in values:
        on_film[row, column] = value
    return on_film


ONE_EACH = spots((3, 4, 4.0), (6, 7, 2.0), (6, 10, 1.0), (5, 0, 3.0), (9, 5, -50.0))
"""4 in a lung, 2 where lung and heart overlap, 1 in the heart alone, 3 in the air; the negative never counts."""


@pytest.mark.parametrize(
    ("name", "finding", "share", "area"),
    [
        ("relevance_in_lungs", "Nodule", 0.6, 60 / 200),
        ("relevance_in_heart", "Cardiomegaly", 0.3, 28 / 200),
        ("relevance_outside_body", "Nodule", 0.3, 40 / 200),
        ("relevance_outside_body", "Hernia", 0.3, 40 / 200),
    ],
)
def test_scores_and_chance_by_hand(name: str, finding: str, share: float, area: float) -> None:
    score = get_metric(name)(case(ONE_EACH, finding))
    assert score.value == pytest.approx(share)
    assert score.chance == pytest.approx(area)
    assert score.element == "physical attribution"
    assert score.direction == ("lower" if name == "relevance_outside_body" else "higher")


def test_chance_is_what_random_maps_get() -> None:
    rng = np.random.default_rng(5)
    drawn = [rng.exponential(size=SHAPE) for _ in range(400)]
    for mask in (anatomy().lungs, anatomy().heart, ~anatomy().body):
        assert np.mean([relevance_share(one, mask) for one in drawn]) == pytest.approx(mask.mean(), abs=0.01)


def test_share_of_extremes() -> None:
    lungs = anatomy().lungs
    assert relevance_share(lungs.astype(float), lungs) == 1
    assert relevance_share((~lungs).astype(float), lungs) == 0
    assert relevance_share(np.ones(SHAPE), lungs) == pytest.approx(lungs.mean())
    assert relevance_share(7e5 * ONE_EACH, lungs) == pytest.approx(relevance_share(ONE_EACH, lungs))
    assert math.isnan(relevance_share(-np.ones(SHAPE), lungs))


@pytest.mark.parametrize(
    ("name", "undefined"),
    [
        ("relevance_in_lungs", case(ONE_EACH, "Cardiomegaly")),
        ("relevance_in_heart", case(ONE_EACH, "Nodule")),
        ("relevance_in_lungs", case(ONE_EACH, found=anatomy(sure=False))),
        ("relevance_in_heart", case(ONE_EACH, "Cardiomegaly", anatomy(heart=False))),
        ("relevance_outside_body", case(ONE_EACH, found=anatomy(all_body=True))),
        ("relevance_outside_body", case(-np.ones(SHAPE))),
        ("relevance_in_lungs", case(np.zeros(SHAPE))),
    ],
)
def test_where_it_says_nothing_it_is_undefined(name: str, undefined: Case) -> None:
    score = get_metric(name)(undefined)
    assert math.isnan(score.value)
    assert math.isnan(score.chance)


def test_outside_the_body_needs_no_lungs() -> None:
    assert get_metric("relevance_outside_body")(case(ONE_EACH, found=anatomy(sure=False))).value == 0.3


def test_one_film_is_outlined_once(monkeypatch: pytest.MonkeyPatch) -> None:
    outlined: list[Radiograph] = []

    def count(film: Radiograph) -> Anatomy:
        outlined.append(film)
        return anatomy()

    monkeypatch.setattr(scores, "film_anatomy", count)
    shared: dict[str, object] = {}
    first, second = case(ONE_EACH, shared=shared), case(ONE_EACH, "Cardiomegaly", shared=shared)
    for name in NAMES:
        get_metric(name)(first)
        get_metric(name)(second)
    assert len(outlined) == 1
    assert anatomy_of(first) is anatomy_of(second)


def test_organs() -> None:
    assert organ_of("Pleural effusion") == "lungs"
    assert organ_of("enlarged heart") == "heart"
    assert organ_of("Hernia") is None
    assert organ_of("no such thing") is None
    assert not HEART_FINDINGS & LUNG_FINDINGS
    assert all(canonical(name) == name for name in HEART_FINDINGS | LUNG_FINDINGS)
    assert set(NIH_FINDINGS) | set(FURTHER_FINDINGS) >= HEART_FINDINGS | LUNG_FINDINGS


def test_the_prior_is_the_organ() -> None:
    found = anatomy()
    lungs, heart = anatomy_prior(found, "Mass"), anatomy_prior(found, "Cardiomegaly")
    assert lungs is not None
    assert heart is not None
    assert lungs.dtype == np.float32
    assert np.array_equal(lungs > 0, found.lungs)
    assert np.array_equal(heart > 0, found.heart)
    assert anatomy_prior(found, "Fracture") is None
    assert anatomy_prior(anatomy(sure=False), "Mass") is None
    assert organ_mask(anatomy(heart=False), "Cardiomegaly") is None
    inside = box(3, 5, 4, 6)
    assert score_map(lungs, inside)["pixel_auroc"].value == pytest.approx(1 - 0.5 * 56 / 196)


def test_the_same_film_is_outlined_once_for_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    outlined: list[Radiograph] = []
    monkeypatch.setattr(priors, "segment", lambda film: outlined.append(film) or anatomy())
    film = Radiograph(np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64) ** 1.234)
    assert priors.film_anatomy(film) is priors.film_anatomy(Radiograph(film.pixels.copy()))
    assert len(outlined) == 1
