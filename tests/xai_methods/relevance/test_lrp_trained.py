"""LRP conserves the logit on networks that have learned something, as it does on random weights."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from classifiers.registry import load_classifier
from classifiers.torchvision_guard import ensure_torchvision
from radiographs.registry import find_film
from xai_methods import get_method
from xai_methods.recording.steps import Affine
from xai_methods.relevance.canonise import canonise
from xai_methods.relevance.composites import COMPOSITES, composite
from xai_methods.relevance.flow import propagate
from xai_methods.relevance.lrp import LrpParameters
from xai_methods.relevance.tokens import ATTENTION_RULES

SIDE, STEPS, BATCH = 64, 40, 8


def spotted_films(count: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Noisy films (N, 1, S, S) in [-2, 2] with a bright spot in some quarters, and which of these have one (N, 4)."""
    labels = (torch.rand((count, 4), generator=generator) < 0.5).float()
    spots = F.interpolate(labels.view(count, 1, 2, 2), (SIDE, SIDE), mode="bilinear")
    noise = torch.randn((count, 1, SIDE, SIDE), generator=generator)
    return (2 * spots - 1 + 0.5 * noise).clamp(-2, 2), labels


@pytest.fixture(scope="module")
def trained() -> nn.Module:
    """A DenseNet-121 after a short training, in evaluation mode."""
    ensure_torchvision()
    from torchvision.models import densenet121

    generator = torch.Generator().manual_seed(0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = densenet121(num_classes=4)
        network.features.conv0 = nn.Conv2d(1, 64, 7, stride=2, padding=3, bias=False)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    for _ in range(STEPS):
        films, labels = spotted_films(BATCH, generator)
        optimiser.zero_grad()
        F.binary_cross_entropy_with_logits(network(films), labels).backward()
        optimiser.step()
    return network.eval().requires_grad_(False)


@pytest.mark.slow
class TestTrainedDenseNet:
    def test_it_has_learned(self, trained):
        films, labels = spotted_films(64, torch.Generator().manual_seed(1))
        assert ((trained(films) > 0).float() == labels).float().mean() > 0.85

    def test_canonised_logits_are_the_originals(self, trained):
        films, _ = spotted_films(4, torch.Generator().manual_seed(2))
        for film in films[:, None]:
            form, expected = canonise(trained, film), trained(film)
            found = form.run(film)[form.last]
            torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5 * float(expected.abs().max()))
            assert any(isinstance(step, Affine) and step.kind == "scale" for step in form.steps)

    @pytest.mark.parametrize("name", COMPOSITES)
    def test_the_film_and_the_biases_share_the_logit(self, trained, name):
        film = spotted_films(1, torch.Generator().manual_seed(3))[0]
        form = canonise(trained, film)
        values = form.run(film)
        for column, logit in enumerate(values[form.last][0].tolist()):
            flow = propagate(form, values, column, composite(name, -2.0, 2.0))
            assert float(flow.relevance.double().sum()) + flow.absorbed == pytest.approx(logit, rel=0.01)


def test_the_shipped_transformer_shares_its_logit():
    classifier = load_classifier("known-truth-vit", "cpu")
    film = find_film("known-truth/effusion-01")[0]
    for attention in ATTENTION_RULES:
        parameters = LrpParameters(attention=attention)
        explanation = get_method("lrp").explain(classifier, film, "Effusion", parameters=parameters)
        assert explanation.logit > 0
        assert explanation.diagnostics["conservation"] == pytest.approx(1, abs=0.01)
        assert abs(explanation.diagnostics["worst_step"]) < 0.01
