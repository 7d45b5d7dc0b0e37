"""The scorecard on the page: asked for by a button, worked out in the background, folded and unfolded."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping

import streamlit as st

from dashboard.compare.question import Question
from dashboard.jobs import JobManager, QueueFullError, sentence
from dashboard.shared.style import grey
from evaluation.one_film.compare import FindingResult
from evaluation.one_film.scorecard import ELEMENTS, LEGEND, QUESTIONS, Scorecard, folded, scorecard, unfolded
from radiographs.findings import display_name
from xai_methods import Cancelled


def key_of(question: Question, finding: str, methods: Iterable[str]) -> Hashable:
    """Content address of the scorecard of the maps that ``methods`` made for ``finding``."""
    return "scorecard", tuple(question.key(finding, method) for method in methods), question.film.seal(finding)


def _explained(result: FindingResult) -> list[str]:
    return [method for method, done in result.methods.items() if done.explanation]


def pending(question: Question, jobs: JobManager) -> bool:
    """Whether a scorecard that was asked for is still being worked out."""
    for finding in question.findings:
        states = {method: jobs.status(question.key(finding, method)) for method in question.parameters}
        explained = [method for method, status in states.items() if status is not None and status.state == "done"]
        status = jobs.status(key_of(question, finding, explained))
        if status is not None and status.pending:
            return True
    return False


def _work(question: Question, result: FindingResult) -> Callable[..., Scorecard]:
    def work(progress: Callable[[float], None], cancelled: Callable[[], bool]) -> Scorecard:
        def report(share: float) -> None:
            if cancelled():
                raise Cancelled
            progress(share)

        return scorecard(question.context(), result, seed=question.seed, progress=report)

    return work


def done_scorecards(question: Question, results: Mapping[str, FindingResult], jobs: JobManager) -> dict[str, Scorecard]:
    """The scorecards that were worked out, by finding."""
    states = {
        finding: jobs.status(key_of(question, finding, _explained(result))) for finding, result in results.items()
    }
    return {finding: s.result for finding, s in states.items() if s is not None and s.state == "done"}


def draw_scorecard(question: Question, result: FindingResult, jobs: JobManager, owner: str) -> Scorecard | None:
    """Draw the scorecard of one finding, or the button that asks for it; return it where it is there."""
    explained = _explained(result)
    if not explained:
        return None
    key = key_of(question, result.finding, explained)
    status = jobs.status(key)
    st.markdown("**Scorecard: five elements of interpretability**")
    if status is None or status.state == "cancelled":
        st.caption(
            "Asks the model some hundred times more: does each map follow the model, and would acting on it work?"
        )
        if st.button(
            "Work out the scorecard",
            icon=":material/fact_check:",
            key=f"scorecard {question.classifier.name} {result.finding}",
        ):
            try:
                jobs.submit(key, _work(question, result), owner=owner, urgency=2)
            except QueueFullError as error:
                st.warning(sentence(error), icon=":material/hourglass:")
            st.rerun()
        return None
    if status.state == "failed":
        st.error(f"The scorecard could not be worked out. {status.error}", icon=":material/error:")
        return None
    if status.pending:
        words = "waiting for its turn" if status.state == "queued" else f"{status.share:.0%} · {status.seconds:.0f} s"
        st.progress(status.share, f"Scorecard: {words}")
        return None
    _table(key, grey(), status.result)
    return status.result


@st.cache_data(max_entries=64, show_spinner=False)
def _table(key: Hashable, behind: str, _card: Scorecard) -> None:
    """Streamlit replays what was drawn, so that a table is styled once and not with every run of the page."""
    card, table = _card, folded(_card)
    finding = display_name(card.finding).lower()
    if not card.trusted:
        st.caption(f"Grey, because the scores of this model and finding cannot be trusted: {card.reason}")
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
