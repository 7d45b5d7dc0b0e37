"""Logits of films with regions hidden: counted, reported, cancelled, and shared between methods and threads."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.families import random_classifier
from tests.xai_methods.conftest import classifier_of
from tests.xai_methods.linear_classifier import linear_classifier, smooth_film
from xai_methods.explanation import Cancelled
from xai_methods.method import BATCH, Request
from xai_methods.perturbation import game as game_module
from xai_methods.perturbation.game import PER_COALITION, PER_GAME, Game, coalition_logits, forget_answers
from xai_methods.perturbation.masking import RegionParameters, regions_of


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
    monkeypatch.setattr("xai_methods.perturbation.game.settle_precision",
                        lambda precision, device: "bfloat16" if precision == "auto" else precision)  # fmt: skip
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


def _asked_again(request, column=1):
    """The same question from another method, or of another finding."""
    return replace(request, column=column, evaluations=0)


def test_what_one_method_had_computed_serves_others_and_other_findings():
    request = _request()
    regions = regions_of(request, request.parameters)
    coalitions = np.random.default_rng(4).random((40, 8)) < 0.5
    first = coalition_logits(request, regions, coalitions[:30])
    again, other = _asked_again(request), _asked_again(request, column=0)
    fresh = regions_of(again, again.parameters)
    assert np.array_equal(coalition_logits(again, fresh, coalitions[:30]), first)
    assert again.evaluations == 0
    alone = [request.classifier(regions.composites(torch.tensor(row[None])))[0, 0].item() for row in coalitions]
    assert np.allclose(coalition_logits(other, fresh, coalitions), alone, atol=1e-6)
    assert other.evaluations == len(np.unique(coalitions, axis=0)) - len(np.unique(coalitions[:30], axis=0))
    forget_answers(request.classifier)
    anew = _asked_again(request)
    coalition_logits(anew, regions, coalitions[:30])
    assert anew.evaluations == request.evaluations


def test_as_many_games_are_remembered_as_fit(monkeypatch):
    request = _request()
    coalitions = np.random.default_rng(4).random((20, 8)) < 0.5
    first = regions_of(request, request.parameters)
    games = [replace(first, film=first.film + 0.1 * number) for number in range(12)]

    def computed(regions) -> bool:
        asked = _asked_again(request)
        coalition_logits(asked, regions, coalitions)
        return asked.evaluations > 0

    assert all(computed(game) for game in games)
    assert not any(computed(game) for game in games), "what ten people look at is still there for their next method"
    held = PER_GAME + len(np.unique(coalitions, axis=0)) * (PER_COALITION + 4 * len(request.classifier.findings))
    monkeypatch.setattr(game_module, "MOST_BYTES", 3 * held)
    assert not computed(games[0])
    assert not computed(games[-1])
    assert computed(games[1]), "the least recently used went"


@pytest.mark.parametrize("part", ["film", "hide", "weights"])
def test_another_film_hidden_otherwise_or_under_other_weights_is_another_game(part):
    request = _request()
    regions = regions_of(request, request.parameters)
    coalitions = np.random.default_rng(4).random((20, 8)) < 0.5
    first = coalition_logits(request, regions, coalitions)
    other = _asked_again(request)
    if part == "film":
        regions = replace(regions, film=regions.film + 0.1)
    elif part == "hide":
        regions = replace(regions, hidden=regions.hidden + 0.1)
    else:
        with torch.no_grad():
            next(request.classifier.network.parameters()).mul_(1.5)
    second = coalition_logits(other, regions, coalitions)
    assert other.evaluations == request.evaluations
    assert np.abs(first - second).max() > 1e-3


def test_threads_that_want_the_same_share_it_and_each_gets_all():
    requests = [_request()]
    requests += [_asked_again(requests[0]) for _ in range(3)]
    regions = regions_of(requests[0], requests[0].parameters)
    coalitions = (np.arange(256)[:, None] >> np.arange(8)) & 1 == 1
    with ThreadPoolExecutor(len(requests)) as pool:
        found = list(pool.map(lambda request: coalition_logits(request, regions, coalitions), requests))
    assert sum(request.evaluations for request in requests) == 256
    for logits in found:
        assert np.array_equal(logits, found[0])
    assert len(np.unique(found[0])) > 200


def test_work_that_is_cancelled_or_fails_is_left_for_others(monkeypatch):
    request = _request()
    regions = regions_of(request, request.parameters)
    coalitions = np.random.default_rng(5).random((30, 8)) < 0.5
    broken = _asked_again(request)
    monkeypatch.setattr(broken, "all_logits", lambda films, precision: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        coalition_logits(broken, regions, coalitions)
    stopped = replace(_asked_again(request), cancelled=lambda: True)
    with pytest.raises(Cancelled):
        coalition_logits(stopped, regions, coalitions)
    coalition_logits(request, regions, coalitions)
    assert stopped.evaluations + request.evaluations == len(np.unique(coalitions, axis=0))
