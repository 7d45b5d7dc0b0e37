import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from classifiers.training.figures import aurocs, located, pointing_figures
from classifiers.training.outlines import OutlinedPair
from radiographs.annotation_readers.geometry import Box


def test_areas_under_the_curve_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(200, 3)).round(1), (rng.random((200, 3)) < 0.2).astype(np.float32)
    labels[:, 2] = 0
    found = aurocs(logits, labels)
    assert found[:2] == pytest.approx([roc_auc_score(labels[:, c], logits[:, c]) for c in range(2)])
    assert np.isnan(found[2])


def test_a_map_that_is_the_outline_points_into_it_and_covers_it() -> None:
    pairs = [OutlinedPair(name, "Mass", "nih-boxes", (Box(128, 256, 128, 64),)) for name in ("a", "b")]
    maps = np.zeros((2, 14, 16, 16), dtype=np.float32)
    maps[0, 9, 8:10, 4:8] = 1
    maps[1, 9, 0, 0] = 1
    values = located(maps, pairs, [0, 1])
    assert values[:, 0].tolist() == [1, 0]
    assert values[0, 1] > 0.8
    assert values[1, 1] < 0.1
    assert values[:, 2] == pytest.approx(128 * 64 / 512**2)
    figures = pointing_figures(values, pairs, np.array([1, 2]))
    assert figures["mean"]["pointing"] == 0.5
    assert figures["pairs"]["n"] == 2
