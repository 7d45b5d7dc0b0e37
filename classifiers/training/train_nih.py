"""Train ``nih14-localised`` and its twin ``nih14``: ``python -m classifiers.training.train_nih --help``.

Both start from the same first stage (labels only, 160 pixels). The second stage (224 pixels) is the same for both,
films and schedule included, but for one term: ``nih14-localised`` also pulls the class maps into radiologists' boxes
(limited supervision, Li et al. 2018, arXiv 1711.06373).
"""

from __future__ import annotations

import argparse
import copy
import json
import logging
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

from classifiers.networks import CELL, chest_resnet18, class_map, feature_map
from classifiers.training import augment, nih_data
from classifiers.training.losses import BoxAttention

_log = logging.getLogger("train_nih")


@dataclass(frozen=True)
class Stage:
    """One stage of training.

    Attributes:
        side: input side in pixels. steps: optimiser steps. labelled, boxed: films of each kind in a batch.
        box_weight: weight of the box term (0 leaves it out). body_rate, head_rate: peak learning rates.
        frozen: whether the stem and the first stage keep their weights.
        large_share: share of the labelled films taken from the 384-pixel archive.
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
    weight_decay: float = 0.05
    dropout: float = 0.25
    average: float = 0.99


STAGES = {
    "shared": Stage(side=160, steps=400),
    "nih14": Stage(side=224, steps=360, body_rate=3e-4, head_rate=1e-3, frozen=True, large_share=0.3),
    "nih14-localised": Stage(
        side=224, steps=360, body_rate=3e-4, head_rate=1e-3, frozen=True, large_share=0.3, box_weight=0.1
    ),
}


class Batches:
    """Endless random batches of augmented films.

    Each batch has ``labelled`` films (text-mined labels) and ``boxed`` films, these drawn evenly over the eight boxed
    findings, with the share of every class-map cell that the drawn finding's boxes cover.
    """

    def __init__(self, data: Path, split: dict[int, str], stage: Stage, seed: int) -> None:
        self.stage = stage
        self.numpy = np.random.default_rng(seed)
        self.torch = torch.Generator().manual_seed(seed)
        in_train = lambda s: np.array([split[int(p)] == "train" for p in s.patients])  # noqa: E731
        labelled = nih_data.read_labelled(data)
        self.small = labelled[128].take(in_train(labelled[128]))
        self.large = labelled[nih_data.LARGE].take(in_train(labelled[nih_data.LARGE]))
        boxed = nih_data.read_boxed(data)
        self.boxed = boxed
        train = set(np.flatnonzero(in_train(boxed.films)))
        pairs = boxed.boxes[boxed.boxes.film.isin(train)].groupby(["finding", "film"])
        self.masks = {key: nih_data.box_masks(part, nih_data.LARGE) for key, part in pairs}
        self.by_finding = {f: [film for name, film in self.masks if name == f] for f in nih_data.BOXED_FINDINGS}
        self._queue: dict[int, list[int]] = {}

    def _draw(self, films: nih_data.FilmSet, n: int) -> np.ndarray:
        """Take the next ``n`` of a shuffled pass over ``films``."""
        queue = self._queue.setdefault(id(films), [])
        while len(queue) < n:
            queue.extend(self.numpy.permutation(len(films.films)).tolist())
        taken, self._queue[id(films)] = queue[:n], queue[n:]
        return np.array(taken)

    def _films(self, films: np.ndarray, theta: torch.Tensor) -> torch.Tensor:
        pixels = torch.from_numpy(films).float().div_(255)[:, None]
        return augment.warp(pixels, theta, self.stage.side)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]]:
        while True:
            yield self.next_batch()

    def next_batch(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return films (N, 1, S, S) in network range, labels (N, 14), and of the last ``boxed`` films the drawn
        finding's index (B,) and cell shares (B, S/16, S/16).
        """
        stage = self.stage
        n_large = int(self.numpy.binomial(stage.labelled, stage.large_share))
        parts, labels = [], []
        for films, n in ((self.small, stage.labelled - n_large), (self.large, n_large)):
            rows = self._draw(films, n)
            parts.append(self._films(films.films[rows], augment.random_affine(n, self.torch)))
            labels.append(films.labels[rows])
        findings = self.numpy.choice(len(nih_data.BOXED_FINDINGS), stage.boxed, replace=True)
        names = [nih_data.BOXED_FINDINGS[i] for i in findings]
        rows = np.array([self.numpy.choice(self.by_finding[f]) for f in names])
        masks = np.stack([self.masks[f, r] for f, r in zip(names, rows)])
        theta = augment.random_affine(stage.boxed, self.torch)
        parts.append(self._films(self.boxed.films.films[rows], theta))
        labels.append(self.boxed.films.labels[rows])
        warped = augment.warp(torch.from_numpy(masks)[:, None], theta, stage.side)
        shares = F.avg_pool2d(warped, CELL)[:, 0]
        films = augment.normalise(augment.vary_exposure(torch.cat(parts), self.torch))
        drawn = torch.tensor([nih_data.FINDINGS.index(f) for f in names])
        return films, torch.from_numpy(np.concatenate(labels)), drawn, shares


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


