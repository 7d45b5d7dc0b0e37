"""State dicts as people have them, and the network they are found for."""

import pytest
import torch
from torch import nn

from classifiers.fitting import described, fitted_state
from classifiers.weights import WeightsError


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4))
        self.classifier = nn.Linear(4, 3)


def _state():
    generator = torch.Generator().manual_seed(0)
    own = Small().state_dict()
    return {k: torch.rand(v.shape, generator=generator) if v.is_floating_point() else v for k, v in own.items()}


def _renamed(state, old, new):
    return {k.replace(old, new): v for k, v in state.items()}


def _beside_the_backbone(state):
    return {k.replace("classifier", "head") if "classifier" in k else f"encoder.{k}": v for k, v in state.items()}


FORMS = {
    "as it is": (lambda s: s, ""),
    "any prefix": (lambda s: {f"lightning.student.{k}": v for k, v in s.items()}, "lightning.student."),
    "a loss's weights beside it": (
        lambda s: {f"model.{k}": v for k, v in s.items()} | {"criterion.pos_weight": torch.ones(3)},
        "criterion.pos_weight",
    ),
    "a loss's weights, no prefix": (lambda s: s | {"loss.weight": torch.ones(3)}, "loss.weight"),
    "a head that is a sequence": (lambda s: _renamed(s, "classifier.", "classifier.1."), "sequence"),
    "a prefix and such a head": (
        lambda s: {f"module.{k}": v for k, v in _renamed(s, "classifier.", "classifier.0.").items()},
        "sequence",
    ),
    "a head beside the backbone": (_beside_the_backbone, "stood beside"),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_networks_tensors_are_found(form):
    change, said = FORMS[form]
    found, notes = fitted_state(Small(), change(_state()), "w.pt")
    network, expected = Small(), _state()
    network.load_state_dict(found, strict=True)
    assert all(torch.equal(network.state_dict()[k], v) for k, v in expected.items())
    assert said in "; ".join(notes)


def test_the_names_of_old_densenets():
    network = nn.Module()
    network.denselayer1 = nn.Module()
    network.denselayer1.norm1, network.denselayer1.conv2 = nn.BatchNorm2d(2), nn.Conv2d(2, 2, 1)
    old = {k.replace("norm1", "norm.1").replace("conv2", "conv.2"): v for k, v in network.state_dict().items()}
    found, _ = fitted_state(network, {f"module.densenet121.{k}": v for k, v in old.items()}, "m.pth.tar")
    assert set(found) == set(network.state_dict())


def test_a_head_of_several_layers_is_refused_with_the_reason():
    state = _renamed(_state(), "classifier.", "classifier.2.") | {"classifier.0.weight": torch.ones(4, 4)}
    with pytest.raises(WeightsError, match="head of 2 layers"):
        fitted_state(Small(), state, "w.pt")


def test_half_precision_is_told_by_the_size():
    state = {"w": torch.zeros(200, 100)}
    assert "half precision" in described(state, 40_100)[0]
    assert "half precision" not in described(state, 80_100)[0]
