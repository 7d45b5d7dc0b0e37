"""Methods made for convolutional networks, on a transformer and on a ConvNeXt."""

import numpy as np
import pytest
import torch

from classifiers.torchvision_guard import ensure_torchvision

ensure_torchvision()

from timm.models.convnext import ConvNeXt  # noqa: E402
from timm.models.vision_transformer import VisionTransformer  # noqa: E402

from tests.xai_methods.conftest import classifier_of, film_of, small_parameters  # noqa: E402
from tests.xai_methods.untouched import assert_untouched, state_of  # noqa: E402
from xai_methods import methods  # noqa: E402

GREY = {"in_chans": 1, "num_classes": 3}
NETWORKS = {
    "vit": lambda: VisionTransformer(img_size=32, patch_size=8, embed_dim=24, depth=2, num_heads=2, **GREY),
    "convnext": lambda: ConvNeXt(depths=(1, 1, 1, 1), dims=(8, 8, 16, 16), ls_init_value=0.5, **GREY),
}
LAYERS = {"vit": "patch_embed.proj", "convnext": "stages.1"}
LEFT_OUT = (
    "guided-backpropagation",  # refuses networks without ReLUs, which its own tests check
    "occlusion",
    "rise",
    "score-cam",
    "owen-values",
    "smoothgrad",
    "expected-gradients",
)


@pytest.mark.parametrize("kind", NETWORKS)
def test_every_method_that_serves_it_gives_a_map(kind):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        network = NETWORKS[kind]().eval()
    for weight in network.parameters():
        weight.data *= 2 if weight.ndim > 1 else 1
    classifier, film = classifier_of(network, 3, LAYERS[kind], 32), film_of(32)
    before, served = state_of(classifier), []
    for name, method in methods().items():
        if method.role == "baseline" or name in LEFT_OUT or method.serves(classifier, "Finding 1") is not None:
            continue
        maps = [
            method.explain(classifier, film, finding, parameters=small_parameters(method.parameters)).values
            for finding in ("Finding 1", "Finding 3")
        ]
        assert np.ptp(maps[0]) > 0, name
        assert np.allclose(*maps) == (name in ("eigen-cam", "attention-rollout")), name
        served.append(name)
    assert_untouched(classifier, before)
    assert {"lime", "kernel-shap", "lrp", "jacobian", "grad-cam", "integrated-gradients"} <= set(served)
    assert ("attention-rollout" in served) == (kind == "vit")
