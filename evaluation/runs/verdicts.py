"""What the validity gate says of the findings of a run: a verdict counts for the films that it was measured on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from classifiers.registry import list_models
from evaluation.runs.plan import PlanError, read_plan
from evaluation.runs.provenance import LEFT_OUT
from evaluation.runs.store import Store
from evaluation.validity.gate import Verdict, gate
from evaluation.validity.measured import FilmList, verdict_on
from radiographs.collection import Collection
from radiographs.files import read_json
from radiographs.findings import canonical
from radiographs.registry import collections

LISTS = "collections.json"
"""File of a run: how its collections' films were listed when it began, so that it can be read without them."""
PUBLISHED = "published.json"
"""File of a run that was published: verdicts, and what was said of training and patients, as they were."""
MOST = 0.9
"""Share of the films that the gate was measured on, from which on a run counts as being of these films."""


def film_list(collection: Collection) -> dict[str, Any]:
    """What a run notes of a collection: digests of its list, and how many films have an outline of each finding."""
    listed = FilmList.of(collection)
    outlined: dict[str, int] = {}
    for entry in collection.entries():
        if entry.part in (None, "test"):
            for finding in dict.fromkeys(map(canonical, entry.annotated)):
                outlined[finding] = outlined.get(finding, 0) + 1
    return {"films": listed.films, "measurable": listed.measurable, "count": listed.count, "outlined": outlined}


def write_lists(store: Store, names: tuple[str, ...]) -> None:
    """Note how the films of a run's collections are listed.

    Raises:
        StoreError: the file cannot be written.
    """
    store.write_text(LISTS, json.dumps({name: film_list(collections()[name]) for name in names}, indent=1))


def run_verdicts(store: Store, collection: str, classifier: str) -> dict[str, Verdict]:
    """What the gate says of each finding of a collection under a classifier, of the very network that was run."""
    published = _read(store, PUBLISHED)
    if published:
        return {finding: Verdict(**one) for finding, one in published["verdicts"][f"{collection}/{classifier}"].items()}
    table = store.query(
        "SELECT finding, any_value(classifier_digest) AS digest, "
        "count(DISTINCT film_id) FILTER (area IS NOT NULL) AS scored FROM scores "
        "WHERE collection = ? AND classifier = ? GROUP BY finding ORDER BY ALL",
        [collection, classifier],
    ).astype({"finding": str, "digest": str})
    figures = next((entry.card.figures for entry in list_models() if entry.name == classifier), {})
    listed, drawn = _listed(store, collection), _drawn(store)
    return {
        row.finding: _verdict(figures, row.digest, row.finding, collection, listed, int(row.scored), drawn)
        for row in _without_left_out(store, table, collection, classifier).itertuples()
    }


def published_provenance(store: Store, collection: str, classifier: str) -> tuple[str, ...] | None:
    """What was said of training and patients when a run was published; None for a run of one's own."""
    published = _read(store, PUBLISHED)
    return tuple(published["provenance"].get(f"{collection}/{classifier}", ())) if published else None


def _without_left_out(store: Store, table: Any, collection: str, classifier: str) -> Any:
    """Count films that were left out because the model was trained on them, which the gate leaves out as well."""
    left = store.query(
        "SELECT finding, count(DISTINCT film_id) AS n FROM failures WHERE collection = ? AND classifier = ? "
        "AND reason = ? GROUP BY finding",
        [collection, classifier, LEFT_OUT],
    )
    numbers = dict(zip(left.finding.astype(str), left.n))
    return table.assign(scored=table.scored + table.finding.map(numbers).fillna(0))


def _verdict(
    figures: Mapping[str, Any],
    digest: str,
    finding: str,
    collection: str,
    listed: Mapping[str, Any] | None,
    scored: int,
    drawn: bool,
) -> Verdict:
    elsewhere = gate(figures, finding, None, digest)
    if listed is None:
        words = "Which films of the collection these are cannot be told, for they are not at hand."
        other = elsewhere.status == "measured on other films"
        return replace(elsewhere, reason=f"{words} {elsewhere.reason}") if other else elsewhere
    films = FilmList(collection, listed["films"], listed["measurable"], listed["count"])
    found, outlined = verdict_on(figures, digest, finding, films), int(listed["outlined"].get(canonical(finding), 0))
    if found.status in ("measured on other films", "not measured") or MOST * outlined <= scored <= outlined:
        return found
    if scored > outlined:
        words = f"This run scored {scored} films with an outline; the gate was measured on {outlined} of them."
    elif drawn:
        return replace(
            found, reason=f"{found.reason} This run scored {scored} films, drawn at random from those {outlined}."
        )
    else:
        words = f"This run scored {scored} of the {outlined} films with an outline that the gate was measured on."
    return replace(found, status="measured on other films", reason=f"{words} On those: {found.reason}")


def _listed(store: Store, collection: str) -> Mapping[str, Any] | None:
    """How the collection's films were listed when the run began, else as they are now; None where nobody can say."""
    noted = _read(store, LISTS).get(collection)
    if isinstance(noted, dict) and {"films", "measurable", "count", "outlined"} <= noted.keys():
        return noted
    at_hand = collections().get(collection)
    scored = store.query("SELECT DISTINCT film_id FROM scores WHERE collection = ?", [collection]).film_id
    known = set() if at_hand is None else {entry.film_id for entry in at_hand.entries()}
    return film_list(at_hand) if at_hand is not None and set(scored.astype(str)) <= known else None


def _drawn(store: Store) -> bool:
    """Whether the run's films were drawn at random, as far as its plan says it."""
    try:
        return read_plan(store.folder / "plan.toml").per_finding > 0
    except PlanError:
        return False


def _read(store: Store, name: str) -> dict[str, Any]:
    try:
        found = read_json(store.folder / name)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
