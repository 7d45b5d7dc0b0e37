"""Whether a classifier detects a finding, and looks where experts outline it: the figures of the validity gate.

The blur test replaces the outlined region by its blurred self and asks whether the logit drops more than when the
same shape is blurred elsewhere on the same film. It needs no explanation method.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
import torch

from classifiers import ChestClassifier
from evaluation.baselines.location_prior import patient_of
from evaluation.statistics.intervals import auroc_interval, mean_interval
from radiographs import Radiograph
from radiographs.annotation import union_mask
from radiographs.collection import Collection, FilmEntry
from radiographs.findings import is_named
from xai_methods.method import Progress

PLACES = 8
"""Random places, beside the mirrored one, at which the shape is blurred."""
OVERLAP = 0.1
"""Share of the region that a place elsewhere may cover at most."""
_TRIES = 400
_BATCH = 32


@dataclass(frozen=True)
class BlurDrops:
    """By how much the logit of one finding drops on one film: in the region, mirrored (None: overlaps), elsewhere."""

    region: float
    mirrored: float | None
    elsewhere: tuple[float, ...]


def blur_sigma(region: np.ndarray) -> float:
    """Standard deviation of the blur in input pixels: half the root of the region's area, at least S/20."""
    return max(region.shape[0] / 20, 0.5 * math.sqrt(float(region.sum())))


