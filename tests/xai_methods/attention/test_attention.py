import pytest
import torch

from classifiers.torchvision_guard import ensure_torchvision

ensure_torchvision()

import torchvision.models as tv  # noqa: E402
from timm.models.vision_transformer import VisionTransformer  # noqa: E402
from torch import nn  # noqa: E402

from benchmarks.families import FINDINGS, film, random_network, small_vit  # noqa: E402
from classifiers import wrap  # noqa: E402
from tests.families import random_classifier  # noqa: E402
from tests.xai_methods.conftest import classifier_of, film_of  # noqa: E402
from xai_methods import get_method  # noqa: E402
from xai_methods.attention.attention_rollout import rollout  # noqa: E402
from xai_methods.attention.gradient_attention_rollout import token_relevance  # noqa: E402
from xai_methods.attention.token_attention import TokenAttention, attend  # noqa: E402

NAMES = ("attention-rollout", "gradient-attention-rollout")
VIT = {"img_size": 32, "patch_size": 8, "embed_dim": 32, "depth": 2, "num_heads": 4, "in_chans": 1, "num_classes": 4}
KINDS = {
    "class token": {},
    "registers and mean": {"global_pool": "avg", "reg_tokens": 3},
    "attention pooling": {"global_pool": "map", "class_token": False},
}


def vit(**options):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        network = VisionTransformer(**VIT, **options)
    for weight in network.parameters():
        weight.data *= 3 if weight.ndim > 1 else 1
    return classifier_of(network.eval(), 4, "norm", 32)


def test_rollout_of_two_layers_by_hand():
    """Half of each layer's mean over the heads, half the identity: [[.75, .25], [0, 1]] twice."""
    layer = torch.tensor([[[0.0, 1.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]])
    expected = torch.tensor([[0.75, 0.25], [0.0, 1.0]])
    torch.testing.assert_close(rollout([layer]), expected)
    torch.testing.assert_close(rollout([layer, layer]), expected @ expected)


def test_token_relevance_of_two_layers_by_hand():
    """Gradient 2 on one entry, -3 on another of equal attention: the second is left out; then layer upon layer."""
    weights, gradient = torch.full((1, 2, 2), 0.5), torch.tensor([[[0.0, 2.0], [-3.0, 4.0]]])
    found = TokenAttention([weights] * 2, [gradient] * 2, None, None, torch.tensor([1.0, 0.0]), 0.0, 1, (1, 1))
    once = torch.tensor([[0.0, 1.0], [0.0, 2.0]])
    through = torch.eye(2) + once
    torch.testing.assert_close(token_relevance(found), (through + once @ through - torch.eye(2))[0])


@pytest.mark.parametrize("kind", KINDS)
def test_weights_and_their_gradients_are_those_of_the_network(kind, monkeypatch):
    """Attention written out with weights that require gradients, against what the recording says."""
    classifier = vit(**KINDS[kind])
    film = classifier.prepare(film_of(32))
    seen = []

    def written_out(q, k, v, **_):
        weights = (q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5).softmax(-1)
        weights.retain_grad()
        seen.append(weights)
        return weights @ v

    found = attend(classifier, film, 2)
    with monkeypatch.context() as patch:
        patch.setattr("torch.nn.functional.scaled_dot_product_attention", written_out)
        classifier.network(film.clone().requires_grad_())[0, 2].backward()
    layers, gradients = found.weights, found.gradients
    if found.pooled is not None:
        layers, gradients = [*layers, found.pooled], [*gradients, found.pooled_gradient]
    assert len(seen) == len(layers)
    for mine, slope, own in zip(layers, gradients, seen):
        torch.testing.assert_close(mine, own[0].detach(), rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(slope, own.grad[0], rtol=1e-3, atol=1e-5)
    read = {"class token": 1, "registers and mean": 16, "attention pooling": 16}[kind]
    assert int((found.read > 0).sum()) == read
    assert float(found.read.sum()) == pytest.approx(1, rel=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_maps_lie_on_the_cells(kind):
    classifier, film = vit(**KINDS[kind]), film_of(32)
    maps = {}
    for name in NAMES:
        for finding in classifier.findings[:2]:
            explanation = get_method(name).explain(classifier, film, finding)
            assert explanation.cells == (4, 4)
            assert explanation.values.min() >= 0
            assert explanation.values.max() > explanation.values.min()
            assert explanation.diagnostics["layers"] == 2
            assert 0 < explanation.diagnostics["spread"] <= 1
            maps[name, finding] = explanation.values
    first, second = classifier.findings[:2]
    assert abs(maps[NAMES[0], first] - maps[NAMES[0], second]).max() < 1e-6
    assert abs(maps[NAMES[1], first] - maps[NAMES[1], second]).max() > 1e-6


class Grey(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = tv.SwinTransformer([4, 4], 16, [1, 1], [2, 4], [4, 4], num_classes=2)

    def forward(self, x):
        return self.body(x.repeat(1, 3, 1, 1))


def test_networks_that_it_does_not_serve_are_told_why():
    resnet, swin = random_classifier("resnet"), classifier_of(Grey().eval(), 2, "body", 64)
    for name in NAMES:
        assert "no attention" in get_method(name).serves(resnet, "Finding 1")
        assert "within windows" in get_method(name).serves(swin, swin.findings[0])
    with pytest.raises(LookupError, match="no attention"):
        get_method(NAMES[0]).explain(resnet, film_of(64), "Finding 1")


def test_cells_that_make_no_square_lie_as_they_were_traced():
    network = random_network(lambda: small_vit(patch_size=(8, 16)))
    classifier = wrap(network, FINDINGS, side=64, mean=0.5, std=0.25)
    for name in ("attention-rollout", "gradient-attention-rollout"):
        assert get_method(name).explain(classifier, film(), "Mass").cells == (8, 4)
