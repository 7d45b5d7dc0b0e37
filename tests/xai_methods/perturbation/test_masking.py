"""Composite films show and hide exactly what their coalition says."""

import numpy as np
import pytest
import torch

from tests.xai_methods.linear_classifier import HIGH, LOW, linear_classifier, smooth_film
from xai_methods.average_film import average_film
from xai_methods.method import Request
from xai_methods.parameters import ParameterError
from xai_methods.perturbation.masking import (
    HIDES,
    RegionParameters,
    hidden_pixels,
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
