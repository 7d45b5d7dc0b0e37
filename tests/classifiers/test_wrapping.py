"""Networks that give no logits, or nothing that hangs on the film, are refused; findings that exclude each other."""

import numpy as np
import pytest
import torch
from torch import nn

from classifiers import wrap
from classifiers.memory import OutOfMemoryError
from classifiers.weights import WeightsError
from classifiers.wrapping import AgainstTheRest
from radiographs import Radiograph
from xai_methods import get_method

FINDINGS = ("Mass", "Nodule", "Hernia")
FILM = Radiograph(np.random.default_rng(0).random((32, 32), dtype=np.float32))


def _network(*ending):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(1, 4, 4, 4), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3), *ending)


class Constant(nn.Module):
    def forward(self, scores):
        return torch.ones_like(scores)


class Called(nn.Module):
    """Ends as networks do that call a function instead of holding a layer."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, scores):
        return self.function(scores).squeeze()[..., :]


class Hungry(nn.Module):
    """Wants more memory than any computer has, where it is told to."""

    starved = False

    def forward(self, scores):
        return scores + torch.empty(2**50).mean() if self.starved else scores


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        ((nn.Sigmoid(),), "ends in a sigmoid"),
        ((nn.Softmax(dim=1),), "ends in a softmax"),
        ((nn.Softmax(dim=1), nn.Identity()), "ends in a softmax"),
        ((Called(torch.sigmoid),), "ends in a sigmoid"),
        ((Called(lambda scores: scores.double().softmax(1).float()),), "ends in a softmax"),
        ((nn.LogSoftmax(dim=1),), "log-softmax.*softmax=True"),
        ((Constant(),), "do not move with the film"),
        ((nn.Linear(3, 5),), r"It gives \(5,\) a film"),
    ],
)
def test_what_gives_no_logits_is_refused(ending, words):
    with pytest.raises(WeightsError, match=words):
        wrap(_network(*ending), FINDINGS, side=32)


def test_findings_that_exclude_each_other_become_each_against_the_others():
    plain, against = wrap(_network(), FINDINGS, side=32), wrap(_network(), FINDINGS, side=32, softmax=True)
    expected = torch.softmax(torch.tensor(plain.logits(FILM)), dim=0)
    assert list(against.probabilities(FILM).values()) == pytest.approx(expected.tolist(), rel=1e-5)
    assert get_method("integrated-gradients").explain(against, FILM, "Nodule").values.any()
    logs = wrap(_network(nn.LogSoftmax(dim=1)), FINDINGS, side=32, softmax=True)
    assert list(logs.probabilities(FILM).values()) == pytest.approx(expected.tolist(), rel=1e-5)
    with pytest.raises(WeightsError, match="at least two"):
        wrap(_network(), FINDINGS[:1], side=32, softmax=True)
    scores = torch.tensor([[2.0, -1.0]])
    assert AgainstTheRest(nn.Identity())(scores).tolist() == [[3.0, -3.0]]


def test_a_network_without_enough_memory_says_so_and_the_next_film_goes_on():
    hungry = Hungry()
    hungry.starved = True
    with pytest.raises(WeightsError, match=r"not enough memory .* 32 x 32"):
        wrap(_network(hungry), FINDINGS, side=32)
    hungry.starved = False
    classifier = wrap(_network(hungry), FINDINGS, side=32)
    hungry.starved = True
    with pytest.raises(OutOfMemoryError, match="not enough memory for own on films of 32 x 32"):
        classifier.logits(FILM)
    with pytest.raises(OutOfMemoryError, match="smaller input side"):
        get_method("grad-cam").explain(classifier, FILM, "Mass")
    hungry.starved = False
    assert get_method("grad-cam").explain(classifier, FILM, "Mass").values.any()
