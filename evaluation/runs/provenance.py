"""Where a run's films stand to what its models were trained on, and to patients: yes, no, or unknown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from classifiers import ModelCard
from classifiers.training_films import can_be_recognised, trained_on
from evaluation.baselines.location_prior import patient_of
from evaluation.runs.store import Store
from radiographs.collection import Collection

RESAVED = "training-film"
"""The doubt under which a film is stored that the model was trained on, by its looks."""
LEFT_OUT = "the model was trained on this film, re-saved: left out, for the plan asks for films held out"
"""The reason that is stored for such a film where the plan is for films held out."""


def resaved_films(store: Store, collection: str, classifier: str) -> tuple[set[str], set[str]]:
    """The ids of films that a run found to be training films of a model, re-saved: those left out, those scored."""
    given = [collection, classifier]
    where = "WHERE collection = ? AND classifier = ?"
    left = store.query(f"SELECT DISTINCT film_id FROM failures {where} AND reason = ?", [*given, LEFT_OUT])
    scored = store.query(
        f"SELECT DISTINCT film_id FROM (SELECT DISTINCT collection, film_id FROM scores {where}) "
        "JOIN films USING (collection, film_id) WHERE doubt = ?",
        [*given, RESAVED],
    )
    return set(left.film_id.astype(str)), set(scored.film_id.astype(str))


def provenance_words(
    card: ModelCard | None,
    collection: Collection,
    films: Iterable[str],
    resaved: tuple[set[str], set[str]] | None = None,
) -> list[str]:
    """Sentences on a run's films: how many the model was trained on, and whether patients are known.

    Args:
        card: of the model, None where it is no longer there. films: the ids of the films of the run.
        resaved: see :func:`resaved_films`; None before the films were read.
    """
    left, scored = resaved or (set(), set())
    chosen = set(films) | left
    entries = [entry for entry in collection.entries() if entry.film_id in chosen]
    if not entries:
        return [f"The films of {collection.name} are not available: whether the model was trained on them is unknown."]
    states = {e.film_id: "unknown" if card is None else trained_on(card, collection, e) for e in entries}
    unknown = [film_id for film_id, state in states.items() if state == "unknown"]
    states |= dict.fromkeys((left | scored) & set(states), "yes")
    counts = Counter(states.values())
    parts = [f"{state} for {counts[state]}" for state in ("no", "yes", "unknown") if counts[state]]
    sentences = [f"Trained on these patients: {', '.join(parts)} of {len(entries)} films."]
    if unknown and card is not None:
        sentences.append(_recognised(card, len(unknown), resaved))
    if counts["unknown"]:
        sentences.append("Where that is unknown, scores may be of films that the model has seen, and too good.")
    unnamed = sum(patient_of(entry) == entry.film_id for entry in entries)
    if unnamed:
        sentences.append(patients_unknown(unnamed))
    return sentences


def missing_maps(store: Store, collection: str, classifier: str) -> list[str]:
    """A sentence for each method that has no map of some pairs of film and finding, over the others of which it is
    scored.
    """
    failed = store.failures()
    chosen = (failed.collection == collection) & (failed.classifier == classifier) & (failed.metric == "")
    counts = failed[chosen & (failed.reason != LEFT_OUT)].method.value_counts(sort=False)
    return [
        f"{method} has no map of {n} pairs of film and finding, which are left out of its means (see failures)."
        for method, n in counts.items()
    ]


def _recognised(card: ModelCard, unknown: int, resaved: tuple[set[str], set[str]] | None) -> str:
    """What was found of re-saved training films among films of which no split table says it."""
    if not can_be_recognised(card):
        return "No digests of its training films come with the model, so that re-saved ones are not recognised."
    if resaved is None:
        return "Films that the model was trained on, re-saved, are recognised when they are read."
    left, scored = resaved
    done = ", ".join([f"{len(left)} left out"] * bool(left) + [f"{len(scored)} scored"] * bool(scored))
    found = f"{len(left | scored)} of {unknown}" + (f" ({done})" if done else "")
    return f"Known by their looks as films that the model was trained on, re-saved: {found}."


def patients_unknown(films: int) -> str:
    """A sentence for films of which nobody knows the patient."""
    return (
        f"Patients unknown for {films} films: each was taken as a patient of its own, and intervals and tests are too "
        "sure where several films are of one."
    )


def units_of(unnamed: int, films: int) -> str:
    """Over what intervals and tests are taken, in words.

    Args:
        unnamed: films of which the patient is unknown. films: all.
    """
    if not unnamed:
        return "patients"
    return "films taken as patients" if unnamed == films else "patients (films where unknown)"
