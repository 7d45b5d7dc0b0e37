"""Measure an NIH classifier on patients it was not trained on: ``python -m classifiers.training.evaluate_nih --help``.

AUROC on films with text-mined labels, and class-map pointing and area-matched IoU on NIH's boxes, on ChestX-Det's
polygons and on RSNA's boxes, with percentile intervals from a bootstrap over patients.
"""

from __future__ import annotations

import argparse
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from classifiers.networks import ChestResNet18, chest_resnet18, class_map, feature_map
from classifiers.training import augment, nih_data
from classifiers.training.calibration import at_points, fitted, operating_points, reliability
from classifiers.training.figures import auroc_figures, group_figures, located, pointing_figures
from classifiers.training.film_cache import SHARP, SOFT, read_films
from classifiers.training.loop import load_weights
from classifiers.training.nih_data import FilmSet
from classifiers.training.outlines import read_outlines

_log = logging.getLogger("evaluate_nih")
AGES = ((0, 17), (18, 39), (40, 59), (60, 99))
"""Years, both ends included."""
LISTS = {
    "boxes": ("nih-boxes", SHARP),
    "polygons": ("chestxdet", SHARP),
    "polygons-soft": ("chestxdet", SOFT),
    "rsna": ("rsna", SHARP),
}
"""Lists of outlined films: whose outlines, and on films of which side."""


def load_network(path: Path) -> ChestResNet18:
    """Read weights, or the running average of a checkpoint, into a float32 network in evaluation mode."""
    network = chest_resnet18(len(nih_data.FINDINGS))
    if path.name.endswith(".checkpoint.safetensors"):
        state = load_file(path)
        network.load_state_dict({k.removeprefix("average/"): v for k, v in state.items() if k.startswith("average/")})
    else:
        load_weights(network, path)
    return network.eval()


@torch.inference_mode()
def class_maps(network: ChestResNet18, films: np.ndarray, side: int, batch: int = 16) -> np.ndarray:
    """Class maps (N, 14, side/16, side/16) float32 of (N, h, h) uint8 films; their mean is the logit."""
    maps = []
    for start in range(0, len(films), batch):
        pixels = torch.from_numpy(np.array(films[start : start + batch])).float().div(255)[:, None]
        pixels = F.interpolate(pixels, (side, side), mode="bilinear", antialias=True, align_corners=False)
        given = augment.normalise(pixels).contiguous(memory_format=torch.channels_last)
        maps.append(class_map(network, feature_map(network, given)).float().numpy())
    return np.concatenate(maps)


def of_side(films: FilmSet, split: dict[int, str], side: str) -> FilmSet:
    """The films of patients on one side of the split."""
    return films.take(np.array([split[int(p)] == side for p in films.patients]))


def labelled_films(data: Path, split: dict[int, str], side: str) -> list[FilmSet]:
    """The films of ``nih_train`` of one side of the split, as they lie there: soft ones, then sharp ones."""
    return [of_side(films, split, side) for films in nih_data.read_labelled(data).values()]


def logits_of(network: ChestResNet18, sets: list[FilmSet], side: int) -> np.ndarray:
    """(N, 14) logits of all films of ``sets``."""
    return np.concatenate([class_maps(network, films.films, side).mean(axis=(2, 3)) for films in sets if films.images])


def groups_of(data: Path, images: list[str]) -> dict[str, np.ndarray]:
    """Films by sex, age and projection: name of the group -> (N,) bool."""
    table = pd.read_csv(data / "nih_train" / "films.csv").drop_duplicates("image").set_index("image").loc[images]
    groups = {f"sex {sex}": (table.sex == sex).to_numpy() for sex in ("F", "M")}
    for low, high in AGES:
        groups[f"age {low} to {high}"] = table.age.between(low, high).to_numpy()
    return groups | {f"projection {view}": (table.view == view).to_numpy() for view in ("PA", "AP")}


