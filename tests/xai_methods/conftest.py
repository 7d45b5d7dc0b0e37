from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from classifiers import ChestClassifier, ModelCard, Preprocessing
from radiographs import Radiograph
from tests.families import random_classifier
from xai_methods import Parameters

SIDE = 32
FINDINGS = 3


def classifier_of(
    network: nn.Module, n_findings: int, cam_layer: str, side: int, low: float = 0.0, high: float = 1.0
) -> ChestClassifier:
    card = ModelCard("test", "Test", "", "nothing", "none needed", "", "For tests only.")
    findings = tuple(f"Finding {number + 1}" for number in range(n_findings))
    return ChestClassifier(network, findings, card, cam_layer, Preprocessing(side, "pad", low, high))


def film_of(side: int, seed: int = 0) -> Radiograph:
    """A smooth random film: a random walk in both directions, scaled to [0, 1]."""
    rough = np.random.default_rng(seed).normal(size=(side, side)).cumsum(axis=0).cumsum(axis=1)
    return Radiograph(((rough - rough.min()) / np.ptp(rough)).astype(np.float32))


@pytest.fixture(scope="session")
def film() -> Radiograph:
    return film_of(SIDE)


@pytest.fixture(scope="session")
def other_film() -> Radiograph:
    return film_of(SIDE, seed=1)


@pytest.fixture(scope="session")
def family_classifier() -> Callable[[str], ChestClassifier]:
    """Classifiers by family, built once."""
    built: dict[str, ChestClassifier] = {}

    def get(family: str) -> ChestClassifier:
        if family not in built:
            built[family] = random_classifier(family, FINDINGS, SIDE, seed=3)
        return built[family]

    return get


@pytest.fixture(scope="session")
def linear_classifier() -> ChestClassifier:
    """Logits are weighted sums of the pixels plus a bias; the input range is [-2, 2]."""
    generator = torch.Generator().manual_seed(5)
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, FINDINGS))
    with torch.no_grad():
        network[1].weight.normal_(generator=generator)
        network[1].bias.normal_(generator=generator)
    return classifier_of(network, FINDINGS, "0", 8, -2.0, 2.0)


def small_parameters(kind: type[Parameters]) -> Parameters:
    """The cheapest parameters a method allows that still let its map differ from seed to seed.

    Counts of samples and masks go down to 24, of films and steps to 8, or to their lower bound where that is higher;
    no film is refused; all else is as it is by default.
    """
    given = {}
    for name, bounds, value in kind().described():
        is_count = isinstance(value, int) and not isinstance(value, bool)
        if is_count and bounds.low is not None and any(word in name for word in ("samples", "masks")):
            given[name] = min(value, max(24, int(bounds.low)))
        if is_count and bounds.low is not None and any(word in name for word in ("films", "steps")):
            given[name] = min(value, max(8, int(bounds.low)))
        if is_count and bounds.low is not None and any(word in name for word in ("regions", "superpixels", "segments")):
            given[name] = min(value, max(12, int(bounds.low)))
        if name == "refuse":
            given[name] = False
    return kind.parse(given)
