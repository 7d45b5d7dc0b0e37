"""Train the network that outlines lungs and heart: ``python -m classifiers.training.train_anatomy --help``.

First on children alone, whose lungs are outlined on a thousand films; then on children and adults; then also on adults
whose hearts were outlined without the great vessels; last also on hearts that are enlarged.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from classifiers.anatomy_network import AnatomyNetwork
from classifiers.precision import training_precision
from classifiers.training.anatomy_data import (
    AnatomyBatches,
    Batch,
    Mix,
    make_split,
    read_outlined,
    write_split,
)
from classifiers.training.checkpoints import Training
from classifiers.training.loop import CHECKPOINT, load_weights, one_cycle, save_network

_log = logging.getLogger("train_anatomy")
SPLIT_SEED = 0


@dataclass(frozen=True)
class AnatomyStage:
    """One stage of training: input side, optimiser steps, the batch, the peak learning rate, decay of the average."""

    steps: int
    mix: Mix
    rate: float
    side: int = 192
    average: float = 0.99
    weight_decay: float = 0.01


STAGES = {
    "children": AnatomyStage(steps=600, mix=Mix(children=14, adults=0, none=2), rate=4e-3),
    "adults": AnatomyStage(steps=450, mix=Mix(children=6, adults=8, none=2), rate=2e-3),
    "hearts": AnatomyStage(steps=1500, mix=Mix(children=4, adults=4, none=2, wingspan=8), rate=1.5e-3),
    "enlarged": AnatomyStage(steps=700, mix=Mix(children=3, adults=3, none=2, wingspan=8, enlarged=4), rate=1e-3),
}


def dice_loss(logits: torch.Tensor, masks: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """One minus the soft Dice of each film and structure: (N, C) of (N, C, S, S) (Milletari 2016, arXiv 1606.04797).

    Only pixels where ``known`` holds count. A hundred pixels are added to both sides, so that an empty mask has a
    gradient.
    """
    found, masks = logits.sigmoid() * known, masks * known
    both, either = (found * masks).sum((2, 3)), (found + masks).sum((2, 3))
    return 1 - (2 * both + 100) / (either + 100)


def train(network: AnatomyNetwork, stage: AnatomyStage, batch: Callable[[int], Batch], out: Path) -> torch.nn.Module:
    """Train for one stage and return the running average of the weights; structures nobody outlined do not count.

    Every ``CHECKPOINT`` steps all is written beside ``out``; the same call then goes on from there.

    Args:
        batch: makes the batch of a step. out: where the weights will be written.
    """
    network.train()
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(stage.average), use_buffers=True)
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=stage.weight_decay)
    training = Training({"network": network, "average": average}, optimiser)
    checkpoint, log = out.with_suffix(".checkpoint.safetensors"), out.with_suffix(".log.jsonl")
    started = time.monotonic()
    for step in range(training.resume(checkpoint), stage.steps):
        films, masks, known = batch(step)
        optimiser.param_groups[0]["lr"] = stage.rate * one_cycle(step / stage.steps)
        with training_precision():
            logits = network(films.contiguous(memory_format=torch.channels_last))
        logits = logits.float()
        cross = (F.binary_cross_entropy_with_logits(logits, masks, reduction="none") * known).mean((2, 3))
        dice = dice_loss(logits, masks, known)
        told = known.any(dim=3).any(dim=2)
        loss = (cross + dice)[told].mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        average.update_parameters(network)
        if step % 20 == 0 or step + 1 == stage.steps:
            figures = {"cross_entropy": cross[told].mean().item(), "dice_loss": dice[told].mean().item()}
            row = {"step": step, **figures, "seconds": round(time.monotonic() - started, 1)}
            with log.open("a") as stream:
                stream.write(json.dumps(row) + "\n")
            _log.info("%s", row)
        if step % CHECKPOINT == CHECKPOINT - 1:
            training.save(checkpoint, step + 1)
    return average.module


def main() -> None:
    """Train one stage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--data", type=Path, required=True, help="the folder that XAI_LIGHTBOX_DATA points at, too")
    parser.add_argument("--start", type=Path, help="weights to start from")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, help="number of steps, where it should not be the stage's own")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    stage = STAGES[arguments.stage]
    stage = replace(stage, steps=arguments.steps or stage.steps)
    films = read_outlined(arguments.data)
    if not all(o.part for o in films):
        films = make_split(films, SPLIT_SEED)
        write_split(films)
    films = [o for o in films if o.part == "train"]
    _log.info("%d films to train on", len(films))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng():
        torch.manual_seed(arguments.seed)
        network = AnatomyNetwork()
        if arguments.start:
            load_weights(network, arguments.start)
        batches = AnatomyBatches(films, stage.mix, stage.side, arguments.seed)
        average = train(network, stage, batches.batch, arguments.out)
    settings = {"seed": str(arguments.seed), "stage": json.dumps(asdict(stage))}
    save_network(average, arguments.out, settings, torch.float16)


if __name__ == "__main__":
    main()
