"""Networks whose Jacobians are known in closed form, and films for them."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from classifiers import ChestClassifier
from evaluation.stability.probe import Probe
from radiographs import Radiograph
from tests.xai_methods.conftest import classifier_of, film_of

SIDE = 8


def linear(n_findings: int = 3, seed: int = 5) -> ChestClassifier:
    """Logits are weighted sums of the pixels; the input range is [-2, 2]."""
    generator = torch.Generator().manual_seed(seed)
    network = nn.Sequential(nn.Flatten(), nn.Linear(SIDE * SIDE, n_findings))
    with torch.no_grad():
        network[1].weight.normal_(0, 0.05, generator=generator)
        network[1].bias.normal_(0, 1, generator=generator)
    return classifier_of(network, n_findings, "0", SIDE, -2.0, 2.0)


def rows_of(classifier: ChestClassifier) -> np.ndarray:
    """The Jacobian of :func:`linear` in logit per full grey range: 4 input units."""
    return 4 * classifier.network[1].weight.detach().double().numpy().reshape(-1, SIDE, SIDE)


class Hinge(nn.Module):
    """One logit that rises with the mean input and stops at a ceiling: a ReLU with a kink at a known place."""

    def __init__(self, ceiling: float) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.ceiling = nn.Parameter(torch.tensor(ceiling))

    def forward(self, films: torch.Tensor) -> torch.Tensor:
        return (self.ceiling - self.relu(self.ceiling - films.mean(dim=(1, 2, 3))))[:, None]


def hinge(ceiling: float) -> ChestClassifier:
    return classifier_of(Hinge(ceiling), 1, "relu", SIDE)


def flat_film(grey: float = 0.5) -> Radiograph:
    return Radiograph(np.full((SIDE, SIDE), grey, dtype=np.float32))


def probe_of(classifier: ChestClassifier, film: Radiograph | None = None) -> Probe:
    return Probe.of(classifier, film_of(SIDE) if film is None else film)
