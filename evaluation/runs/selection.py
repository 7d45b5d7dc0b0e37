"""From a plan to films and the maps to make of each; checked before any work starts."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from classifiers import ChestClassifier
from classifiers.registry import list_models, load_classifier
from evaluation.baselines.location_prior import patient_of
from evaluation.one_film.external_maps import film_names, maps_digest, open_maps
from evaluation.one_film.map_files import MapError
from evaluation.runs.plan import Plan, PlanError, Variant, digest_of
from evaluation.scores import Polarity, metrics
from radiographs.collection import Collection, FilmEntry
from radiographs.findings import canonical, is_named
from radiographs.nearness import near
from radiographs.registry import collections

Kind = Literal["method", "baseline"]


@dataclass(frozen=True)
class RunModel:
    """What a run must know of a classifier before it starts: its name, digest and findings."""

    name: str
    digest: str
    findings: tuple[str, ...]


@dataclass(frozen=True)
class MapRequest:
    """One map to make of one film and the scores it is to get.

    Attributes:
        key: 16 digits that name film, classifier, finding, method, parameters, seed and polarity.
        finding, kind, method: which map. parameters: as canonical JSON. parameters_digest: of them.
        seed: of the method. metrics: names of the scores. maps: where the map lies, if other code made it.
    """

    key: str
    finding: str
    kind: Kind
    method: str
    parameters: str
    parameters_digest: str
    seed: int
    metrics: tuple[str, ...]
    maps: str = ""


@dataclass(frozen=True)
class WorkItem:
    """One film under one classifier with all maps to make of it: the unit of work.

    Attributes:
        collection, film_id, patient: the film. classifier, classifier_digest: the model. others: further models.
        requests: the maps. polarity: which part of a signed map is scored. maps: whether maps are handed back.
        held_out: whether the film is left out where it turns out to be one that the model was trained on.
    """

    collection: str
    film_id: str
    patient: str
    classifier: str
    classifier_digest: str
    others: tuple[str, ...]
    requests: tuple[MapRequest, ...]
    polarity: Polarity
    maps: bool
    held_out: bool = True


def open_plan(plan: Plan) -> list[RunModel]:
    """Look at the collections and models of a plan, and refuse what cannot be run.

    Raises:
        PlanError: a collection or model is not there, no film fits, or a score has nothing to stand on.
    """
    for name in plan.collections:
        if name not in collections():
            raise PlanError(f"collections: there is no collection {name!r}; {near(name, collections())}")
        missing = collections()[name].missing()
        if missing:
            raise PlanError(f"collections: {name}: {missing}")
    known = {entry.name: entry for entry in list_models()}
    for name in plan.classifiers:
        if name not in known:
            raise PlanError(f"classifiers: there is no model {name!r}; {near(name, known)}")
        if not known[name].available:
            raise PlanError(f"classifiers: {name}: {known[name].missing}")
    models = [_known(load_classifier(name, device="cpu")) for name in plan.classifiers]
    findings = sorted({finding for model in models for finding in model.findings})
    for finding in plan.findings:
        if not is_named(finding, findings):
            raise PlanError(f"findings: no model of the plan knows {finding!r}; {near(finding, findings)}")
    _check_films(plan, models)
    _check_maps(plan)
    return models


def maps_there(plan: Plan, model: RunModel, collection: Collection) -> dict[str, tuple[int, int]]:
    """For each method of other code: of how many of the plan's pairs of film and finding it has a map, and of all.

    Raises:
        MapError: the maps of a method cannot be read.
    """
    pairs = [(entry.film_id, finding) for entry, some in films_of(plan, model, collection) for finding in some]
    found = {}
    for variant in [one for one in plan.methods if one.maps]:
        maps = open_maps(Path(variant.maps), film_names(collection)).maps
        found[variant.method] = sum((film, canonical(finding)) in maps for film, finding in pairs), len(pairs)
    return found


def _check_maps(plan: Plan) -> None:
    """Refuse maps of other code that cannot be read, or that are of no film of the plan's collections."""
    for variant in [one for one in plan.methods if one.maps]:
        problems = []
        for name in plan.collections:
            try:
                open_maps(Path(variant.maps), film_names(collections()[name]))
            except MapError as error:
                problems.append(str(error))
        if len(problems) == len(plan.collections):
            raise PlanError(f"methods: {variant.method}: {problems[0]}")


def _known(classifier: ChestClassifier) -> RunModel:
    return RunModel(classifier.name, classifier.digest, classifier.findings)


def _check_films(plan: Plan, models: list[RunModel]) -> None:
    for name in plan.collections:
        found = [pair for model in models for pair in films_of(plan, model, collections()[name])]
        if not found:
            raise PlanError(
                f"collections: {name}: no film fits; films = {plan.films!r}, held_out = {str(plan.held_out).lower()}, "
                "and the findings that the classifiers know leave none"
            )
        outlined = any(is_named(finding, entry.annotated) for entry, findings in found for finding in findings)
        needing = [name for name in plan.metrics if "mask" in metrics()[name].needs]
        if needing and not outlined:
            raise PlanError(
                f"metrics: {needing[0]} needs outlines, and no film of {name} that fits the plan has one; leave it "
                "out, or choose another collection"
            )


