import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn

from classifiers import ChestClassifier
from tests.families import random_classifier
from tests.xai_methods.conftest import SIDE, classifier_of, film_of
from xai_methods import ParameterError, get_method
from xai_methods.gradient.jacobian import JacobianParameters, jacobian


def test_is_the_weights_of_a_linear_model(linear_classifier):
    film = film_of(8)
    weights = linear_classifier.network[1].weight.detach().reshape(3, 8, 8)
    torch.testing.assert_close(jacobian(linear_classifier, linear_classifier.prepare(film)), weights, rtol=0, atol=0)
    explanation = get_method("jacobian").explain(linear_classifier, film, "Finding 2")
    # The input range is [-2, 2]: one full grey range is 4 input units.
    np.testing.assert_allclose(explanation.values, 4 * weights[1], rtol=1e-6)
    matrix = 4 * weights.flatten(1).double().numpy()
    assert explanation.diagnostics["l1"] == pytest.approx(np.abs(matrix[1]).sum())
    assert explanation.diagnostics["l2"] == pytest.approx(np.linalg.norm(matrix[1]))
    assert explanation.diagnostics["linf"] == pytest.approx(np.abs(matrix[1]).max())
    assert explanation.diagnostics["spectral_norm"] == pytest.approx(np.linalg.norm(matrix, ord=2))


@pytest.mark.parametrize("family", ["vgg", "resnet", "densenet", "mobilenet", "efficientnet-lite"])
def test_equals_one_gradient_after_another(family, family_classifier, film):
    classifier = family_classifier(family)
    batched = jacobian(classifier, classifier.prepare(film))
    for column, row in enumerate(batched):
        pixels = classifier.prepare(film).requires_grad_()
        (gradient,) = torch.autograd.grad(classifier(pixels)[0, column], pixels)
        torch.testing.assert_close(row, gradient[0, 0], rtol=1e-5, atol=1e-5 * float(gradient.abs().max()))


@pytest.mark.parametrize("family", ["vgg", "resnet", "densenet", "mobilenet", "efficientnet-lite"])
def test_bfloat16_draws_the_same_picture(family, family_classifier, film):
    classifier = family_classifier(family)
    pixels = classifier.prepare(film)
    for rough, exact in zip(jacobian(classifier, pixels, precision="bfloat16"), jacobian(classifier, pixels)):
        assert spearmanr(rough.flatten(), exact.flatten()).statistic > 0.995
        assert float((rough - exact).norm() / exact.norm()) < 0.05


class Gated(nn.Module):
    """A sine, which is not followed."""

    def __init__(self):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(1, 2, 3), nn.Linear(72, 2)

    def forward(self, x):
        x = self.conv(x)
        return self.fc((x * torch.sin(x)).flatten(1))


class BehindItsBack(Gated):
    """Reads a tensor after it was changed in place, by its old name."""

    def forward(self, x):
        x = self.conv(x)
        x.relu_()
        return self.fc(x.flatten(1))


@pytest.mark.parametrize("kind", [Gated, BehindItsBack])
def test_a_network_that_cannot_be_followed_is_differentiated_as_a_whole(kind):
    network, generator = kind(), torch.Generator().manual_seed(6)
    with torch.no_grad():
        for weight in network.parameters():
            weight.normal_(0, 0.5, generator=generator)
    classifier = classifier_of(network, 2, "conv", 8)
    pixels = classifier.prepare(film_of(8))
    expected = torch.autograd.functional.jacobian(lambda x: classifier(x)[0], pixels)[:, 0, 0]
    for _ in range(2):
        torch.testing.assert_close(jacobian(classifier, pixels, precision="bfloat16"), expected)


def test_logits_in_other_columns_are_not_mixed_up(film):
    plain = random_classifier("resnet", 4, SIDE, seed=2)
    some = ChestClassifier(plain.network, ("D", "B"), plain.card, plain.cam_layer, plain.preprocessing, columns=(3, 1))
    pixels = plain.prepare(film)
    torch.testing.assert_close(jacobian(some, pixels), jacobian(plain, pixels)[[3, 1]], rtol=1e-4, atol=1e-7)


def test_more_findings_than_rows_in_one_pass():
    generator = torch.Generator().manual_seed(2)
    network = nn.Sequential(nn.Flatten(), nn.Linear(16, 19))
    with torch.no_grad():
        network[1].weight.normal_(generator=generator)
    classifier = classifier_of(network, 19, "0", 4)
    torch.testing.assert_close(
        jacobian(classifier, classifier.prepare(film_of(4))), network[1].weight.detach().reshape(19, 4, 4)
    )


def test_equals_central_differences_in_double_precision():
    generator = torch.Generator().manual_seed(4)
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.Softplus(), nn.Conv2d(4, 4, 3, stride=2), nn.Tanh(), nn.Flatten(),
        nn.Linear(36, 2),
    )  # fmt: skip
    with torch.no_grad():
        for weight in network.parameters():
            weight.normal_(0, 0.5, generator=generator)
    classifier = classifier_of(network.double(), 2, "0", 8)
    film = classifier.prepare(film_of(8)).double()
    step = 1e-5
    differences = torch.zeros(2, 8, 8, dtype=torch.float64)
    for row in range(8):
        for column in range(8):
            nudge = torch.zeros_like(film)
            nudge[0, 0, row, column] = step
            differences[:, row, column] = (classifier(film + nudge) - classifier(film - nudge))[0] / (2 * step)
    torch.testing.assert_close(jacobian(classifier, film), differences, rtol=1e-7, atol=1e-9)


def test_magnitude_is_the_size_of_the_signed_reading(family_classifier, film):
    classifier, method = family_classifier("resnet"), get_method("jacobian")
    signed = method.explain(classifier, film, "Finding 1")
    size = method.explain(classifier, film, "Finding 1", parameters=JacobianParameters(reading="magnitude"))
    np.testing.assert_array_equal(size.values, np.abs(signed.values))
    assert signed.values.min() < 0


def test_an_unknown_reading_is_refused():
    with pytest.raises(ParameterError, match="signed, magnitude"):
        JacobianParameters(reading="loud")
