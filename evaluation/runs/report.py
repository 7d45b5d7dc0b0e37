"""The report of a run: verdicts, leaderboards, paired tests and their diagrams, costs and failures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from classifiers.registry import list_models
from evaluation.html_pages import number
from evaluation.latex import latex_table
from evaluation.runs.doubts import doubts_of
from evaluation.runs.pass_rule import pass_rule
from evaluation.runs.plan import PlanError, read_plan
from evaluation.runs.plots import means_figure, size_figure, svg_of
from evaluation.runs.provenance import missing_maps, provenance_words, resaved_films, units_of
from evaluation.runs.run_progress import unfinished_words
from evaluation.runs.store import Store
from evaluation.runs.sweeps import Sweep, sweep_figure, sweeps_of
from evaluation.runs.tables import (
    Pair,
    PairContext,
    Tests,
    board_of,
    context_of,
    costs,
    metrics_of,
    pairs_of,
    scopes,
    tests_of,
    values,
)
from evaluation.runs.verdicts import published_provenance
from evaluation.scores import get_metric, headline_metrics, localisation_metrics
from evaluation.statistics.critical_difference import critical_difference_figure
from evaluation.validity.gate import Verdict
from radiographs.nearness import near
from radiographs.registry import collections


@dataclass(frozen=True, eq=False)
class Section:
    """One collection under one classifier: verdicts, leaderboard, tests; their diagrams and plots (SVG) by score.

    ``randomisation`` is the pass rule's table (:func:`evaluation.runs.pass_rule.pass_rule`), ``provenance`` what is
    said of training and patients (:mod:`evaluation.runs.provenance`), ``units`` what intervals and tests are over,
    ``sweeps`` what methods under several settings answer, each with its plot (SVG).
    """

    pair: Pair
    verdicts: dict[str, Verdict]
    board: pd.DataFrame
    tests: dict[str, Tests]
    diagrams: dict[str, str] = field(default_factory=dict)
    plots: dict[str, str] = field(default_factory=dict)
    randomisation: pd.DataFrame = field(default_factory=pd.DataFrame)
    provenance: tuple[str, ...] = ()
    units: str = "patients"
    sweeps: tuple[tuple[Sweep, str], ...] = ()


@dataclass(frozen=True, eq=False)
class RunReport:
    """All that a report says.

    Attributes:
        name: of the plan. films, rows: how many. versions: of the packages. metrics: names of the scores.
        sections: by collection and classifier. costs: of the maps. failures: what could not be had.
        doubts: which films were read with a doubt (:func:`evaluation.runs.doubts.doubts_of`).
        unfinished: a sentence where the run is not done, else "". unnamed: films of which the patient is unknown.
        refused: of several runs, what is not set beside the first and why.
    """

    name: str
    films: int
    rows: int
    versions: tuple[str, ...]
    metrics: tuple[str, ...]
    sections: tuple[Section, ...]
    costs: pd.DataFrame
    failures: pd.DataFrame
    doubts: pd.DataFrame
    unfinished: str = ""
    unnamed: int = 0
    refused: tuple[str, ...] = ()

    @property
    def sweeps(self) -> tuple[Sweep, ...]:
        """What methods under several settings answer, over all sections."""
        return tuple(sweep for section in self.sections for sweep, _ in section.sweeps)

    def to_frame(self) -> pd.DataFrame:
        """The leaderboards of all sections, as :func:`board_table` gives them."""
        return board_table(self)

    @property
    def units(self) -> str:
        """Over what intervals and tests are taken, in words."""
        return units_of(self.unnamed, self.films)


def make_report(store: Store, names: Sequence[str] | None = None) -> RunReport:
    """Work out the report of a run.

    Args:
        names: scores to show; by default those of the run that are headlines, and those that ask the model.

    Raises:
        ValueError: the run has no scores, or not those of ``names``. StoreError: a file is damaged.
    """
    there = metrics_of(store)
    if not there:
        reasons = store.failures().reason.value_counts()
        why = f"; what failed: {reasons.index[0]}" if len(reasons) else ""
        raise ValueError(f"{store.folder} has no scores yet; run a plan into it first{why}")
    lacking = [name for name in names or () if name not in there]
    if lacking:
        raise ValueError(f"the run has no score {lacking[0]!r}; {near(lacking[0], there, 'it has')}")
    chosen = tuple(names or _usual(there))
    sections = tuple(_section(store, pair, chosen) for pair in pairs_of(store))
    counts = store.query(
        "SELECT count(*) AS n, count(DISTINCT (collection, film_id)) AS films, "
        "count(DISTINCT (collection, film_id)) FILTER (patient = film_id) AS unnamed FROM scores"
    ).iloc[0]
    found = store.query("SELECT DISTINCT versions FROM scores ORDER BY ALL").versions.astype(str)
    return RunReport(
        _name(store), int(counts.films), int(counts.n), tuple(found), chosen, sections, costs(store), store.failures(),
        doubts_of(store), unfinished_words(store.status()), int(counts.unnamed),
    )  # fmt: skip


def _usual(there: Sequence[str]) -> list[str]:
    head = headline_metrics()
    return [name for name in there if name in head or name not in localisation_metrics()] or list(there)


def _name(store: Store) -> str:
    try:
        return read_plan(store.folder / "plan.toml").name
    except PlanError:
        return "benchmark"


def _section(store: Store, pair: Pair, names: Sequence[str]) -> Section:
    context = context_of(store, pair)
    people = store.query(
        "SELECT count(DISTINCT film_id) AS films, count(DISTINCT film_id) FILTER (patient = film_id) AS unnamed "
        "FROM scores WHERE collection = ? AND classifier = ?",
        [pair.collection, pair.classifier],
    ).iloc[0]
    tables = {name: values(store, name, pair) for name in names}
    return replace(
        section_of(context, tables),
        sweeps=tuple((one, svg_of(sweep_figure(one))) for one in sweeps_of(context, tables)),
        randomisation=pass_rule(store, context),
        provenance=provenance_of(store, pair),
        units=units_of(int(people.unnamed), int(people.films)),
    )


def section_of(context: PairContext, tables: Mapping[str, pd.DataFrame]) -> Section:
    """The leaderboards, tests and plots of scores whose values (:func:`evaluation.runs.tables.values`) are given."""
    boards, tests, plots = [], {}, {}
    for name, table in tables.items():
        boards.append(board_of(context, name, table))
        plots[name] = _plots(boards[-1], table, context.titles, get_metric(name).title)
        if (found := tests_of(context, name, table)) is not None:
            tests[name] = found
    diagrams = {name: _svg(found, get_metric(name).title) for name, found in tests.items()}
    return Section(context.pair, context.verdicts, pd.concat(boards, ignore_index=True), tests, diagrams, plots)


def provenance_of(store: Store, pair: Pair) -> tuple[str, ...]:
    """Sentences on a pair: whether the model was trained on its films, what is known of patients, what maps lack."""
    published = published_provenance(store, pair.collection, pair.classifier)
    if published is not None:
        return published
    films = collections().get(pair.collection)
    if films is None:
        return (f"The collection {pair.collection} is no longer there: what was trained on is unknown.",)
    card = next((entry.card for entry in list_models() if entry.name == pair.classifier), None)
    given = [pair.collection, pair.classifier]
    there = store.query("SELECT DISTINCT film_id FROM scores WHERE collection = ? AND classifier = ?", given)
    resaved = resaved_films(store, pair.collection, pair.classifier)
    words = provenance_words(card, films, there.film_id.astype(str), resaved)
    return (*words, *missing_maps(store, pair.collection, pair.classifier))


def _svg(tests: Tests, title: str) -> str:
    return svg_of(critical_difference_figure(tests.ranking, f"{title}, mean rank over patients, 1 is best"))


def _plots(board: pd.DataFrame, table: pd.DataFrame, titles: dict[str, str], title: str) -> str:
    """Means over the first scope, and each film against the size of its outline where there are any."""
    means = board[board.scope == board.scope.iloc[0]]
    if table.value.notna().sum() == 0:
        return ""
    sizes = svg_of(size_figure(table, titles, title)) if table.area.notna().any() else ""
    return svg_of(means_figure(means, title)) + sizes


def tests_table(report: RunReport) -> pd.DataFrame:
    """Every pair of maps that was tested, as one table."""
    rows = [
        {
            "collection": section.pair.collection, "classifier": section.pair.classifier, "metric": name,
            "scope": tests.scope, "first": one.first, "second": one.second, "median_difference": one.difference,
            "patients": one.n, "p": one.p, "p_holm": one.p_holm, "rank_biserial": one.effect,
        }
        for section in report.sections
        for name, tests in section.tests.items()
        for one in tests.pairs
    ]  # fmt: skip
    return pd.DataFrame(rows)


def board_table(report: RunReport) -> pd.DataFrame:
    """All leaderboards as one table."""
    parts = []
    for section in report.sections:
        part = section.board.copy()
        part.insert(0, "classifier", section.pair.classifier)
        part.insert(0, "collection", section.pair.collection)
        part["provenance"] = " ".join(section.provenance)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def gate_table(report: RunReport) -> pd.DataFrame:
    """All verdicts of the validity gate as one table."""
    rows = [
        (section.pair.collection, section.pair.classifier, finding, verdict.status, verdict.reason)
        for section in report.sections
        for finding, verdict in section.verdicts.items()
    ]
    return pd.DataFrame(rows, columns=["collection", "classifier", "finding", "status", "reason"])


def latex(report: RunReport) -> str:
    """The leaderboards as LaTeX tables (package booktabs): mean with its interval, n in the caption."""
    return "\n".join(_latex(section, report) for section in report.sections)


def _latex(section: Section, report: RunReport) -> str:
    scope = next(iter(scopes(section.verdicts)))
    board = section.board[section.board.scope == scope]
    names = [name for name in report.metrics if name in set(board.metric)]
    cells = {(row["title"], row["metric"]): _mean_and_interval(row) for row in board.to_dict("records")}
    rows = [[title, *(cells.get((title, name), "–") for name in names)] for title in board.title.unique()]
    return latex_table(
        pd.DataFrame(rows, columns=["Map", *(get_metric(name).title for name in names)]),
        f"{section.pair.classifier} on {section.pair.collection}, {scope}: mean, 95 % interval over {section.units}, "
        f"number of pairs of film and finding. {' '.join((report.unfinished, *section.provenance)).strip()}",
    )


def _mean_and_interval(row: Mapping[str, Any]) -> str:
    within = "" if math.isnan(row["low"]) else f"{row['low']:.2f}–{row['high']:.2f}"
    within += "" if math.isnan(row["n"]) else f"{'; ' if within else ''}n {row['n']:.0f}"
    return number(row["mean"], ".2f") + (f" ({within})" if within and not math.isnan(row["mean"]) else "")
