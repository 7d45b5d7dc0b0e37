"""Pictures for training and for testing are apart, and all are grey values."""

import numpy as np

from classifiers.training.foreign_images import cut, drawn, pictures


def test_no_picture_stands_on_both_sides():
    train, test = pictures("train"), pictures("test")
    assert train.keys().isdisjoint(test)
    for picture in (*train.values(), *test.values()):
        assert picture.ndim == 2
        assert 0 <= picture.min() <= picture.max() <= 1


def test_parts_and_drawings_fill_the_square():
    rng = np.random.default_rng(0)
    for picture in (cut(np.eye(50, 30, dtype=np.float32), rng, 64), *(drawn(rng, 64) for _ in range(12))):
        assert picture.shape == (64, 64)
        assert np.isfinite(picture).all()
