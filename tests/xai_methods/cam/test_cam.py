"""Grad-CAM++, HiResCAM, LayerCAM, Eigen-CAM and Score-CAM: known answers, then the grad-cam library."""

import functools

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from classifiers import ChestClassifier
from tests.families import FAMILIES, random_classifier
from tests.xai_methods.conftest import classifier_of, film_of
from xai_methods import get_method
from xai_methods.cam.eigen_cam import principal_map
from xai_methods.cam.score_cam import ScoreCamParameters
from xai_methods.hooks import feature_maps, features_and_gradients

FEATURES = torch.tensor([[[1.0, 2.0]], [[3.0, -1.0]]])
GRADIENT = torch.tensor([[[0.5, -1.0]], [[1.0, 2.0]]])
COSINE = 0.9999


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("hires-cam", [1 * 0.5 + 3 * 1, 2 * -1.0 + -1 * 2.0]),
        ("layer-cam", [1 * 0.5 + 3 * 1, 2 * 0.0 + -1 * 2.0]),
        # Weights: 0.5 / (2 + 3 x 0.5), and 1 / (2 + 3 x 1) + 2 / (2 + 3 x 2); of the second map, -1 does not count.
        ("grad-cam-plus-plus", [1 / 7 + 3 * 0.45, 2 / 7 - 0.45]),
    ],
)
def test_known_answers_on_two_maps_of_two_cells(name, expected):
    found = get_method(name).weigh(FEATURES, GRADIENT)
    np.testing.assert_allclose(found[0], expected, rtol=1e-6)


def test_hires_cam_adds_up_to_the_logit_where_only_a_linear_layer_follows():
    torch_state = torch.random.get_rng_state()
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 4, 8, stride=8), nn.Flatten(), nn.Linear(4 * 16, 3))
    torch.random.set_rng_state(torch_state)
    classifier, film = classifier_of(network, 3, "0", 32), film_of(32)
    features, gradient, _ = features_and_gradients(classifier, classifier.prepare(film), 1)
    native = get_method("hires-cam").weigh(features, gradient)
    assert native.shape == (4, 4)
    logit = float(classifier.logits(film)[1] - network[2].bias[1])
    assert float(native.sum()) == pytest.approx(logit, rel=1e-5)


def test_hires_cam_is_grad_cam_behind_average_pooling():
    classifier, film = random_classifier("resnet", 3, 64, seed=1), film_of(64)
    ours, theirs = (
        get_method(name).explain(classifier, film, "Finding 2").values for name in ("hires-cam", "grad-cam")
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5 * np.abs(theirs).max())


@pytest.mark.parametrize("shape", [(3, 2, 4), (20, 2, 3)])
def test_principal_map_of_features_that_are_one_map_times_weights(shape):
    """Rank one: the map itself, times the length of the weights, positive where most is lit."""
    rng = np.random.default_rng(0)
    weights, cells = rng.uniform(0.5, 2, shape[0]), rng.uniform(0.5, 2, shape[1:])
    features = torch.tensor(weights[:, None, None] * cells)
    found, share = principal_map(features)
    np.testing.assert_allclose(found, np.linalg.norm(weights) * cells, rtol=1e-6)
    assert share == pytest.approx(1.0)
    mixed, _ = principal_map(torch.cat([features, -0.1 * features]))
    np.testing.assert_allclose(mixed, found * np.sqrt(1.01), rtol=1e-6)
    centred, _ = principal_map(features, centred=True)
    np.testing.assert_allclose(centred, np.linalg.norm(weights) * (cells - cells.mean()), rtol=1e-6, atol=1e-9)


def test_principal_map_is_the_first_direction_of_a_full_decomposition():
    features = torch.tensor(np.random.default_rng(1).normal(size=(6, 3, 3))).abs()
    found, share = principal_map(features)
    flat = features.flatten(1).T
    _, sizes, directions = torch.linalg.svd(flat, full_matrices=False)
    expected = (flat @ directions[0]).reshape(3, 3)
    np.testing.assert_allclose(found, expected * torch.sign(expected.sum()), rtol=1e-6)
    assert share == pytest.approx(float(sizes[0] ** 2 / sizes.square().sum()))


