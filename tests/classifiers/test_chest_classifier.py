"""The adaptor."""

import numpy as np
import pytest
import torch
from torch import nn

from classifiers import ChestClassifier, ModelCard, Preprocessing, UnknownFindingError
from radiographs import Radiograph

CARD = ModelCard("tiny", "Tiny", "", "", "", "", "")


def _network(outputs: int = 3) -> nn.Module:
    torch_state = torch.get_rng_state()
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, outputs))
    torch.set_rng_state(torch_state)
    return network


def _classifier(findings=("A", "B", "C"), columns=None, outputs=3, **options) -> ChestClassifier:
    return ChestClassifier(_network(outputs), findings, CARD, "0", Preprocessing(16, **options), columns)


FILM = Radiograph(np.random.default_rng(0).random((20, 30)))


def test_logits_and_probabilities_are_those_of_the_network():
    classifier = _classifier()
    with torch.no_grad():
        expected = classifier.network(classifier.prepare(FILM))[0].numpy()
    assert np.array_equal(classifier.logits(FILM), expected)
    assert classifier.probabilities(FILM)["B"] == pytest.approx(1 / (1 + np.exp(-expected[1])), abs=1e-6)


def test_columns_choose_and_order_the_outputs():
    every, chosen = _classifier(), _classifier(("C", "A"), columns=(2, 0))
    assert chosen.logits(FILM) == pytest.approx(every.logits(FILM)[[2, 0]])
    assert chosen.column("A") == 1


def test_weights_need_no_gradient_but_films_may_have_one():
    classifier = _classifier()
    assert not classifier.training
    assert not any(p.requires_grad for p in classifier.parameters())
    film = classifier.prepare(FILM).requires_grad_()
    (gradient,) = torch.autograd.grad(classifier(film)[0, 0], film)
    assert gradient.abs().sum() > 0


def test_digest_is_that_of_weights_findings_and_preprocessing():
    digest = _classifier().digest
    assert digest == _classifier().digest
    assert digest != _classifier(("A", "B", "D")).digest
    assert digest != _classifier(fit="crop").digest
    other = _network()
    with torch.no_grad():
        other[0].bias[0] += 1e-3
    assert digest != ChestClassifier(other, ("A", "B", "C"), CARD, "0", Preprocessing(16)).digest


def test_an_unknown_finding_lists_the_known():
    with pytest.raises(UnknownFindingError, match="A, B, C"):
        _classifier().column("Z")


@pytest.mark.parametrize("findings", [(), ("A", "A", "B")])
def test_findings_are_there_and_unique(findings):
    with pytest.raises(ValueError, match="finding"):
        _classifier(findings)


def test_an_unknown_cam_layer_is_refused():
    with pytest.raises(AttributeError):
        ChestClassifier(_network(), ("A", "B", "C"), CARD, "layer9", Preprocessing(16))


def test_a_map_is_carried_into_the_film():
    assert _classifier().to_film(np.ones((16, 16), dtype=np.float32), FILM) == pytest.approx(np.ones((20, 30)))
