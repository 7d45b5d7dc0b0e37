"""The validity gate on the page: the button that has it measured on the films at hand, and how far that is."""

from __future__ import annotations

from collections.abc import Callable, Hashable

import streamlit as st

from dashboard.compare import caches
from dashboard.compare.request import CompareRequest
from dashboard.jobs import JobManager, Work, stopping
from dashboard.people.roles import permit
from dashboard.shared.background import draw_progress, owner, warning_when_full, warning_when_not_allowed
from evaluation.one_film.compare import FindingResult
from evaluation.validity.measure import measure_validity
from evaluation.validity.measured import films_digest, store

UNMEASURED = ("measured on other films", "not measured")
"""Verdicts that measuring on these films would replace."""
ABOUT = (
    "Blurs what was outlined on every film of this collection that the model was not trained on, and alike places: "
    "minutes for a hundred films. What comes out is stored, and pages and runs use it."
)


_begun: dict[tuple[str, str], Hashable] = {}
"""What was last measured, by the model's digest and the collection's name: no list of films need be read to know it."""


def _key(request: CompareRequest) -> Hashable:
    """Content address of the gate's figures: the model and the list of films; None for a film of no collection."""
    films = request.film.collection
    return None if films is None else ("validity", request.classifier.digest, films_digest(films))


def pending(request: CompareRequest, jobs: JobManager) -> bool:
    """Whether the gate is still being measured."""
    films = request.film.collection
    key = None if films is None else _begun.get((request.classifier.digest, films.name))
    status = None if key is None else jobs.status(key)
    return status is not None and status.pending


def draw_gate(request: CompareRequest, result: FindingResult, jobs: JobManager) -> None:
    """Draw the button where the gate was not measured on these films, or how far measuring is."""
    films = request.film.collection
    if films is None or result.mask is None or result.verdict.status not in UNMEASURED:
        return
    key = _key(request)
    status = jobs.status(key)
    if status is None or status.state == "cancelled":
        name = f"gate {request.classifier.name} {result.finding}"
        if st.button("Measure on these films", icon=":material/rule:", key=name, help=ABOUT):
            with warning_when_full(), warning_when_not_allowed():
                permit("measure")
                jobs.submit(key, _work(request), owner=owner(), urgency=2)
                _begun[request.classifier.digest, films.name] = key
                st.rerun()
    elif status.pending:
        draw_progress("Measuring whether the model looks at what was outlined", status)
    elif status.state == "failed":
        st.error(f"It could not be measured. {status.error}", icon=":material/error:")
    elif st.session_state.get("gate seen") != key:
        # Verdicts are cached with what else is known of a film; they are read anew once.
        st.session_state["gate seen"] = key
        caches.unexplained.clear()
        st.rerun()
    else:
        st.caption("It was measured on these films, none of which allows a verdict on this finding.")


def _work(request: CompareRequest) -> Work:
    classifier, films = request.classifier, request.film.collection

    def work(progress: Callable[[float], None], cancelled: Callable[[], bool]) -> str:
        if films is None:
            raise ValueError("a film of no collection has no other films to measure on")
        figures = measure_validity(classifier, films, progress=stopping(progress, cancelled))
        return str(store(classifier.digest, films, figures))

    return work
