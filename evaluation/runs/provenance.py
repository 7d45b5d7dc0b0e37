"""Where a run's films stand to what its models were trained on, and to patients: yes, no, or unknown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal

from classifiers import ModelCard
from evaluation.baselines.location_prior import patient_of
from radiographs.collection import Collection, FilmEntry

TrainedOn = Literal["yes", "no", "unknown"]


def trained_on(card: ModelCard, collection: Collection, entry: FilmEntry) -> TrainedOn:
    """Whether a model was trained on films of a film's patient.

    Returns:
        "yes" or "no" where the split table that the card names records the collection's patients; "yes" also for films
        by which training was chosen ("val"). "unknown" where no table says it.
    """
    recorded = bool(card.split) and collection.split == str(card.split).removesuffix(".csv")
    if not recorded or entry.part is None:
        return "unknown"
    return "no" if entry.part == "test" else "yes"


def provenance_words(card: ModelCard | None, collection: Collection, films: Iterable[str]) -> list[str]:
    """Sentences on a run's films: how many the model was trained on, and whether patients are known.

    Args:
        card: of the model, None where it is no longer there. films: the ids of the films scored.
    """
    chosen = set(films)
    entries = [entry for entry in collection.entries() if entry.film_id in chosen]
    if not entries:
        return [f"The films of {collection.name} are not available: whether the model was trained on them is unknown."]
    counts = Counter("unknown" if card is None else trained_on(card, collection, entry) for entry in entries)
    parts = [f"{state} for {counts[state]}" for state in ("no", "yes", "unknown") if counts[state]]
    sentences = [f"Trained on these patients: {', '.join(parts)} of {len(entries)} films."]
    if counts["unknown"]:
        sentences.append("Where that is unknown, scores may be of films that the model has seen, and too good.")
    unnamed = sum(patient_of(entry) == entry.film_id for entry in entries)
    if unnamed:
        sentences.append(
            f"Patients unknown for {unnamed} films: each counts as a patient of its own, and intervals are too narrow "
            "where several are of one."
        )
    return sentences


def unfinished_words(status: dict[str, object]) -> str:
    """A sentence where a run is not done yet, by its ``status.json``; "" where it is."""
    if not status or status.get("state") == "done":
        return ""
    return f"This run is not finished: {status.get('done', 0)} of {status.get('films', '?')} films are scored."
