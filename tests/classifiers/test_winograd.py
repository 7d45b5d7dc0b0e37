"""Convolutions by Winograd's algorithm are torch's own, to rounding, and stand in for those alone that they can."""

import pytest
import torch
import torch.nn.functional as F

from classifiers.precision import settle_precision
from classifiers.winograd import WinogradConvolutions, carried_over, convolve, serves
from tests.families import random_classifier

CHANNELS = 128


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("height", "width"), [(16, 16), (14, 9), (1, 5)])
@pytest.mark.parametrize("bias", [True, False])
def test_it_is_the_convolution_of_torch(height, width, bias):
    films, weight = drawn(40, CHANNELS, height, width), drawn(130, CHANNELS, 3, 3, seed=1) / 30
    shift = drawn(130, seed=2) if bias else None
    exact = F.conv2d(films.double(), weight.double(), None if shift is None else shift.double(), padding=1)
    for given in (films, films.contiguous(memory_format=torch.channels_last)):
        found = convolve(given, weight, shift)
        assert found.shape == exact.shape
        assert found.is_contiguous(memory_format=torch.channels_last)
        assert (found - exact).abs().max() < 3e-4 * exact.std()


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((CHANNELS, CHANNELS, 3, 3), {"stride": (2, 2), "padding": (1, 1)}),
        ((CHANNELS, CHANNELS, 3, 3), {"padding": (0, 0)}),
        ((CHANNELS, CHANNELS, 3, 3), {"padding": (1, 1), "dilation": (2, 2)}),
        ((CHANNELS, CHANNELS // 2, 3, 3), {"padding": (1, 1), "groups": 2}),
        ((CHANNELS, CHANNELS, 1, 1), {}),
        ((CHANNELS // 2, CHANNELS, 3, 3), {"padding": (1, 1)}),
    ],
)
def test_other_convolutions_stay_as_they_are(shape, options):
    films, weight = drawn(4, CHANNELS, 16, 16), drawn(*shape, seed=1)
    module = torch.nn.Conv2d(shape[1] * options.get("groups", 1), shape[0], shape[2:], bias=False, **options)
    module.weight = torch.nn.Parameter(weight, requires_grad=False)
    given = [films, weight, None, *(getattr(module, name) for name in ("stride", "padding", "dilation", "groups"))]
    assert not serves(*given)
    with torch.inference_mode():
        exact = module(films)
        with WinogradConvolutions():
            assert torch.allclose(module(films), exact, atol=1e-4)


def test_weights_that_were_written_to_are_carried_over_anew():
    weight = drawn(CHANNELS, CHANNELS, 3, 3)
    before = carried_over(weight)
    assert carried_over(weight) is before
    weight.mul_(2)
    assert torch.allclose(carried_over(weight), 2 * before)


@pytest.mark.parametrize("family", ["resnet", "vgg"])
def test_a_networks_logits_are_those_of_float32_to_rounding_and_it_stays_as_it_was(family):
    classifier, films = random_classifier(family, side=64), drawn(16, 1, 64, 64)
    exact = classifier.predict_logits(films)
    quick = classifier.predict_logits(films, "winograd")
    assert (quick - exact).abs().max() < 1e-4 * exact.std()
    assert torch.equal(classifier.predict_logits(films), exact)


def test_auto_takes_it_where_the_processor_has_no_bfloat16_or_may_not_use_it(monkeypatch):
    device = torch.device("cpu")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    assert settle_precision("auto", device) == "bfloat16"
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX512_CORE")
    assert settle_precision("auto", device) == "winograd"
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True})
    assert settle_precision("auto", device) == "winograd"
