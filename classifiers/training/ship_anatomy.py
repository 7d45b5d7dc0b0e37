"""Measure the network that outlines lungs and heart, and ship it: see ``--help``."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from scipy import stats

from classifiers.anatomy import Anatomy, outline
from classifiers.anatomy_network import STRUCTURES, AnatomyNetwork
from classifiers.preprocessing import Preprocessing
from classifiers.training import augment
from classifiers.training.anatomy_data import ADULTS, CHILDREN, ENLARGED, WINGSPAN, Outlined, read_outlined
from classifiers.training.loop import load_weights
from classifiers.training.train_anatomy import STAGES
from classifiers.weights import sha256_of
from radiographs import Radiograph
from radiographs.collections.nih_boxes import NihBoxes
from radiographs.places import asset

_log = logging.getLogger("ship_anatomy")
SOURCES = (CHILDREN, ADULTS, WINGSPAN, ENLARGED)
Outliner = Callable[[Radiograph], Anatomy]
CARD = {
    "name": "anatomy",
    "title": "Lungs and heart",
    "summary": "A small U-Net that outlines both lungs and the heart on frontal films.",
    "licence": "weights: CC BY-NC-SA 4.0, for most of the films of radiologist-masks that they learned from are",
    "citation": "Ronneberger et al. 2015, arXiv 1505.04597; films: Kermany et al. 2018, doi 10.17632/rscbjbr9sj, and "
    "Cohen et al. 2020, arXiv 2006.11988; lung masks: V7 Labs, and El Hajjami and Soliman; hearts: Dong et al. 2018, "
    "arXiv 1807.03434, and Lian et al. 2021, arXiv 2104.10326",
    "limits": "Few adults. No heart was ever outlined on a child: there it is extrapolated. Of the lung behind the "
    "heart more or less is drawn; the heart ends where the great vessels begin. Not for lateral films. "
    "Not for diagnosis.",
    "split": "anatomy",
}


def dice(found: np.ndarray, drawn: np.ndarray) -> float:
    """Dice of two masks (H, W) bool; NaN where both are empty."""
    both, either = np.count_nonzero(found & drawn), np.count_nonzero(found) + np.count_nonzero(drawn)
    return 2 * both / either if either else float("nan")


def over_patients(values: list[float], patients: list[str]) -> dict[str, float | int]:
    """Mean over films, with a 95 % percentile bootstrap interval over patients, the worst film, and how many."""
    names, of = np.unique(patients, return_inverse=True)
    sums, counts = np.bincount(of, np.array(values)), np.bincount(of)

    def mean(chosen_sums: np.ndarray, chosen_counts: np.ndarray, axis: int = -1) -> np.ndarray:
        return chosen_sums.sum(axis) / chosen_counts.sum(axis)

    interval = stats.bootstrap(
        (sums, counts), mean, paired=True, vectorized=True, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    figures = {"mean": np.mean(values), "low": interval.low, "high": interval.high, "worst": np.min(values)}
    rounded: dict[str, float | int] = {k: round(float(v), 4) for k, v in figures.items()}
    return rounded | {"films": len(values), "patients": len(names)}


def measure(films: list[Outlined], outliner: Callable[[Outlined], Anatomy]) -> dict[str, Any]:
    """Dice of each structure over all films, sure or not; error of the cardiothoracic ratio; how many are sure.

    Dice is counted where the outline says something. The ratio is compared with what ``wingspan`` published.
    """
    rows: dict[str, list[tuple[float, str]]] = {}
    errors: list[tuple[float, float, str]] = []
    sure = 0
    for o in films:
        found = outliner(o)
        sure += found.sure
        outlines = dict(zip(STRUCTURES, zip((found.right_lung, found.left_lung, found.heart), o.masks, o.unknown)))
        (right, no_right), (left, no_left) = (outlines[name][1:] for name in STRUCTURES[:2])
        if right is not None and left is not None:
            nowhere = no_right & no_left if no_right is not None and no_left is not None else None
            outlines["lungs"] = (found.lungs, right | left, nowhere)
        for name, (mask, truth, unknown) in outlines.items():
            if truth is not None and truth.any():
                told = np.ones_like(truth) if unknown is None else ~unknown
                rows.setdefault(name, []).append((dice(mask & told, truth & told), o.patient))
        if o.source == WINGSPAN and o.ratio is not None:
            errors.append((found.cardiothoracic_ratio - o.ratio, o.ratio, o.patient))
    figures: dict[str, Any] = {name: over_patients(*map(list, zip(*values))) for name, values in rows.items()}
    known = [(e, drawn, p) for e, drawn, p in errors if np.isfinite(e)]
    if known:
        off, ratios, patients = (list(column) for column in zip(*known))
        figures["ratio_error"] = over_patients([abs(e) for e in off], patients) | {
            "worst": round(max(abs(e) for e in off), 4),
            "bias": round(float(np.mean(off)), 4),
            "of": len(errors),
            "spread_of_truth": round(float(np.mean(np.abs(np.array(ratios) - np.median(ratios)))), 4),
        }
    return figures | {"sure": sure, "films": len(films), "patients": len({o.patient for o in films})}


def boxed_hearts(outliner: Outliner, trained_on: Collection[str]) -> dict[str, Any]:
    """IoU of NIH's cardiomegaly boxes with the box round the heart found, and how many NIH films are sure.

    Args:
        trained_on: patients whose films are left out.
    """
    collection = NihBoxes()
    entries = [entry for entry in collection.entries() if entry.patient not in trained_on]
    overlaps: list[float] = []
    widths: list[float] = []
    sure: list[bool] = []
    for entry in entries:
        film = collection.read(entry.film_id)
        found = outliner(film)
        sure.append(found.sure)
        boxes = [a.mask for a in collection.annotations(entry.film_id) if a.finding == "Cardiomegaly"]
        if boxes and found.sure and found.heart.any():
            box, heart = _box_of(boxes[0]), _box_of(found.heart)
            around = np.zeros((2, *film.shape), dtype=bool)
            for mask, (top, bottom, left, right) in zip(around, (box, heart)):
                mask[top:bottom, left:right] = True
            overlaps.append(np.count_nonzero(around.all(0)) / np.count_nonzero(around.any(0)))
            widths.append((heart[3] - heart[2]) / (box[3] - box[2]))
    return {
        "films": len(entries),
        "sure": int(sum(sure)),
        "boxes_compared": len(overlaps),
        "median_iou": round(float(np.median(overlaps)), 4) if overlaps else None,
        "median_width_over_box": round(float(np.median(widths)), 4) if widths else None,
    }


def _box_of(mask: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def doubted(films: list[Outlined], outliner: Outliner) -> dict[str, str]:
    """How many of the films it is unsure of when they are turned by a quarter or a half, or mirrored, "k of n"."""
    turns = {
        "quarter turn": lambda p: np.rot90(p),
        "upside down": lambda p: p[::-1],
        "half turn": lambda p: np.rot90(p, 2),
        "quarter turn back": lambda p: np.rot90(p, 3),
    }
    counts = {
        name: sum(not outliner(Radiograph(np.ascontiguousarray(turn(o.film.pixels)))).sure for o in films)
        for name, turn in turns.items()
    }
    return {name: f"{count} of {len(films)}" for name, count in counts.items()}


def outliner_of(path: Path) -> tuple[AnatomyNetwork, Preprocessing]:
    """The network with the weights of ``path``, and how films enter it."""
    with torch.random.fork_rng(devices=[]):
        network = AnatomyNetwork()
    load_weights(network, path)
    low, high = ((grey - augment.MEAN) / augment.STD for grey in (0, 1))
    return network.eval().requires_grad_(False), Preprocessing(STAGES["adults"].side, "pad", low, high)


def main() -> None:
    """Write ``anatomy.safetensors`` (float16) and its card with the figures measured here."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="the folder that XAI_LIGHTBOX_DATA points at, too")
    parser.add_argument("--folder", type=Path, help="where to write, where it should not be assets/anatomy")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    network, preprocessing = outliner_of(arguments.weights)

    def outliner(film: Radiograph) -> Anatomy:
        return outline(film, network, preprocessing)

    films = read_outlined(arguments.data)
    tested = {s: [o for o in films if o.source == s and o.part == "test"] for s in SOURCES}
    figures: dict[str, Any] = {s: measure(held_out, lambda o: outliner(o.film)) for s, held_out in tested.items()}
    figures["nih-boxes"] = boxed_hearts(outliner, {o.patient for o in films if o.part == "train"})
    figures["doubted"] = {s: doubted(held_out[:60], outliner) for s, held_out in tested.items()}
    trained = {s: [o for o in films if o.source == s and o.part == "train"] for s in SOURCES}
    counts = {s: f"{len(some)} films of {len({o.patient for o in some})}" for s, some in trained.items()}
    about = (
        f"{counts[CHILDREN]} children (lungs), {counts[ADULTS]} adults (lungs, and where the heart is not) and "
        f"{counts[WINGSPAN]} further adults (heart, lungs) and {counts[ENLARGED]} with an enlarged heart (heart)"
    )
    card = CARD | {"trained_on": f"{about}; assets/splits/anatomy.csv.", "figures": figures}
    sys.stdout.write(ship(card, arguments.weights, preprocessing, arguments.folder or asset("anatomy")))


def ship(card: dict[str, Any], weights: Path, preprocessing: Preprocessing, folder: Path) -> str:
    """Write weights, as float16, and card into ``folder``; returns the card's text."""
    target = folder / "anatomy.safetensors"
    target.parent.mkdir(exist_ok=True)
    save_file({k: v.half() if v.is_floating_point() else v for k, v in load_file(weights).items()}, target)
    settings = {"weights": target.name, "sha256": sha256_of(target), "side": preprocessing.side}
    settings |= {"low": preprocessing.low, "high": preprocessing.high}
    text = json.dumps(card | {"network": settings}, indent=2, ensure_ascii=False) + "\n"
    target.with_suffix(".json").write_text(text, encoding="utf-8")
    return text


if __name__ == "__main__":
    main()
