"""A run's result as one file, Parquet or JSON, for others to report: plan, digests, versions, verdicts and scores.

No path, no name of a person and no identifier is in it: films of collections that do not come with the program go by
the digest of their pixels, and patients by a number.
"""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from evaluation.runs.doubts import doubts_of
from evaluation.runs.plan import Plan, PlanError, digest_of, read_plan
from evaluation.runs.provenance import LEFT_OUT
from evaluation.runs.selection import Kind
from evaluation.runs.store import FAILURES, FILMS, SCHEMA, Store
from evaluation.runs.tables import metrics_of, pairs_of, verdicts
from evaluation.runs.template import plan_text
from evaluation.runs.verdicts import LISTS, PUBLISHED
from evaluation.scores.score import Direction
from evaluation.validity.gate import Status, Verdict
from radiographs.arrays import plain
from radiographs.files import read_json, replacing, write_text
from radiographs.registry import collections

FORMAT = "XAI Lightbox results, 1"
SUFFIXES = (".json", ".parquet")
_META = b"xai-lightbox"
_LARGEST = 2**30
_NAME = re.compile(r"[\w .+-]{1,120}")
_NAMED = ("collection", "classifier", "method", "finding", "metric", "parameters_digest", "kind", "reading")
_GATED = ("collection", "classifier", "finding")
UNTOLD = "the reason is not published"


class PublishedError(ValueError):
    """A file holds no published results that can be used. The message names it and what was wrong."""


def publish(store: Store, path: Path, provenance: Mapping[str, list[str]]) -> int:
    """Write a run's result to ``path`` (.json or .parquet), whole or not at all; returns the number of scores.

    Args:
        provenance: by "collection/classifier", what is said of training and patients.

    Raises:
        PublishedError: the suffix is another, or the run has no scores. StoreError: a file of the run is damaged.
        OSError: ``path`` cannot be written.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise PublishedError(f"{path.name} ends neither in .json nor in .parquet; name a file that does")
    scores = store.query("SELECT * FROM scores ORDER BY question, metric")
    if scores.empty:
        raise PublishedError(f"{store.folder} has no scores yet; run a plan into it first")
    scores, films = nameless(scores)
    facts = _facts(store, films) | {"provenance": dict(provenance)}
    if path.suffix.lower() == ".json":
        known = scores.astype(object).where(scores.notna(), None)
        columns = {name: plain(known[name].tolist()) for name in SCHEMA.names}
        write_text(path, json.dumps(facts | {"scores": columns}, ensure_ascii=False, allow_nan=False) + "\n")
    else:
        table = pa.Table.from_pandas(scores, SCHEMA, preserve_index=False)
        table = table.replace_schema_metadata({_META: json.dumps(facts, ensure_ascii=False).encode()})
        with replacing(path) as fresh:
            pq.write_table(table, fresh, compression="zstd")
    return len(scores)


def _comes_with_the_program(collection: str) -> bool:
    found = collections().get(collection)
    return found is not None and type(found).__module__.startswith("radiographs.") and collection == type(found).name


def nameless(scores: pd.DataFrame) -> tuple[pd.DataFrame, dict[tuple[str, str], str]]:
    """Scores whose films and patients go by digests, and the new id of each film by collection and old one."""
    scores = scores.astype({name: str for name in ("collection", "film_id", "film", "patient")})
    own = {name: _comes_with_the_program(name) for name in scores.collection.unique()}
    short = {film: digest_of(film) for film in scores.film.unique()}
    ids = np.where(scores.collection.map(own), scores.film_id, scores.film.map(short))
    # Numbered in their order, so that a bootstrap with the same seed draws the same.
    place = {patient: f"patient-{number:06d}" for number, patient in enumerate(sorted(scores.patient.unique()))}
    patients = np.where(scores.patient == scores.film_id, ids, scores.patient.map(place))
    films = dict(zip(zip(scores.collection, scores.film_id), ids))
    named = scores.assign(film_id=ids, patient=patients)
    keys = ["collection", "film", "finding", "classifier_digest", "method", "parameters_digest", "seed", "reading"]
    questions = {key: digest_of([str(part) for part in key]) for key in set(named[keys].itertuples(index=False))}
    named["question"] = [questions[key] for key in named[keys].itertuples(index=False)]
    return named, films


def _facts(store: Store, films: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    models = store.query("SELECT DISTINCT classifier, classifier_digest FROM scores ORDER BY ALL").astype(str)
    versions = store.query("SELECT DISTINCT versions FROM scores ORDER BY ALL").versions.astype(str)
    try:
        lists = read_json(store.folder / LISTS)
    except (OSError, ValueError):
        lists = {}
    found = {
        f"{pair.collection}/{pair.classifier}": {f: asdict(one) for f, one in verdicts(store, pair).items()}
        for pair in pairs_of(store)
    }
    status = store.status()
    return {
        "format": FORMAT,
        "plan": plan_text(plan_without_paths(store)),
        "status": {"state": status.state, "films": status.films, "done": status.done} if status else {},
        "models": {row.classifier: row.classifier_digest for row in models.itertuples()},
        "versions": list(versions),
        "lists": lists,
        "verdicts": plain(found),
        "doubts": _doubts(store, films),
        "failures": _failures(store, films),
    }


def plan_without_paths(store: Store) -> Plan:
    """The run's plan; maps of other code go by the digest that their scores bear."""
    try:
        plan = read_plan(store.folder / "plan.toml")
    except PlanError:
        pairs = pairs_of(store)
        models = tuple(dict.fromkeys(pair.classifier for pair in pairs))
        return Plan(tuple(dict.fromkeys(pair.collection for pair in pairs)), models, metrics=tuple(metrics_of(store)))
    digests = store.query("SELECT DISTINCT method, parameters FROM scores WHERE kind = 'method'").astype(str)
    known = {row.method: json.loads(row.parameters).get("maps", "") for row in digests.itertuples()}
    variants = [replace(one, maps=f"maps-{known.get(one.method, '')}") if one.maps else one for one in plan.methods]
    return replace(plan, methods=tuple(variants))


