"""How good counterfactual films are, on patients nobody trained on.

Measures after Singla et al. 2023 (arXiv 2101.04230): validity, realism, identity, preservation of devices, anatomy
along the series; and localisation of the difference map. Every share and mean stands with its interval over patients
and n.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.stats import spearmanr

from classifiers import ChestClassifier
from evaluation.counterfactuals.measures import (
    device_change,
    frechet_distance,
    measured,
    nearest_is_own,
    slope,
)
from evaluation.scores import get_metric
from evaluation.statistics.intervals import Interval, mean_interval
from radiographs import Radiograph
from radiographs.annotation import union_mask
from radiographs.findings import canonical
from radiographs.registry import get_collection
from xai_methods.counterfactual import Series, exaggerate

DEVICES = ("tubings", "ett", "cvl", "ngt", "monitor_probes")
ANATOMY_STEPS = 5
LOCALISATION = ("area_matched_iou", "pointing_game", "pixel_auprc")
Features = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class TestFilm:
    """A film of a patient nobody trained on, with the outlines there are, by canonical finding or "devices"."""

    name: str
    patient: str
    radiograph: Radiograph
    outlines: dict[str, np.ndarray]


def boxed_films() -> Iterator[TestFilm]:
    """Films with radiologists' boxes of patients on the test side."""
    collection = get_collection("nih-boxes")
    for entry in collection.entries():
        if entry.part == "test":
            drawn = collection.annotations(entry.film_id)
            masks = {canonical(name): union_mask(drawn, name) for name in entry.annotated}
            outlines = {name: mask for name, mask in masks.items() if mask is not None}
            yield TestFilm(entry.film_id, entry.patient, collection.read(entry.film_id), outlines)


def labelled_films(data: Path) -> Iterator[TestFilm]:
    """The larger films with text-mined labels of patients on the test side."""
    from classifiers.training import nih_data

    table = nih_data.make_split(data)
    side_of = dict(zip(table.patient_id.astype(int), table.split))
    films = nih_data.read_labelled(data)[nih_data.LARGE]
    for pixels, patient, image in zip(films.films, films.patients, films.images):
        if side_of[int(patient)] == "test":
            yield TestFilm(image, f"nih-{patient}", Radiograph(pixels.astype(np.float32) / 255), {})


def device_films() -> Iterator[TestFilm]:
    """Films with radiologists' masks of tubes, lines and probes."""
    collection = get_collection("radiologist-masks")
    for entry in collection.entries():
        if set(entry.annotated) & set(DEVICES):
            drawn = collection.annotations(entry.film_id)
            mask = np.logical_or.reduce([a.mask for a in drawn if a.finding in DEVICES])
            yield TestFilm(entry.film_id, entry.patient, collection.read(entry.film_id), {"devices": mask})


def series_row(film: TestFilm, series: Series, classifier: ChestClassifier, anatomy: bool = True) -> dict[str, Any]:
    """What is measured of one series, by name; NaN where it is undefined."""
    own_side = series.own >= 0.5
    toward = series.reached[0] if own_side else series.reached[-1]
    end = series.films[0] if own_side else series.films[-1]
    row: dict[str, Any] = {
        "film": film.name,
        "patient": film.patient,
        "method": series.method,
        "finding": series.finding,
        "own": series.own,
        "flipped": float((toward >= 0.5) != own_side),
        "rank": float(spearmanr(series.levels, series.reached)[0]) if np.ptp(series.reached) else math.nan,
        "off": float(np.abs(series.reached - series.levels).mean()),
        "answer": series.cost.answer,
        "likeness": series.cost.likeness,
        "refused": float(series.refusal is not None),
        "similarity": _ssim(series.film, end),
        "change": float(np.abs(end - series.film).mean()),
    }
    if anatomy:
        row |= _anatomy_along(series)
    mask = film.outlines.get(canonical(series.finding))
    if mask is not None:
        carried = classifier.to_film(np.abs(series.difference), film.radiograph)
        row |= {name: get_metric(name).of_map(carried, mask) for name in LOCALISATION}
    return row


def _ssim(first: np.ndarray, second: np.ndarray) -> float:
    from skimage.metrics import structural_similarity

    return float(structural_similarity(first.astype(np.float64), second.astype(np.float64), data_range=1.0))


