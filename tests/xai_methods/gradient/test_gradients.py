"""Input x gradient, Integrated Gradients, SmoothGrad, expected gradients, guided backpropagation."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.families import random_classifier
from tests.xai_methods.conftest import classifier_of, film_of
from tests.xai_methods.linear_classifier import HIGH, LOW, linear_classifier, smooth_film
from xai_methods import ParameterError, get_method
from xai_methods.gradient.expected_gradients import (
    ExpectedGradientsParameters,
    background_gradients,
    normal_backgrounds,
)
from xai_methods.gradient.gradients import mean_map
from xai_methods.gradient.guided_backpropagation import GuidedRectifiers
from xai_methods.gradient.input_x_gradient import InputXGradientParameters
from xai_methods.gradient.integrated_gradients import IntegratedGradientsParameters
from xai_methods.gradient.smoothgrad import SmoothGradParameters, pair_gradients
from xai_methods.method import Request
from xai_methods.reference_films import BASELINES, grey_of_zero, reference_film


def request_of(classifier, film, column=0, parameters=None, seed=0) -> Request:
    return Request(
        classifier=classifier,
        film=classifier.prepare(film),
        column=column,
        finding=classifier.findings[column],
        parameters=parameters,
        seed=seed,
        rng=np.random.default_rng(seed),
        progress=lambda share: None,
        cancelled=lambda: False,
    )


def small_network(seed: int = 0) -> nn.Module:
    """Two logits of 8 x 8 films, smooth in its input."""
    generator = torch.Generator().manual_seed(seed)
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(4 * 36, 2))
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(0.4 * torch.randn(weight.shape, generator=generator))
    return network


@pytest.fixture
def small_classifier():
    return classifier_of(small_network(), 2, "0", 8, -1.0, 1.0)


LINEAR_BASELINES = {
    "black": lambda film: LOW,
    "mid grey": lambda film: (LOW + HIGH) / 2,
    "mean grey": lambda film: film.mean(),
    "zero": lambda film: 0.0,
}


@pytest.mark.parametrize("name", ["input-x-gradient", "integrated-gradients"])
@pytest.mark.parametrize("baseline", LINEAR_BASELINES)
def test_closed_form_on_a_linear_model(name, baseline):
    classifier, film = linear_classifier(), smooth_film()
    method = get_method(name)
    explanation = method.explain(
        classifier, film, "Finding 1", parameters=method.parameters.parse({"baseline": baseline})
    )
    pixels = classifier.prepare(film)[0, 0].double().numpy()
    expected = classifier.network.weights[1].numpy() * (pixels - LINEAR_BASELINES[baseline](pixels))
    np.testing.assert_allclose(explanation.values, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())
    assert explanation.diagnostics["additivity_residual"] < 1e-4
    assert explanation.logit - explanation.diagnostics["base_value"] == pytest.approx(expected.sum(), rel=1e-4)
    assert explanation.diagnostics["grey_of_zero"] == pytest.approx(-LOW / (HIGH - LOW))


def test_smoothgrad_on_a_linear_model_is_the_weights_per_grey_range():
    classifier = linear_classifier()
    explanation = get_method("smoothgrad").explain(classifier, smooth_film(), "Finding 0")
    np.testing.assert_allclose(explanation.values, classifier.network.weights[0] * (HIGH - LOW), rtol=1e-5, atol=1e-7)
    assert explanation.diagnostics["standard_error"] == pytest.approx(0, abs=1e-6)
    size = get_method("smoothgrad").explain(
        classifier, smooth_film(), "Finding 0", parameters=SmoothGradParameters(reading="magnitude")
    )
    np.testing.assert_array_equal(size.values, np.abs(explanation.values))


def test_expected_gradients_on_a_linear_model_is_the_difference_from_the_mean_normal_film():
    classifier, film = linear_classifier(), smooth_film()
    explanation = get_method("expected-gradients").explain(
        classifier, film, "Finding 0", parameters=ExpectedGradientsParameters(films=8, samples=16)
    )
    normal = torch.cat([classifier.prepare(each) for each in normal_backgrounds(8)]).mean(dim=0)[0].double()
    expected = classifier.network.weights[0] * (classifier.prepare(film)[0, 0].double() - normal)
    np.testing.assert_allclose(explanation.values, expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max()))
    assert explanation.diagnostics["additivity_residual"] < 1e-4


@pytest.mark.parametrize("baseline", BASELINES)
def test_reference_films(baseline):
    classifier, film = linear_classifier(), smooth_film()
    request = request_of(classifier, film)
    found = reference_film(request, baseline)
    assert found.shape == request.film.shape
    if baseline == "blur":
        assert float(found.std()) < float(request.film.std())
        assert float(found.mean()) == pytest.approx(float(request.film.mean()), abs=0.05)
    else:
        assert float(found.std()) == pytest.approx(0, abs=1e-6)
        expected = LINEAR_BASELINES[baseline](request.film.numpy())
        assert float(found.mean()) == pytest.approx(float(expected), rel=1e-5)
    assert grey_of_zero(request) == pytest.approx(1.5 / 4)
    with pytest.raises(ParameterError, match="black, mid grey"):
        reference_film(request, "nothing")


def test_integrated_gradients_add_up_with_enough_steps(small_classifier):
    """The way from black goes through the network's bends: four points miss some of it, 64 do not."""
    film, residuals = film_of(8), []
    for steps in (4, 64):
        explanation = get_method("integrated-gradients").explain(
            small_classifier, film, "Finding 1", parameters=IntegratedGradientsParameters(steps=steps)
        )
        difference = explanation.logit - explanation.diagnostics["base_value"]
        total = float(explanation.values.astype(np.float64).sum())
        assert explanation.diagnostics["completeness"] == pytest.approx(total / difference, rel=1e-4)
        assert explanation.diagnostics["additivity_residual"] == pytest.approx(abs(total - difference), abs=1e-5)
        residuals.append(explanation.diagnostics["additivity_residual"] / abs(difference))
    assert residuals[1] < 1e-4 < residuals[0]


