"""The score table as people read it: plain headings, best in bold, baselines in grey, gaps as dashes."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from dashboard.compare.caches import RESULT_BY_CONTENT
from dashboard.shared.style import grey, literal
from evaluation.one_film.compare import FindingResult
from evaluation.one_film.table import LEGEND, best_names, reader_words, score_table
from evaluation.scores import headline_metrics
from radiographs.findings import display_name

BOLD = "font-weight: bold"


def styled(table: pd.DataFrame, trusted: bool, behind: str) -> Styler:
    """Style a table of :func:`evaluation.one_film.table.score_table`.

    Args:
        table: methods, then baselines, then chance. behind: CSS of what stands back.
        trusted: whether the pair passed the validity gate; else the methods' scores are grey too and none is bold.
    """
    best = best_names(table) if trusted else {}
    plain = table["kind"].eq("method") & trusted

    def style(column: pd.Series) -> list[str]:
        if column.name == "title":
            # Streamlit draws a pinned column faded already.
            return [""] * len(column)
        winners = set(best.get(str(column.name), ()))
        return [BOLD if table["name"][i] in winners else "" if plain[i] else behind for i in column.index]

    names = [*headline_metrics()]
    shown = table[["title", *names, "seconds"]]
    return shown.style.apply(style).format(dict.fromkeys(names, "{:.2f}") | {"seconds": "{:.1f}"}, na_rep="–")


def draw_scores(result: FindingResult) -> None:
    """Draw verdict and score table of one finding, or say that there is nothing to score against."""
    if result.mask is None:
        st.info(f"{result.unscored} Scores need an outline; the maps are shown without.")
    elif any(done.scores for done in result.methods.values()):
        _draw_table(result, grey())


@st.cache_data(max_entries=128, show_spinner=False, hash_funcs=RESULT_BY_CONTENT)
def _draw_table(result: FindingResult, behind: str) -> None:
    """Streamlit replays what was drawn, so that a table is styled once and not with every run of the page."""
    st.markdown(f"**Agreement with the annotation** ({literal(result.whose)})")
    finding, verdict = display_name(result.finding).lower(), result.verdict
    if verdict.passed:
        st.success(verdict.words, icon=":material/check_circle:")
    else:
        st.warning(verdict.words, icon=":material/warning:")
    columns = {
        name: st.column_config.NumberColumn(metric.title, help=f"{metric.meaning} {metric.caveat}".strip())
        for name, metric in headline_metrics().items()
    }
    st.dataframe(
        styled(score_table(result), verdict.passed, behind),
        hide_index=True,
        height="content",
        placeholder="–",
        column_config={
            "title": st.column_config.TextColumn("Map", pinned=True, width="medium"),
            "seconds": st.column_config.NumberColumn("Seconds", help="How long the map took."),
            **columns,
        },
        alt=f"Scores of each method for {finding}, then of model-independent baselines, then chance",
    )
    st.caption(f"{reader_words(result)} {LEGEND} Click a heading to sort.".strip())