class Halves(nn.Module):
    """Feature maps: the film's own cells on the left half, those on the right half; the logits look left, and right."""

    def __init__(self, pool: int):
        super().__init__()
        self.cells = nn.AvgPool2d(pool)
        self.split = nn.Conv2d(1, 2, 1, bias=False)
        self.keep = nn.Identity()
        nn.init.ones_(self.split.weight)

    def forward(self, x):
        cells = self.split(self.cells(x))
        half = cells.shape[-1] // 2
        left, right = cells.clone(), cells.clone()
        left[..., half:], right[..., :half] = 0, 0
        maps = self.keep(torch.stack([left[:, 0], right[:, 1]], dim=1))
        return 20 * maps.mean(dim=(2, 3))


def test_score_cam_weighs_the_map_that_keeps_the_logit():
    classifier = classifier_of(Halves(8), 2, "keep", 64)
    film = film_of(64)
    explanation = get_method("score-cam").explain(
        classifier, film, "Finding 1", parameters=ScoreCamParameters(precision="float32")
    )
    maps, _ = feature_maps(classifier, classifier.prepare(film))
    scores = []
    for each in maps:
        large = F.interpolate(each[None, None], (64, 64), mode="bilinear")
        mask = (large - large.min()) / (large.max() - large.min())
        with torch.no_grad():
            scores.append(classifier(mask * classifier.prepare(film))[0, 0])
    weights = torch.softmax(torch.stack(scores), dim=0)
    assert float(weights[0]) > float(weights[1])
    native = (weights[:, None, None] * maps).sum(dim=0)
    large = F.interpolate(native[None, None], (64, 64), mode="bilinear")[0, 0]
    np.testing.assert_allclose(explanation.values, large, rtol=1e-5, atol=1e-7)
    assert explanation.diagnostics["masks"] == 2.0
    assert explanation.diagnostics["effective_masks"] == pytest.approx(float(1 / weights.square().sum()), rel=1e-5)
    assert explanation.evaluations == 1 + 2


def test_score_cam_tries_the_maps_that_vary_most():
    classifier, film = random_classifier("densenet", 3, 64, seed=3), film_of(64)
    maps, _ = feature_maps(classifier, classifier.prepare(film))
    seen = []
    original = classifier.network.forward
    classifier.network.forward = lambda films: seen.append(len(films)) or original(films)
    explanation = get_method("score-cam").explain(
        classifier, film, "Finding 1", parameters=ScoreCamParameters(masks=16)
    )
    assert seen[0] == 1
    assert sum(seen[1:]) == 16
    assert len(maps) > 16
    assert explanation.diagnostics["masks"] == 16.0


def test_score_cam_in_bfloat16_is_nearly_the_float32_map():
    from scipy.stats import spearmanr

    classifier, film = random_classifier("densenet", 3, 96, seed=3), film_of(96)
    exact, quick = (
        get_method("score-cam").explain(classifier, film, "Finding 1", parameters=ScoreCamParameters(precision=each))
        for each in ("float32", "bfloat16")
    )
    assert spearmanr(exact.values.ravel(), quick.values.ravel()).statistic >= 0.99


def test_score_cam_on_a_single_cell_is_refused():
    classifier = classifier_of(Halves(32), 2, "keep", 32)
    with pytest.raises(RuntimeError, match="more than one cell"):
        get_method("score-cam").explain(classifier, film_of(32), "Finding 1")


def test_a_layer_without_feature_maps_is_refused():
    classifier = classifier_of(nn.Sequential(nn.Flatten(), nn.Linear(64, 3)), 3, "0", 8)
    for name in ("eigen-cam", "score-cam", "layer-cam"):
        with pytest.raises(RuntimeError, match="no feature maps"):
            get_method(name).explain(classifier, film_of(8), "Finding 1")


LIBRARY = {
    "grad-cam": "GradCAM",
    "grad-cam-plus-plus": "GradCAMPlusPlus",
    "hires-cam": "HiResCAM",
    "layer-cam": "LayerCAM",
    "eigen-cam": "EigenCAM",
    "score-cam": "ScoreCAM",
}


