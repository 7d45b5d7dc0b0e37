"""The scorecard on the page: begun by a button, worked out in the background, folded and unfolded."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

import streamlit as st

from dashboard.compare.request import CompareRequest
from dashboard.jobs import JobManager, Work, stopping
from dashboard.shared.background import draw_progress, owner, warning_when_full
from dashboard.shared.film_context import mask_digest
from dashboard.shared.style import grey
from dashboard.shared.unforeseen import guarded
from evaluation.one_film.compare import FindingResult
from evaluation.one_film.scorecard import ELEMENTS, LEGEND, QUESTIONS, Scorecard, folded, scorecard, unfolded
from evaluation.reader_study.results import readers_results
from radiographs.findings import display_name
from xai_methods import get_method


def _key(request: CompareRequest, finding: str, methods: Iterable[str]) -> Hashable:
    """Content address of the scorecard of the maps that ``methods`` made for ``finding``."""
    maps = tuple(request.key(finding, method) for method in methods)
    return "scorecard", maps, mask_digest(request.film.mask(finding))


def _explained(result: FindingResult) -> list[str]:
    return [method for method, done in result.methods.items() if done.explanation]


def pending(request: CompareRequest, jobs: JobManager) -> bool:
    """Whether a scorecard is still being worked out."""
    for finding in request.findings:
        states = {method: jobs.status(request.key(finding, method)) for method in request.parameters}
        explained = [method for method, status in states.items() if status is not None and status.state == "done"]
        status = jobs.status(_key(request, finding, explained))
        if status is not None and status.pending:
            return True
    return False


def _work(request: CompareRequest, result: FindingResult) -> Work:
    def work(progress: Callable[[float], None], cancelled: Callable[[], bool]) -> Scorecard:
        context = request.film.scoring_context(request.classifier)
        return scorecard(context, result, seed=request.seed, progress=stopping(progress, cancelled))

    return work


def done_scorecards(
    request: CompareRequest, results: Mapping[str, FindingResult], jobs: JobManager
) -> dict[str, Scorecard]:
    """The scorecards that were worked out, by finding."""
    states = {name: jobs.status(_key(request, name, _explained(result))) for name, result in results.items()}
    return {finding: s.result for finding, s in states.items() if s is not None and s.state == "done"}


def draw_scorecard(request: CompareRequest, result: FindingResult, jobs: JobManager) -> None:
    """Draw the scorecard of one finding, or the button that has it worked out."""
    explained = _explained(result)
    if not explained:
        return
    key = _key(request, result.finding, explained)
    status = jobs.status(key)
    st.markdown("**Scorecard: five elements of interpretability**")
    if status is None or status.state == "cancelled":
        st.caption(
            "Runs the model some hundred times more: does each map follow the model, and would acting on it work?"
        )
        button = f"scorecard {request.classifier.name} {result.finding}"
        if st.button("Compute the scorecard", icon=":material/fact_check:", key=button):
            with warning_when_full():
                jobs.submit(key, _work(request, result), owner=owner(), urgency=2)
            st.rerun()
    elif status.state == "failed":
        st.error(f"The scorecard could not be computed. {status.error}", icon=":material/error:")
    elif status.pending:
        draw_progress("Scorecard", status)
    else:
        _draw_table(status.result, grey())
        with guarded("What readers said cannot be shown"):
            draw_readers(request.classifier.name, result.finding, explained)


def draw_readers(model: str, finding: str, methods: Sequence[str]) -> None:
    """Draw what readers made of these methods in studies of this model and finding; nothing where there was none."""
    found = readers_results(model, finding, methods)
    if found.empty:
        return
    titles = {name: get_method(name).title for name in methods}
    st.caption(
        f"**{' and '.join(found['Element'].unique())}, by readers**: what people made of these maps in reader studies "
        "of this model and finding; intervals are over readers and cases."
    )
    st.dataframe(
        found.assign(Map=found["Map"].replace(titles)).style.format(
            {"Value": "{:.2f}", "Low": "{:.2f}", "High": "{:.2f}"}, na_rep="–"
        ),
        hide_index=True,
        alt=f"What readers made of the maps of {display_name(finding).lower()}: one row a study, map and measure",
    )


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs={Scorecard: repr})
def _draw_table(card: Scorecard, behind: str) -> None:
    """Streamlit replays what was drawn, so that a table is styled once and not with every run of the page."""
    table = folded(card)
    finding = display_name(card.finding).lower()
    if not card.trusted:
        st.caption(f"Grey, to be read with care: {card.reason}")
    st.dataframe(
        table.style.map(lambda value: "" if card.trusted else behind),
        hide_index=True,
        column_config={
            "Map": st.column_config.TextColumn("Map", pinned=True),
            **{e.capitalize(): st.column_config.TextColumn(e.capitalize(), help=QUESTIONS[e]) for e in ELEMENTS},
        },
        alt=f"Scorecard for {finding}: one row a method, one column an element of interpretability",
    )
    st.caption(LEGEND)
    with st.expander("All scores of the card", icon=":material/unfold_more:"):
        for element in ELEMENTS:
            st.caption(f"**{element.capitalize()}**: {QUESTIONS[element]}")
        st.dataframe(
            unfolded(card).style.format({"Value": "{:.3g}", "Chance": "{:.3g}"}, na_rep="–"),
            hide_index=True,
            alt=f"Every score of the scorecard for {finding}",
        )