@pytest.mark.parametrize("family", ["resnet", "densenet", "vgg"])
def test_integrated_gradients_and_input_x_gradient_are_captums(family):
    pytest.importorskip("captum")
    from captum.attr import InputXGradient, IntegratedGradients

    classifier, film = random_classifier(family, 3, 32, seed=3), film_of(32)
    inputs = classifier.prepare(film)
    ours = get_method("integrated-gradients").explain(
        classifier, film, "Finding 2", parameters=IntegratedGradientsParameters(steps=24)
    )
    black = torch.full_like(inputs, classifier.preprocessing.low)
    theirs = IntegratedGradients(classifier).attribute(
        inputs, black, target=1, n_steps=24, method="gausslegendre", internal_batch_size=8
    )
    np.testing.assert_allclose(ours.values, theirs[0, 0], rtol=1e-3, atol=1e-4 * float(theirs.abs().max()))
    ours = get_method("input-x-gradient").explain(
        classifier, film, "Finding 2", parameters=InputXGradientParameters(baseline="zero")
    )
    theirs = InputXGradient(classifier).attribute(inputs.requires_grad_(), target=1).detach()
    np.testing.assert_allclose(ours.values, theirs[0, 0], rtol=1e-4, atol=1e-5 * float(theirs.abs().max()))


def within_errors(ours, our_errors, theirs, their_errors) -> bool:
    """Whether two estimates differ by no more than chance lets 64 pixels differ."""
    spread = np.sqrt(our_errors**2 + their_errors**2)
    return bool((np.abs(ours - theirs) < 5 * spread + 1e-9).all())


def test_smoothgrad_is_captums_in_expectation(small_classifier):
    pytest.importorskip("captum")
    from captum.attr import NoiseTunnel, Saliency

    film, sigma, draws = film_of(8), 0.6, 4000
    ours = mean_map(pair_gradients(request_of(small_classifier, film, 1), sigma, 2 * draws))
    inputs = small_classifier.prepare(film).requires_grad_()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        parts = [
            NoiseTunnel(Saliency(small_classifier))
            .attribute(inputs, nt_type="smoothgrad", nt_samples=500, stdevs=sigma, target=1, abs=False)
            .detach()[0, 0]
            .double()
            for _ in range(16)
        ]
    theirs = torch.stack(parts)
    errors = (theirs.std(dim=0) / 4).numpy()
    assert within_errors(ours.values.numpy(), ours.errors.numpy(), theirs.mean(dim=0).numpy(), errors)
    plain = torch.autograd.grad(small_classifier(inputs)[0, 1], inputs)[0][0, 0].numpy()
    assert not within_errors(ours.values.numpy(), ours.errors.numpy(), plain, errors)


def test_expected_gradients_are_shaps_gradient_explainers_in_expectation(small_classifier):
    shap = pytest.importorskip("shap")
    film = film_of(8)
    backgrounds = torch.cat([small_classifier.prepare(film_of(8, seed)) for seed in range(1, 6)])
    request = request_of(small_classifier, film, 1)
    ours = mean_map(background_gradients(request, backgrounds, 8000))
    explainer = shap.GradientExplainer(small_classifier, backgrounds, batch_size=250)
    inputs = small_classifier.prepare(film)
    parts = [explainer.shap_values(inputs, nsamples=250, rseed=seed)[0, 0, :, :, 1] for seed in range(12)]
    theirs = np.stack(parts)
    errors = theirs.std(axis=0, ddof=1) / np.sqrt(12)
    assert within_errors(ours.values.numpy(), ours.errors.numpy(), theirs.mean(axis=0), errors)
    with torch.no_grad():
        difference = float(small_classifier(inputs)[0, 1] - small_classifier(backgrounds)[:, 1].mean())
    assert float(ours.values.sum()) == pytest.approx(difference, abs=0.01 * abs(difference) + 0.01)


