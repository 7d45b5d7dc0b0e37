"""Train ``nih14-localised`` and its twin ``nih14``: ``python -m classifiers.training.train_nih --help``.

Both start from the same first stage (labels only, 160 pixels). The second stage (224 pixels) is the same for both,
films and schedule included, but for one term: ``nih14-localised`` also pulls the class maps into radiologists' boxes
(limited supervision, Li et al. 2018, arXiv 1711.06373).
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from classifiers.networks import CELL, chest_resnet18
from classifiers.training import augment, nih_data
from classifiers.training.loop import Batch, Stage, load_weights, run_stage, save_network

_log = logging.getLogger("train_nih")

_FIRST = Stage(side=224, steps=360, body_rate=3e-4, head_rate=1e-3, frozen=True, large_share=0.3)
_SECOND = replace(_FIRST, steps=300, body_rate=2e-4, balanced=1 / 3)
STAGES = {
    "shared": Stage(side=160, steps=400),
    "nih14": _FIRST,
    "nih14-second": _SECOND,
    "nih14-localised": replace(_FIRST, box_weight=0.1),
    "nih14-localised-second": replace(_SECOND, box_weight=0.2),
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
        """Rows of ``n`` films: some drawn evenly over the findings, the others next in a shuffled pass."""
        even = int(self.numpy.binomial(n, self.stage.balanced))
        drawn = self.numpy.permutation(np.flatnonzero(films.labels.sum(axis=0) > 0).repeat(even + 1))[:even]
        by_finding = [int(self.numpy.choice(np.flatnonzero(films.labels[:, c]))) for c in drawn]
        return np.concatenate([np.array(by_finding, dtype=np.int64), self._next(films, n - even)])

    def _next(self, films: nih_data.FilmSet, n: int) -> np.ndarray:
        """Take the next ``n`` of a shuffled pass over ``films``."""
        queue = self._queue.setdefault(id(films), [])
        while len(queue) < n:
            queue.extend(self.numpy.permutation(len(films.films)).tolist())
        taken, self._queue[id(films)] = queue[:n], queue[n:]
        return np.array(taken, dtype=np.int64)

    def _films(self, films: np.ndarray, theta: torch.Tensor) -> torch.Tensor:
        pixels = torch.from_numpy(films).float().div_(255)[:, None]
        return augment.warp(pixels, theta, self.stage.side)

    def __iter__(self) -> Iterator[Batch]:
        while True:
            yield self.next_batch()

    def next_batch(self) -> Batch:
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
        batch = augment.normalise(augment.vary_exposure(torch.cat(parts), self.torch))
        drawn = torch.tensor([nih_data.FINDINGS.index(f) for f in names])
        return batch, torch.from_numpy(np.concatenate(labels)), drawn, shares


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
            load_weights(network, arguments.start)
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        batches = Batches(arguments.data, split, stage, arguments.seed)
        average = run_stage(network, stage, len(nih_data.FINDINGS), batches, arguments.out)
    dtype = torch.float32 if arguments.variant == "shared" else torch.float16
    settings = {"variant": arguments.variant, "seed": str(arguments.seed), "stage": json.dumps(asdict(stage))}
    save_network(average, arguments.out, settings, dtype)


if __name__ == "__main__":
    main()
