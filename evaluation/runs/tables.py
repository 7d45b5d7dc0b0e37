"""A run's scores as tables: leaderboard, paired tests, cost, the validity gate's verdicts."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluation.baselines.model_independent import READER, baseline_titles
from evaluation.runs.store import Store
from evaluation.runs.verdicts import run_verdicts
from evaluation.scores import Metric, get_metric, metrics
from evaluation.statistics.critical_difference import Ranking, rank_methods
from evaluation.statistics.intervals import DRAWS, FEWEST, mean_intervals
from evaluation.statistics.paired_tests import PairTest, patient_means, wilcoxon_holm
from evaluation.validity.gate import Verdict
from xai_methods import methods

ALL, PASSED = "all findings", "findings that pass the gate"
"""Scopes of a leaderboard beside the single findings."""
_MOST_COUNTS = 20_000_000
_OFTEN = 0.5
"""Maps that have values on fewer of the films than this are left out of the tests, which need them on every film."""


@dataclass(frozen=True)
class Pair:
    """One collection under one classifier; scores are compared within such a pair only."""

    collection: str
    classifier: str


def pairs_of(store: Store) -> list[Pair]:
    """The pairs of collection and classifier that have scores, in the order of their names."""
    table = store.query("SELECT DISTINCT collection, classifier FROM scores ORDER BY ALL")
    return [Pair(str(row.collection), str(row.classifier)) for row in table.itertuples()]


def metrics_of(store: Store) -> list[str]:
    """The scores a run has, in the order in which people read them."""
    there = set(store.query("SELECT DISTINCT metric FROM scores").metric.astype(str))
    return [name for name in metrics() if name in there]


def map_titles(store: Store) -> dict[str, str]:
    """The maps of a run, methods first, by key (method, and digest of the parameters): their names for people.

    Parameters are named where one method stands there with several sets of them.
    """
    table = store.query("SELECT DISTINCT kind, method, parameters_digest, parameters FROM scores").astype(str)
    known = list(methods()) + list(baseline_titles())
    table["place"] = table.method.map(lambda name: known.index(name) if name in known else len(known))
    table = table.sort_values(
        ["kind", "place", "parameters"], key=lambda c: c.map(_kind_place) if c.name == "kind" else c
    )
    found = {}
    for row in table.itertuples():
        among = [json.loads(text) for text in table[table.method == row.method].parameters]
        found[f"{row.method}/{row.parameters_digest}"] = _title(row.kind, row.method, json.loads(row.parameters), among)
    return found


def _kind_place(kind: str) -> int:
    return ("method", "baseline").index(kind)


def _title(kind: str, name: str, parameters: dict[str, object], among: list[dict[str, object]]) -> str:
    if kind == "baseline":
        return baseline_titles()[name] if name in baseline_titles() else name
    title = methods()[name].title if name in methods() else name
    differing = [f"{k} {v}" for k, v in parameters.items() if any(other.get(k) != v for other in among)]
    return f"{title} ({', '.join(differing)})" if differing else title


def values(store: Store, metric: str, pair: Pair | None = None) -> pd.DataFrame:
    """The values of one score, averaged over seeds: one row a film, finding, classifier and map.

    Returns:
        Columns ``collection``, ``classifier``, ``film_id``, ``film`` (digest), ``patient``, ``finding``, ``kind``,
        ``method``, ``map`` (key of :func:`map_titles`), ``parameters``, ``value``, ``spread`` (standard deviation over
        seeds), ``chance``, ``area`` (share of the film outlined), ``probability`` (the classifier's), ``seconds``,
        ``evaluations``.
    """
    where = "" if pair is None else " AND collection = ? AND classifier = ?"
    given = [metric] if pair is None else [metric, pair.collection, pair.classifier]
    table = store.query(
        "SELECT collection, classifier, film_id, any_value(film) AS film, any_value(patient) AS patient, "
        "finding, kind, method, method || '/' || parameters_digest AS map, any_value(parameters) AS parameters, "
        "avg(value) AS value, stddev_samp(value) AS spread, avg(chance) AS chance, "
        "any_value(area) AS area, any_value(logit) AS logit, avg(seconds) AS seconds, avg(evaluations) AS evaluations "
        f"FROM scores WHERE metric = ?{where} GROUP BY collection, classifier, film_id, finding, kind, method, "
        "parameters_digest ORDER BY ALL",
        given,
    )
    for name in ("collection", "classifier", "finding", "kind", "method"):
        table[name] = table[name].astype(str)
    table["probability"] = 1 / (1 + np.exp(-table.pop("logit").astype(float)))
    return table.astype({"value": float, "chance": float, "area": float, "seconds": float, "evaluations": float})


def verdicts(store: Store, pair: Pair) -> dict[str, Verdict]:
    """What the validity gate says of each finding of a pair, of the very network that was run."""
    return run_verdicts(store, pair.collection, pair.classifier)


def scopes(found: dict[str, Verdict]) -> dict[str, list[str]]:
    """Groups of findings over which means are taken: those that pass the gate, all, and each alone."""
    passed = [finding for finding, verdict in found.items() if verdict.passed]
    groups = {PASSED: passed} if passed else {}
    groups[ALL] = list(found)
    if len(found) > 1:
        groups |= {finding: [finding] for finding in found}
    return groups


@dataclass(frozen=True, eq=False)
class PairContext:
    """What all tables of a pair share.

    Attributes:
        pair: the collection and the classifier. titles: of the maps, by key. verdicts: of the validity gate.
    """

    pair: Pair
    titles: dict[str, str]
    verdicts: dict[str, Verdict]

    @property
    def scopes(self) -> dict[str, list[str]]:
        """Groups of findings over which means are taken."""
        return scopes(self.verdicts)


def context_of(store: Store, pair: Pair) -> PairContext:
    """Read what all tables of a pair share, once."""
    return PairContext(pair, map_titles(store), verdicts(store, pair))


def leaderboard(store: Store, pair: Pair, names: Sequence[str], *, draws: int = DRAWS, seed: int = 0) -> pd.DataFrame:
    """Mean of each score by scope and map, with intervals over patients, beside chance and the best baseline.

    Args:
        names: of the scores. draws, seed: of the bootstrap.

    Returns:
        One row a scope, score and map, then chance: ``scope``, ``metric``, ``map``, ``title``, ``kind``, ``mean``,
        ``low``, ``high``, ``n`` (pairs of film and finding with a value), ``patients``, ``chance``, and for methods
        ``silent`` (pairs on which the score of their map is undefined), ``mean_silent_0`` (the mean with these as 0;
        NaN where 0 is not the score's worst), ``common`` (the mean over the ``common_n`` pairs that all methods have),
        and, over the films on which both have a value, ``baseline`` (key of the best one), ``gain`` (positive: better
        than it), ``gain_low``, ``gain_high``.
    """
    context = context_of(store, pair)
    return pd.concat([board_of(context, name, values(store, name, pair), draws, seed) for name in names])


def board_of(
    context: PairContext, name: str, table: pd.DataFrame, draws: int = DRAWS, seed: int = 0, *, scope: str | None = None
) -> pd.DataFrame:
    """The leaderboard of one score whose values (:func:`values`) are read already; of one scope alone if given."""
    rows: list[dict[str, object]] = []
    wide, kinds = wide_of(table), dict(zip(table["map"], table["kind"]))
    undefined = table[table.value.isna() & table.kind.eq("method")]
    for group, findings in context.scopes.items():
        if scope not in (None, group):
            continue
        head = {"scope": group, "metric": name, "chance": float(table.chance[table.finding.isin(findings)].mean())}
        part = wide[wide.index.isin(findings, level="finding")]
        silent = undefined[undefined.finding.isin(findings)]["map"].value_counts().to_dict()
        rows += _with_silence(_board(part, context.titles, kinds, head, draws, seed), part, silent, get_metric(name))
    return pd.DataFrame(rows, columns=_BOARD)


_BOARD = (
    *("scope", "metric", "map", "title", "kind", "mean", "low", "high", "n", "patients", "chance"),
    *("baseline", "gain", "gain_low", "gain_high", "silent", "mean_silent_0", "common", "common_n"),
)


def wide_of(table: pd.DataFrame) -> pd.DataFrame:
    """One column a map, one row a film and finding (index ``film_id``, ``finding``, ``patient``)."""
    wide = table.set_index(["film_id", "finding", "patient", "map"])["value"].unstack("map")
    return wide.dropna(how="all")


def _board(
    wide: pd.DataFrame, titles: dict[str, str], kinds: dict[str, str], head: dict[str, object], draws: int, seed: int
) -> list[dict[str, object]]:
    patients = wide.index.get_level_values("patient").to_numpy()
    few = max(100, min(draws, _MOST_COUNTS // max(len(wide), 1)))
    score = get_metric(str(head["metric"]))
    direction = score.direction
    best = _best_baseline(wide, kinds, direction)
    keys = [key for key in titles if key in wide]
    compared = [key for key in keys if kinds[key] == "method"] if best is not None else []
    sign = -1 if direction == "lower" else 1
    gains = [sign * (wide[key] - wide[best]).to_numpy() for key in compared]
    columns = [wide[key].to_numpy() for key in keys] + gains
    found = mean_intervals(columns, patients, np.random.default_rng(seed), draws=few)
    span = score.high - score.low
    means = [one.within(score.low, score.high) for one in found[: len(keys)]]
    gained = {key: one.within(-span, span) for key, one in zip(compared, found[len(keys) :])}
    rows: list[dict[str, object]] = []
    for key, one in zip(keys, means):
        row = head | {"map": key, "title": titles[key], "kind": kinds[key], "mean": one.value}
        row |= {"low": one.low, "high": one.high, "n": one.films, "patients": one.patients}
        if key in gained:
            gain = gained[key]
            row |= {"baseline": best, "gain": gain.value, "gain_low": gain.low, "gain_high": gain.high}
        rows.append(row)
    if not math.isnan(float(str(head["chance"]))):
        rows.append(head | {"map": "chance", "title": "Chance", "kind": "chance", "mean": head["chance"]})
    return rows


def _with_silence(
    rows: list[dict[str, object]], wide: pd.DataFrame, silent: dict[str, int], score: Metric
) -> list[dict[str, object]]:
    """Say of each method on how many pairs it is undefined, and give its mean both ways and on common pairs."""
    methods = [row for row in rows if row["kind"] == "method"]
    common = wide[[str(row["map"]) for row in methods]].dropna()
    worst_is_0 = score.direction == "higher" and score.low == 0
    for row in methods:
        key, n = str(row["map"]), int(str(row["n"]))
        number = silent.get(key, 0)
        as_0 = float(wide[key].sum()) / (n + number) if worst_is_0 and n + number else math.nan
        row |= {"silent": number, "mean_silent_0": as_0, "common": common[key].mean(), "common_n": len(common)}
    return rows


def _best_baseline(wide: pd.DataFrame, kinds: dict[str, str], direction: str) -> str | None:
    # Another reader knows the finding: a bound to aim at, not one to beat.
    known = [key for key in wide if kinds[key] == "baseline" and not key.startswith(f"{READER}/")]
    means = wide[known].mean().dropna()
    if means.empty or direction == "neither":
        return None
    return str(means.idxmin() if direction == "lower" else means.idxmax())


@dataclass(frozen=True)
class Tests:
    """Paired tests of the maps of one score over patients: mean ranks, and every pair of maps."""

    scope: str
    ranking: Ranking
    pairs: tuple[PairTest, ...]

    def between(self, first: str, second: str) -> PairTest | None:
        """The test of two maps by their titles, either way round; None where they were not tested."""
        return next((one for one in self.pairs if {one.first, one.second} == {first, second}), None)


def tests_of(context: PairContext, metric: str, table: pd.DataFrame) -> Tests | None:
    """Compare all maps on the same films, over the findings that pass the gate (over all where none does).

    Args:
        table: the score's values, as :func:`values` reads them.

    Returns:
        The tests over patients' means, or None where fewer than two maps have values on the same films, these are of
        fewer than ``FEWEST`` patients, or the score has no better end.
    """
    direction = get_metric(metric).direction
    if direction == "neither":
        return None
    groups, titles = context.scopes, context.titles
    scope = PASSED if PASSED in groups else ALL
    wide = wide_of(table[table.finding.isin(groups[scope])])
    keys = [key for key in titles if key in wide and wide[key].notna().mean() > _OFTEN]
    complete = wide[keys].dropna()
    if len(keys) < 2 or complete.empty:
        return None
    if complete.index.get_level_values("patient").nunique() < FEWEST:
        return None
    means = patient_means(complete.to_numpy(), complete.index.get_level_values("patient").to_numpy())
    names = [titles[key] for key in keys]
    pairs = tuple(wilcoxon_holm(means, names))
    return Tests(scope, rank_methods(means, names, direction=direction, pairs=pairs), pairs)


def costs(store: Store) -> pd.DataFrame:
    """What the maps cost: one row a classifier and map: maps, median, mean and total seconds, median evaluations."""
    table = store.query(
        "WITH maps AS (SELECT classifier, method || '/' || parameters_digest AS map, any_value(seconds) AS seconds, "
        "any_value(evaluations) AS evaluations FROM scores WHERE seconds IS NOT NULL "
        "GROUP BY question, classifier, method, parameters_digest) "
        "SELECT classifier, map, count(*) AS maps, median(seconds) AS median_seconds, avg(seconds) AS mean_seconds, "
        "sum(seconds) AS total_seconds, median(evaluations) AS median_evaluations FROM maps GROUP BY classifier, map"
    )
    titles = map_titles(store)
    table["title"] = table["map"].map(titles)
    place = {key: number for number, key in enumerate(titles)}
    order = table.assign(place=table["map"].map(place)).sort_values(["classifier", "place"]).index
    return table.loc[order, ["classifier", "map", "title", *table.columns[2:-1]]].reset_index(drop=True)
