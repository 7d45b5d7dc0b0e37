"""The validity gate's figures that were measured here: stored in the home folder, by the digests of model and films."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluation.validity.gate import Verdict, gate
from radiographs.collection import Collection, FilmEntry
from radiographs.files import write_text
from radiographs.places import home_folder


def films_digest(collection: Collection) -> str:
    """Sixteen hexadecimal digits of a collection's list: its films, patients, labels and who has outlines."""
    return _digest(collection.entries())


def measurable_digest(collection: Collection) -> str:
    """As :func:`films_digest`, without films that the recorded split says were trained on: the gate measures none."""
    return _digest(_measurable(collection))


def _measurable(collection: Collection) -> list[FilmEntry]:
    return [entry for entry in collection.entries() if entry.part in (None, "test")]


def _digest(entries: Sequence[FilmEntry]) -> str:
    rows = [[e.film_id, e.patient, e.part, sorted(e.labels), sorted(e.annotated)] for e in entries]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]


def store(model: str, collection: Collection, figures: Mapping[str, Any]) -> Path:
    """Write what ``measure_validity`` returned for a model (its digest) and a collection; returns the file.

    Raises:
        OSError: the home folder cannot be written.
    """
    path = _path(model, collection)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps({"model": model, "collection": collection.name, "findings": dict(figures)}, indent=1))
    return path


def record(card: Path, collection: str, figures: Mapping[str, Any]) -> None:
    """Write what ``measure_validity`` returned for ``collection`` into the JSON file of a model card."""
    content = json.loads(card.read_text(encoding="utf-8"))
    content["figures"].setdefault("validity", {})[collection] = dict(figures)
    card.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _path(model: str, collection: Collection) -> Path:
    return home_folder() / "validity" / f"{model[:16]}-{films_digest(collection)}.json"


def measured_here(model: str, collection: Collection) -> dict[str, Any]:
    """The figures by finding that were measured here for this model and these very films; empty for none."""
    try:
        content = json.loads(_path(model, collection).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    fits = isinstance(content, dict) and content.get("model") == model and isinstance(content.get("findings"), dict)
    return content["findings"] if fits else {}


def verdict(figures: Mapping[str, Any], digest: str, finding: str, collection: Collection | None) -> Verdict:
    """The gate's verdict by what was measured here, else by the model card's figures.

    A card's figures of a collection of this name count as measured on other films where its films differ.

    Args:
        figures: of the model card. digest: of the model. finding: the finding. collection: of the films scored.
    """
    if collection is None:
        return gate(figures, finding, digest=digest)
    own = measured_here(digest, collection)
    known = figures.get("validity", {})
    of_card = known.get(collection.name, {})
    these = finding in own or _same_films(of_card.get(finding, {}), collection)
    joined = known | {collection.name: {**of_card, **own}}
    return gate({"validity": joined}, finding, collection.name if these else None, digest)


def _same_films(figures: Mapping[str, Any], collection: Collection) -> bool:
    """Whether figures are of the films of a collection: by their list, else by their number; True if none is there."""
    films = _measurable(collection)
    if not films:
        return True
    listed = figures.get("films_digest")
    return listed == _digest(films) if listed else figures.get("films") == len(films)
