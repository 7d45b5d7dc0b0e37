"""What a paper needs of a run: methods paragraph, tables, parameters, films, BibTeX and a checklist."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from classifiers.registry import list_models
from evaluation.baselines.model_independent import baseline_titles
from evaluation.csv_table import csv_text
from evaluation.html_pages import number
from evaluation.latex import NEEDS, escaped, latex_table
from evaluation.references import Reference, bibtex, by_key, cite, references_of, references_of_packages
from evaluation.runs.checklist import checklist
from evaluation.runs.published import nameless, plan_without_paths
from evaluation.runs.report import RunReport, Section
from evaluation.runs.store import Store
from evaluation.runs.tables import scopes
from evaluation.runs.template import plan_text
from evaluation.scores import get_metric
from evaluation.statistics.critical_difference import LEVEL
from evaluation.validity.gate import by_status
from radiographs.findings import display_name
from radiographs.registry import collections
from xai_methods import methods

ARROWS = {"higher": " ↑", "lower": " ↓", "neither": ""}
_STATISTICS = ("hesterberg2015bootstrap", "friedman1937ranks", "wilcoxon1945ranking", "holm1979multiple")


@dataclass(eq=False)
class _Cited:
    """What was cited so far."""

    references: list[Reference] = field(default_factory=list)

    def __call__(self, *given: str | tuple[Reference, ...]) -> str:
        r"""``\cite{...}`` of what texts (or references) cite, which goes into the bibliography."""
        found = [one for text in given for one in (references_of(text) if isinstance(text, str) else text)]
        self.references += found
        return cite(dict.fromkeys(found))


def paper_texts(store: Store, report: RunReport) -> dict[str, str]:
    """The files of the package: the text of each by its name.

    Args:
        store: of the run. report: :func:`evaluation.runs.report.make_report` of it.
    """
    cited = _Cited()
    told = methods_paragraph(store, report, cited)
    plan = plan_without_paths(store)
    films = nameless(store.query("SELECT * FROM scores"))[0]
    findings = films.groupby(["collection", "film_id", "film", "patient"], sort=True, observed=True).finding
    listed = findings.agg(lambda some: "|".join(sorted(set(map(str, some))))).reset_index()
    return {
        "methods.tex": told,
        "tables.tex": f"% {NEEDS}\n" + "\n".join(best_table(section, report) for section in report.sections),
        "parameters.csv": csv_text(_parameters(store)),
        "models.csv": csv_text(_models(store)),
        "films.csv": csv_text(listed.rename(columns={"film_id": "film", "film": "sha256_of_pixels"})),
        "references.bib": bibtex(cited.references),
        "checklist.md": checklist(store, report, plan),
        "plan.toml": plan_text(plan),
    }


def methods_paragraph(store: Store, report: RunReport, cited: _Cited) -> str:
    """How the numbers of a run came about, in LaTeX; what is cited is collected in ``cited``."""
    paragraphs = [
        " ".join(_what(store, cited)),
        " ".join(_scored(store, report, cited)),
        " ".join(_compared(report, cited)),
    ]
    return "\n\n".join(paragraphs) + "\n"


def _what(store: Store, cited: _Cited) -> Iterator[str]:
    cards = {entry.name: entry.card for entry in list_models()}
    pairs = store.query(
        "SELECT collection, classifier, any_value(classifier_digest) AS digest, count(DISTINCT film_id) AS films, "
        "count(DISTINCT patient) AS patients, list_sort(list(DISTINCT finding::VARCHAR)) AS findings FROM scores "
        "GROUP BY collection, classifier ORDER BY ALL"
    )
    for row in pairs.itertuples():
        card, films = cards.get(row.classifier), collections().get(row.collection)
        model = cited(card.citation) if card is not None else ""
        source = cited(films.card.citation) if films is not None else ""
        named = ", ".join(display_name(one).lower() for one in row.findings)
        yield (
            f"We {'also ' if row.Index else ''}explained the logits of the classifier {escaped(row.classifier)}{model} "
            f"(SHA-256 {row.digest[:12]}) "
            f"on {row.films} films of {row.patients} patients of {escaped(row.collection)}{source} for "
            f"{escaped(named)}."
        )
    explained = []
    for title, name, seeds, external in _explained(store):
        known = methods().get(name)
        by = cited(known.reference) if known is not None else ""
        words = " (maps made by other code)" if external else "" if seeds < 2 else f" ({seeds} seeds, averaged)"
        explained.append(f"{escaped(title)}{by}{words}")
    if explained:
        yield f"The methods were {', '.join(explained)}; their parameters stand in the supplement."


def _explained(store: Store) -> list[tuple[str, str, int, bool]]:
    """Title, name, seeds, and whether other code made the maps, of each method."""
    table = store.query(
        "SELECT method, count(DISTINCT seed) AS seeds, any_value(parameters) AS parameters FROM scores "
        "WHERE kind = 'method' GROUP BY method ORDER BY ALL"
    )
    known = methods()
    return [
        (known[row.method].title if row.method in known else row.method, row.method, int(row.seeds),
         row.method not in known)
        for row in table.astype({"method": str}).itertuples()
    ]  # fmt: skip


def _scored(store: Store, report: RunReport, cited: _Cited) -> Iterator[str]:
    polarity = store.query("SELECT DISTINCT reading FROM scores").reading.astype(str).tolist()
    part = {"positive": "the positive part", "abs": "the absolute value", "raw": "the raw value"}
    yield (
        "Maps were carried to the film's own pixels bilinearly and scored there; of signed maps "
        f"{' and '.join(part[one] for one in polarity)} was scored."
    )
    scores = [get_metric(name) for name in report.metrics]
    yield "Scores were " + ", ".join(f"{escaped(one.title)}{cited(one.source)}" for one in scores) + "."
    named = store.query("SELECT DISTINCT method FROM scores WHERE kind = 'baseline' ORDER BY ALL").method.astype(str)
    if len(named):
        known = methods()
        titles = [
            escaped(baseline_titles().get(one, one)) + (cited(known[one].reference) if one in known else "")
            for one in named
        ]
        yield f"The model-independent baselines were {', '.join(titles)}."


def _compared(report: RunReport, cited: _Cited) -> Iterator[str]:
    bootstrap, *tests = by_key(*_STATISTICS)
    yield (
        "Means are over pairs of film and finding, with 95~\\% bootstrap-t intervals over "
        f"{report.units}{cited((bootstrap,))}; methods were compared on the patients' means by Friedman's and "
        f"Wilcoxon's signed-rank test with Holm's correction{cited(tuple(tests))}."
    )
    for section in report.sections:
        yield (
            f"That {escaped(section.pair.classifier)} detects a finding and depends on the annotated region (validity "
            f"gate{cited('arXiv 2311.04813')}) is, on {escaped(section.pair.collection)}, "
            f"{escaped(by_status(section.verdicts))}."
        )
        yield from (escaped(words) for words in section.provenance)
    if report.unfinished:
        yield escaped(report.unfinished)
    packages = [part.rpartition(" ")[0] for line in report.versions for part in line.split(", ")]
    yield f"Software: {escaped('; '.join(report.versions))}{cited(references_of_packages(packages))}."


def best_table(section: Section, report: RunReport) -> str:
    """The leaderboard of a section in LaTeX: direction in the heads; in bold the best method and all not told from it.

    Nothing is bold where the paired test was not possible.
    """
    scope = next(iter(scopes(section.verdicts)))
    board = section.board[section.board.scope == scope]
    names = [name for name in report.metrics if board[board.metric == name]["mean"].notna().any()]
    titles = list(dict.fromkeys(board.title))
    rows, bold = [[title] for title in titles], np.zeros((len(titles), len(names) + 1), dtype=bool)
    untested = []
    for column, name in enumerate(names, 1):
        cells = board[board.metric == name].set_index("title")
        best = _best(cells, section, name)
        untested += [] if best or get_metric(name).direction == "neither" else [get_metric(name).title]
        for place, title in enumerate(titles):
            rows[place].append(_cell(cells.loc[title]) if title in cells.index else "–")
            bold[place, column] = title in best
    heads = [get_metric(name).title + ARROWS[get_metric(name).direction] for name in names]
    kinds = board.drop_duplicates("title").kind.tolist()
    caption = (
        f"{section.pair.classifier} on {section.pair.collection}, {scope}: mean, 95 % interval over {section.units}, "
        f"n. Arrows point to the better end. Bold: the method with the best mean and all that the paired test does not "
        f"tell from it (Wilcoxon over patients' means, Holm, {LEVEL:.0%})."
    )
    caption += f" Not tested, so that nothing is bold: {', '.join(untested)}." if untested else ""
    return latex_table(pd.DataFrame(rows, columns=["Map", *heads]), caption, best=bold, kinds=kinds)


def _best(cells: pd.DataFrame, section: Section, name: str) -> set[str]:
    """The method with the best mean on common pairs and those not told from it; empty where there was no test."""
    tests, explained = section.tests.get(name), cells[cells.kind == "method"].dropna(subset=["mean"])
    if explained.empty:
        return set()
    means = explained["common"].fillna(explained["mean"])
    best = str(means.idxmin() if get_metric(name).direction == "lower" else means.idxmax())
    if len(explained) == 1:
        return set()
    found = {best}
    for title in explained.index.drop(best):
        test = tests.between(best, str(title)) if tests is not None and tests.scope == cells.scope.iloc[0] else None
        if test is None or np.isnan(test.p_holm):
            return set()
        if test.p_holm >= LEVEL:
            found.add(str(title))
    return found


def _cell(row: Mapping[str, Any]) -> str:
    if np.isnan(row["mean"]):
        return "–"
    ends = "" if np.isnan(row["low"]) else f" ({row['low']:.2f}–{row['high']:.2f})"
    return number(row["mean"], ".3f") + ends + ("" if np.isnan(row["n"]) else f", {row['n']:.0f}")


def _parameters(store: Store) -> pd.DataFrame:
    """One row a method, parameter set and parameter, with the seeds."""
    table = store.query(
        "SELECT method, parameters, list_sort(list(DISTINCT seed)) AS seeds FROM scores WHERE kind = 'method' "
        "GROUP BY method, parameters ORDER BY ALL"
    )
    rows = [
        (str(row.method), number_, name, value, " ".join(map(str, row.seeds)))
        for number_, row in enumerate(table.itertuples(), 1)
        for name, value in (json.loads(row.parameters) or {"": ""}).items()
    ]
    return pd.DataFrame(rows, columns=["method", "set", "parameter", "value", "seeds"])


def _models(store: Store) -> pd.DataFrame:
    table = store.query("SELECT DISTINCT classifier, classifier_digest FROM scores ORDER BY ALL").astype(str)
    cards = {entry.name: entry.card for entry in list_models()}
    said: Iterable[tuple[str, str]] = (
        (cards[name].licence, cards[name].citation) if name in cards else ("", "") for name in table.classifier
    )
    return table.join(pd.DataFrame(said, columns=["licence", "citation"]))