def classification(network: ChestResNet18, data: Path, split: dict[int, str], name: str, side: int) -> dict[str, Any]:
    """AUROC on one side of the split; on the test side also by group, and calibrated on the validation side."""
    films = labelled_films(data, split, name)
    labels = np.concatenate([some.labels for some in films])
    patients = np.concatenate([some.patients for some in films])
    logits = logits_of(network, films, side)
    figures: dict[str, Any] = {"classification": auroc_figures(logits, labels, patients)}
    if name == "test":
        images = [image for some in films for image in some.images]
        figures["groups"] = group_figures(logits, labels, patients, groups_of(data, images))
        tuned = labelled_films(data, split, "val")
        own, own_labels = logits_of(network, tuned, side), np.concatenate([some.labels for some in tuned])
        calibration = fitted(own, own_labels)
        points = operating_points(calibration(own), own_labels)
        figures["calibration"] = {
            "temperature": calibration.temperature,
            "offsets": calibration.offsets.tolist(),
            "fitted_on": {"films": len(own), "patients": len({int(p) for some in tuned for p in some.patients})},
            "ece_before": reliability(logits, labels)["ece"],
            **reliability(calibration(logits), labels),
        }
        for finding, row in zip(nih_data.FINDINGS, at_points(calibration(logits), labels, points)):
            figures["classification"]["findings"][finding] |= row
    return figures


def localisation(
    network: ChestResNet18, data: Path, cache: Path, split: dict[int, str], name: str, side: int
) -> dict[str, Any]:
    """Pointing and area-matched IoU on every list of ``LISTS`` with films on one side of the split."""
    figures: dict[str, Any] = {}
    pairs = read_outlines(data)
    for film_side, every in read_films(data, cache).items():
        films = of_side(every, split, name)
        row_of = {image: row for row, image in enumerate(films.images)}
        here = {
            key: [pair for pair in pairs if pair.source == source and pair.image in row_of]
            for key, (source, wanted) in LISTS.items()
            if wanted == film_side
        }
        needed = sorted({row_of[pair.image] for some in here.values() for pair in some})
        if not needed:
            continue
        maps = class_maps(network, films.films[needed], side)
        for key, some in here.items():
            rows = [needed.index(row_of[pair.image]) for pair in some]
            if rows:
                figures[key] = pointing_figures(located(maps, some, rows), some, films.patients[needed][rows])
    return figures


def evaluate(path: Path, data: Path, cache: Path, split_name: str, side: int) -> dict[str, Any]:
    """All figures of the weights at ``path`` on one side of the split ("val" or "test")."""
    network = load_network(path)
    table = nih_data.make_split(data)
    split = dict(zip(table.patient_id.astype(int), table.split))
    figures = {"side": side} | classification(network, data, split, split_name, side)
    return figures | localisation(network, data, cache, split, split_name, side)


def summary(figures: dict[str, Any]) -> list[str]:
    """The figures in a few lines for people."""
    mean = figures["classification"]["mean"]
    lines = [
        "AUROC of 13 findings {auroc_common:.4f} ({auroc_common_low:.3f} to {auroc_common_high:.3f}), "
        "of 14 {auroc:.4f}".format(**mean),
        " ".join(f"{k} {v['auroc']:.3f}" for k, v in figures["classification"]["findings"].items()),
    ]
    if "calibration" in figures:
        error = "expected calibration error {ece_before:.4f}, calibrated {ece:.4f}, temperature {temperature:.2f}"
        lines.append(error.format(**figures["calibration"]))
    for name in ("boxes", "polygons", "polygons-soft", "rsna"):
        if figures.get(name):
            lines += [f"{name}: {figures[name]['films']} films"]
            for key, words in (("mean", "mean over findings"), ("pairs", "over pairs")):
                lines.append(
                    "  {0}: pointing {pointing:.3f} ({pointing_low:.3f} to {pointing_high:.3f}), IoU "
                    "{area_matched_iou:.3f} ({area_matched_iou_low:.3f} to {area_matched_iou_high:.3f})".format(
                        words, **figures[name][key]
                    )
                )
            found = figures[name]["findings"].items()
            lines.append("  " + " ".join(f"{k} {v['pointing']:.2f}/{v['films']}" for k, v in found))
    return lines


def main() -> None:
    """Print the means and write all figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True, help="folder for decoded films, kept between runs")
    parser.add_argument("--split", choices=("val", "test"), default="test")
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    figures = evaluate(arguments.weights, arguments.data, arguments.cache, arguments.split, arguments.side)
    arguments.out.write_text(json.dumps(figures, indent=1))
    for line in summary(figures):
        _log.info("%s", line)


if __name__ == "__main__":
    main()
