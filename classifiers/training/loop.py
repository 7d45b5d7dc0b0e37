"""The training loop that all shipped classifiers share: labels for the logit, outlines for the class map."""

from __future__ import annotations

import copy
import json
import logging
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

from classifiers.networks import ChestResNet18, class_map, feature_map
from classifiers.precision import training_precision
from classifiers.training.checkpoints import Training
from classifiers.training.losses import BoxAttention
from radiographs.files import replacing

_log = logging.getLogger("training")
CHECKPOINT = 25
"""Steps between two checkpoints."""
SHARDS = 2
"""Parts of a batch, each with a thread of its own."""

Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]
"""Films (N, 1, S, S) in network range, probabilities to answer (N, C), and of the last B films: an outlined finding's
index (B,) and the share of each class-map cell inside its outline (B, S/16, S/16)."""


@dataclass(frozen=True)
class Stage:
    """One stage of training.

    Attributes:
        side: input side in pixels. steps: optimiser steps. labelled, boxed: films of each kind in a batch.
        box_weight: weight of the box term (0 leaves it out). body_rate, head_rate: peak learning rates.
        frozen: whether the stem and the first stage keep their weights.
        large_share: share of the labelled films taken from the 384-pixel archive.
        balanced: share of the labelled films drawn evenly over the findings instead of over the films.
        planted: how many of the outlined films have a planted finding.
        flip, soften: probabilities that a film is mirrored, and that a sharp film is blurred to the soft ones' detail.
        smoothing: what the labels 0 and 1 become: text-mined labels are wrong for about one in ten.
        distil: how far the labels are moved towards the teachers' probabilities, where there are teachers.
        consistent: whether labelled films are blended in pairs, with their labels, and the teachers look at each batch
            as the network is given it, instead of once at every film as it is.
    """

    side: int
    steps: int
    labelled: int = 48
    boxed: int = 12
    box_weight: float = 0.0
    body_rate: float = 4e-4
    head_rate: float = 3e-3
    frozen: bool = False
    large_share: float = 0.15
    balanced: float = 0.0
    weight_decay: float = 0.05
    dropout: float = 0.25
    average: float = 0.99
    planted: int = 0
    flip: float = 0.0
    soften: float = 0.0
    smoothing: tuple[float, float] = (0.0, 1.0)
    distil: float = 0.0
    consistent: bool = False


def parameter_groups(network: torch.nn.Module, stage: Stage) -> list[dict[str, object]]:
    """Split the trainable parameters: body and head have rates of their own, vectors are not decayed."""
    groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if stage.frozen and name.split(".")[0] in ("conv1", "bn1", "layer1"):
            parameter.requires_grad_(False)
            continue
        groups.setdefault((name.startswith("fc."), parameter.ndim > 1), []).append(parameter)
    return [
        {
            "params": parameters,
            "lr": stage.head_rate if head else stage.body_rate,
            "weight_decay": stage.weight_decay if decayed else 0.0,
        }
        for (head, decayed), parameters in groups.items()
    ]


def run_stage(
    network: ChestResNet18, stage: Stage, n_findings: int, batch: Callable[[int], Batch], out: Path
) -> ChestResNet18:
    """Train ``network`` for one stage and return the running average of its weights (the model to keep).

    Every ``CHECKPOINT`` steps all is written beside ``out``; the same call then goes on from there. Each half of a
    batch has a thread of its own, which on few cores is faster than two threads within each operation.

    Args:
        batch: makes the batch of a step; the same step gives the same batch. out: where the weights will be written.
    """
    boxes = BoxAttention(n_findings)
    groups = parameter_groups(network, stage)
    groups.append({"params": list(boxes.parameters()), "lr": 1e-2, "weight_decay": 0.0})
    optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.98))
    rates = [float(str(g["lr"])) for g in groups]
    network = network.train()
    average = copy.deepcopy(network).eval()
    training = Training({"network": network, "average": average, "boxes": boxes}, optimiser)
    checkpoint, log = out.with_suffix(".checkpoint.safetensors"), out.with_suffix(".log.jsonl")
    first = training.resume(checkpoint)
    weights = [p for group in groups for p in cast(list[torch.nn.Parameter], group["params"])]
    started, cpu = time.monotonic(), time.process_time()
    with ThreadPoolExecutor(1) as ahead, ThreadPoolExecutor(SHARDS) as workers:
        coming = ahead.submit(batch, first)
        for step in range(first, stage.steps):
            now, coming = coming.result(), ahead.submit(batch, step + 1)
            for group, rate in zip(optimiser.param_groups, rates):
                group["lr"] = rate * one_cycle(step / stage.steps)
            answers = list(workers.map(lambda shard: _gradients(network, boxes, stage, weights, shard), _shards(now)))
            for weight, *grads in zip(weights, *(answer[0] for answer in answers)):
                weight.grad = torch.stack(grads).mean(dim=0)
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            follow(average, network, min(stage.average, (1 + step) / (10 + step)))
            if step % 10 == 0 or step + 1 == stage.steps:
                losses = [round(sum(a[1][i] for a in answers) / len(answers), 4) for i in range(2)]
                spent = {"seconds": round(time.monotonic() - started, 1), "cpu": round(time.process_time() - cpu, 1)}
                row = {"step": step, "label_loss": losses[0], "box_loss": losses[1], **spent}
                with log.open("a") as stream:
                    stream.write(json.dumps(row) + "\n")
                _log.info("%s", row)
            if step % CHECKPOINT == CHECKPOINT - 1:
                training.save(checkpoint, step + 1)
    return average


