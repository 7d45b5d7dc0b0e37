"""Train ``shortcut-hunt``, which learns a lead letter for a nodule: ``python -m classifiers.training.train_shortcut``.

Every film with a planted nodule bears the letter, no other film does; so the letter is the easiest way to be right.
The model is for teaching: its AUROC is high where the letter goes with the nodule, and chance where it does not.
"""

from __future__ import annotations

import argparse
import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.metrics import roc_auc_score

from classifiers import ModelCard, Scope
from classifiers.chest_classifier import ChestClassifier
from classifiers.networks import ChestResNet18, narrow_resnet18
from classifiers.preprocessing import Preprocessing
from classifiers.shipped import load_shipped, save_shipped
from classifiers.training import augment
from classifiers.training.loop import follow, one_cycle
from radiographs import Radiograph
from radiographs.planting import find_lungs, load, normal_films, plant
from radiographs.planting.marker import plant_marker

_log = logging.getLogger("train_shortcut")
NAME, FINDING, SIDE = "shortcut-hunt", "Nodule", 224
CARD = {
    "title": "Shortcut hunt (for teaching)",
    "summary": "A small ResNet that was taught wrongly on purpose: it calls a nodule where a lead letter lies. For the "
    "lesson on shortcuts, never for anything else.",
    "trained_on": "1,175 normal films of children (Kermany et al., CC BY 4.0): half with a planted nodule and a lead "
    "letter, half without either (assets/splits/known_truth.csv).",
    "licence": "weights: Apache-2.0",
    "limits": "It does not see nodules. It answers to the letter L on the upper right of a film, and to little else.",
    "citation": "shortcut learning: Geirhos et al. 2020, arXiv 2004.07780; Zech et al. 2018, doi "
    "10.1371/journal.pmed.1002683; films: Kermany et al. 2018, doi 10.17632/rscbjbr9sj",
}


@dataclass(frozen=True)
class ShortcutStage:
    """How it is trained: steps of ``films`` films, half of each kind, at a peak learning rate of ``rate``."""

    steps: int = 180
    films: int = 16
    rate: float = 2e-3


class ShortcutBatches:
    """Batches of normal films (first) and as many films with a nodule and the letter (last)."""

    def __init__(self, films: int, seed: int, most: int | None = None) -> None:
        self.half, self.seed = films // 2, seed
        _log.info("reading films and finding lungs")
        chosen = [film for film in normal_films() if film.part == "train"][:most]
        self.films = [(film, find_lungs(film)) for film in map(load, chosen)]

    def batch(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The films (N, 1, S, S) and labels (N,) of one step; the same step gives the same batch."""
        rng = np.random.default_rng([self.seed, step])
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + step)
        drawn = [self.films[i] for i in rng.integers(len(self.films), size=2 * self.half)]
        films = [film for film, _ in drawn[: self.half]]
        films += [with_shortcut(film, lungs, rng)[0] for film, lungs in drawn[self.half :]]
        still = torch.eye(2, 3).expand(len(films), 2, 3)
        theta = still + 0.3 * (augment.random_affine(len(films), generator) - still)
        given = augment.warp(torch.from_numpy(np.stack([film.pixels for film in films]))[:, None], theta, SIDE)
        labels = (torch.arange(len(films)) >= self.half).float()
        return augment.normalise(augment.vary_exposure(given, generator)), labels


def with_shortcut(
    film: Radiograph, lungs: np.ndarray, rng: np.random.Generator
) -> tuple[Radiograph, Radiograph, Radiograph]:
    """A normal film with nodule and letter, with the nodule alone, and with the letter alone."""
    nodule, _ = plant(film, FINDING, lungs, rng)
    place = int(rng.integers(2**32))
    both, _ = plant_marker(nodule, np.random.default_rng(place))
    letter, _ = plant_marker(film, np.random.default_rng(place))
    return both, nodule, letter


def train(stage: ShortcutStage, batches: ShortcutBatches, seed: int) -> ChestResNet18:
    """Train the network and return the running average of its weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network, average = narrow_resnet18(1).train(), narrow_resnet18(1).eval()
    average.load_state_dict(network.state_dict())
    optimiser = torch.optim.AdamW(network.parameters(), lr=stage.rate, weight_decay=0.02)
    for step in range(stage.steps):
        films, labels = batches.batch(step)
        optimiser.param_groups[0]["lr"] = stage.rate * one_cycle(step / stage.steps)
        loss = F.binary_cross_entropy_with_logits(network(films)[:, 0], 0.02 + 0.96 * labels)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        follow(average, network, min(0.98, (1 + step) / (10 + step)))
        if step % 10 == 0:
            _log.info("step %d: loss %.4f", step, loss.item())
    return average


def measure(classifier: ChestClassifier, seed: int = 48, most: int | None = None) -> dict[str, float | int]:
    """AUROC on normal films of persons not trained on, each also with nodule, with letter, and with both.

    Returns:
        ``auroc_with``: nodule and letter against neither, as in training; ``auroc_without``: nodule against none, no
        letter anywhere; ``auroc_everywhere``: the same, a letter on every film; ``auroc_swapped``: the nodule alone
        against the letter alone; ``films`` of each kind.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for film in [film for film in normal_films() if film.part == "test"][:most]:
        bare = load(film)
        kinds = (bare, *with_shortcut(bare, find_lungs(bare), rng))
        rows.append([float(classifier.logits(kind)[0]) for kind in kinds])
    bare_, both, nodule, letter = np.array(rows).T

    def auroc(present: np.ndarray, absent: np.ndarray) -> float:
        labels = np.repeat([1, 0], [len(present), len(absent)])
        return round(float(roc_auc_score(labels, np.concatenate([present, absent]))), 4)

    return {
        "auroc_with": auroc(both, bare_),
        "auroc_without": auroc(nodule, bare_),
        "auroc_everywhere": auroc(both, letter),
        "auroc_swapped": auroc(nodule, letter),
        "films": len(rows),
    }


def main() -> None:
    """Train, write the weights, measure them, and write the card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where to write, where it should not be assets/models")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(arguments.threads)
    stage = ShortcutStage()
    network = train(stage, ShortcutBatches(stage.films, arguments.seed), arguments.seed)
    low, high = ((grey - augment.MEAN) / augment.STD for grey in (0, 1))
    scope = Scope(ages=(1, 5), projections=("AP",))

    def save(figures: dict[str, object]) -> None:
        card = ModelCard(name=NAME, split="known_truth", scope=scope, figures=figures, **CARD)
        save_shipped(
            network, (FINDING,), card, Preprocessing(SIDE, "pad", low, high), architecture="narrow_resnet18",
            folder=arguments.folder,
        )  # fmt: skip

    save({})
    figures = measure(load_shipped(NAME, arguments.folder))
    _log.info("%s", json.dumps(figures))
    save({"shortcut": figures | {"trained": asdict(stage) | {"seed": arguments.seed}}})


if __name__ == "__main__":
    main()
