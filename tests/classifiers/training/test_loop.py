import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from classifiers.networks import chest_resnet18
from classifiers.training.loop import one_cycle, run_stage
from classifiers.training.nih_batches import Batches, TrainingFilms
from tests.classifiers.training.conftest import TINY


def test_an_interrupted_training_goes_on_where_it_stopped(
    small_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("classifiers.training.loop.CHECKPOINT", 2)
    batches = Batches(TrainingFilms(small_data, tmp_path / "cache", planted=False), TINY, 0)

    def trained(out: Path, stop: int | None) -> dict[str, torch.Tensor]:
        def batch(step: int):
            if step == stop:
                raise KeyboardInterrupt
            return batches.batch(step)

        with torch.random.fork_rng():
            torch.manual_seed(0)
            network = chest_resnet18(14)
        return run_stage(network, replace(TINY, dropout=0.0), 14, batch, out).state_dict()

    whole = trained(tmp_path / "whole.safetensors", None)
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "parts.safetensors", 3)
    parts = trained(tmp_path / "parts.safetensors", None)
    assert (tmp_path / "parts.checkpoint.safetensors").is_file()
    for name in ("fc.weight", "layer3.0.conv1.weight"):
        assert torch.allclose(whole[name], parts[name], atol=2e-3), name


def test_the_learning_rate_rises_and_falls_once() -> None:
    rates = [one_cycle(i / 100) for i in range(101)]
    top = int(np.argmax(rates))
    assert top == 15
    assert rates[0] < 0.05
    assert rates[-1] < 1e-6
    assert all(a <= b for a, b in itertools.pairwise(rates[: top + 1]))
    assert all(a >= b for a, b in itertools.pairwise(rates[top:]))