def library_map(name, classifier, film, column, monkeypatch):
    """The library's map on the layer's cells, before its ReLU and its scaling."""
    import pytorch_grad_cam
    from pytorch_grad_cam.activations_and_gradients import ActivationsAndGradients
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    kind, layer = getattr(pytorch_grad_cam, LIBRARY[name]), classifier.cam_module

    class Raw(kind):
        def get_cam_weights(self, tensor, layers, targets, activations, gradients):
            if name == "grad-cam-plus-plus":
                # Its 1e-6 in the denominator drowns small gradients; what is divided and multiplied by 1e6 does not
                # change the formula.
                activations, gradients = activations / 1e6, gradients.astype(np.float64) * 1e6
                return super().get_cam_weights(tensor, layers, targets, activations, gradients) / 1e6
            return super().get_cam_weights(tensor, layers, targets, activations, gradients)

        def compute_cam_per_layer(self, tensor, targets, eigen_smooth):
            activations = self.activations_and_grads.activations[0].numpy()
            gradients = self.activations_and_grads.gradients
            first = gradients[0].numpy() if gradients else None
            return [self.get_cam_image(tensor, layer, targets, activations, first, eigen_smooth)]

        def aggregate_multi_layers(self, maps):
            return maps[0]

    # It keeps the layer's output itself, which an in-place call behind the layer then overwrites.
    monkeypatch.setattr(
        ActivationsAndGradients,
        "save_activation",
        lambda self, module, inputs, output: self.activations.append(output.detach().clone()),
    )
    # It enlarges masks from corner to corner; the paper's own code does not.
    smoothly = functools.partial(nn.Upsample, mode="bilinear", align_corners=False)
    monkeypatch.setattr(torch.nn, "UpsamplingBilinear2d", smoothly)
    inputs = classifier.prepare(film).requires_grad_(name not in ("eigen-cam", "score-cam"))
    with Raw(model=classifier, target_layers=[layer]) as reference:
        return np.asarray(reference(inputs, [ClassifierOutputTarget(column)])[0], dtype=np.float64)


def our_cells(name, classifier, film, column, monkeypatch):
    """Our map on the layer's cells: what is about to be brought to the input grid."""
    import xai_methods.cam.cam_layer
    import xai_methods.cam.eigen_cam
    import xai_methods.cam.score_cam

    kept, original = [], xai_methods.cam.cam_layer.on_input_grid

    def keep(native, side, logit):
        kept.append(native.numpy().astype(np.float64))
        return original(native, side, logit)

    for module in (xai_methods.cam.cam_layer, xai_methods.cam.eigen_cam, xai_methods.cam.score_cam):
        monkeypatch.setattr(module, "on_input_grid", keep)
    given = {
        "eigen-cam": {"centred": True},
        "score-cam": {"baseline": "zero", "precision": "float32"},
    }.get(name, {})
    method = get_method(name)
    method.explain(classifier, film, classifier.findings[column], parameters=method.parameters.parse(given))
    return kept[0]


def cosine(a, b):
    return float((a * b).sum() / (np.linalg.norm(a) * np.linalg.norm(b)))


@functools.cache
def built(family):
    return random_classifier(family, 3, 96, seed=3)


class WithModules(nn.Module):
    """A dense network whose last ReLU is a module, so that the library can read what it lets through."""

    def __init__(self, network):
        super().__init__()
        self.features, self.relu, self.head = network.features, nn.ReLU(), network.classifier

    def forward(self, x):
        return self.head(self.relu(self.features(x)).mean(dim=(2, 3)))


@functools.cache
def for_the_library(family):
    if family != "densenet":
        return built(family)
    plain = built(family)
    return ChestClassifier(WithModules(plain.network), plain.findings, plain.card, "relu", plain.preprocessing)


MANY_MAPS = ("mobilenet", "efficientnet-lite")
"""1280 passes of each program for Score-CAM would tell no more than the 512 of the residual network."""
PAIRS = [(f, name) for f in FAMILIES for name in LIBRARY if name != "score-cam" or f not in MANY_MAPS]


@pytest.mark.parametrize(
    ("family", "name"),
    [pytest.param(*pair, marks=pytest.mark.slow if pair == ("resnet", "score-cam") else ()) for pair in PAIRS],
)
def test_same_cells_as_the_grad_cam_library(name, family, monkeypatch):
    pytest.importorskip("pytorch_grad_cam")
    classifier, film = built(family), film_of(96)
    ours = our_cells(name, classifier, film, 1, monkeypatch)
    theirs = library_map(name, for_the_library(family), film, 1, monkeypatch)
    assert ours.shape == theirs.shape
    assert ours.size >= 9
    if name == "eigen-cam":
        # The sign of a principal direction is free, and ours keeps no negative cell.
        theirs = max(np.maximum(theirs, 0), np.maximum(-theirs, 0), key=lambda each: cosine(each, ours))
    assert cosine(ours, theirs) >= COSINE
    if name != "score-cam":
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4 * np.abs(theirs).max())
