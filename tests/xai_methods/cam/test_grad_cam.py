import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from benchmarks.families import random_classifier as random_transformer
from classifiers.networks import chest_resnet18, class_map, feature_map
from tests.xai_methods.conftest import classifier_of, film_of
from xai_methods import get_method
from xai_methods.hooks import features_and_gradients, watched


class PooledHead(nn.Module):
    """One convolution, global average pooling, a linear head; an in-place ReLU behind the CAM layer if asked."""

    def __init__(self, inplace_relu: bool):
        super().__init__()
        self.conv = nn.Conv2d(1, 5, 3, stride=4, padding=1)
        self.relu = nn.ReLU(inplace=True) if inplace_relu else nn.Identity()
        self.fc = nn.Linear(5, 3)

    def forward(self, x):
        return self.fc(self.relu(self.conv(x)).mean(dim=(2, 3)))


def _native(classifier, film, column):
    features, gradient, _ = features_and_gradients(classifier, classifier.prepare(film), column)
    return torch.einsum("khw,k->hw", features, gradient.mean(dim=(1, 2)))


@pytest.mark.parametrize("column", [0, 2])
def test_equals_the_class_activation_map_for_a_pooled_linear_head(column):
    torch_state = torch.random.get_rng_state()
    torch.manual_seed(0)
    network = chest_resnet18(3)
    torch.random.set_rng_state(torch_state)
    classifier = classifier_of(network, 3, "layer4", 64)
    film = film_of(64)

    with torch.no_grad():
        cam = class_map(network, feature_map(network, classifier.prepare(film)))[0, column] - network.fc.bias[column]

    explanation = get_method("grad-cam").explain(classifier, film, classifier.findings[column])
    assert explanation.cells == (4, 4)
    torch.testing.assert_close(_native(classifier, film, column) * 16, cam, rtol=1e-4, atol=1e-5)
    large = F.interpolate(cam[None, None] / 16, (64, 64), mode="bilinear")[0, 0]
    np.testing.assert_allclose(explanation.values, large, rtol=1e-4, atol=1e-6)
    # The class map's cells add up to the logit less its bias.
    assert _native(classifier, film, column).sum() == pytest.approx(
        explanation.logit - float(network.fc.bias[column]), rel=1e-4
    )


def _tokens_behind_one(output):
    """Tokens (N, 1 + 64, K), the class token first, as feature maps: what users of grad-cam write by hand."""
    return output[:, 1:].reshape(len(output), 8, 8, output.shape[2]).permute(0, 3, 1, 2)


TRANSFORMERS = {"ViT": _tokens_behind_one, "Swin": lambda output: output.permute(0, 3, 1, 2)}


@pytest.mark.parametrize("family", ["vgg", "resnet", "densenet", "mobilenet", "efficientnet-lite", *TRANSFORMERS])
def test_agrees_with_pytorch_grad_cam(family, family_classifier, film):
    pytest.importorskip("pytorch_grad_cam")
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    classifier = random_transformer(family) if family in TRANSFORMERS else family_classifier(family)
    native = _native(classifier, film, 1)
    watching = classifier.cam_module

    class Raw(GradCAM):
        """The library's map before it is scaled to [0, 1]."""

        def compute_cam_per_layer(self, tensor, targets, eigen_smooth):
            activations = self.activations_and_grads.activations[0].numpy()
            gradients = self.activations_and_grads.gradients[0].numpy()
            return [self.get_cam_image(tensor, watching, targets, activations, gradients, eigen_smooth)]

        def aggregate_multi_layers(self, maps):
            return maps[0]

    requires_grad = classifier.prepare(film).requires_grad_()
    reshaped = TRANSFORMERS.get(family)
    with Raw(model=classifier, target_layers=[watching], reshape_transform=reshaped) as reference:
        theirs = reference(requires_grad, [ClassifierOutputTarget(1)])[0]
    np.testing.assert_allclose(native.numpy(), theirs, rtol=1e-4, atol=1e-6 * np.abs(theirs).max())


