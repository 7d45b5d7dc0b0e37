"""Measure an NIH classifier on patients it was not trained on: ``python -m classifiers.training.evaluate_nih --help``.

AUROC over the 14 findings on films with text-mined labels, and class-map pointing and area-matched IoU on
radiologists' boxes, with percentile intervals from a bootstrap over patients.
"""

from __future__ import annotations

import argparse
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.metrics import roc_auc_score

from classifiers.networks import ChestResNet18, chest_resnet18, class_map, feature_map
from classifiers.training import augment, nih_data
from classifiers.training.loop import load_weights

BOOTSTRAPS = 1000
MAP_SIDE = 512
_log = logging.getLogger("evaluate_nih")


def load_network(path: Path) -> ChestResNet18:
    """Read float16 or float32 weights of the NIH network into a float32 network in evaluation mode."""
    network = chest_resnet18(len(nih_data.FINDINGS))
    load_weights(network, path)
    return network.eval()


@torch.inference_mode()
def class_maps(network: ChestResNet18, films: np.ndarray, side: int, batch: int = 32) -> np.ndarray:
    """Class maps (N, 14, side/16, side/16) float32 of (N, h, h) uint8 films; their mean is the logit."""
    maps = []
    for start in range(0, len(films), batch):
        pixels = torch.from_numpy(films[start : start + batch]).float().div(255)[:, None]
        pixels = F.interpolate(pixels, (side, side), mode="bilinear", antialias=True, align_corners=False)
        maps.append(class_map(network, feature_map(network, augment.normalise(pixels))).float().numpy())
    return np.concatenate(maps)


def interval(values: np.ndarray) -> tuple[float, float]:
    """2.5th and 97.5th percentile, NaN left out."""
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)


