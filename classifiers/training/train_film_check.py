"""Train the network of the film check: ``python -m classifiers.training.train_film_check --help``."""

from __future__ import annotations

import argparse
import json
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
import torch.nn.functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from classifiers.film_check_network import HANGS, FilmCheckNetwork
from classifiers.precision import training_precision
from classifiers.training.film_check_data import IGNORED, FilmCheckBatches, read
from classifiers.training.loop import one_cycle, save_network

_log = logging.getLogger("train_film_check")
RATE, WEIGHT_DECAY, AVERAGE = 4e-3, 0.02, 0.995


def loss_of(logits: torch.Tensor, hangs: torch.Tensor, answers: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of how films hang plus that of each question, each over the films where it counts."""
    told = hangs >= 0
    total = F.cross_entropy(logits[told, :HANGS], hangs[told])
    counts = (answers != IGNORED).float()
    each = F.binary_cross_entropy_with_logits(logits[:, HANGS:], answers.clamp(0, 1), reduction="none")
    return total + ((each * counts).sum(0) / counts.sum(0).clamp(min=1)).sum()


def train(network: FilmCheckNetwork, batches: FilmCheckBatches, steps: int, log: Path) -> torch.nn.Module:
    """Train with AdamW over one cycle and return the running average of the weights; losses go into ``log``."""
    network.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(AVERAGE), use_buffers=True)
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=WEIGHT_DECAY)
    started = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(batches.batch, 0)
        for step in range(steps):
            films, hangs, answers = coming.result()
            coming = pool.submit(batches.batch, step + 1)
            optimiser.param_groups[0]["lr"] = RATE * one_cycle(step / steps)
            with training_precision():
                logits = network(films.contiguous(memory_format=torch.channels_last))
            loss = loss_of(logits.float(), hangs, answers)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            average.update_parameters(network)
            if step % 50 == 0 or step + 1 == steps:
                row = {"step": step, "loss": round(loss.item(), 4), "seconds": round(time.monotonic() - started, 1)}
                with log.open("a") as stream:
                    stream.write(json.dumps(row) + "\n")
                _log.info("%s", row)
    return average.module


def main() -> None:
    """Train and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder that XAI_LIGHTBOX_DATA points at, too")
    parser.add_argument("--cache", type=Path, required=True, help="a folder for decoded films")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    films = read(arguments.data, arguments.cache)
    films = films.take((films.table.part == "train").to_numpy())
    _log.info("films to train on: %s", films.table.source.value_counts().to_dict())
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng():
        torch.manual_seed(arguments.seed)
        network = FilmCheckNetwork()
        batches = FilmCheckBatches(films, arguments.seed)
        average = train(network, batches, arguments.steps, arguments.out.with_suffix(".log.jsonl"))
    settings = {"seed": str(arguments.seed), "steps": str(arguments.steps)}
    save_network(average, arguments.out, settings, torch.float32)


if __name__ == "__main__":
    main()
