"""Train a DenseNet-121 to answer as ``nih14-localised``: ``python -m classifiers.training.distil_densenet --help``.

Hinton et al. 2015 (distillation, arXiv 1503.02531); Huang et al. 2017 (DenseNet, arXiv 1608.06993). The network has
torchxrayvision's form (one grey channel, ``features.norm5`` last). It is not shipped: speeds and faithfulness on a
DenseNet should speak of one that was trained.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from classifiers.precision import training_precision
from classifiers.torchvision_guard import ensure_torchvision

ensure_torchvision()

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402
from torchvision.models import densenet121  # noqa: E402

from classifiers.registry import load_classifier  # noqa: E402
from classifiers.training.checkpoints import Training  # noqa: E402
from classifiers.training.loop import CHECKPOINT, Batch, Stage, one_cycle, save_network  # noqa: E402
from classifiers.training.nih_batches import Batches, TrainingFilms  # noqa: E402
from classifiers.training.nih_data import FINDINGS  # noqa: E402

_log = logging.getLogger("distil_densenet")
STAGE = Stage(side=160, steps=1200, labelled=14, boxed=2, body_rate=2e-3, large_share=0.3, balanced=1 / 3, flip=0.25)
TEACHER = "nih14-localised"


def grey_densenet121(n_findings: int) -> nn.Module:
    """DenseNet-121 for grey films: (N, 1, S, S) to logits (N, n_findings), randomly initialised."""
    network = densenet121(weights=None, num_classes=n_findings)
    network.features.conv0 = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
    return network


def distil(student: nn.Module, teacher: nn.Module, stage: Stage, batch: Callable[[int], Batch], out: Path) -> nn.Module:
    """Train ``student`` to give the teacher's logits, each finding's measured in its own spread over the batch.

    Every ``CHECKPOINT`` steps all is written beside ``out``; the same call then goes on from there.

    Args:
        student, teacher: (N, 1, S, S) in the same input range to (N, C) logits. batch: makes the batch of a step.
    """
    student.train()
    optimiser = torch.optim.AdamW(student.parameters(), weight_decay=stage.weight_decay)
    training = Training({"student": student}, optimiser)
    checkpoint, started = out.with_suffix(".checkpoint.safetensors"), time.monotonic()
    for step in range(training.resume(checkpoint), stage.steps):
        films = batch(step)[0].contiguous(memory_format=torch.channels_last)
        optimiser.param_groups[0]["lr"] = stage.body_rate * one_cycle(step / stage.steps)
        with torch.no_grad(), training_precision():
            wanted = teacher(films).float()
        with training_precision():
            given = student(films)
        loss = F.mse_loss((given.float() - wanted) / wanted.std(dim=0).clamp(min=0.1), torch.zeros_like(wanted))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimiser.step()
        if step % 20 == 0 or step + 1 == stage.steps:
            row = {"step": step, "loss": round(loss.item(), 4), "seconds": round(time.monotonic() - started, 1)}
            with out.with_suffix(".log.jsonl").open("a") as stream:
                stream.write(json.dumps(row) + "\n")
            _log.info("%s", row)
        if step % CHECKPOINT == CHECKPOINT - 1:
            training.save(checkpoint, step + 1)
    return student.eval()


def main() -> None:
    """Distil from the shipped classifier."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder laid out as docs/training.md says")
    parser.add_argument("--cache", type=Path, required=True, help="folder for decoded films, kept between runs")
    parser.add_argument("--out", type=Path, required=True, help="weights to write (safetensors)")
    parser.add_argument("--steps", type=int, help="number of steps, where it should not be the stage's own")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    stage = replace(STAGE, steps=arguments.steps or STAGE.steps)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    batches = Batches(TrainingFilms(arguments.data, arguments.cache, planted=False), stage, arguments.seed)
    with torch.random.fork_rng():
        torch.manual_seed(arguments.seed)
        student = grey_densenet121(len(FINDINGS))
    distil(student, load_classifier(TEACHER).network, stage, batches.batch, arguments.out)
    settings = {"teacher": TEACHER, "seed": str(arguments.seed), "stage": json.dumps(asdict(stage))}
    save_network(student, arguments.out, settings, torch.float16)


if __name__ == "__main__":
    main()