def blurred_within(film: np.ndarray, blurred: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Replace (S, S) ``film`` by ``blurred`` where ``region`` (shares in [0, 1]) says so, with a soft edge of S/112."""
    soft = scipy.ndimage.gaussian_filter(region, region.shape[0] / 112)
    return film + soft * (blurred - film)


def places_elsewhere(region: np.ndarray, seen: np.ndarray, count: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Move (S, S) ``region`` to at most ``count`` random places inside ``seen`` that cover little of where it was.

    Args:
        region: shares in [0, 1]. seen: (S, S) bool, the input pixels that show the film, a rectangle.
    """
    (top, bottom, left, right), (high, low, first, last) = _bounds(region > 0), _bounds(seen)
    patch = region[top:bottom, left:right]
    places: list[np.ndarray] = []
    if low - high < patch.shape[0] or last - first < patch.shape[1]:
        return places
    for _ in range(_TRIES):
        row = int(rng.integers(high, low - patch.shape[0] + 1))
        column = int(rng.integers(first, last - patch.shape[1] + 1))
        moved = np.zeros_like(region)
        moved[row : row + patch.shape[0], column : column + patch.shape[1]] = patch
        if overlap(region, moved) <= OVERLAP:
            places.append(moved)
            if len(places) == count:
                break
    return places


def overlap(region: np.ndarray, moved: np.ndarray) -> float:
    """Share of ``region`` that ``moved`` covers."""
    return float(np.minimum(region, moved).sum() / region.sum())


def _bounds(mask: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def blur_drops(
    classifier: ChestClassifier, radiograph: Radiograph, mask: np.ndarray, finding: str, rng: np.random.Generator
) -> BlurDrops | None:
    """Blur the outlined region of one film, and the same shape elsewhere.

    Args:
        mask: (H, W) bool, what an expert outlined. rng: chooses the places.

    Returns:
        The drops of the logit; None where the classifier does not see the region, or there is no place elsewhere.
    """
    region = classifier.preprocessing.prepare_mask(mask)
    if region.sum() < 0.5:
        return None
    seen = classifier.preprocessing.prepare_mask(np.ones(mask.shape, dtype=bool)) > 0.5
    mirror = np.ascontiguousarray(region[:, ::-1])
    with_mirror = overlap(region, mirror) <= OVERLAP
    places = ([mirror] if with_mirror else []) + places_elsewhere(region, seen, PLACES, rng)
    if not places:
        return None
    film = classifier.prepare(radiograph)[0, 0].float().cpu().numpy()
    blurred = scipy.ndimage.gaussian_filter(film, blur_sigma(region), mode="nearest")
    stack = np.stack([film, *(blurred_within(film, blurred, place) for place in (region, *places))])
    logits = _logits(classifier, stack)[:, classifier.column(finding)]
    drops = tuple((logits[0] - logits[1:]).tolist())
    return BlurDrops(drops[0], drops[1] if with_mirror else None, drops[1:])


def _logits(classifier: ChestClassifier, films: np.ndarray) -> np.ndarray:
    """(N, S, S) inputs to (N, C) float64 logits."""
    inputs = torch.tensor(films, dtype=torch.float32)[:, None].to(classifier.device)
    with torch.inference_mode():
        return torch.cat([classifier(part) for part in inputs.split(_BATCH)]).double().cpu().numpy()


def measure_validity(
    classifier: ChestClassifier,
    collection: Collection,
    findings: Sequence[str] | None = None,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, dict[str, Any]]:
    """Measure, on films of patients not trained on, what the validity gate needs.

    Args:
        findings: those to measure; by default all that the classifier knows and the collection labels or outlines.
        seed: of the places elsewhere and of the bootstrap. progress: told the share done.

    Returns:
        By finding: ``auroc``, ``auroc_low``, ``auroc_high`` (95 %, bootstrap over patients; None where undefined),
        ``positives``, ``films``, and, where it is outlined, ``blur``: ``films``, ``patients``, ``share`` of films on
        which blurring the region lowered the logit more than elsewhere, ``mean_drop``, ``mean_drop_elsewhere``,
        ``difference`` with ``difference_low`` and ``difference_high``, ``p`` (Wilcoxon signed rank, one-sided, over
        patients), and the same against the mirrored region alone: ``mirror_films``, ``mirror_share``.
    """
    entries = [entry for entry in collection.entries() if entry.part in (None, "test")]
    named = {name for entry in entries for name in (*entry.labels, *entry.annotated)}
    chosen = [f for f in classifier.findings if is_named(f, named)] if findings is None else list(findings)
    logits: list[np.ndarray] = []
    drops: dict[str, list[tuple[str, BlurDrops]]] = {finding: [] for finding in chosen}
    rng = np.random.default_rng(seed)
    for number, entry in enumerate(entries):
        radiograph = collection.read(entry.film_id)
        logits.append(classifier.logits(radiograph))
        for finding, result in _film_drops(classifier, collection, entry, radiograph, chosen, rng):
            drops[finding].append((patient_of(entry), result))
        if progress is not None:
            progress((number + 1) / len(entries))
    return {f: _figures(classifier, entries, logits, f, drops[f], np.random.default_rng(seed)) for f in chosen}


def _film_drops(
    classifier: ChestClassifier,
    collection: Collection,
    entry: FilmEntry,
    radiograph: Radiograph,
    findings: Sequence[str],
    rng: np.random.Generator,
) -> list[tuple[str, BlurDrops]]:
    outlined = [finding for finding in findings if is_named(finding, entry.annotated)]
    if not outlined:
        return []
    annotations = collection.annotations(entry.film_id)
    results = []
    for finding in outlined:
        mask = union_mask(annotations, finding)
        result = None if mask is None else blur_drops(classifier, radiograph, mask, finding, rng)
        if result is not None:
            results.append((finding, result))
    return results


def _figures(
    classifier: ChestClassifier,
    entries: Sequence[FilmEntry],
    logits: Sequence[np.ndarray],
    finding: str,
    drops: Sequence[tuple[str, BlurDrops]],
    rng: np.random.Generator,
) -> dict[str, Any]:
    labels = np.array([is_named(finding, entry.labels) for entry in entries], dtype=bool)
    column = classifier.column(finding)
    scores = np.array([row[column] for row in logits], dtype=np.float64)
    figures: dict[str, Any] = {"positives": int(labels.sum()), "films": len(entries)}
    if labels.any() and not labels.all():
        found = auroc_interval(scores, labels, [patient_of(entry) for entry in entries], rng)
        figures |= {"auroc": found.value, "auroc_low": found.low, "auroc_high": found.high}
    else:
        figures |= {"auroc": None, "auroc_low": None, "auroc_high": None}
    if drops:
        figures["blur"] = _blur_figures(drops, rng)
    return figures


def _blur_figures(drops: Sequence[tuple[str, BlurDrops]], rng: np.random.Generator) -> dict[str, Any]:
    patients = np.array([patient for patient, _ in drops])
    region = np.array([drop.region for _, drop in drops])
    elsewhere = np.array([np.mean(drop.elsewhere) for _, drop in drops])
    mirrored = np.array([math.nan if drop.mirrored is None else drop.mirrored for _, drop in drops])
    difference = region - elsewhere
    found = mean_interval(difference, patients, rng)
    by_patient = [difference[patients == patient].mean() for patient in np.unique(patients)]
    p = float(scipy.stats.wilcoxon(by_patient, alternative="greater").pvalue) if np.any(by_patient) else 1.0
    comparable = ~np.isnan(mirrored)
    share = float(np.mean(region[comparable] > mirrored[comparable])) if comparable.any() else None
    return {
        "films": found.films,
        "patients": found.patients,
        "share": float(np.mean(difference > 0)),
        "mean_drop": float(region.mean()),
        "mean_drop_elsewhere": float(elsewhere.mean()),
        "difference": found.value,
        "difference_low": found.low,
        "difference_high": found.high,
        "p": p,
        "mirror_films": int(comparable.sum()),
        "mirror_share": share,
    }
