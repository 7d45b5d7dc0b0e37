"""One finding on the compare page: its maps under one model or two, in words, in scores, and how far they agree."""

from __future__ import annotations

import streamlit as st

from dashboard import caches, panels, regions
from dashboard.display import View
from dashboard.jobs import JobManager
from dashboard.question import Question
from dashboard.scorecard import draw_scorecard, key_of
from dashboard.scores import draw_scores
from dashboard.session import owner
from evaluation.agreement import in_words
from evaluation.compare import FindingResult
from radiographs.findings import display_name

PROBABILITY = "The model's own probability that the finding is on the film. How well it is calibrated, its card says."
MEASURES = {"overlap": "Overlap of the strongest tenths", "rank correlation": "Rank correlation"}


def draw_finding(questions: list[Question], finding: str, view: View, controls: bool) -> tuple[View, FindingResult]:
    """Draw one finding under each question's model.

    Args:
        questions: the same film and methods, one model each; the first is the main one.
        finding: one of the first's. view: how maps are drawn at first. controls: whether the toolbar is shown.

    Returns:
        How the maps are looked at now, and the main question's result.
    """
    jobs = caches.manager()
    asked = [question for question in questions if finding in question.classifier.findings]
    seen, main = view, None
    for place, question in enumerate(asked):
        result, states = panels.results_so_far(question, jobs, finding)
        _heading(question, result, len(questions) > 1, place)
        now, drawn = panels.draw_panels(question, result, states, view, controls=controls and place == 0)
        regions.take(question, finding, drawn)
        if place == 0:
            seen, main = now, result
        words = in_words(result)
        if words:
            st.markdown(words)
        draw_scores(result)
        _agreement(question, result)
        draw_scorecard(question, result, jobs, owner())
    if len(asked) < len(questions):
        st.caption(f"The second model does not know {display_name(finding).lower()}.")
    assert main is not None
    return seen, main


def _heading(question: Question, result: FindingResult, several: bool, place: int) -> None:
    if place == 0:
        st.subheader(f"{display_name(result.finding)}: {result.probability:.0%}", anchor=False, help=PROBABILITY)
    if several:
        title = question.classifier.card.title
        st.markdown(f"**{title}** says {result.probability:.0%}")


def _agreement(question: Question, result: FindingResult) -> None:
    maps = {done.title: done.explanation.values for done in result.methods.values() if done.explanation is not None}
    if len(maps) < 2:
        return
    with st.expander("How far the maps agree with each other", icon=":material/grid_on:"):
        key = f"agreement {question.classifier.name} {result.finding}"
        measure = st.segmented_control(
            "Agreement by", list(MEASURES), default="overlap", format_func=MEASURES.__getitem__, key=key, required=True
        )
        names = tuple(question.key(result.finding, m) for m, done in result.methods.items() if done.explanation)
        table = caches.agreement(names, str(measure), maps)
        st.dataframe(
            table.style.format("{:.2f}", na_rep="–").background_gradient(cmap="Blues", vmin=0, vmax=1.6),
            alt=f"Agreement of every pair of maps for {display_name(result.finding)}",
        )
        st.caption(
            "1: the same. Overlap counts the strongest tenth of each map; two random maps share 0.05. "
            "Maps that agree may still agree on the wrong place."
        )


def scorecards_pending(questions: list[Question]) -> bool:
    """Whether a scorecard that was asked for is still being worked out."""
    jobs: JobManager = caches.manager()
    for question in questions:
        for finding in question.findings:
            result, _ = panels.results_so_far(question, jobs, finding)
            status = jobs.status(key_of(question, result))
            if status is not None and status.pending:
                return True
    return False
