"""The contract over kinds of networks: each method explains a network, or says in a sentence why not."""

import functools

import numpy as np
import pytest

from benchmarks.families import FAMILIES, film, random_classifier
from tests.xai_methods.conftest import small_parameters
from tests.xai_methods.untouched import assert_untouched, state_of
from xai_methods import get_method, methods
from xai_methods.explanation import Cancelled
from xai_methods.serving import served

NEVER_SAID = ("Traceback", "NoneType", "object has no attribute", "shapes cannot be")
PERTURBING = ("lime", "kernel-shap", "owen-values", "occlusion", "rise", "score-cam")
MAPS = {"VGG": 8, "ResNet": 2, "DenseNet": 4, "MobileNetV2": 2, "MobileNetV3": 2, "EfficientNet-Lite": 2, "ViT": 8,
        "EfficientNet-B0": 2, "RegNet": 2, "ConvNeXt": 2, "DeiT, distilled": 8, "Swin": 8}  # fmt: skip
"""Cells a side of what class-activation maps read."""


ELSEWHERE = ("VGG", "ResNet", "DenseNet", "MobileNetV2", "EfficientNet-Lite")
"""Kinds that every other contract test goes through as well."""
made = functools.cache(random_classifier)


@pytest.mark.parametrize(
    "family", [pytest.param(family, marks=pytest.mark.slow) if family in ELSEWHERE else family for family in FAMILIES]
)
def test_each_method_explains_a_network_or_says_why_not(family):
    classifier, shares = made(family), []
    before = state_of(classifier)
    found = served(classifier, film(), progress=shares.append)
    assert_untouched(classifier, before)
    assert shares == sorted(shares)
    assert set(found) == {name for name, method in methods().items() if method.role != "baseline"}
    for name, reason in found.items():
        assert reason is None or (len(reason) > 20 and not any(words in reason for words in NEVER_SAID)), name
    assert all(found[name] is None for name in (*PERTURBING, "jacobian", "integrated-gradients", "grad-cam"))
    cam = get_method("grad-cam").explain(classifier, film(), "Nodule")
    assert cam.cells == (MAPS[family],) * 2
    slow = get_method(PERTURBING[list(FAMILIES).index(family) % len(PERTURBING)])
    explanation = slow.explain(classifier, film(), "Nodule", parameters=small_parameters(slow.parameters))
    assert np.ptp(explanation.values) > 0


def test_guided_backpropagation_says_which_activations_it_does_not_know():
    unknown = served(made("ViT"), film())["guided-backpropagation"]
    assert "needs ReLUs" in unknown
    assert "gelu" in unknown
    mixed = get_method("guided-backpropagation").explain(made("MobileNetV3"), film(), "Mass")
    assert mixed.diagnostics["unguided_activations"] > 5
    pure = get_method("guided-backpropagation").explain(made("ResNet"), film(), "Mass")
    assert "unguided_activations" not in pure.diagnostics


def test_it_can_be_stopped():
    with pytest.raises(Cancelled):
        served(made("ResNet"), film(), cancelled=lambda: True)
