"""The benchmark page's second half: leaderboard, distributions, what scores depend on, best and worst cases, files."""

from __future__ import annotations

import json
import math
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from dashboard.benchmark import charts
from dashboard.shared.file_button import file_button
from dashboard.shared.glossary import explained
from dashboard.shared.state import Choice, differing, to_query
from evaluation.csv_table import csv_text
from evaluation.runs import tables
from evaluation.runs.doubts import doubts_in_words, doubts_of
from evaluation.runs.report import make_report
from evaluation.runs.report_files import report_texts
from evaluation.runs.store import Store, StoreError
from evaluation.scores import get_metric
from evaluation.validity.gate import CAUTIONS, Verdict
from radiographs.findings import display_name
from radiographs.plain_text import neutral
from xai_methods import methods

VIEWS = ("Leaderboard", "Distributions", "Lesion size", "Confidence", "Best and worst", "Cost and failures", "Files")
DRAWS = 500
"""Of the page's bootstrap; the report draws more."""
CASES = 5
FILES = {
    "report.html": "Report (HTML)",
    "leaderboard.csv": "Leaderboard (CSV)",
    "paired_tests.csv": "Paired tests (CSV)",
    "leaderboard.tex": "Leaderboard (LaTeX)",
    "scores.csv": "All scores (CSV)",
}
"""What the page offers of a run's report: name and label of each file."""
TABLE_ROW = 35
"""Height of a row of a table, in pixels."""


def draw(folder: Path) -> None:
    """Draw the results of a run, as far as there are any."""
    stamp = _stamp(folder)
    if not stamp:
        return
    try:
        _draw(folder, stamp)
    except StoreError as error:
        st.error(neutral(f"{error}."), icon=":material/error:")


def _stamp(folder: Path) -> str:
    files = sorted(path.name for path in Store(folder).scores_folder.glob("part-*.parquet"))
    return f"{len(files)} {files[-1]} {files[0]}" if files else ""


def _draw(folder: Path, stamp: str) -> None:
    pairs, names = _known(str(folder), stamp)
    left, middle, right = st.columns(3)
    pair = left.selectbox("Films and model", pairs, format_func=lambda p: f"{p.collection}, {p.classifier}")
    metric = middle.selectbox("Score", names, format_func=lambda name: get_metric(name).title, key="run score")
    verdicts = _verdicts(str(folder), stamp, pair)
    finding = right.selectbox("Finding", ["", *verdicts], format_func=_finding_title, key="run finding") or None
    view = st.segmented_control("Show", VIEWS, default=VIEWS[0], required=True, key="run view")
    st.caption(get_metric(metric).meaning, help=explained(f"{get_metric(metric).title}, chance, baseline"))
    _gate_words(verdicts, finding)
    if view == "Leaderboard":
        _leaderboard(folder, stamp, pair, metric, finding)
    elif view == "Cost and failures":
        _cost(folder, stamp)
    elif view == "Files":
        _files(folder, stamp)
    else:
        table = _values(str(folder), stamp, pair, metric)
        table = table[table.finding.eq(finding)] if finding else table
        _charted(view, table.dropna(subset=["value"]), metric)


def _finding_title(finding: str | None) -> str:
    return display_name(finding) if finding else "All"


@st.cache_data(max_entries=32, show_spinner="Reading the scores ...")
def _known(folder: str, stamp: str) -> tuple[list[tables.Pair], list[str]]:
    store = Store(folder)
    return tables.pairs_of(store), tables.metrics_of(store)


@st.cache_data(max_entries=32, show_spinner=False)
def _verdicts(folder: str, stamp: str, pair: tables.Pair) -> dict[str, Verdict]:
    return tables.verdicts(Store(folder), pair)


@st.cache_data(max_entries=32, show_spinner="Computing intervals ...")
def _board(folder: str, stamp: str, pair: tables.Pair, metric: str) -> pd.DataFrame:
    return tables.leaderboard(Store(folder), pair, [metric], draws=DRAWS)


@st.cache_data(max_entries=16, show_spinner="Reading the scores ...")
def _values(folder: str, stamp: str, pair: tables.Pair, metric: str) -> pd.DataFrame:
    store = Store(folder)
    table, titles = tables.values(store, metric, pair), tables.map_titles(store)
    place = {key: number for number, key in enumerate(titles)}
    table["title"] = table["map"].map(titles)
    return table.sort_values("map", key=lambda column: column.map(place), kind="stable")


def _gate_words(verdicts: dict[str, Verdict], finding: str | None) -> None:
    if finding is not None:
        verdict = verdicts[finding]
        if not verdict.passed:
            st.warning(verdict.words, icon=":material/warning:")
        return
    for status, caution in CAUTIONS.items():
        doubtful = [display_name(name) for name, verdict in verdicts.items() if verdict.status == status]
        if doubtful:
            st.warning(
                f"{', '.join(doubtful)}: {caution}. These scores judge the model before the method.",
                icon=":material/warning:",
            )