def test_noise_and_its_negative_leave_only_what_bends(small_classifier):
    """Of a quadratic logit the gradient is a straight line in the noise, so that every pair hits the mean exactly."""

    class Squares(nn.Module):
        def __init__(self):
            super().__init__()
            self.whole = nn.Identity()
            self.scale = nn.Parameter(torch.linspace(1, 2, 64).view(1, 1, 8, 8))

        def forward(self, x):
            return (self.scale * self.whole(x) ** 2).sum(dim=(1, 2, 3))[:, None]

    classifier, film = classifier_of(Squares(), 1, "whole", 8), film_of(8)
    mean = mean_map(pair_gradients(request_of(classifier, film), 0.5, 8))
    expected = 2 * classifier.network.scale.detach()[0, 0] * classifier.prepare(film)[0, 0]
    np.testing.assert_allclose(mean.values, expected, rtol=1e-4, atol=1e-5)


def test_mean_map_and_its_error():
    maps = torch.tensor(np.random.default_rng(0).normal(size=(7, 2, 3)))
    mean = mean_map([maps[:4], maps[4:]])
    np.testing.assert_allclose(mean.values, maps.mean(dim=0))
    np.testing.assert_allclose(mean.errors, maps.std(dim=0) / np.sqrt(7))
    with pytest.raises(ValueError, match="at least 2"):
        mean_map([maps[:1]])


class Modules(nn.Module):
    """Shortcut and ReLUs as modules that overwrite nothing, the one form captum can guide."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 6, 3, padding=1), nn.Conv2d(6, 6, 3, padding=1)
        self.relu1, self.relu2 = nn.ReLU(), nn.ReLU()
        self.head = nn.Linear(6, 3)

    def forward(self, x):
        x = self.relu1(self.first(x))
        return self.head(self.relu2(self.second(x) + x).mean(dim=(2, 3)))


class Functions(Modules):
    """The same with functions and in-place ReLUs."""

    def forward(self, x):
        x = F.relu(self.first(x), inplace=True)
        y = self.second(x)
        y += x
        return self.head(torch.clamp(y, min=0).mean(dim=(2, 3)))


class InPlace(Modules):
    def forward(self, x):
        x = self.first(x).relu_()
        y = self.second(x)
        y += x
        return self.head(F.hardtanh(y, 0.0, 1e9).mean(dim=(2, 3)))


def filled(network: nn.Module) -> nn.Module:
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator))
    return network


@pytest.mark.parametrize("form", [Modules, Functions, InPlace])
def test_guided_backpropagation_is_captums_however_the_relus_are_written(form):
    pytest.importorskip("captum")
    from captum.attr import GuidedBackprop

    film = film_of(16)
    classifier = classifier_of(filled(form()), 3, "first", 16, -1.0, 1.0)
    explanation = get_method("guided-backpropagation").explain(classifier, film, "Finding 3")
    inputs = classifier.prepare(film).requires_grad_()
    with pytest.warns(UserWarning, match="backward hooks"):
        theirs = GuidedBackprop(filled(Modules())).attribute(inputs, target=2).detach()[0, 0]
    np.testing.assert_allclose(explanation.values, theirs * 2, rtol=1e-4, atol=1e-6 * float(theirs.abs().max()))
    assert explanation.diagnostics == {"rectifiers": 2.0, "fails_sanity_checks": 1.0}
    plain = torch.autograd.grad(classifier(inputs)[0, 2], inputs)[0][0, 0]
    assert not np.allclose(theirs, plain)


def test_guidance_is_over_after_a_failure():
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(KeyError), GuidedRectifiers():
        raise KeyError
    (gradient,) = torch.autograd.grad((-torch.relu(x)).sum(), x)
    np.testing.assert_array_equal(gradient, [-1, -1])


def test_guidance_leaves_other_clamps_alone():
    x = torch.ones(2, requires_grad=True)
    with GuidedRectifiers() as guided:
        y = x.clamp(-1, 3) + F.hardtanh(x, -2, 2)
    (gradient,) = torch.autograd.grad((-y).sum(), x)
    assert guided.met == 0
    np.testing.assert_array_equal(gradient, [-2, -2])


def test_a_network_without_relus_is_not_guided(small_classifier):
    with pytest.raises(RuntimeError, match="needs ReLUs"):
        get_method("guided-backpropagation").explain(small_classifier, film_of(8), "Finding 1")


def test_a_network_that_guidance_would_change_is_not_explained():
    class Careless(Modules):
        """Uses what an in-place ReLU overwrites."""

        def forward(self, x):
            x = self.first(x)
            F.relu(x, inplace=True)
            return self.head(x.mean(dim=(2, 3)))

    classifier = classifier_of(filled(Careless()), 3, "first", 16, -1.0, 1.0)
    with pytest.raises(RuntimeError, match="cannot follow"):
        get_method("guided-backpropagation").explain(classifier, film_of(16), "Finding 1")


def test_normal_backgrounds_are_training_films_and_differ():
    films = normal_backgrounds(8)
    assert len({film.digest for film in films}) == 8
    assert films == normal_backgrounds(8)
