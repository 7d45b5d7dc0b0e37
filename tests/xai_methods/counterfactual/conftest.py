"""A classifier of discs and cards for it, as the project's own lie in its assets."""

from dataclasses import asdict

import pytest
import torch
from torch import nn

from classifiers import ChestClassifier, ModelCard, Preprocessing
from tests.xai_methods.counterfactual.discs import SIDE, AreaClassifier, disc
from xai_methods.counterfactual import registry
from xai_methods.counterfactual.autoencoder import Autoencoder, AutoencoderShape
from xai_methods.counterfactual.calibration import BalancedPosterior
from xai_methods.counterfactual.networks import Generator, GeneratorShape
from xai_methods.counterfactual.registry import save_counterfactual

SHAPE = GeneratorShape(2, 32, (8, 16, 16, 16), 8)


def area_classifier() -> ChestClassifier:
    card = ModelCard("discs", "Discs", "", "nothing", "none needed", "", "For tests only.")
    network = nn.Sequential(AreaClassifier(), nn.Linear(1, 3, bias=False))
    with torch.no_grad():
        network[1].weight.copy_(torch.tensor([[1.0], [-1.0], [0.5]]))
    return ChestClassifier(network, ("Large", "Small", "Other"), card, "0.last", Preprocessing(SIDE))


def card_of(name: str, kind: str, shape, classifier: ChestClassifier | None, findings=()) -> dict:
    return {
        "name": name, "kind": kind, "title": name, "summary": "", "trained_on": "", "licence": "", "citation": "",
        "limits": "", "shape": shape.as_dict(), "model": classifier.name if classifier else "",
        "classifier": classifier.digest if classifier else "", "findings": list(findings),
        "posteriors": {f: asdict(BalancedPosterior(1.0, 0.0)) for f in findings},
        "figures": {"limits": {"answer": 0.2, "likeness": 0.5}},
    }  # fmt: skip


@pytest.fixture(scope="module")
def classifier() -> ChestClassifier:
    return area_classifier()


@pytest.fixture(scope="module")
def folder(tmp_path_factory, classifier):
    """Cards and weights of a generator that brightens or darkens the whole film, and of an untrained autoencoder."""
    made = tmp_path_factory.mktemp("cards")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        generator, autoencoder = Generator(SHAPE), Autoencoder(AutoencoderShape(32, (8, 8, 16, 16), 4))
    with torch.no_grad():
        generator.to_change.bias.fill_(1.0)
    save_counterfactual(generator, card_of("g", "generator", SHAPE, classifier, ("Large", "Small")), made)
    save_counterfactual(autoencoder, card_of("a", "autoencoder", autoencoder.shape, None), made)
    return made


@pytest.fixture(scope="module")
def film() -> torch.Tensor:
    return torch.from_numpy(disc(5, 16, 17)).float().div(255)[None, None]


@pytest.fixture
def shipped(folder, monkeypatch):
    """As if the cards of ``folder`` were those that the project ships."""
    monkeypatch.setattr(registry, "counterfactuals_folder", lambda: folder)
