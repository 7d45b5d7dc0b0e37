"""Train ``known-truth-vit``: ``python -m classifiers.training.train_known_truth_vit --help``.

A transformer that detects planted findings. Its convolutional stem is that of the ResNet ``known-truth``; beside the
labels, each token learns which share of its cell the planted finding covers (token labelling, Jiang et al. 2021,
arXiv 2104.10858), by a head that is not shipped.
"""

from __future__ import annotations

import argparse
import copy
import json
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from classifiers.precision import training_precision
from classifiers.registry import load_classifier
from classifiers.training.checkpoints import Training
from classifiers.training.loop import CHECKPOINT, Batch, Stage, follow, one_cycle, save_network
from classifiers.training.train_known_truth import PlantedBatches
from classifiers.vision_transformer import SIDE, WIDTH, ChestVit
from radiographs.planting import FINDINGS

_log = logging.getLogger("train_known_truth_vit")
STAGE = Stage(side=SIDE, steps=110, labelled=10, boxed=22, box_weight=5.0, head_rate=1e-3)
"""``box_weight`` is that of the tokens' loss; the stem keeps its weights."""
STOP = 50
"""The step after which the shipped weights were taken: all findings were detected on the validation films."""
NODULES = 7
TEACHER = "known-truth"
STEM = ("conv1", "bn1", "layer1", "layer2", "layer3")


def start(stem: nn.Module) -> tuple[ChestVit, nn.Linear]:
    """A transformer whose stem has the weights of a ResNet, and the tokens' head (W to C)."""
    network = ChestVit(len(FINDINGS))
    known = {k: v for k, v in stem.state_dict().items() if k.split(".")[0] in STEM}
    unexpected = network.load_state_dict(known, strict=False).unexpected_keys
    if unexpected:
        raise ValueError(f"the stem's weights are of another network: {unexpected}")
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name.split(".")[0] not in STEM)
    return network, nn.Linear(WIDTH, len(FINDINGS))


def token_loss(given: torch.Tensor, labels: torch.Tensor, drawn: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of each token's logits with what is known of its cell.

    Args:
        given: (N, T, C) logits. labels: (N, C). drawn, shares: of the last B films, as in ``loop.Batch``. A finding
            that a film has beside the drawn one lies nobody says where: it is left out there.
    """
    wanted, known = torch.zeros_like(given), (1 - labels)[:, None, :].repeat(1, given.shape[1], 1)
    rows = torch.arange(len(given) - len(drawn), len(given))
    wanted[rows, :, drawn] = shares.flatten(1)
    known[rows, :, drawn] = 1
    return (known * F.binary_cross_entropy_with_logits(given, wanted, reduction="none")).sum() / known.sum()


def losses(network: ChestVit, tokens_head: nn.Linear, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Label loss and tokens' loss of one batch."""
    films, labels, drawn, shares = batch
    with training_precision():
        tokens = network.tokens(films.contiguous(memory_format=torch.channels_last))
    tokens = tokens.float()
    label_loss = F.binary_cross_entropy_with_logits(network.head(tokens[:, 0]), labels)
    return label_loss, token_loss(tokens_head(tokens[:, 1:]), labels, drawn, shares)


def train(
    network: ChestVit, tokens_head: nn.Linear, stage: Stage, batch: Callable[[int], Batch], out: Path, stop: int
) -> ChestVit:
    """Train for one stage and return the running average of the weights; the same call goes on from a checkpoint."""
    average = copy.deepcopy(network).eval()
    network.eval()
    optimiser = torch.optim.AdamW(_groups(network, tokens_head, stage), betas=(0.9, 0.98))
    training = Training({"network": network, "average": average, "tokens": tokens_head}, optimiser)
    checkpoint, started = out.with_suffix(".checkpoint.safetensors"), time.monotonic()
    first = training.resume(checkpoint)
    with ThreadPoolExecutor(1) as ahead:
        coming = ahead.submit(batch, first)
        for step in range(first, min(stop, stage.steps)):
            now, coming = coming.result(), ahead.submit(batch, step + 1)
            for group in optimiser.param_groups:
                group["lr"] = stage.head_rate * one_cycle(step / stage.steps)
            label_loss, tokens_loss = losses(network, tokens_head, now)
            optimiser.zero_grad(set_to_none=True)
            (label_loss + stage.box_weight * tokens_loss).backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            follow(average, network, min(stage.average, (1 + step) / (10 + step)))
            if step % 10 == 0 or step + 1 == stop:
                row = {
                    "step": step,
                    "label_loss": round(label_loss.item(), 4),
                    "token_loss": round(tokens_loss.item(), 5),
                }
                row["seconds"] = round(time.monotonic() - started, 1)
                with out.with_suffix(".log.jsonl").open("a") as stream:
                    stream.write(json.dumps(row) + "\n")
                _log.info("%s", row)
            if step % CHECKPOINT == CHECKPOINT - 1:
                training.save(checkpoint, step + 1)
    return average


def _groups(network: ChestVit, tokens_head: nn.Linear, stage: Stage) -> list[dict[str, object]]:
    """Trainable parameters; vectors are not decayed."""
    trained = [*(p for p in network.parameters() if p.requires_grad), *tokens_head.parameters()]
    matrices, vectors = ([p for p in trained if (p.ndim > 1) == wanted] for wanted in (True, False))
    return [
        {"params": matrices, "lr": stage.head_rate, "weight_decay": stage.weight_decay},
        {"params": vectors, "lr": stage.head_rate, "weight_decay": 0.0},
    ]


def main() -> None:
    """Train from the shipped ResNet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="weights to write (safetensors)")
    parser.add_argument(
        "--stop", type=int, default=STOP, help="step to stop after, its rate not yet down (default %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng():
        torch.manual_seed(arguments.seed)
        network, tokens_head = start(load_classifier(TEACHER, "cpu").network)
    batches = PlantedBatches(STAGE, arguments.seed, NODULES)
    average = train(network, tokens_head, STAGE, batches.batch, arguments.out, arguments.stop)
    settings = {
        "variant": "known-truth-vit",
        "stem": TEACHER,
        "seed": str(arguments.seed),
        "stage": json.dumps(asdict(STAGE)),
    }
    save_network(average, arguments.out, settings, torch.float16)


if __name__ == "__main__":
    main()
