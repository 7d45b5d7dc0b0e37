import copy

import numpy as np
import pytest
import torch
from torch import nn

from evaluation.stability.availability import availability, difference_curve, precision, random_direction
from evaluation.stability.sensitivity import measure
from evaluation.stability.switches import switched_share
from tests.evaluation.stability.made import SIDE, flat_film, hinge, linear, probe_of
from tests.xai_methods.conftest import classifier_of


def bent() -> nn.Sequential:
    """A smooth network of moderate curvature."""
    generator = torch.Generator().manual_seed(4)
    network = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Softplus(), nn.Flatten(), nn.Linear(256, 2))
    with torch.no_grad():
        for weight in network.parameters():
            weight.normal_(0, 0.5, generator=generator)
    return network


def test_the_curve_of_a_smooth_network_is_a_v():
    probe = probe_of(classifier_of(bent(), 2, "0", SIDE))
    found = measure(probe)
    curve = difference_curve(probe, found, random_direction(SIDE), "random", (1e-5, 1e-3, 0.1, 10, 100))
    errors = curve.errors
    assert errors[0] > 10 * errors[1] > 0
    assert errors[-1] > 10 * errors[2]
    assert curve.best < 1e-3


def test_double_precision_removes_the_rounding_arm_of_the_v():
    classifier = classifier_of(bent().double(), 2, "0", SIDE)
    probe = probe_of(classifier)
    probe.input = lambda films, dtype=None, plain=probe.input: plain(films, torch.float64)
    found = measure(probe)
    steps = (1e-5, 1e-3)
    curve = difference_curve(probe, found, random_direction(SIDE), "random", steps, classifier.network)
    assert curve.double
    assert curve.errors.max() < 1e-5


def test_a_linear_model_is_available_in_every_precision():
    probe = probe_of(linear())
    found = measure(probe)
    single, half = precision(probe, found, copy.deepcopy(probe.classifier.network).double())
    assert single < 1e-6
    assert 1e-5 < half < 0.02
    known = availability(probe, found)
    assert known.status == "available"
    assert all(np.isnan(share).all() for share in known.switches.values())
    expected = found.l2 * np.linalg.norm(probe.film) / np.abs(found.logits)
    np.testing.assert_allclose(known.conditions, expected)


def test_a_network_that_fails_in_bfloat16_says_nothing_of_it():
    class Picky(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(64, 1)

        def forward(self, films):
            if films.dtype == torch.bfloat16:
                raise NotImplementedError("no such kernel")
            return self.inner(films.flatten(1))

    with torch.random.fork_rng(devices=[]):
        probe = probe_of(classifier_of(Picky(), 1, "inner", SIDE))
    single, half = precision(probe, measure(probe), copy.deepcopy(probe.classifier.network).double())
    assert single < 1e-5
    assert np.isnan(half)


def test_a_blind_model_is_not_available():
    classifier = linear()
    with torch.no_grad():
        classifier.network[1].weight.zero_()
    probe = probe_of(classifier)
    known = availability(probe, measure(probe))
    assert known.status == "not available"
    assert "zero" in known.reason


def test_a_film_on_a_kink_is_not_available():
    # At the ceiling itself the two sides differ, and no step makes differences agree with either.
    probe = probe_of(hinge(0.5), flat_film(0.5))
    found = measure(probe)
    known = availability(probe, found)
    assert known.status == "not available"


def test_switches_are_counted_by_hand():
    network = nn.Sequential(nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16, 1))
    classifier = classifier_of(network, 1, "0", SIDE, -1.0, 1.0)
    pixels = np.full((SIDE, SIDE), 0.75, dtype=np.float32)
    pixels[0, 0] = 0.9
    from radiographs import Radiograph

    probe = probe_of(classifier, Radiograph(pixels))
    one_off, other_winner = probe.film.copy(), probe.film.copy()
    one_off[3, 3] = 0.25
    other_winner[1, 1] = 1.0
    shares = switched_share(probe, np.stack([probe.film, one_off, other_winner]))
    np.testing.assert_allclose(shares, [0, 1 / 80, 1 / 80])


def test_relu6_has_two_kinks():
    network = nn.Sequential(nn.Flatten(), nn.ReLU6(), nn.Linear(64, 1))
    probe = probe_of(classifier_of(network, 1, "0", SIDE, -10.0, 10.0), flat_film(0.6))
    shares = switched_share(probe, np.stack([np.full((SIDE, SIDE), grey) for grey in (0.7, 0.9, 0.4)]))
    np.testing.assert_allclose(shares, [0, 1, 1])


def test_families_switch_more_for_larger_steps(family_classifier, film):
    for family in ("resnet", "densenet"):
        probe = probe_of(family_classifier(family), film)
        moves = np.array([1e-4, 1e-2, 1.0])[:, None, None] * random_direction(probe.side)
        shares = switched_share(probe, probe.film + moves)
        assert (np.diff(shares) > 0).all()
        assert 0 <= shares[0] < 0.05 < shares[-1] <= 1


def test_directions_come_from_the_seed():
    assert np.array_equal(random_direction(6, 1), random_direction(6, 1))
    assert not np.array_equal(random_direction(6, 1), random_direction(6, 2))
    assert np.linalg.norm(random_direction(6)) == pytest.approx(1)