def _leaderboard(folder: Path, stamp: str, pair: tables.Pair, metric: str, finding: str | None) -> None:
    board = _board(str(folder), stamp, pair, metric)
    there = set(board.scope)
    scope = finding if finding in there else tables.ALL
    if finding is None and tables.PASSED in there:
        scope = st.radio("Over", [tables.PASSED, tables.ALL], format_func=str.capitalize, horizontal=True)
    part = board[(board.scope == scope) & board["mean"].notna()]
    if part.empty:
        st.info("This score is undefined on all films so far.")
        return
    score = get_metric(metric)
    st.altair_chart(charts.leaderboard(part, f"{score.title} ({score.direction} is better)"), width="stretch")
    words = "Mean over pairs of film and finding, with its 95 % interval over patients, from 10 patients on. "
    words += "Grey: model-independent baselines."
    if part[part.kind == "method"].n.nunique() > 1:
        words += " Not all maps have values on the same films: see n. What is gained is over films that both have."
    st.caption(words)
    shown = pd.DataFrame(
        {
            "Map": part["title"], "Mean": part["mean"],
            "95 % interval": [_from_to(low, high) for low, high in zip(part.low, part.high)],
            "n": part.n, "Patients": part.patients,
            "Over the best baseline": [_gain(*row) for row in zip(part.gain, part.gain_low, part.gain_high)],
        }
    )  # fmt: skip
    mean = st.column_config.NumberColumn(format="%.3f")
    st.dataframe(
        shown, hide_index=True, column_config={"Mean": mean}, height=TABLE_ROW * (len(shown) + 1) + 3, placeholder="–"
    )


def _from_to(low: float, high: float) -> str:
    return "" if math.isnan(low) else f"{low:.3f} to {high:.3f}"


def _gain(gain: float, low: float, high: float) -> str:
    return "" if math.isnan(gain) else f"{gain:+.3f}" + ("" if math.isnan(low) else f" ({low:+.3f} to {high:+.3f})")


def _charted(view: str, table: pd.DataFrame, metric: str) -> None:
    title = get_metric(metric).title
    if table.empty:
        st.info("This score is undefined on all films so far.")
        return
    if view == "Distributions":
        st.altair_chart(charts.distributions(table, title), width="stretch")
        st.caption("Box: the middle half of the films, with the median. Lines reach to the lowest and the highest.")
        return
    if view == "Best and worst":
        _cases(table, metric)
        return
    chosen = table[table.kind == "method"] if (table.kind == "method").any() else table
    if view == "Lesion size":
        sized = chosen[chosen.area > 0]
        if sized.empty:
            st.info("There is no reference annotation on these films.")
            return
        st.altair_chart(charts.against(sized, "area", "Share of the film annotated", title, log=True), width="stretch")
    else:
        words = "The model's probability of the finding"
        st.altair_chart(charts.against(chosen, "probability", words, title), width="stretch")
    st.caption("A point a film and finding; lines join the means of five groups of equally many films.")


def _cases(table: pd.DataFrame, metric: str) -> None:
    titles = dict(zip(table["map"], table["title"]))
    explained = table[table.kind == "method"]
    if explained.empty:
        st.info("This run has baselines only.")
        return
    keys = list(dict.fromkeys(explained["map"]))
    chosen = st.selectbox("Method", keys, format_func=titles.__getitem__, key="run method")
    lower = get_metric(metric).direction == "lower"
    ranked = explained[explained["map"] == chosen].sort_values("value", ascending=lower, kind="stable")
    best, worst = st.columns(2)
    few = min(CASES, (len(ranked) + 1) // 2)
    for place, words, part in ((best, "Best", ranked.head(few)), (worst, "Worst", ranked.tail(few).iloc[::-1])):
        with place:
            st.subheader(words, anchor=False)
            st.markdown("\n".join(f"1. {_case(row)}" for row in part.to_dict("records")))
    st.caption("A film opens on the compare page with this method.")


def _case(row: dict[str, object]) -> str:
    return f"[{neutral(str(row['film_id']))}]({link(row)}) {display_name(str(row['finding']))}: {row['value']:.3f}"


def link(row: dict[str, object]) -> str:
    """The address of the compare page with one film, finding and method of a run."""
    name = str(row["method"])
    known = methods().get(name)
    given = {} if known is None else differing(known, json.loads(str(row["parameters"])))
    choice = Choice(
        film=f"{row['collection']}/{row['film_id']}",
        model=str(row["classifier"]),
        findings=(str(row["finding"]),),
        methods=(name,),
        parameters={name: given} if given else {},
        run=True,
    )
    return "./?" + urlencode(to_query(choice), doseq=True)


def _cost(folder: Path, stamp: str) -> None:
    table, failures, doubts = _costs(str(folder), stamp)
    st.dataframe(
        table.drop(columns=["map"]),
        hide_index=True,
        column_config={
            "classifier": "Model", "title": "Map", "maps": "Maps", "median_seconds": "Median seconds",
            "mean_seconds": "Mean seconds", "total_seconds": "Seconds in all", "median_evaluations": "Median passes",
        },
    )  # fmt: skip
    st.markdown(f"**{len(failures)}** maps or scores could not be computed.")
    if len(failures):
        st.dataframe(failures.drop(columns=["question"]), hide_index=True)
    st.markdown(doubts)


@st.cache_data(max_entries=16, show_spinner=False)
def _costs(folder: str, stamp: str) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    store = Store(folder)
    return tables.costs(store), store.failures(), doubts_in_words(doubts_of(store))


def _files(folder: Path, stamp: str) -> None:
    if not st.button("Write the report", icon=":material/description:", key="write report"):
        st.caption("Intervals, paired tests and rank diagrams of all scores; this takes a minute on a large run.")
        return
    texts = report_texts(make_report(Store(folder)))
    texts["scores.csv"] = csv_text(Store(folder).query("SELECT * FROM scores"))
    for name, label in FILES.items():
        file_button(label, partial(texts.__getitem__, name), name, icon="download")