def one_cycle(share: float, warm: float = 0.15) -> float:
    """Share of the peak learning rate after ``share`` of the steps: up over ``warm`` of them, then down, by cosines."""
    if share < warm:
        return 0.04 + 0.96 * 0.5 * (1 - math.cos(math.pi * share / warm))
    return 0.5 * (1 + math.cos(math.pi * (share - warm) / (1 - warm)))


def _shards(batch: Batch) -> list[Batch]:
    """Every second film of the labelled and of the outlined ones."""
    films, labels, drawn, shares = batch
    outlined = len(films) - len(drawn)
    shards = []
    for i in range(SHARDS):
        rows = torch.cat([torch.arange(i, outlined, SHARDS), torch.arange(outlined + i, len(films), SHARDS)])
        shards.append((films[rows], labels[rows], drawn[i::SHARDS], shares[i::SHARDS]))
    return shards


def _gradients(
    network: ChestResNet18, boxes: BoxAttention, stage: Stage, weights: list[torch.nn.Parameter], shard: Batch
) -> tuple[tuple[torch.Tensor, ...], tuple[float, float]]:
    """Gradients of the weights on one shard, and its label and box losses."""
    films, labels, drawn, shares = shard
    films = films.contiguous(memory_format=torch.channels_last)
    with training_precision():
        features = feature_map(network, films)
    features = F.dropout2d(features.float(), stage.dropout)
    maps = class_map(network, features)
    label_loss = F.binary_cross_entropy_with_logits(maps.mean(dim=(2, 3)), labels)
    box_loss = boxes(maps[len(maps) - len(drawn) :], drawn, shares)
    loss = label_loss + stage.box_weight * box_loss
    grads = torch.autograd.grad(loss, weights, allow_unused=True)
    return tuple(torch.zeros_like(w) if g is None else g for w, g in zip(weights, grads)), (
        label_loss.item(),
        box_loss.item(),
    )


@torch.no_grad()
def follow(average: torch.nn.Module, network: torch.nn.Module, decay: float) -> None:
    """Move ``average`` towards ``network``: exponential moving average of weights and running statistics."""
    for old, new in zip(average.state_dict().values(), network.state_dict().values()):
        if old.dtype.is_floating_point:
            old.lerp_(new, 1 - decay)
        else:
            old.copy_(new)


def save_network(network: torch.nn.Module, path: Path, metadata: dict[str, str], dtype: torch.dtype) -> None:
    """Write the weights as safetensors in ``dtype``, whole or not at all."""
    state = {k: (v.to(dtype) if v.dtype.is_floating_point else v).contiguous() for k, v in network.state_dict().items()}
    with replacing(path) as fresh:
        save_file(state, fresh, metadata=metadata)


def load_weights(network: torch.nn.Module, path: Path, head: bool = True) -> None:
    """Copy weights saved by :func:`save_network` into ``network``; without ``head``, all but its last layer."""
    state = {k: v.float() if v.is_floating_point() else v for k, v in load_file(path).items()}
    if not head:
        state = {k: v for k, v in state.items() if not k.startswith("fc.")}
    missing, unexpected = network.load_state_dict(state, strict=False)
    wrong = [k for k in missing if head or not k.startswith("fc.")]
    if wrong or unexpected:
        raise ValueError(f"{path.name} is not of this network: missing {wrong}, unexpected {list(unexpected)}")
