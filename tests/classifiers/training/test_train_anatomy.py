from __future__ import annotations

from pathlib import Path

import pytest
import torch

from classifiers.anatomy_network import AnatomyNetwork
from classifiers.training.anatomy_data import Mix
from classifiers.training.train_anatomy import AnatomyStage, dice_loss, train

SIDE = 64


def test_dice_loss() -> None:
    mask = torch.zeros(1, 1, 40, 40)
    mask[..., :20] = 1
    sure, everywhere = (mask - 0.5) * 100, torch.ones_like(mask, dtype=torch.bool)
    assert dice_loss(sure, mask, everywhere).item() == pytest.approx(0, abs=1e-5)
    assert dice_loss(-sure, mask, everywhere).item() == pytest.approx(1 - 100 / 1700)
    nothing = dice_loss(torch.full_like(mask, -50), torch.zeros_like(mask), everywhere)
    assert nothing.item() == pytest.approx(0, abs=1e-5)


def test_unknown_structures_teach_nothing(tmp_path: Path) -> None:
    def trained(fill: float) -> torch.Tensor:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            network = AnatomyNetwork()
        generator = torch.Generator().manual_seed(1)
        films = torch.randn(2, 1, SIDE, SIDE, generator=generator)
        masks = (torch.rand(2, 3, SIDE, SIDE, generator=generator) > 0.5).float()
        masks[:, 2] = fill
        known = torch.tensor([True, True, False])[None, :, None, None].expand_as(masks)
        out = tmp_path / f"{fill}.safetensors"
        average = train(network, AnatomyStage(2, Mix(2, 0, 0), 1e-3, SIDE), lambda step: (films, masks, known), out)
        return average.state_dict()["head.weight"]

    assert torch.equal(trained(0.0), trained(1.0))
