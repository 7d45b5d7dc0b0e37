"""The training loop that all shipped classifiers share: labels for the logit, outlines for the class map."""

from __future__ import annotations

import copy
import json
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

from classifiers.networks import ChestResNet18, class_map, feature_map
from classifiers.training.losses import BoxAttention

_log = logging.getLogger("training")

Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]
"""Films (N, 1, S, S) in network range, labels (N, C), and of the last B films: an outlined finding's index (B,) and
the share of each class-map cell inside its outline (B, S/16, S/16)."""


@dataclass(frozen=True)
class Stage:
    """One stage of training.

    Attributes:
        side: input side in pixels. steps: optimiser steps. labelled, boxed: films of each kind in a batch.
        box_weight: weight of the box term (0 leaves it out). body_rate, head_rate: peak learning rates.
        frozen: whether the stem and the first stage keep their weights.
        large_share: share of the labelled films taken from the 384-pixel archive.
        balanced: share of the labelled films drawn evenly over the findings instead of over the films.
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
    network: ChestResNet18, stage: Stage, n_findings: int, batches: Iterable[Batch], out: Path
) -> torch.nn.Module:
    """Train ``network`` for one stage and return the running average of its weights (the model to keep)."""
    boxes = BoxAttention(n_findings)
    groups = parameter_groups(network, stage)
    groups.append({"params": list(boxes.parameters()), "lr": 1e-2, "weight_decay": 0.0})
    optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=[float(str(g["lr"])) for g in groups], total_steps=stage.steps, pct_start=0.15
    )
    network = network.train()
    average = copy.deepcopy(network).eval()
    started, log = time.monotonic(), out.with_suffix(".log.jsonl")
    for step, (films, labels, drawn, shares) in zip(range(stage.steps), batches):
        films = films.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            features = feature_map(network, films)
        features = F.dropout2d(features.float(), stage.dropout)
        maps = class_map(network, features)
        label_loss = F.binary_cross_entropy_with_logits(maps.mean(dim=(2, 3)), labels)
        box_loss = boxes(maps[len(maps) - len(drawn) :], drawn, shares)
        loss = label_loss + stage.box_weight * box_loss
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        _follow(average, network, min(stage.average, (1 + step) / (10 + step)))
        if step % 20 == 0 or step + 1 == stage.steps:
            row = {
                "step": step,
                "label_loss": round(label_loss.item(), 4),
                "box_loss": round(box_loss.item(), 4),
                "seconds": round(time.monotonic() - started, 1),
            }
            with log.open("a") as stream:
                stream.write(json.dumps(row) + "\n")
            _log.info("%s", row)
        if step % 100 == 99:
            save_network(average, out.with_suffix(".part.safetensors"), {}, torch.float32)
    return average


@torch.no_grad()
def _follow(average: torch.nn.Module, network: torch.nn.Module, decay: float) -> None:
    """Move ``average`` towards ``network``: exponential moving average of weights and running statistics."""
    for kept, new in zip(average.state_dict().values(), network.state_dict().values()):
        if kept.dtype.is_floating_point:
            kept.lerp_(new, 1 - decay)
        else:
            kept.copy_(new)


def save_network(network: torch.nn.Module, path: Path, metadata: dict[str, str], dtype: torch.dtype) -> None:
    """Write the weights as safetensors in ``dtype``, through a temporary file."""
    state = {k: (v.to(dtype) if v.dtype.is_floating_point else v).contiguous() for k, v in network.state_dict().items()}
    part = path.with_suffix(".tmp")
    save_file(state, part, metadata=metadata)
    part.replace(path)


def load_weights(network: torch.nn.Module, path: Path, head: bool = True) -> None:
    """Copy weights saved by :func:`save_network` into ``network``; without ``head``, all but its last layer."""
    state = {k: v.float() if v.is_floating_point() else v for k, v in load_file(path).items()}
    if not head:
        state = {k: v for k, v in state.items() if not k.startswith("fc.")}
    missing, unexpected = network.load_state_dict(state, strict=False)
    wrong = [k for k in missing if head or not k.startswith("fc.")]
    if wrong or unexpected:
        raise ValueError(f"{path.name} is not of this network: missing {wrong}, unexpected {list(unexpected)}")