def _patient_draws(patients: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """Rows of ``BOOTSTRAPS`` resamplings of whole patients."""
    names, inverse = np.unique(patients, return_inverse=True)
    rows_of = [np.flatnonzero(inverse == i) for i in range(len(names))]
    return [np.concatenate([rows_of[i] for i in rng.integers(0, len(names), len(names))]) for _ in range(BOOTSTRAPS)]


def auroc_figures(logits: np.ndarray, labels: np.ndarray, patients: np.ndarray) -> dict[str, Any]:
    """AUROC by finding and on average, with patient-bootstrap intervals and counts."""
    draws = _patient_draws(patients, np.random.default_rng(0))

    def aurocs(rows: np.ndarray) -> np.ndarray:
        y, z = labels[rows], logits[rows]
        good = (y.sum(0) > 0) & (y.sum(0) < len(y))
        return np.array([roc_auc_score(y[:, c], z[:, c]) if good[c] else np.nan for c in range(y.shape[1])])

    point, spread = aurocs(np.arange(len(labels))), np.array([aurocs(rows) for rows in draws])
    found = {}
    for c, name in enumerate(nih_data.FINDINGS):
        low, high = interval(spread[:, c])
        found[name] = {
            "auroc": float(point[c]),
            "auroc_low": low,
            "auroc_high": high,
            "positives": int(labels[:, c].sum()),
            "films": len(labels),
        }
    low, high = interval(np.nanmean(spread, axis=1))
    mean = {"auroc": float(np.nanmean(point)), "auroc_low": low, "auroc_high": high}
    return {"findings": found, "mean": mean, "films": len(labels), "patients": len(np.unique(patients))}


def pointing_figures(maps: np.ndarray, boxed: nih_data.BoxSet, chosen: np.ndarray) -> dict[str, Any]:
    """Pointing (peak of the bicubically enlarged class map inside the box, no tolerance) and area-matched IoU."""
    rows = []
    for film in chosen:
        on_film = boxed.boxes[boxed.boxes.film == film]
        for finding, part in on_film.groupby("finding"):
            mask = nih_data.box_masks(part, MAP_SIDE) > 0
            grid = torch.from_numpy(maps[film, nih_data.FINDINGS.index(str(finding))])[None, None]
            large = F.interpolate(grid, (MAP_SIDE, MAP_SIDE), mode="bicubic", align_corners=False)[0, 0].numpy()
            top = np.zeros(mask.size, dtype=bool)
            top[np.argpartition(-large.ravel(), int(mask.sum()))[: int(mask.sum())]] = True
            overlap = (top & mask.ravel()).sum()
            rows.append(
                (
                    str(finding),
                    boxed.films.patients[film],
                    mask.flat[large.argmax()],
                    overlap / (top | mask.ravel()).sum(),
                    mask.mean(),
                )
            )
    names = np.array([r[0] for r in rows])
    patients = np.array([r[1] for r in rows])
    values = np.array([r[2:] for r in rows], dtype=np.float64)

    def means(index: np.ndarray) -> np.ndarray:
        return np.array(
            [
                values[index][names[index] == f].mean(0) if (names[index] == f).any() else [np.nan] * 3
                for f in nih_data.BOXED_FINDINGS
            ]
        )

    point = means(np.arange(len(rows)))
    spread = np.array([means(rows_) for rows_ in _patient_draws(patients, np.random.default_rng(0))])
    found = {}
    for i, name in enumerate(nih_data.BOXED_FINDINGS):
        low, high = interval(spread[:, i, 0])
        found[name] = {
            "pointing": float(point[i, 0]),
            "pointing_low": low,
            "pointing_high": high,
            "pointing_chance": float(point[i, 2]),
            "area_matched_iou": float(point[i, 1]),
            "films": int((names == name).sum()),
        }
    low, high = interval(np.nanmean(spread[:, :, 0], axis=1))
    iou_low, iou_high = interval(np.nanmean(spread[:, :, 1], axis=1))
    mean = {
        "pointing": float(point[:, 0].mean()),
        "pointing_low": low,
        "pointing_high": high,
        "pointing_chance": float(point[:, 2].mean()),
        "area_matched_iou": float(point[:, 1].mean()),
        "area_matched_iou_low": iou_low,
        "area_matched_iou_high": iou_high,
    }
    return {"findings": found, "mean": mean, "films": len(chosen)}


def evaluate(path: Path, data: Path, split_name: str, side: int) -> dict[str, Any]:
    """All figures of the weights at ``path`` on one side of the split ("val" or "test")."""
    network = load_network(path)
    table = nih_data.make_split(data)
    split = dict(zip(table.patient_id.astype(int), table.split))
    sets = nih_data.read_labelled(data)
    parts = [s.take(np.array([split[int(p)] == split_name for p in s.patients])) for s in sets.values()]
    logits = np.concatenate([class_maps(network, s.films, side).mean(axis=(2, 3)) for s in parts])
    labels = np.concatenate([s.labels for s in parts])
    patients = np.concatenate([s.patients for s in parts])
    figures = {"classification": auroc_figures(logits, labels, patients)}
    boxed = nih_data.read_boxed(data)
    chosen = np.flatnonzero(
        [split[int(p)] == ("test" if split_name == "val" else split_name) for p in boxed.films.patients]
    )
    figures["localisation"] = pointing_figures(class_maps(network, boxed.films.films, side), boxed, chosen)
    return figures


def main() -> None:
    """Print the means and write all figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", choices=("val", "test"), default="test")
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    figures = evaluate(arguments.weights, arguments.data, arguments.split, arguments.side)
    arguments.out.write_text(json.dumps(figures, indent=1))
    _log.info("classification %s", figures["classification"]["mean"])
    _log.info("localisation %s", figures["localisation"]["mean"])
    _log.info("%s", {k: round(v["pointing"], 2) for k, v in figures["localisation"]["findings"].items()})
    _log.info("%s", {k: round(v["auroc"], 3) for k, v in figures["classification"]["findings"].items()})


if __name__ == "__main__":
    main()
