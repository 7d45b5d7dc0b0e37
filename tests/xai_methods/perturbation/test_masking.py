"""Composite films show and hide exactly what their coalition says, and are counted, reported and cancelled."""

import numpy as np
import pytest
import torch

from tests.families import random_classifier
from tests.xai_methods.conftest import classifier_of
from tests.xai_methods.linear_classifier import HIGH, LOW, linear_classifier, smooth_film
from xai_methods.average_film import average_film
from xai_methods.explanation import Cancelled
from xai_methods.method import BATCH, Request
from xai_methods.parameters import ParameterError
from xai_methods.perturbation.masking import (
    HIDES,
    Game,
    RegionParameters,
    coalition_logits,
    hidden_pixels,
    looks,
    make_regions,
    regions_of,
    seed_agreement,
)


def _request(side=32, parameters=None, cancelled=lambda: False, shares=None):
    classifier = linear_classifier(side)
    return Request(
        classifier=classifier,
        film=classifier.prepare(smooth_film(side)),
        column=1,
        finding=classifier.findings[1],
        parameters=parameters or RegionParameters(n_superpixels=8),
        seed=0,
        rng=np.random.default_rng(0),
        progress=(shares if shares is not None else []).append,
        cancelled=cancelled,
    )


@pytest.mark.parametrize("hide", HIDES)
def test_composites_are_film_where_shown_and_hidden_elsewhere(hide):
    request = _request(parameters=RegionParameters(n_superpixels=8, hide=hide))
    regions = regions_of(request, request.parameters)
    coalitions = np.random.default_rng(1).random((5, 8)) < 0.5
    films = regions.composites(torch.tensor(coalitions))
    assert films.shape == (5, 1, 32, 32)
    assert films.dtype == request.film.dtype
    for film, coalition in zip(films, coalitions):
        shown = torch.tensor(coalition[regions.labels])
        assert torch.equal(film[0][shown], request.film[0, 0][shown])
        assert torch.equal(film[0][~shown], regions.hidden[~shown])


def test_mean_keeps_each_regions_grey():
    pixels = np.arange(16.0).reshape(4, 4) / 16
    labels = np.repeat([[0, 0, 1, 1]], 4, axis=0)
    hidden = hidden_pixels(pixels, labels, "mean")
    assert np.allclose(hidden[:, :2], pixels[:, :2].mean())
    assert np.allclose(hidden[:, 2:], pixels[:, 2:].mean())


def test_black_is_the_low_end_of_the_input_range():
    request = _request()
    regions = make_regions(request.classifier, request.film, np.zeros((32, 32), dtype=np.int32), "black")
    assert (regions.hidden == LOW).all()


@pytest.mark.parametrize("hide", HIDES)
def test_hidden_stays_in_the_input_range(hide):
    request = _request(parameters=RegionParameters(n_superpixels=8, hide=hide))
    hidden = regions_of(request, request.parameters).hidden
    assert hidden.min() >= LOW - 1e-6
    assert hidden.max() <= HIGH + 1e-6


def test_blur_leaves_an_even_film_alone_and_flattens_a_pattern():
    even = np.full((32, 32), 0.4)
    labels = np.zeros((32, 32), dtype=int)
    assert np.allclose(hidden_pixels(even, labels, "blur"), 0.4)
    checks = np.indices((32, 32)).sum(axis=0) % 2
    assert hidden_pixels(checks.astype(float), labels, "blur")[8:-8, 8:-8].std() < 1e-3


def test_an_unknown_way_to_hide_is_refused():
    with pytest.raises(ParameterError, match="mean, blur, black, average"):
        hidden_pixels(np.zeros((4, 4)), np.zeros((4, 4), dtype=int), "noise")
    with pytest.raises(ParameterError, match="hide"):
        RegionParameters(hide="noise")


def test_logits_are_those_of_the_films_one_by_one():
    request = _request()
    regions = regions_of(request, request.parameters)
    coalitions = np.random.default_rng(2).random((3 * BATCH + 5, 8)) < 0.5
    logits = coalition_logits(request, regions, coalitions)
    alone = [request.classifier(regions.composites(torch.tensor(row[None])))[0, 1].item() for row in coalitions]
    assert np.allclose(logits, alone, atol=1e-6)


def test_equal_coalitions_are_judged_once():
    request = _request()
    regions = regions_of(request, request.parameters)
    coalitions = np.repeat(np.eye(8, dtype=bool), 20, axis=0)
    logits = coalition_logits(request, regions, coalitions)
    assert request.evaluations == 8
    assert np.array_equal(logits[::20], logits[19::20])
    assert len(np.unique(logits)) == 8


def test_progress_rises_to_one():
    shares: list[float] = []
    request = _request(shares=shares)
    coalitions = np.random.default_rng(3).random((150, 8)) < 0.5
    coalition_logits(request, regions_of(request, request.parameters), coalitions)
    assert len(shares) > 2
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_cancelling_stops_between_batches():
    request = _request(cancelled=lambda: True)
    coalitions = np.random.default_rng(3).random((150, 8)) < 0.5
    regions = regions_of(request, request.parameters)
    with pytest.raises(Cancelled):
        coalition_logits(request, regions, coalitions)
    assert 0 < request.evaluations <= BATCH