def run_stage(network: torch.nn.Module, stage: Stage, batches: Batches, out: Path) -> torch.nn.Module:
    """Train ``network`` for one stage and return the running average of its weights (the model to keep)."""
    boxes = BoxAttention(len(nih_data.FINDINGS))
    groups = parameter_groups(network, stage)
    groups.append({"params": list(boxes.parameters()), "lr": 1e-2, "weight_decay": 0.0})
    optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=[float(str(g["lr"])) for g in groups], total_steps=stage.steps, pct_start=0.15
    )
    network = network.train().to(memory_format=torch.channels_last)
    average = copy.deepcopy(network).eval()
    started, log = time.monotonic(), out.with_suffix(".log.jsonl")
    for step, (films, labels, drawn, shares) in zip(range(stage.steps), batches):
        films = films.to(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            features = feature_map(network, films)
        features = F.dropout2d(features.float(), stage.dropout)
        maps = class_map(network, features)
        label_loss = F.binary_cross_entropy_with_logits(maps.mean(dim=(2, 3)), labels)
        box_loss = boxes(maps[-stage.boxed :], drawn, shares)
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


def main() -> None:
    """Run one stage from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("variant", choices=sorted(STAGES))
    parser.add_argument("--data", type=Path, required=True, help="folder laid out as docs/training.md says")
    parser.add_argument("--out", type=Path, required=True, help="weights to write (safetensors)")
    parser.add_argument("--start", type=Path, help="weights of the stage 'shared'; without it, ImageNet's")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    stage = STAGES[arguments.variant]
    split_table = nih_data.make_split(arguments.data)
    split = dict(zip(split_table.patient_id.astype(int), split_table.split))
    with torch.random.fork_rng():
        torch.manual_seed(arguments.seed)
        if arguments.start is None:
            imagenet = load_file(arguments.data / "weights" / "resnet18_imagenet.safetensors")
            network = chest_resnet18(len(nih_data.FINDINGS), imagenet)
        else:
            network = chest_resnet18(len(nih_data.FINDINGS))
            network.load_state_dict(
                {k: v.float() if v.is_floating_point() else v for k, v in load_file(arguments.start).items()}
            )
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        batches = Batches(arguments.data, split, stage, arguments.seed)
        average = run_stage(network, stage, batches, arguments.out)
    dtype = torch.float32 if arguments.variant == "shared" else torch.float16
    settings = {"variant": arguments.variant, "seed": str(arguments.seed), "stage": json.dumps(asdict(stage))}
    save_network(average, arguments.out, settings, dtype)


if __name__ == "__main__":
    main()