def films_of(plan: Plan, model: RunModel, collection: Collection) -> list[tuple[FilmEntry, tuple[str, ...]]]:
    """The films of a collection and, for each, the findings of the plan that a model knows; in the list's order."""
    entries = [entry for entry in collection.entries() if not plan.held_out or entry.part in (None, "test")]
    wanted = [finding for finding in model.findings if not plan.findings or is_named(finding, plan.findings)]
    chosen: dict[str, list[str]] = {}
    for finding in wanted:
        fitting = [entry.film_id for entry in entries if _fits(plan, entry, finding)]
        for film_id in _drawn(plan, finding, fitting):
            chosen.setdefault(film_id, []).append(finding)
    return [(entry, tuple(chosen[entry.film_id])) for entry in entries if entry.film_id in chosen]


def _drawn(plan: Plan, finding: str, fitting: list[str]) -> list[str]:
    """The films drawn for a finding: a larger ``per_finding`` holds all of a smaller one, so that a plan can grow."""
    if not plan.per_finding:
        return fitting
    rng = np.random.default_rng([plan.draw_seed, zlib.crc32(finding.encode())])
    return [fitting[i] for i in rng.permutation(len(fitting))[: plan.per_finding]]


def _fits(plan: Plan, entry: FilmEntry, finding: str) -> bool:
    if plan.films == "outlined":
        return is_named(finding, entry.annotated)
    return plan.films == "all" or is_named(finding, entry.labels)


def work_items(
    plan: Plan,
    models: list[RunModel],
    answered: Mapping[str, frozenset[str]] | None = None,
    failed: Mapping[str, frozenset[str]] | None = None,
) -> Iterator[WorkItem]:
    """All work items of a plan, one after the other.

    Args:
        answered: by a request's key, the metrics that it has already; a request that has all is left out.
        failed: by a request's key, the metrics that failed and are not tried again; "" stands for all.
    """
    done, given_up = answered or {}, failed or {}
    external = {variant.maps: maps_digest(Path(variant.maps)) for variant in plan.methods if variant.maps}
    for name in plan.collections:
        for model in models:
            others = tuple(other for other in plan.classifiers if other != model.name) if _compares(plan) else ()
            for entry, findings in films_of(plan, model, collections()[name]):
                requests = []
                for request in _requests(plan, model, name, entry, findings, external):
                    settled = done.get(request.key, frozenset()) | given_up.get(request.key, frozenset())
                    lacking = tuple(m for m in request.metrics if m not in settled)
                    if lacking and "" not in settled:
                        requests.append(replace(request, metrics=lacking))
                if requests:
                    yield WorkItem(
                        name, entry.film_id, patient_of(entry), model.name, model.digest, others, tuple(requests),
                        plan.polarity, plan.maps, plan.held_out,
                    )  # fmt: skip


def _compares(plan: Plan) -> bool:
    return any("other models" in metrics()[name].needs for name in plan.metrics)


def _requests(
    plan: Plan,
    model: RunModel,
    collection: str,
    entry: FilmEntry,
    findings: tuple[str, ...],
    external: Mapping[str, str],
) -> Iterator[MapRequest]:
    film = (collection, entry.film_id, model.digest, plan.polarity)
    for finding in findings:
        outlined = is_named(finding, entry.annotated)
        maskless = tuple(name for name in plan.metrics if "mask" not in metrics()[name].needs)
        scores = plan.metrics if outlined else maskless
        for variant in plan.methods if scores else ():
            if variant.maps:
                yield from _external_request(variant, external[variant.maps], film, finding, scores)
                continue
            text = json.dumps(variant.parameters, sort_keys=True)
            for seed in plan.seeds:
                key = digest_of([*film, finding, "method", variant.method, variant.digest, seed])
                yield MapRequest(key, finding, "method", variant.method, text, variant.digest, seed, scores)
        for baseline in plan.baselines if outlined and plan.localisation else ():
            key = digest_of([*film, finding, "baseline", baseline, "", 0])
            yield MapRequest(key, finding, "baseline", baseline, "{}", digest_of({}), 0, plan.localisation)


def _external_request(
    variant: Variant, maps: str, film: tuple[str, ...], finding: str, scores: tuple[str, ...]
) -> Iterator[MapRequest]:
    """The map of other code: its one parameter is what the files hold; scores that make maps anew are left out."""
    parameters = {"maps": maps}
    digest = digest_of(parameters)
    key = digest_of([*film, finding, "method", variant.method, digest, 0])
    possible = tuple(name for name in scores if not metrics()[name].needs & {"repeats", "other models"})
    if possible:
        text = json.dumps(parameters)
        yield MapRequest(key, finding, "method", variant.method, text, digest, 0, possible, variant.maps)
