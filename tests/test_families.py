"""The random classifiers on which methods are checked are sane themselves."""

import pytest
import torch
import torch.nn.functional as F

from tests.families import FAMILIES, random_classifier


def _films(n: int, side: int = 64) -> torch.Tensor:
    grid = torch.randn(n, 1, 6, 6, generator=torch.Generator().manual_seed(5))
    return F.interpolate(grid, (side, side), mode="bicubic").clamp(-2, 2)


@pytest.fixture(scope="module", params=FAMILIES)
def classifier(request):
    return random_classifier(request.param)


def test_logits_depend_on_film_and_finding(classifier):
    logits = classifier(_films(6))
    assert logits.shape == (6, 4)
    assert torch.isfinite(logits).all()
    assert logits.abs().max() < 50
    assert (logits.std(0) > 0.05).all()
    assert torch.corrcoef(logits.T).triu(1).abs().max() < 0.999


def test_cam_layer_is_the_last_convolutional_stage(classifier):
    seen = []
    handle = classifier.cam_module.register_forward_hook(lambda module, given, result: seen.append(result.shape))
    classifier(_films(1))
    handle.remove()
    (shape,) = seen
    assert len(shape) == 4
    assert shape[2] == shape[3] <= 8


def test_running_statistics_are_not_the_initial_ones(classifier):
    norms = [m for m in classifier.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert norms or classifier.name == "random-vgg"
    for norm in norms:
        assert not norm.training
        assert norm.running_mean.abs().max() > 1e-3
        assert norm.running_var.min() > 0
        assert not torch.allclose(norm.running_var, torch.ones_like(norm.running_var))


@pytest.mark.parametrize("family", FAMILIES)
def test_seed_decides_the_weights_and_global_state_is_left_alone(family):
    before = torch.get_rng_state()
    first, again, other = (random_classifier(family, seed=seed) for seed in (3, 3, 4))
    assert torch.equal(before, torch.get_rng_state())
    assert first.digest == again.digest != other.digest


def test_findings_and_side_are_those_asked_for():
    classifier = random_classifier("resnet", n_findings=2, side=96)
    assert classifier.findings == ("Finding 1", "Finding 2")
    assert classifier(_films(1, 96)).shape == (1, 2)
    assert classifier.side == 96


def test_unknown_family_lists_those_there_are():
    with pytest.raises(LookupError, match=r"alexnet.*vgg, resnet"):
        random_classifier("alexnet")
