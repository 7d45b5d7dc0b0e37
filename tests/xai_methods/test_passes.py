"""Batches are sized by what they cost, and precision is settled by what the hardware does."""

import numpy as np
import pytest
import torch

from classifiers.precision import PRECISIONS, computes_bfloat16, settle_precision
from tests.families import random_classifier
from xai_methods.passes import NEAR, TRIALS, BatchSize, affordable, batch_size, empty_films


def _work(sizes: BatchSize, price: dict[int, float]) -> list[int]:
    """Feed the times of a device on which a film in a batch of n costs price[n]."""
    proposed = []
    while sizes.best is None:
        films = sizes.propose()
        proposed.append(films)
        sizes.note(films, films * price[films])
    return proposed


def test_each_size_is_tried_and_the_cheapest_kept():
    sizes = BatchSize((8, 16, 32))
    assert _work(sizes, {8: 3.0, 16: 1.0, 32: 2.0}) == [8] * TRIALS + [16] * TRIALS + [32] * TRIALS
    assert sizes.best == sizes.propose() == 16


def test_of_sizes_as_good_the_smallest_is_kept():
    sizes = BatchSize((8, 16, 32))
    _work(sizes, {8: NEAR - 0.01, 16: 1.02, 32: 1.0})
    assert sizes.best == 8


def test_the_first_batch_of_a_size_only_warms_up():
    sizes = BatchSize((8, 16))
    for films, seconds in ((8, 80.0), (8, 8.0), (8, 8.0), (16, 32.0), (16, 32.0), (16, 32.0)):
        sizes.note(films, seconds)
    assert sizes.best == 8


def test_odd_last_batches_do_not_count():
    sizes = BatchSize((8,))
    for _ in range(TRIALS):
        sizes.note(5, 1.0)
    assert sizes.best is None


def test_sizes_beyond_memory_are_given_up_but_never_all():
    sizes = BatchSize((32, 64, 128))
    sizes.limit(70)
    assert _work(sizes, {32: 2.0, 64: 1.0}) == [32] * TRIALS + [64] * TRIALS
    sizes.limit(1)
    assert sizes.propose() == 32
    assert affordable(2**20, 2**30) == 512


def test_sizes_are_kept_by_classifier_and_precision():
    one, other = random_classifier("vgg", side=32), random_classifier("vgg", side=32)
    assert batch_size(one, "float32") is batch_size(one, "float32")
    assert batch_size(one, "float32") is not batch_size(one, "bfloat16")
    assert batch_size(one, "float32") is not batch_size(other, "float32")


def test_precision_is_settled():
    cpu = torch.device("cpu")
    assert [settle_precision(precision, cpu) for precision in PRECISIONS[1:]] == ["float32", "winograd", "bfloat16"]
    assert settle_precision("auto", cpu) == ("bfloat16" if computes_bfloat16(cpu) else "winograd")
    assert not computes_bfloat16(torch.device("mps"))
    with pytest.raises(ValueError, match="precision: expected one of auto, float32, winograd, bfloat16, got 'float8'"):
        settle_precision("float8", cpu)


def test_bfloat16_leaves_weights_and_later_passes_alone():
    classifier = random_classifier("densenet", side=32)
    films = torch.randn(4, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    digest, exact = classifier.digest, classifier.predict_logits(films)
    rough = classifier.predict_logits(films, "bfloat16")
    assert rough.dtype == exact.dtype == torch.float32
    assert 0 < float((rough - exact).abs().max()) < 0.05 * float(exact.abs().max())
    assert torch.equal(classifier.predict_logits(films), exact)
    assert classifier._digest() == digest


def test_empty_films_are_channels_last():
    room = empty_films(3, torch.zeros(1, 1, 4, 5))
    assert room.shape == (3, 1, 4, 5)
    assert room.stride() == (20, 1, 5, 1)
    assert np.asarray(room).dtype == np.float32
