"""The validity gate's figures that were measured here: stored in the home folder, by the digests of model and films."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.validity.gate import Verdict, gate
from radiographs.collection import Collection, FilmEntry
from radiographs.files import read_json, write_text
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
    path = _path(model, films_digest(collection))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps({"model": model, "collection": collection.name, "findings": dict(figures)}, indent=1))
    return path


def record(card: Path, collection: str, figures: Mapping[str, Any]) -> None:
    """Write what ``measure_validity`` returned for ``collection`` into the JSON file of a model card."""
    content = read_json(card)
    content["figures"].setdefault("validity", {})[collection] = dict(figures)
    card.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class FilmList:
    """A collection's list of films, by its digests: all that verdicts need to know of the films.

    Attributes:
        name: of the collection. films: see :func:`films_digest`. measurable: see :func:`measurable_digest`.
        count: films in the latter.
    """

    name: str
    films: str
    measurable: str
    count: int

    @classmethod
    def of(cls, collection: Collection) -> FilmList:
        """The list of a collection as it is now."""
        measurable = _measurable(collection)
        return cls(collection.name, films_digest(collection), _digest(measurable), len(measurable))


def _path(model: str, films: str) -> Path:
    return home_folder() / "validity" / f"{model[:16]}-{films}.json"


def measured_here(model: str, collection: Collection) -> dict[str, Any]:
    """The figures by finding that were measured here for this model and these very films; empty for none."""
    return _measured_on(model, films_digest(collection))


def _measured_on(model: str, films: str) -> dict[str, Any]:
    try:
        content = read_json(_path(model, films))
    except (OSError, ValueError):
        return {}
    fits = isinstance(content, dict) and content.get("model") == model and isinstance(content.get("findings"), dict)
    return {finding: one for finding, one in content["findings"].items() if _decidable(one)} if fits else {}


def _decidable(figures: Any) -> bool:
    """Whether the gate can decide by them; those of a damaged file, or of another version, count as not measured."""
    try:
        gate({"validity": {"": {"": figures}}}, "", "")
    except (TypeError, ValueError, LookupError, AttributeError):
        return False
    return True


def verdict(figures: Mapping[str, Any], digest: str, finding: str, collection: Collection | None) -> Verdict:
    """The gate's verdict by what was measured here, else by the model card's figures.

    A card's figures of a collection of this name count as measured on other films where its films differ.

    Args:
        figures: of the model card. digest: of the model. finding: the finding. collection: of the films scored.
    """
    if collection is None:
        return gate(figures, finding, digest=digest)
    return verdict_on(figures, digest, finding, FilmList.of(collection))


def verdict_on(figures: Mapping[str, Any], digest: str, finding: str, films: FilmList) -> Verdict:
    """As :func:`verdict`, for films of which only the list is known."""
    own = _measured_on(digest, films.films)
    known = figures.get("validity", {})
    of_card = known.get(films.name, {})
    these = finding in own or _same_films(of_card.get(finding, {}), films)
    joined = known | {films.name: {**of_card, **own}}
    return gate({"validity": joined}, finding, films.name if these else None, digest)


def _same_films(figures: Mapping[str, Any], films: FilmList) -> bool:
    """Whether figures are of these films: by their list, else by their number; True if none is there."""
    if not films.count:
        return True
    listed = figures.get("films_digest")
    return listed == films.measurable if listed else figures.get("films") == films.count