class FunctionalHead(PooledHead):
    """As a dense network: an in-place functional ReLU behind the layer that is read."""

    def forward(self, x):
        return self.fc(F.relu(self.conv(x), inplace=True).mean(dim=(2, 3)))


@pytest.mark.parametrize("kind", [PooledHead, FunctionalHead])
def test_where_a_relu_follows_the_layer_what_it_lets_through_is_read(kind):
    film = film_of(32)
    state = torch.random.get_rng_state()
    torch.manual_seed(1)
    network = kind(inplace_relu=True)
    torch.random.set_rng_state(state)
    classifier = classifier_of(network, 3, "conv", 32)
    features, gradient, _ = features_and_gradients(classifier, classifier.prepare(film), 0)
    with torch.no_grad():
        before_relu = network.conv(classifier.prepare(film))[0]
    assert (before_relu < 0).any()
    torch.testing.assert_close(features, before_relu.clamp(min=0))
    # Then the map is the class-activation map, although the layer itself stands before the ReLU.
    cells = _native(classifier, film, 0)
    assert float(cells.sum()) == pytest.approx(float(classifier.logits(film)[0] - network.fc.bias[0]), rel=1e-5)
    torch.testing.assert_close(gradient, (network.fc.weight[0].detach() / 64)[:, None, None].expand(-1, 8, 8))


def test_in_place_calls_behind_the_layer_do_not_change_what_is_read():
    class Careless(PooledHead):
        def forward(self, x):
            y = self.conv(x)
            y += 1
            return self.fc(y.mean(dim=(2, 3)))

    classifier, film = classifier_of(Careless(False), 3, "conv", 32), film_of(32)
    features, _, _ = features_and_gradients(classifier, classifier.prepare(film), 0)
    with torch.no_grad():
        expected = classifier.network.conv(classifier.prepare(film))[0]
    torch.testing.assert_close(features, expected)


def test_the_cells_of_a_dense_network_add_up_to_the_logit(family_classifier):
    from tests.families import random_classifier

    classifier, film = random_classifier("densenet", 3, 96, seed=3), film_of(96)
    cells = _native(classifier, film, 2)
    assert cells.shape == (3, 3)
    expected = float(classifier.logits(film)[2] - classifier.network.classifier.bias[2])
    assert float(cells.sum()) == pytest.approx(expected, rel=1e-4)


def test_a_map_without_positive_cells_is_said_to_be_so():
    network = PooledHead(inplace_relu=False)
    with torch.no_grad():
        network.conv.weight.fill_(0.1)
        network.conv.bias.fill_(0.1)
        network.fc.weight.fill_(-1.0)
        network.fc.weight[1].fill_(1.0)
    classifier = classifier_of(network, 3, "conv", 32)
    film = film_of(32)
    against = get_method("grad-cam").explain(classifier, film, "Finding 1")
    towards = get_method("grad-cam").explain(classifier, film, "Finding 2")
    assert against.diagnostics["all_negative"] == 1.0
    assert against.empty
    assert against.values.min() < 0
    assert towards.diagnostics["all_negative"] == 0.0
    assert towards.diagnostics["positive_cells"] == 1.0


def test_the_hook_goes_even_when_the_block_fails(family_classifier):
    classifier = family_classifier("resnet")
    with pytest.raises(KeyError), watched(classifier, classifier.cam_module):
        raise KeyError
    assert not classifier.cam_module._forward_hooks


def test_a_layer_the_logit_does_not_depend_on_is_refused():
    class Beside(PooledHead):
        def forward(self, x):
            self.conv(x)
            return self.fc(x.mean(dim=(2, 3)).expand(-1, 5))

    classifier = classifier_of(Beside(False), 3, "conv", 32)
    with pytest.raises(RuntimeError, match="do not depend"):
        get_method("grad-cam").explain(classifier, film_of(32), "Finding 1")