def _anatomy_along(series: Series) -> dict[str, float]:
    """Slopes of heart size and lower lung over the series, and whether the heart is larger at its end."""
    from classifiers.anatomy import segment

    before = segment(Radiograph(series.film))
    if not before.sure:
        return {"ctr_slope": math.nan, "ctr_rises": math.nan, "lower_slope": math.nan, "lower_falls": math.nan}
    picked = np.linspace(0, len(series.levels) - 1, ANATOMY_STEPS).round().astype(int)
    found = [measured(series.films[k], before) for k in picked]
    ratios, lower = np.array([f.ratio for f in found]), np.array([f.lower for f in found])
    slopes = slope(series.levels[picked], ratios), slope(series.levels[picked], lower)
    rises = [math.nan if math.isnan(s) else float(s * sign > 0) for s, sign in zip(slopes, (1, -1))]
    return {"ctr_slope": slopes[0], "ctr_rises": rises[0], "lower_slope": slopes[1], "lower_falls": rises[1]}


def device_row(film: TestFilm, series: Series, classifier: ChestClassifier) -> dict[str, Any] | None:
    """What became of the devices at the end that is farther from the film; None where there is none to measure."""
    inside = classifier.preprocessing.prepare_mask(film.outlines["devices"]) > 0.3
    end = series.films[0] if series.own >= 0.5 else series.films[-1]
    found = device_change(series.film, end, inside)
    if found is None:
        return None
    row = {"film": film.name, "patient": film.patient, "method": series.method, "finding": series.finding}
    return row | asdict(found) | {"visible": float(found.visible)}


def imagenet_features(data: Path) -> Features:
    """512 features of films (N, S, S) in [0, 1] from torchvision's ResNet-18, which knows nothing of chests."""
    from safetensors.torch import load_file

    from classifiers.networks import chest_resnet18, feature_map

    network = chest_resnet18(1, load_file(data / "weights" / "resnet18_imagenet.safetensors")).eval()

    @torch.inference_mode()
    def features(films: np.ndarray) -> np.ndarray:
        shown = (torch.from_numpy(np.ascontiguousarray(films)).float()[:, None] - 0.45) / 0.225
        parts = [feature_map(network, part).mean(dim=(2, 3)) for part in shown.split(16)]
        return torch.cat(parts).double().numpy()

    return features


def realism(real: np.ndarray, made: np.ndarray, own: np.ndarray, patients: Sequence[str]) -> dict[str, Any]:
    """Fréchet distances and identity from features of real (N, K) and made (M, K) films, made of rows ``own``."""
    half = np.arange(len(real)) % 2 == 0
    same = nearest_is_own(made, real, own).astype(float)
    own_patients = np.asarray(patients)[own]
    return {
        "frechet": frechet_distance(real, made),
        "frechet_of_real_halves": frechet_distance(real[half], real[~half]),
        "frechet_of_half": frechet_distance(real[half], made[half[own]]) if half[own].sum() > 1 else math.nan,
        "identity": _for_json(mean_interval(same, own_patients, np.random.default_rng(0))),
    }


def summary(rows: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Mean of each column over films that were not refused, with interval and n; and the share refused of all."""
    found: dict[str, dict[str, Any]] = {}
    accepted = rows[rows.refused == 0] if "refused" in rows else rows
    for column in rows.columns.drop(["film", "patient", "method", "finding"]):
        part = rows if column in ("refused", "answer", "likeness") else accepted
        value = mean_interval(part[column].to_numpy(float), part.patient.to_numpy(), np.random.default_rng(0))
        found[column] = _for_json(value)
    return found


def _for_json(value: Interval) -> dict[str, Any]:
    return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in asdict(value).items()}


def evaluate(
    classifier: ChestClassifier, method: str, finding: str, films: Sequence[TestFilm], features: Features
) -> tuple[dict[str, Any], list[Series]]:
    """All figures of one explainer and finding over ``films``, and their series."""
    series = [exaggerate(classifier, film.radiograph, finding, method=method) for film in films]
    rows = pd.DataFrame([series_row(film, made, classifier) for film, made in zip(films, series)])
    ends = np.stack([s.films[0] if s.own >= 0.5 else s.films[-1] for s in series])
    own = np.arange(len(films))
    figures: dict[str, Any] = {"films": len(films), "measured": summary(rows)}
    levels = np.concatenate([s.levels for s in series])
    reached = np.concatenate([s.reached for s in series])
    figures["spearman_over_all"] = float(spearmanr(levels, reached)[0])
    real = features(np.stack([s.film for s in series]))
    figures["realism"] = realism(real, features(ends), own, [film.patient for film in films])
    return figures, series
