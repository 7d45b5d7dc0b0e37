"""In which precision a training computes."""

import pytest
import torch

from classifiers.precision import training_precision


@pytest.mark.parametrize(("able", "computed"), [(True, torch.bfloat16), (False, torch.float32)])
def test_a_training_emulates_no_bfloat16(able, computed, monkeypatch):
    monkeypatch.setattr("classifiers.precision.computes_bfloat16", lambda device: able)
    layer = torch.nn.Linear(4, 4)
    with training_precision():
        assert layer(torch.ones(1, 4)).dtype == computed
    assert layer(torch.ones(1, 4)).dtype == torch.float32
