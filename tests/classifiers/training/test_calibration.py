"""Calibration: a known temperature is found again, goes into the weights, and thresholds part what can be parted."""

import numpy as np
import pytest
import torch
from torch import nn

from classifiers.training.calibration import at_points, fitted, operating_points, reliability


def drawn(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """True logits (n, 3) and labels drawn from them."""
    rng = np.random.default_rng(seed)
    logits = rng.normal([-1.0, -2.0, 0.0], 1.5, (n, 3))
    return logits, (rng.random((n, 3)) < 1 / (1 + np.exp(-logits))).astype(np.float32)


def test_a_known_temperature_and_offsets_are_found_again() -> None:
    true, labels = drawn(20_000, 0)
    raw = 2.5 * true + np.array([0.5, -1.0, 0.0])
    found = fitted(raw, labels, spread=100)
    assert found.temperature == pytest.approx(2.5, abs=0.1)
    assert found.offsets == pytest.approx([-0.5, 1.0, 0.0], abs=0.15)
    assert reliability(found(raw), labels)["ece"] < 0.01
    assert reliability(raw, labels)["ece"] > 0.05


def test_the_last_layer_gives_the_calibrated_logits() -> None:
    true, labels = drawn(500, 1)
    found = fitted(3 * true + 1, labels)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        head = nn.Linear(5, 3)
    given = torch.linspace(-1, 1, 10).reshape(2, 5)
    before = head(given).detach().numpy()
    found.into(head)
    assert head(given).detach().numpy() == pytest.approx(found(before), abs=1e-5)


def test_thresholds_part_what_can_be_parted_and_fall_back_to_the_share_of_positives() -> None:
    logits = np.repeat(np.linspace(-3, 3, 100)[:, None], 2, axis=1)
    labels = np.zeros((100, 2), dtype=np.float32)
    labels[60:, 0] = 1
    labels[-3:, 1] = 1
    points = operating_points(logits, labels)
    assert logits[59, 0] < np.log(points[0] / (1 - points[0])) < logits[60, 0]
    assert points[1] == pytest.approx(0.03)
    first, second = at_points(logits, labels, points)
    assert (first["sensitivity"], first["specificity"]) == (1, 1)
    assert second["sensitivity"] == 1


def test_reliability_of_answers_that_are_always_ninety_percent() -> None:
    logits, labels = np.full((100, 1), np.log(9)), np.zeros((100, 1), dtype=np.float32)
    labels[::2] = 1
    found = reliability(logits, labels)
    assert found["ece"] == pytest.approx(0.4)
    assert sum(b["answers"] for b in found["bins"]) == 100
