"""Distillation: the student comes to answer as its teacher does, and goes on after an interruption."""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from classifiers.training.distil_densenet import distil, grey_densenet121
from classifiers.training.loop import Stage


class Means(nn.Module):
    """A teacher whose two logits are the mean of the upper and of the lower half of a film."""

    def forward(self, films: torch.Tensor) -> torch.Tensor:
        return F.adaptive_avg_pool2d(films, (2, 1))[:, 0, :, 0]


def small_student() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.AvgPool2d(8), nn.Flatten(), nn.Linear(16, 2))


def batch(step: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    films = torch.randn(16, 1, 4, 4, generator=torch.Generator().manual_seed(step)).repeat_interleave(8, 2)
    nothing = torch.zeros(0)
    return films.repeat_interleave(8, 3), nothing, nothing, nothing


def test_the_student_comes_to_answer_as_its_teacher(tmp_path: Path) -> None:
    student = small_student()
    films = batch(10_000)[0]
    before = F.mse_loss(student(films), Means()(films))
    stage = Stage(side=32, steps=150, body_rate=5e-2, weight_decay=0.0)
    distil(student, Means(), stage, batch, tmp_path / "student.safetensors")
    assert F.mse_loss(student(films), Means()(films)) < 0.02 * before
    assert (tmp_path / "student.checkpoint.safetensors").is_file()
    resumed = distil(small_student(), Means(), stage, batch, tmp_path / "student.safetensors")
    assert torch.equal(resumed(films), student(films))


def test_the_densenet_has_torchxrayvisions_names() -> None:
    with torch.device("meta"):
        names = set(grey_densenet121(14).state_dict())
    assert {"features.conv0.weight", "features.norm5.weight", "classifier.weight"} <= names
