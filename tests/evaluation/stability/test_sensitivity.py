import numpy as np
import pytest
import torch

from evaluation.stability.sensitivity import measure, spectrum
from tests.evaluation.stability.forward_mode import forward_jacobian, small_network
from tests.evaluation.stability.made import linear, probe_of, rows_of
from tests.xai_methods.conftest import classifier_of, film_of
from xai_methods.gradient.jacobian import jacobian, jacobian_and_stages


def test_norms_and_spectrum_of_a_linear_model_are_those_of_its_weights():
    classifier = linear()
    found, rows = measure(probe_of(classifier)), rows_of(classifier)
    matrix = rows.reshape(3, -1)
    np.testing.assert_allclose(found.rows, rows, rtol=1e-6)
    np.testing.assert_allclose(found.l1, np.abs(matrix).sum(1), rtol=1e-6)
    np.testing.assert_allclose(found.l2, np.linalg.norm(matrix, axis=1), rtol=1e-6)
    np.testing.assert_allclose(found.linf, np.abs(matrix).max(1), rtol=1e-6)
    np.testing.assert_allclose(found.singular, np.linalg.svd(matrix, compute_uv=False), rtol=1e-6)
    assert found.condition == pytest.approx(np.linalg.cond(matrix), rel=1e-6)
    np.testing.assert_allclose(found.together, np.corrcoef(matrix), atol=0.1)
    np.testing.assert_allclose(np.diag(found.together), 1)
    np.testing.assert_allclose(found.per_grey_level * 255, rows, rtol=1e-6)


def test_singular_vectors_put_the_matrix_together_again():
    rows = np.random.default_rng(0).normal(size=(4, 6, 6)).astype(np.float32)
    singular, left, right = spectrum(rows)
    again = np.einsum("ck,k,kxy->cxy", left, singular, right)
    np.testing.assert_allclose(again, rows, atol=1e-5)
    flat = right.reshape(4, -1)
    np.testing.assert_allclose(flat @ flat.T, np.eye(4), atol=1e-5)
    assert (np.diff(singular) <= 0).all()
    assert (left[np.abs(left).argmax(axis=0), range(4)] > 0).all()


def test_a_finding_that_repeats_another_adds_no_direction():
    rows = np.random.default_rng(1).normal(size=(3, 5, 5)).astype(np.float32)
    rows[2] = 2 * rows[1]
    singular, _, right = spectrum(rows)
    assert singular[2] == pytest.approx(0, abs=1e-5 * singular[0])
    assert not right[2].any()


def test_a_blind_model_has_no_sensitivity_and_no_numbers_made_up():
    singular, _, right = spectrum(np.zeros((2, 4, 4), dtype=np.float32))
    assert not singular.any()
    assert not right.any()
    classifier = linear()
    with torch.no_grad():
        classifier.network[1].weight.zero_()
    found = measure(probe_of(classifier))
    assert np.isnan(found.effective_rank)
    assert np.isinf(found.condition)
    assert np.isnan(found.together).all()


def test_predicted_change_of_a_linear_model_is_its_true_change():
    classifier = linear()
    probe = probe_of(classifier)
    found = measure(probe)
    changes = np.random.default_rng(2).normal(size=(5, 8, 8))
    np.testing.assert_allclose(found.along(changes), probe.logits(probe.film + changes) - found.logits, atol=1e-4)


@pytest.mark.parametrize("family", ["vgg", "resnet", "densenet", "mobilenet", "efficientnet-lite"])
def test_stages_come_with_the_same_jacobian_and_leave_no_hook(family, family_classifier, film):
    classifier = family_classifier(family)
    prepared = classifier.prepare(film)
    matrix, stages, logits = jacobian_and_stages(classifier, prepared)
    torch.testing.assert_close(matrix, jacobian(classifier, prepared), rtol=1e-5, atol=1e-5 * float(matrix.abs().max()))
    torch.testing.assert_close(logits, classifier(prepared)[0])
    sizes = [stage.maps.shape[1:] for stage in stages]
    assert len(set(sizes)) == len(sizes) >= 2
    assert sizes == sorted(sizes, reverse=True)
    assert all(stage.maps.shape[0] == 3 and (stage.maps >= 0).all() and stage.maps.any() for stage in stages)
    assert not any(module._forward_hooks for module in classifier.modules())


def test_a_stage_holds_the_gradient_of_its_own_feature_maps(family_classifier, film):
    classifier = family_classifier("resnet")
    prepared = classifier.prepare(film)
    _, stages, _ = jacobian_and_stages(classifier, prepared)
    network = classifier.network
    x = network.maxpool(network.relu(network.bn1(network.conv1(prepared))))
    features = network.layer1(x).detach().requires_grad_()
    out = network.layer4(network.layer3(network.layer2(features)))
    logits = network.fc(torch.flatten(network.avgpool(out), 1))[0]
    (gradient,) = torch.autograd.grad(logits[1], features)
    (stage,) = [stage for stage in stages if stage.name == "layer1"]
    assert stage.channels == features.shape[1]
    torch.testing.assert_close(stage.maps[1], gradient[0].norm(dim=0))


def test_hooks_are_gone_after_a_failure(family_classifier, film):
    classifier = family_classifier("resnet")

    def fail(share):
        raise KeyError("stop")

    with pytest.raises(KeyError):
        jacobian_and_stages(classifier, classifier.prepare(film), fail)
    assert not any(module._forward_hooks for module in classifier.modules())


def test_the_jacobian_of_a_network_is_that_of_the_forward_chain_rule():
    network = small_network()
    classifier = classifier_of(network, 3, "4", 12)
    found = measure(probe_of(classifier, film_of(12)))
    film = classifier.prepare(film_of(12))
    expected = forward_jacobian(small_network().double(), film.double()).reshape(3, 12, 12)
    span = classifier.preprocessing.high - classifier.preprocessing.low
    np.testing.assert_allclose(found.rows, span * expected.numpy(), rtol=1e-4, atol=1e-5)