def _doubts(store: Store, films: Mapping[tuple[str, str], str]) -> list[dict[str, str]]:
    rows = doubts_of(store).dropna(subset=["doubt"]).astype(str).to_dict("records")
    return [row | {"film_id": films[row["collection"], row["film_id"]]} for row in rows]


def _failures(store: Store, films: Mapping[tuple[str, str], str]) -> list[dict[str, str]]:
    """What could not be had; reasons may name files, so all but one that the program knows are left out."""
    rows = store.failures().astype(str).to_dict("records")
    others: dict[tuple[str, str], str] = {}
    found = []
    for row in rows:
        key = row["collection"], row["film_id"]
        film_id = films.get(key) or others.setdefault(key, f"film-without-scores-{len(others) + 1}")
        reason = LEFT_OUT if row["reason"] == LEFT_OUT else UNTOLD
        found.append(row | {"film_id": film_id, "reason": reason, "question": ""})
    return found


@contextlib.contextmanager
def open_results(path: Path) -> Iterator[Store]:
    """The results at ``path``: the folder of a run, or a file that :func:`publish` wrote.

    Raises:
        PublishedError: it is a file that holds no such results.
    """
    if not path.is_file():
        yield Store(path)
        return
    facts, scores = _read(path)
    with tempfile.TemporaryDirectory(prefix="lightbox-results-") as place:
        store = Store(Path(place) / path.stem)
        try:
            _unpack(store, facts, scores)
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            raise PublishedError(f"{path.name} holds no results as lightbox publish writes them: {error}") from error
        yield store


def _read(path: Path) -> tuple[dict[str, Any], pa.Table]:
    if path.suffix.lower() not in SUFFIXES:
        raise PublishedError(f"{path.name} is neither the folder of a run nor a .json or .parquet of lightbox publish")
    if path.stat().st_size > _LARGEST:
        raise PublishedError(f"{path.name} is larger than {_LARGEST // 2**20} MB")
    try:
        if path.suffix.lower() == ".json":
            facts = read_json(path)
            scores = pa.Table.from_pydict(facts.pop("scores"), schema=SCHEMA)
        else:
            table = pq.read_table(path)
            facts = json.loads((table.schema.metadata or {})[_META])
            scores = pa.Table.from_pydict(table.to_pydict(), schema=SCHEMA)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, pa.ArrowException) as error:
        raise PublishedError(f"{path.name} is damaged, or nothing that lightbox publish wrote") from error
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise PublishedError(f"{path.name} is of another format than {FORMAT!r}; publish the run again")
    return facts, scores


def _unpack(store: Store, facts: Mapping[str, Any], scores: pa.Table) -> None:
    """Lay the results out as a run's folder."""
    for name in _NAMED:
        for text in set(scores.column(name).to_pylist()):
            # Findings such as Nodule/Mass have a slash; no name becomes a path.
            if not isinstance(text, str) or not _NAME.fullmatch(text.replace("/", " ") if name == "finding" else text):
                raise ValueError(f"{name} {text!r} is no name")
    _check_maps(scores)
    for found in facts["verdicts"].values():
        for one in found.values():
            one["power"] = float("nan") if one["power"] is None else float(one["power"])
            if one["status"] not in get_args(Status) or not isinstance(Verdict(**one).reason, str):
                raise ValueError("a verdict is of no known kind")
    for collection, classifier, finding in set(zip(*(scores.column(name).to_pylist() for name in _GATED))):
        if finding not in facts["verdicts"].get(f"{collection}/{classifier}", {}):
            raise ValueError(f"the verdict on {finding} of {classifier} on {collection} is missing")
    words = [line for lines in facts["provenance"].values() for line in lines]
    if not all(isinstance(line, str) for line in words):
        raise ValueError("provenance is no list of sentences")
    store.make()
    store.write([scores], _rows(facts["failures"], FAILURES), {}, _rows(facts["doubts"], FILMS))
    store.write_text("plan.toml", str(facts["plan"]))
    store.write_text("status.json", json.dumps(facts["status"]))
    store.write_text(LISTS, json.dumps(facts["lists"]))
    store.write_text(PUBLISHED, json.dumps({"verdicts": facts["verdicts"], "provenance": facts["provenance"]}))


def _check_maps(scores: pa.Table) -> None:
    """Refuse scores of maps that no run makes, which tables could not tell apart.

    Raises:
        ValueError: a map is of no known kind or of two, a direction is unknown, or parameters are no settings.
    """
    kinds: dict[str, str] = {}
    for method, kind in zip(scores.column("method").to_pylist(), scores.column("kind").to_pylist()):
        if kind not in get_args(Kind) or kinds.setdefault(method, kind) != kind:
            raise ValueError(f"{method} is of kind {kind!r}")
    if not set(scores.column("direction").to_pylist()) <= set(get_args(Direction)):
        raise ValueError("a score has an unknown direction")
    if not all(isinstance(json.loads(text), dict) for text in set(scores.column("parameters").to_pylist())):
        raise ValueError("parameters are no settings")


def _rows(given: list[dict[str, str]], schema: pa.Schema) -> list[dict[str, str]]:
    return [{name: str(row[name]) for name in schema.names} for row in given]