def test_paint_puts_each_weight_on_its_superpixel():
    request = _request()
    regions = regions_of(request, request.parameters)
    painted = regions.paint(np.arange(8.0))
    assert painted.dtype == np.float32
    assert np.array_equal(painted, regions.labels)


def test_seed_agreement_foretells_the_correlation_of_two_noisy_copies():
    rng = np.random.default_rng(4)
    weights = rng.normal(0, 1, 4000)
    one, other = (weights + rng.normal(0, 0.7, 4000) for _ in range(2))
    assert seed_agreement(one, np.full(4000, 0.7)) == pytest.approx(np.corrcoef(one, other)[0, 1], abs=0.05)
    assert seed_agreement(weights, np.zeros(4000)) == 1
    assert np.isnan(seed_agreement(np.ones(5), np.ones(5)))


def test_the_average_film_is_a_film_whatever_its_size():
    for side in (32, 224):
        film = average_film(side)
        assert film.shape == (side, side)
        assert 0 <= film.min() < film.max() <= 1
        # Lungs are darker than what lies between them.
        row = film[int(0.4 * side)]
        assert max(row[int(0.32 * side)], row[int(0.65 * side)]) < row[side // 2]


def test_the_ends_of_a_game_are_judged_in_float32_and_the_rest_as_asked():
    classifier, film = random_classifier("resnet", side=32), smooth_film(32)
    request = Request(classifier, classifier.prepare(film), 0, "Finding 1", RegionParameters(n_superpixels=8), 0,
                      np.random.default_rng(0), lambda share: None, lambda: False)  # fmt: skip
    regions = regions_of(request, request.parameters)
    coalitions = np.random.default_rng(1).random((6, 8)) < 0.5
    coalitions[0], coalitions[1] = False, True
    exact = coalition_logits(request, regions, coalitions)
    rough = Game(request, regions, "bfloat16", 6)(coalitions)
    np.testing.assert_allclose(rough[:2], exact[:2], rtol=1e-5, atol=1e-5)
    assert 0 < np.abs(rough[2:] - exact[2:]).max() < 0.05 * np.abs(exact).max()


class Flat(torch.nn.Module):
    """Answers that bfloat16 cannot tell apart unless ``slope`` is large; no answer is 0."""

    def __init__(self, slope):
        super().__init__()
        self.slope = torch.nn.Parameter(torch.tensor(slope))
        self.read = torch.nn.Linear(32 * 32, 2)
        torch.nn.init.constant_(self.read.bias, 5.0)
        torch.nn.init.constant_(self.read.weight, 1 / 1024)

    def forward(self, films):
        return self.read(self.slope * films.flatten(1))


@pytest.mark.parametrize(("slope", "settled"), [(1e-3, "float32"), (30.0, "auto")])
def test_auto_leaves_bfloat16_where_rounding_would_drown_the_answers(slope, settled, monkeypatch):
    monkeypatch.setattr("xai_methods.perturbation.masking.settle_precision", lambda precision, device: "bfloat16")
    monkeypatch.setattr("xai_methods.passes.settle_precision",
                        lambda precision, device: "bfloat16" if precision == "auto" else precision)  # fmt: skip
    classifier, shares = classifier_of(Flat(slope), 2, "read", 32), []
    request = Request(classifier, classifier.prepare(smooth_film(32)), 0, "Finding 1",
                      RegionParameters(n_superpixels=8, hide="black"), 0, np.random.default_rng(0), shares.append,
                      lambda: False)  # fmt: skip
    regions = regions_of(request, request.parameters)
    coalitions = (np.arange(1, 101)[:, None] >> np.arange(8)) & 1 == 1
    game = Game(request, regions, "auto", 100)
    logits = np.concatenate([game(coalitions[:60]), game(coalitions[60:])])
    assert shares == sorted(shares)
    exact = coalition_logits(request, regions, coalitions)
    assert game.precision == settled
    assert (np.abs(logits - exact).max() < 1e-6) == (settled == "float32")
    assert np.corrcoef(logits, exact)[0, 1] > 0.99


def test_a_game_reports_progress_over_all_its_calls():
    shares: list[float] = []
    request = _request(shares=shares)
    game = Game(request, regions_of(request, request.parameters), "float32", 120)
    for seed in range(3):
        game(np.random.default_rng(seed).random((40, 8)) < 0.5)
    assert shares == sorted(shares)
    assert shares[-1] == 1


@pytest.mark.parametrize(("least", "most"), [(101, 500), (8, 9), (30, 30), (50, 20)])
def test_looks_keep_pairs_whole_and_end_at_the_budget(least, most):
    found = looks(least, most, 0.9)
    assert found[-1] == most
    assert found == sorted(set(found))
    assert all((number - least) % 2 == 0 for number in found[:-1])
    assert looks(least, most, 1.0) == [most]
