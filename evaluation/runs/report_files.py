"""A run's report as files: an HTML page that loads nothing from outside, tables as CSV and LaTeX, diagrams as SVG."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from evaluation.baselines.model_independent import READER
from evaluation.csv_table import csv_text
from evaluation.html_pages import environment
from evaluation.runs.doubts import doubts_in_words
from evaluation.runs.report import RunReport, Section, board_table, gate_table, latex, make_report, tests_table
from evaluation.runs.store import Store
from evaluation.runs.sweeps import sweep_table
from evaluation.runs.tables import ALL, PASSED, Tests
from evaluation.scores import get_metric
from evaluation.statistics.critical_difference import LEVEL
from evaluation.statistics.intervals import FEWEST
from radiographs.files import write_text
from radiographs.findings import display_name

TEMPLATES = Path(__file__).resolve().parent / "templates"
SHOWN_FAILURES = 50


def html_page(report: RunReport) -> str:
    """Write the report; figures and tables are in it."""
    templates = environment(TEMPLATES)
    templates.filters |= {
        "display_name": display_name,
        "score_title": lambda name: get_metric(name).title,
        "p_value": _p_value,
        "leaderboards": _leaderboards,
        "boards_by_finding": _boards_by_finding,
    }
    failures = report.failures.groupby(["method", "metric", "reason"], dropna=False).size().rename("times")
    return templates.get_template("report.html.j2").render(
        report=report,
        doubts=doubts_in_words(report.doubts),
        costs=report.costs.to_dict("records"),
        failures=failures.sort_values(ascending=False).head(SHOWN_FAILURES).reset_index().to_dict("records"),
    )


def _p_value(p: float) -> str:
    return "–" if math.isnan(p) else "< 0.001" if p < 0.001 else f"{p:.3f}"


def _leaderboards(section: Section, names: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """For each scope its leaderboard: a column a score."""
    for scope in (PASSED, ALL):
        board = section.board[section.board.scope == scope]
        shown = [name for name in names if name in set(board.metric)]
        if board.empty:
            continue
        heads = [_head(m.name, m.title, m.meaning, m.direction) for m in map(get_metric, shown)]
        rows = _rows(board, "metric", ("method",) if scope == PASSED else ())
        words = [said for name in shown if (said := verdict_words(board, section, name))]
        yield scope, {"heads": heads, "rows": rows, "words": words}


def _boards_by_finding(section: Section, names: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """For each score its means by finding: a column a finding."""
    for name in names:
        board = section.board[(section.board.metric == name) & section.board.scope.isin(section.verdicts)]
        if board.empty:
            continue
        verdicts = {finding: v for finding, v in section.verdicts.items() if finding in set(board.scope)}
        heads = [_head(f, display_name(f), v.reason, "", not v.passed) for f, v in verdicts.items()]
        yield get_metric(name).title, {"heads": heads, "rows": _rows(board, "scope", ("method", "baseline", "chance"))}


def _head(key: str, title: str, help_: str, direction: str, known: bool = False) -> dict[str, Any]:
    """The head of a column: ``known`` says that its numbers stand back."""
    return {"key": key, "title": title, "help": help_, "direction": direction, "known": known}


def _rows(board: pd.DataFrame, key: str, foremost: Sequence[str]) -> list[dict[str, Any]]:
    """A row a map, its cells by the column ``key``; ``known`` says that it stands back, as kinds not foremost do."""
    return [
        {
            "title": title,
            "known": part.kind.iloc[0] not in foremost,
            "cells": part.set_index(key).to_dict("index"),
        }
        for title, part in board.groupby("title", sort=False)
    ]


def verdict_words(board: pd.DataFrame, section: Section, name: str) -> str:
    """Which method has the best mean of one score, and what the paired test says of it and the best baseline.

    Methods are compared on the pairs that all of them have. "" without a method that has a value.
    """
    score = get_metric(name)
    methods = board[(board.metric == name) & (board.kind == "method")].dropna(subset=["mean"])
    if methods.empty or score.direction == "neither":
        return ""
    means = methods["common"].fillna(methods["mean"])
    best = methods.loc[means.idxmin() if score.direction == "lower" else means.idxmax()]
    words = f"{score.title}: {best['title']} has the best mean, {means[best.name]:.3f}"
    if methods.silent.sum():
        words += f", on the {best['common_n']:.0f} pairs that all methods have"
    if not math.isnan(best["gain"]):
        words += _against_baseline(
            best, dict(zip(board["map"], board["title"])), section.tests.get(name), section.units
        )
    return ". ".join([words, *_silences(methods), *_human_line(board, name)]) + "."


def _human_line(board: pd.DataFrame, name: str) -> list[str]:
    """A sentence on what another reader of the same films reaches, where there is one."""
    readers = board[(board.metric == name) & board["map"].str.startswith(f"{READER}/")].dropna(subset=["mean"])
    return [
        f"Another reader reaches {row['mean']:.3f} on {row['n']:.0f} pairs; a map cannot be expected to do better there"
        for row in readers.to_dict("records")
    ]


def _against_baseline(best: pd.Series, titles: dict[str, str], tests: Tests | None, units: str) -> str:
    """How the best method stands to the best baseline; better or worse only where the paired test says so."""
    baseline, gain = titles[best["baseline"]], best["gain"]
    words = f"; {abs(gain):.3f} {'over' if gain >= 0 else 'under'} the best baseline, {baseline}"
    if best["patients"] < FEWEST:
        return f"{words}, on {best['patients']:.0f} {units}: too few to tell them apart"
    words += f" (interval {best['gain_low']:.3f} to {best['gain_high']:.3f}"
    found = tests.between(str(best["title"]), baseline) if tests is not None and tests.scope == best["scope"] else None
    if found is None or math.isnan(found.p_holm):
        return f"{words}; not tested)"
    told = ("so better" if gain >= 0 else "so worse") if found.p_holm < LEVEL else "so not told from it"
    return f"{words}; paired over {found.n} {units} p {_equals(found.p_holm)} after Holm, {told})"


def _equals(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def _silences(methods: pd.DataFrame) -> list[str]:
    """A sentence for each method whose score is undefined on some pairs: its mean both ways."""
    sentences = []
    for row in methods[methods.silent > 0].to_dict("records"):
        both = f"{row['title']} is undefined on {row['silent']:.0f} of {row['n'] + row['silent']:.0f} pairs"
        zero = "" if math.isnan(row["mean_silent_0"]) else f", {row['mean_silent_0']:.3f} with those as 0"
        sentences.append(f"{both}: {row['mean']:.3f} without them{zero}")
    return sentences


def report_texts(report: RunReport) -> dict[str, str]:
    """The files of a report: the text of each by its name."""
    texts = {
        "report.html": html_page(report),
        "leaderboard.tex": latex(report),
        "leaderboard.csv": csv_text(board_table(report)),
        "paired_tests.csv": csv_text(tests_table(report)),
        "validity.csv": csv_text(gate_table(report)),
        "cost.csv": csv_text(report.costs),
        "failures.csv": csv_text(report.failures),
        "sweeps.csv": csv_text(sweep_table(report.sweeps)),
        "doubts.csv": csv_text(report.doubts[report.doubts.doubt.fillna("") != ""]),
    }
    for section in report.sections:
        for name, svg in section.diagrams.items():
            texts[f"ranks_{section.pair.collection}_{section.pair.classifier}_{name}.svg"] = svg
    return texts


def write_report(store: Store, folder: Path, names: Sequence[str] | None = None) -> list[Path]:
    """Write the report of a run into a folder; returns the files.

    Raises:
        ValueError: see :func:`make_report`. OSError: the folder cannot be written.
    """
    return write_texts(report_texts(make_report(store, names)), folder)


def write_texts(texts: Mapping[str, str], folder: Path) -> list[Path]:
    """Write texts into a folder, each under its name; returns the files.

    Raises:
        OSError: the folder cannot be written.
    """
    for name, text in texts.items():
        write_text(folder / name, text)
    return [folder / name for name in texts]
