"""One finding on the compare page: its maps under one model or two, in words, in scores, and how far they agree."""

from __future__ import annotations

import numpy as np
import streamlit as st

from dashboard.compare import caches, gate, panels, regions, scorecard, two_models
from dashboard.compare.request import CompareRequest
from dashboard.compare.scores import draw_scores
from dashboard.jobs import JobManager
from dashboard.shared import choosing
from dashboard.shared.caches import manager, probabilities
from dashboard.shared.display import View
from dashboard.shared.glossary import explained, meaning
from dashboard.shared.style import literal
from dashboard.shared.unforeseen import guarded
from evaluation.one_film.agreement import agreement_matrix
from evaluation.one_film.compare import FindingResult
from radiographs.findings import display_name

PROBABILITY = (
    "The model's own probability that the finding is on the film. How well it is calibrated, its card says.\n\n"
    + meaning("Logit")
)
MEASURES = {"overlap": "Overlap of the top 10 % of pixels", "rank correlation": "Rank correlation"}


def draw_finding(
    requests: list[CompareRequest], finding: str, view: View, controls: bool
) -> tuple[View, dict[str, FindingResult]]:
    """Draw one finding under each request's model: first all maps, which need no scores, then what is said of them.

    Args:
        requests: the same film and methods, one model each; the first is the main one.
        finding: one of the first's. view: how maps are drawn at first. controls: whether the toolbar is shown.

    Returns:
        How the maps are looked at now, and each model's result by its name.
    """
    jobs = manager()
    able = [request for request in requests if finding in request.classifier.findings]
    states = [panels.states_of(request, jobs, finding) for request in able]
    seen = view
    for place, request in enumerate(able):
        _heading(request, finding, len(requests) > 1, place)
        first = place == 0
        told = panels.draw_panels(request, finding, states[place], view, controls and first, film_too=first)
        regions.take(request.film, finding, told.region)
        if told.step:
            choosing.step_film(told.step)
        seen = told.view if first else seen
    if len(able) < len(requests):
        st.caption(f"The second model does not know {display_name(finding).lower()}.")
    results = {r.classifier.name: panels.results_so_far(r, s, finding) for r, s in zip(able, states)}
    _draw_words(able, results, finding)
    with guarded("The scores cannot be shown"):
        draw_scores({request.classifier.card.title: results[request.classifier.name] for request in able})
    if len(able) == 1:
        _draw_measured(able[0], results[able[0].classifier.name], jobs)
    elif able:
        for tab, request in zip(st.tabs([request.classifier.card.title for request in able]), able):
            with tab:
                _draw_measured(request, results[request.classifier.name], jobs)
    if len(able) > 1:
        with guarded("What the two models have in common cannot be shown"):
            two_models.draw(*(results[request.classifier.name] for request in able))
    return seen, results


def _draw_words(able: list[CompareRequest], results: dict[str, FindingResult], finding: str) -> None:
    agreed = regions.against_reference(able[0].film, finding) if able else ""
    if agreed:
        st.markdown(literal(agreed))
    for request in able:
        result = results[request.classifier.name]
        words = literal(" ".join(filter(None, (caches.in_words(result), caches.on_marks(result, request.film)))))
        if words:
            st.markdown(f"**{request.classifier.card.title}**: {words}" if len(able) > 1 else words)


def _draw_measured(request: CompareRequest, result: FindingResult, jobs: JobManager) -> None:
    with guarded("The validity gate cannot be shown"):
        gate.draw_gate(request, result, jobs)
    with guarded("How far the maps agree cannot be shown"):
        if sum(done.explanation is not None for done in result.methods.values()) > 1:
            with st.expander("How far the maps agree with each other", icon=":material/grid_on:"):
                _draw_agreement(request, result)
    with guarded("The scorecard cannot be shown"):
        scorecard.draw_scorecard(request, result, jobs)


def _heading(request: CompareRequest, finding: str, several: bool, place: int) -> None:
    chance = probabilities(request.film.radiograph, request.classifier)[finding]
    if place == 0:
        st.subheader(f"{display_name(finding)}: {chance:.0%}", anchor=False, help=PROBABILITY)
    if several:
        st.markdown(f"**{request.classifier.card.title}** · output {chance:.0%}")


def _draw_agreement(request: CompareRequest, result: FindingResult) -> None:
    key = f"agreement {request.classifier.name} {result.finding}"
    measure = st.segmented_control(
        "Agreement by",
        list(MEASURES),
        default="overlap",
        format_func=MEASURES.__getitem__,
        key=key,
        required=True,
        help=explained("IoU, rank correlation"),
    )
    _draw_matrix(result, str(measure))
    st.caption(
        "1: the same. Overlap is the intersection over union of the top 10 % of pixels; two random maps have 0.05. "
        "Maps that agree may still agree on the wrong place."
    )


@st.cache_data(max_entries=128, show_spinner=False, hash_funcs=caches.RESULT_BY_CONTENT)
def _draw_matrix(result: FindingResult, measure: str) -> None:
    """Streamlit replays what was drawn, so that a table is worked out and styled once."""
    maps: dict[str, np.ndarray] = {
        done.title: done.explanation.values for done in result.methods.values() if done.explanation is not None
    }
    st.dataframe(
        agreement_matrix(maps, measure)
        .style.format("{:.2f}", na_rep="–")
        .background_gradient(cmap="Blues", vmin=0, vmax=1.6),
        alt=f"Agreement of every pair of maps for {display_name(result.finding)}",
    )
