"""One finding on the compare page: its maps under one model or two, in words, in scores, and how far they agree."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import streamlit as st

from dashboard.compare import panels, regions, scorecard
from dashboard.compare.question import Question
from dashboard.compare.scores import draw_scores
from dashboard.jobs import JobManager
from dashboard.shared import caches
from dashboard.shared.display import View
from dashboard.shared.session import owner
from evaluation.one_film.agreement import agreement_matrix
from evaluation.one_film.compare import FindingResult
from radiographs.findings import display_name

PROBABILITY = "The model's own probability that the finding is on the film. How well it is calibrated, its card says."
MEASURES = {"overlap": "Overlap of the strongest tenths", "rank correlation": "Rank correlation"}


def draw_finding(
    questions: list[Question], finding: str, view: View, controls: bool
) -> tuple[View, dict[str, FindingResult]]:
    """Draw one finding under each question's model: first all maps, which need no scores, then what is said of them.

    Args:
        questions: the same film and methods, one model each; the first is the main one.
        finding: one of the first's. view: how maps are drawn at first. controls: whether the toolbar is shown.

    Returns:
        How the maps are looked at now, and each model's result by its name.
    """
    jobs = caches.manager()
    asked = [question for question in questions if finding in question.classifier.findings]
    states = [panels.states_of(question, jobs, finding) for question in asked]
    seen = view
    for place, question in enumerate(asked):
        _heading(question, finding, len(questions) > 1, place)
        first = place == 0
        now, drawn = panels.draw_panels(question, finding, states[place], view, controls=controls and first)
        regions.take(question, finding, drawn)
        seen = now if first else seen
    if len(asked) < len(questions):
        st.caption(f"The second model does not know {display_name(finding).lower()}.")
    results = {q.classifier.name: panels.results_so_far(q, s, finding) for q, s in zip(asked, states)}
    for question in asked:
        result = results[question.classifier.name]
        words = caches.in_words(_address(question, result), result)
        if words:
            st.markdown(f"**{question.classifier.card.title}**: {words}" if len(asked) > 1 else words)
    if len(asked) == 1:
        _judged(asked[0], results[asked[0].classifier.name], jobs)
    else:
        for place, question in zip(st.tabs([question.classifier.card.title for question in asked]), asked):
            with place:
                _judged(question, results[question.classifier.name], jobs)
    return seen, results


def _judged(question: Question, result: FindingResult, jobs: JobManager) -> None:
    draw_scores(_address(question, result), result)
    if sum(done.explanation is not None for done in result.methods.values()) > 1:
        with st.expander("How far the maps agree with each other", icon=":material/grid_on:"):
            _agreement(question, result)
    scorecard.draw_scorecard(question, result, jobs, owner())


def _heading(question: Question, finding: str, several: bool, place: int) -> None:
    film, model = question.film, question.classifier
    chance = caches.probabilities(film.radiograph.digest, model.digest, film, model)[finding]
    if place == 0:
        st.subheader(f"{display_name(finding)}: {chance:.0%}", anchor=False, help=PROBABILITY)
    if several:
        st.markdown(f"**{model.card.title}** says {chance:.0%}")


def _explained(question: Question, result: FindingResult) -> tuple[Hashable, ...]:
    return tuple(question.key(result.finding, name) for name, done in result.methods.items() if done.explanation)


def _address(question: Question, result: FindingResult) -> Hashable:
    """Content address of what is said of a finding: the maps that are there, and the outline."""
    return _explained(question, result), question.film.seal(result.finding)


def _agreement(question: Question, result: FindingResult) -> None:
    maps = {done.title: done.explanation.values for done in result.methods.values() if done.explanation is not None}
    key = f"agreement {question.classifier.name} {result.finding}"
    measure = st.segmented_control(
        "Agreement by", list(MEASURES), default="overlap", format_func=MEASURES.__getitem__, key=key, required=True
    )
    _matrix(_explained(question, result), str(measure), display_name(result.finding), maps)
    st.caption(
        "1: the same. Overlap counts the strongest tenth of each map; two random maps share 0.05. "
        "Maps that agree may still agree on the wrong place."
    )


@st.cache_data(max_entries=128, show_spinner=False)
def _matrix(explained: Hashable, measure: str, finding: str, _maps: dict[str, np.ndarray]) -> None:
    """Streamlit replays what was drawn, so that a table is worked out and styled once."""
    table = agreement_matrix(_maps, measure)
    st.dataframe(
        table.style.format("{:.2f}", na_rep="–").background_gradient(cmap="Blues", vmin=0, vmax=1.6),
        alt=f"Agreement of every pair of maps for {finding}",
    )


def scorecards_pending(questions: list[Question]) -> bool:
    """Whether a scorecard that was asked for is still being worked out."""
    return any(scorecard.pending(question, caches.manager()) for question in questions)
