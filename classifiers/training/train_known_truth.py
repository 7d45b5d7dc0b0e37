"""Train ``known-truth``, the detector of planted findings: ``python -m classifiers.training.train_known_truth --help``.

Findings are planted anew into normal films in every batch; the masks are exact, and pull the class maps into place.
"""

from __future__ import annotations

import argparse
import json
import logging
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from classifiers.networks import CELL, chest_resnet18
from classifiers.training import augment
from classifiers.training.loop import Batch, Stage, load_weights, run_stage, save_network
from radiographs import Radiograph
from radiographs.planting import FINDINGS, find_lungs, load, normal_films, plant

_log = logging.getLogger("train_known_truth")
STAGE = Stage(side=224, steps=420, labelled=12, boxed=20, box_weight=0.1, body_rate=3e-4, head_rate=2e-3, dropout=0.1)
CONTINUED = replace(STAGE, steps=200, body_rate=2e-4, head_rate=5e-4)
"""The second cycle: more than half of its planted films carry a nodule, the hardest finding."""
NODULES = 11
SECOND = 0.15
"""Share of the planted films that get a second finding."""


class PlantedBatches:
    """Batches of normal films (first) and films with planted findings (last).

    The planted findings come in equal parts, beside ``nodules`` films that carry a nodule in any case.
    """

    def __init__(self, stage: Stage, seed: int, nodules: int = 0) -> None:
        self.stage = stage
        others = [FINDINGS[i % len(FINDINGS)] for i in range(stage.boxed - nodules)]
        self.names = ["Nodule"] * nodules + others
        self.seed = seed
        self.numpy, self.torch = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
        _log.info("reading films and finding lungs")
        self.films = [(film, find_lungs(film)) for film in map(load, (f for f in normal_films() if f.part == "train"))]

    def _planted(self, finding: str) -> tuple[Radiograph, np.ndarray, np.ndarray]:
        """One film with ``finding``, sometimes with a second one too: film, the finding's mask, labels."""
        film, lungs = self.films[self.numpy.integers(len(self.films))]
        labels = np.zeros(len(FINDINGS), dtype=np.float32)
        if self.numpy.random() < SECOND:
            other = str(self.numpy.choice([f for f in FINDINGS if f != finding]))
            film, _ = plant(film, other, lungs, self.numpy)
            labels[FINDINGS.index(other)] = 1
        film, mask = plant(film, finding, lungs, self.numpy)
        labels[FINDINGS.index(finding)] = 1
        return film, mask, labels

    def _warped(self, arrays: list[np.ndarray], theta: torch.Tensor) -> torch.Tensor:
        return augment.warp(torch.from_numpy(np.stack(arrays))[:, None].float(), theta, self.stage.side)

    def batch(self, step: int) -> Batch:
        """The batch of one step (see ``loop.Batch``)."""
        self.numpy = np.random.default_rng([self.seed, step])
        self.torch = torch.Generator().manual_seed(self.seed * 1_000_003 + step)
        normal = [self.films[i][0] for i in self.numpy.integers(len(self.films), size=self.stage.labelled)]
        planted = [self._planted(name) for name in self.names]
        still = torch.eye(2, 3).expand(len(normal) + len(planted), 2, 3)
        theta = still + 0.5 * (augment.random_affine(len(still), self.torch) - still)
        films = self._warped([f.pixels for f in normal] + [p[0].pixels for p in planted], theta)
        shares = F.avg_pool2d(self._warped([p[1] for p in planted], theta[len(normal) :]), CELL)[:, 0]
        labels = np.concatenate([np.zeros((len(normal), len(FINDINGS)), np.float32), [p[2] for p in planted]])
        drawn = torch.tensor([FINDINGS.index(name) for name in self.names])
        films = augment.normalise(augment.vary_exposure(films, self.torch))
        return films, torch.from_numpy(labels.astype(np.float32)), drawn, shares


def main() -> None:
    """Train the first cycle from the weights of ``nih14-localised``, or the second from those of the first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--start", type=Path, required=True, help="weights to start from")
    parser.add_argument("--continued", action="store_true", help="the second cycle: --start is what the first wrote")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    stage = CONTINUED if arguments.continued else STAGE
    with torch.random.fork_rng():
        torch.manual_seed(arguments.seed)
        network = chest_resnet18(len(FINDINGS))
        load_weights(network, arguments.start, head=arguments.continued)
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        batches = PlantedBatches(stage, arguments.seed, NODULES if arguments.continued else 0)
        average = run_stage(network, stage, len(FINDINGS), batches.batch, arguments.out)
    settings = {"variant": "known-truth", "seed": str(arguments.seed), "stage": json.dumps(asdict(stage))}
    save_network(average, arguments.out, settings, torch.float16)


if __name__ == "__main__":
    main()
