import math

import numpy as np
import pytest
import torch

from evaluation.stability.distances import distances, logit_of, sigmoid, threshold_of, thresholds
from evaluation.stability.linearity import Line, follow, radius_of, slider_steps, to_thresholds
from evaluation.stability.sensitivity import measure
from tests.evaluation.stability.made import SIDE, flat_film, hinge, linear, probe_of, rows_of


def test_distances_of_a_linear_model_are_exact_and_reach_the_threshold():
    classifier = linear()
    probe = probe_of(classifier)
    found, rows = measure(probe), rows_of(classifier)
    reach = distances(probe, found)
    for column, one in enumerate(reach):
        margin = found.logits[column]
        assert one.margin == pytest.approx(margin)
        assert one.called == (margin > 0)
        length = one.l2 / 255 * SIDE
        assert length == pytest.approx(abs(margin) / np.linalg.norm(rows[column]), rel=1e-5)
        by_l2 = -np.sign(margin) * length * rows[column] / np.linalg.norm(rows[column])
        by_linf = -np.sign(margin) * one.linf / 255 * np.sign(rows[column])
        for change in (by_l2, by_linf):
            assert probe.logits((probe.film + change)[None])[0, column] == pytest.approx(0, abs=1e-4)


def test_thresholds_come_from_the_card_where_it_has_them():
    classifier = linear()
    classifier.card.figures["findings"] = {"Finding 2": {"operating_point": 0.2}}
    np.testing.assert_allclose(thresholds(classifier), [0.5, 0.2, 0.5])
    probe = probe_of(classifier)
    found = measure(probe)
    assert distances(probe, found)[1].margin == pytest.approx(found.logits[1] - math.log(0.25))


@pytest.mark.parametrize("wrong", [0, 1, -0.1, "high", None, True, math.nan])
def test_a_card_with_a_wrong_operating_point_is_named(wrong):
    with pytest.raises(ValueError, match="operating point for Mass"):
        threshold_of({"findings": {"Mass": {"operating_point": wrong}}}, "Mass")


def test_sigmoid_and_logit_undo_each_other_far_out():
    np.testing.assert_allclose(sigmoid(np.array([-800.0, 0, 800])), [0, 0.5, 1])
    np.testing.assert_allclose(logit_of(sigmoid(np.array([-20.0, 3]))), [-20, 3], rtol=1e-6)


def test_a_linear_model_is_linear_as_far_as_anyone_looks():
    classifier = linear()
    probe = probe_of(classifier)
    found = measure(probe)
    line = follow(probe, found, found.right[0], slider_steps())
    np.testing.assert_allclose(line.true, line.predicted, atol=1e-4)
    assert line.steps[len(line.steps) // 2] == 0
    assert math.isinf(line.radius())
    assert all(math.isinf(own.radius(c)) for c, own in enumerate(to_thresholds(probe, found, distances(probe, found))))


def test_a_kink_ends_the_linear_picture_where_it_should():
    # The mean is 0.5 and the ceiling 0.6: beyond a rise of 0.1, 25.5 grey levels, the logit stands still, so that the
    # forecast is 10 % too high at 25.5 / 0.9 levels.
    classifier = hinge(0.6)
    probe = probe_of(classifier, flat_film(0.5))
    found = measure(probe)
    np.testing.assert_allclose(found.rows, 1 / 64, rtol=1e-5)
    steps = np.arange(1.0, 60.0)
    line = follow(probe, found, found.right[0] * np.sign(found.right[0].sum()), steps)
    assert line.radius(0) == pytest.approx(25.5 / 0.9, abs=0.05)
    assert line.radius() == line.radius(0)


def test_radius_counts_every_step_before_it_and_both_sides():
    assert radius_of(np.array([1.0, 2, 3]), np.array([0.05, 0.2, 0.01])) == pytest.approx(1 + 0.05 / 0.15)
    assert radius_of(np.array([2.0, 1]), np.array([0.4, 0.2])) == pytest.approx(0.5)
    assert math.isinf(radius_of(np.array([1.0]), np.array([0.1])))
    assert math.isnan(radius_of(np.array([1.0, 2]), np.array([0.1, math.nan])))
    assert math.isnan(radius_of(np.array([]), np.array([])))
    steps = np.array([-2.0, -1, 0, 1, 2])
    predicted = steps[:, None].copy()
    true = predicted.copy()
    true[0] *= 1.2
    assert Line(steps, predicted, true).radius() == pytest.approx(1.5)


def test_a_blind_model_has_no_distance_and_no_line():
    classifier = linear()
    with torch.no_grad():
        classifier.network[1].weight[1] = 0
    probe = probe_of(classifier)
    found = measure(probe)
    reach = distances(probe, found)
    assert math.isnan(reach[1].l2)
    assert math.isnan(reach[1].linf)
    lines = to_thresholds(probe, found, reach)
    assert lines[1] is None
    assert lines[0] is not None
    only = to_thresholds(probe, found, reach, only=(2,))
    assert only[0] is None
    np.testing.assert_allclose(only[2].true, lines[2].true)
