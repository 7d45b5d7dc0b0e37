"""Occlusion against captum, and against its closed form on a linear model."""

import numpy as np
import pytest
import torch

from classifiers.torchvision_guard import ensure_torchvision
from tests.families import random_classifier
from tests.xai_methods.linear_classifier import linear_classifier, smooth_film
from xai_methods.parameters import ParameterError
from xai_methods.perturbation.masking import HIDES, make_regions
from xai_methods.perturbation.occlusion import Occlusion, OcclusionParameters, patch_corners

ensure_torchvision()


@pytest.mark.parametrize("hide", HIDES)
@pytest.mark.parametrize("stride", [0.5, 1.0])
def test_same_map_as_captum(hide, stride):
    from captum.attr import Occlusion as Reference

    classifier, film = random_classifier("resnet", side=64), smooth_film(64)
    parameters = OcclusionParameters(patch=0.25, stride=stride, hide=hide, precision="float32")
    ours = Occlusion().explain(classifier, film, "Finding 2", parameters=parameters)
    prepared = classifier.prepare(film)
    hidden = make_regions(classifier, prepared, np.zeros((64, 64), dtype=np.int32), hide).hidden
    step = round(16 * stride)
    with torch.no_grad():
        theirs = Reference(classifier).attribute(prepared, (1, 16, 16), (1, step, step), hidden[None, None], target=1)
    np.testing.assert_allclose(ours.values, theirs[0, 0].numpy(), atol=1e-4 * float(theirs.abs().max()))
    assert ours.evaluations == 2 + len(patch_corners(64, 16, step)) ** 2


def test_linear_model_gives_its_closed_form():
    classifier, film = linear_classifier(32), smooth_film(32)
    parameters = OcclusionParameters(patch=0.125, stride=1.0, hide="black")
    explanation = Occlusion().explain(classifier, film, "Finding 1", parameters=parameters)
    gain = classifier.network.weights[1].numpy() * (classifier.prepare(film)[0, 0].double().numpy() + 1.5)
    patches = gain.reshape(8, 4, 8, 4).sum(axis=(1, 3))
    np.testing.assert_allclose(explanation.values, np.kron(patches, np.ones((4, 4))), atol=1e-5)


def test_patches_cover_every_pixel_and_end_flush():
    assert patch_corners(10, 4, 3) == [0, 3, 6]
    assert patch_corners(10, 4, 4) == [0, 4, 6]
    assert patch_corners(10, 10, 3) == [0]


@pytest.mark.parametrize("given", [{"patch": "0"}, {"patch": "0.9"}, {"stride": "0"}, {"hide": "noise"}])
def test_bad_parameters_are_named(given):
    with pytest.raises(ParameterError, match=next(iter(given))):
        OcclusionParameters.parse(given)
