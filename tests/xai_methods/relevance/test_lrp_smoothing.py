"""Smoothing of relevance: off it changes nothing, on it conserves the sum and evens out the strides' grid."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from dashboard.shared.map_notes import notes_on
from tests.xai_methods.conftest import classifier_of, film_of
from xai_methods import get_method
from xai_methods.relevance.lrp import LrpParameters, smoothed


class Strided(nn.Module):
    """A 1 x 1 convolution of stride 4: it reads one pixel in sixteen."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 4, 1, stride=4)
        self.last = nn.Linear(4, 3)
        with torch.no_grad():
            self.first.weight.fill_(0.5)
            self.last.weight.fill_(0.25)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.relu(self.first(x)).mean((2, 3)))


def test_the_grid_of_a_stride_is_evened_out_and_the_sum_conserved():
    classifier, film = classifier_of(Strided().eval(), 3, "first", 32), film_of(32)
    finding = classifier.findings[0]
    lrp = get_method("lrp")
    plain = lrp.explain(classifier, film, finding, parameters=LrpParameters(composite="epsilon"))
    even = lrp.explain(classifier, film, finding, parameters=LrpParameters(composite="epsilon", smoothing=6.0))
    assert even.values.sum(dtype=np.float64) == pytest.approx(plain.values.sum(dtype=np.float64), rel=1e-4)

    def grid(values: np.ndarray) -> float:
        """How far the pixels that are read stand out from those between them."""
        read = np.abs(values[::4, ::4]).mean()
        return float(abs(read - np.abs(values[2::4, 2::4]).mean()) / read)

    assert grid(plain.values) > 0.99
    assert grid(even.values) < 0.1
    assert not any("smoothed" in note for note in notes_on(plain))
    assert any("smoothed over 6 input pixels" in note for note in notes_on(even))


def test_by_default_the_map_is_left_as_it_is():
    values = np.random.default_rng(0).normal(size=(20, 20)).astype(np.float32)
    assert smoothed(values, LrpParameters()) is values
