"""The score table as people read it: plain headings, best in bold, baselines in grey, gaps as dashes."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from dashboard.compare.caches import RESULT_BY_CONTENT
from dashboard.shared.glossary import explained, meaning
from dashboard.shared.style import grey, literal
from evaluation.one_film.compare import FindingResult
from evaluation.one_film.table import LEGEND, best_names, reader_words, score_table
from evaluation.scores import headline_metrics
from radiographs.findings import display_name

BOLD = "font-weight: bold"
TERM = "Baseline, model-independent"


def joined(results: Mapping[str, FindingResult]) -> pd.DataFrame:
    """The scores of one finding under several models in one table: each method under each model, baselines once.

    Args:
        results: by the model's title.

    Returns:
        As :func:`evaluation.one_film.table.score_table`, with ``model`` ("" for what is model-independent) and
        ``trusted`` (whether model and finding passed the validity gate); the rows of a method stand together.
    """
    tables: list[pd.DataFrame] = []
    for model, result in results.items():
        table = score_table(result)
        method = table["kind"].eq("method")
        table["model"] = method.map({True: model, False: ""})
        table["trusted"] = method & result.verdict.passed
        tables.append(table if not tables else table[method])
    table = pd.concat(tables, ignore_index=True)
    kinds = table["kind"].map({"method": 0, "baseline": 1, "chance": 2})
    first = {name: place for place, name in reversed(list(enumerate(table["name"])))}
    order = pd.DataFrame({"kind": kinds, "name": table["name"].map(first)})
    return table.loc[order.sort_values(["kind", "name"], kind="stable").index].reset_index(drop=True)


def styled(table: pd.DataFrame, behind: str) -> Styler:
    """Style a table of :func:`joined`: the best methods bold, baselines and what cannot be trusted grey.

    Args:
        behind: CSS of what stands back.
    """
    rows = table.assign(name=[f"{model} {name}" for model, name in zip(table["model"], table["name"])])
    best = best_names(rows[rows["trusted"]])

    def style(column: pd.Series) -> list[str]:
        if column.name in ("title", "model"):
            # Streamlit draws a pinned column faded already.
            return [""] * len(column)
        winners = set(best.get(str(column.name), ()))
        return [BOLD if rows["name"][i] in winners else "" if rows["trusted"][i] else behind for i in column.index]

    names = [*headline_metrics()]
    model = ["model"] if table["model"].nunique() > 2 else []
    shown = table[["title", *model, *names, "seconds"]]
    return shown.style.apply(style).format(dict.fromkeys(names, "{:.2f}") | {"seconds": "{:.1f}"}, na_rep="–")


def draw_scores(results: Mapping[str, FindingResult]) -> None:
    """Draw verdicts and score table of one finding, or say that there is nothing to score against.

    Args:
        results: of the same film and finding, by the model's title.
    """
    if not results:
        return
    first = next(iter(results.values()))
    if first.mask is None:
        st.info(f"{first.unscored} Scores need an annotation; the maps are shown without.")
    elif any(done.scores for result in results.values() for done in result.methods.values()):
        _draw_table(tuple(results), tuple(results.values()), grey())


@st.cache_data(max_entries=128, show_spinner=False, hash_funcs=RESULT_BY_CONTENT)
def _draw_table(models: tuple[str, ...], results: tuple[FindingResult, ...], behind: str) -> None:
    """Streamlit replays what was drawn, so that a table is styled once and not with every run of the page."""
    tip = meaning("Annotation", "Chance", TERM, "Validity gate")
    st.markdown(f"**Agreement with the annotation** ({literal(results[0].whose)})", help=tip)
    finding = display_name(results[0].finding).lower()
    for model, result in zip(models, results):
        words = result.verdict.words if len(models) == 1 else f"**{model}**: {result.verdict.words}"
        if result.verdict.passed:
            st.success(words, icon=":material/check_circle:")
        else:
            st.warning(words, icon=":material/warning:")
    columns = {
        name: st.column_config.NumberColumn(
            metric.title, help=f"{metric.meaning} {metric.caveat}\n\n{explained(metric.title)}".strip()
        )
        for name, metric in headline_metrics().items()
    }
    st.dataframe(
        styled(joined(dict(zip(models, results))), behind),
        hide_index=True,
        height="content",
        placeholder="–",
        column_config={
            "title": st.column_config.TextColumn("Map", pinned=True, width="medium"),
            "model": st.column_config.TextColumn("Model", width="medium"),
            "seconds": st.column_config.NumberColumn("Seconds", help="How long the map took."),
            **columns,
        },
        alt=f"Scores of each method for {finding}, then of model-independent baselines, then chance",
    )
    st.caption(f"{reader_words(results[0])} {LEGEND} Click a heading to sort.".strip())
