"""Measure, on the films of a collection, what the validity gate needs: detection, and looking at what was outlined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from classifiers import ChestClassifier
from classifiers.training_films import not_trained_on
from evaluation.baselines.location_prior import patient_of
from evaluation.statistics.intervals import auroc_interval
from evaluation.validity.figures import looks
from evaluation.validity.matched_blur import BlurredRegion, Films, add_places, outlined_pairs
from evaluation.validity.measured import measurable_digest
from radiographs.collection import Collection
from radiographs.findings import is_named
from xai_methods.method import Progress

STABLE = 0.1
"""Places are drawn again until no p changes by more than this share of it; below ``_SMALL`` it need not settle."""
_SMALL = 1e-3
FEWEST_ROUNDS, MOST_ROUNDS = 3, 12


def measure_validity(
    classifier: ChestClassifier,
    collection: Collection,
    findings: Sequence[str] | None = None,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, dict[str, Any]]:
    """Measure, on films not trained on as far as that is recorded or their looks say it, what the validity gate needs.

    Args:
        findings: those to measure; by default all that the classifier knows and the collection labels or outlines.
        seed: of the places elsewhere and of the bootstrap. progress: told the share done.

    Returns:
        By finding: ``model`` (digest), ``auroc``, ``auroc_low``, ``auroc_high`` (95 %, bootstrap over patients; None
        where undefined), ``positives``, ``films``, ``films_digest`` (see
        :func:`evaluation.validity.measured.measurable_digest`) and, where it is outlined, ``looks``: see
        :func:`evaluation.validity.figures.looks`, with ``rounds`` of places and whether p had settled (``stable``).

    Raises:
        ValueError: the collection has no film of a patient that the classifier was not trained on.
    """
    entries = not_trained_on(classifier.card, collection, collection.entries())
    if not entries:
        why = collection.missing() or "the model was trained on all of them"
        raise ValueError(f"{collection.name} has no film to measure on: {why}")
    named = {name for entry in entries for name in (*entry.labels, *entry.annotated)}
    chosen = [f for f in classifier.findings if is_named(f, named)] if findings is None else list(findings)
    films = Films(classifier, collection, entries)
    pairs = outlined_pairs(films, chosen)
    found = _redrawn(films, pairs, chosen, np.random.default_rng(seed), progress or (lambda share: None))
    figures = {f: _detection(films, f, seed) | {"films_digest": measurable_digest(collection)} for f in chosen}
    return {f: one | ({"looks": found[f]} if f in found else {}) for f, one in figures.items()}


def _redrawn(
    films: Films,
    pairs: list[BlurredRegion],
    of: Sequence[str],
    rng: np.random.Generator,
    progress: Progress,
) -> dict[str, dict[str, Any]]:
    """Draw places until p is stable, and say after how many rounds."""
    if not pairs:
        return {}
    before: dict[str, float] = {}
    for number in range(1, MOST_ROUNDS + 1):
        for place, pair in enumerate(pairs):
            add_places(films, pair, rng)
            progress((number - 1 + (place + 1) / len(pairs)) / MOST_ROUNDS)
        found = looks(pairs, films.classifier.findings, films.logits, of)
        now = {finding: one["p"] for finding, one in found.items() if one["p"] is not None}
        stable = number >= FEWEST_ROUNDS and all(_settled(before.get(f), p) for f, p in now.items())
        if stable:
            break
        before = now
    progress(1.0)
    return {finding: one | {"rounds": number, "stable": stable} for finding, one in found.items()}


def _settled(before: float | None, now: float) -> bool:
    return before is not None and (abs(now - before) <= STABLE * before or max(now, before) < _SMALL)


def _detection(films: Films, finding: str, seed: int) -> dict[str, Any]:
    labels = np.array([is_named(finding, (*entry.labels, *entry.annotated)) for entry in films.entries], dtype=bool)
    figures: dict[str, Any] = {"model": films.classifier.digest, "positives": int(labels.sum()), "films": len(labels)}
    figures |= {"auroc": None, "auroc_low": None, "auroc_high": None}
    if labels.any() and not labels.all():
        scores = films.logits[:, films.classifier.column(finding)].astype(np.float64)
        patients = [patient_of(entry) for entry in films.entries]
        found = auroc_interval(scores, labels, patients, np.random.default_rng(seed))
        ends = {"auroc": found.value, "auroc_low": found.low, "auroc_high": found.high}
        figures |= {name: value if np.isfinite(value) else None for name, value in ends.items()}
    return figures
