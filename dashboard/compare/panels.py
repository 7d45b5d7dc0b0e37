"""The film and one panel for each method, side by side, filled in as the methods finish."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, Literal

import numpy as np

from dashboard import viewer
from dashboard.compare.question import Question, notes_on
from dashboard.jobs import JobManager, Status
from dashboard.shared import caches, display
from dashboard.shared.display import View
from dashboard.viewer import PanelGiven
from evaluation.one_film.compare import Comparison, FindingResult
from evaluation.one_film.evaluate import MethodResult
from radiographs.findings import display_name
from xai_methods import Explanation, Method, get_method

States = dict[str, Status | None]
"""The state of each method's work, by its name; None where nobody asked for it."""


def states_of(question: Question, jobs: JobManager, finding: str) -> States:
    """How far each method's work on one finding is."""
    return {method: jobs.status(question.key(finding, method)) for method in question.parameters}


def results_so_far(question: Question, states: States, finding: str) -> FindingResult:
    """What is known of one finding now: what is done is scored, where somebody outlined the finding."""
    seal = question.film.seal(finding)
    base = caches.unexplained(question.film.radiograph.digest, question.classifier.digest, finding, seal, question)
    methods = {}
    for method, status in states.items():
        if status is not None and status.state == "done":
            methods[method] = caches.scored(question.key(finding, method), seal, question, status.result)
        elif status is not None and status.state == "failed":
            methods[method] = MethodResult(finding, method, get_method(method).title, error=status.error)
    return replace(base, methods=methods)


def comparison_of(question: Question, results: dict[str, FindingResult]) -> Comparison:
    """The results as the report and the exports take them."""
    model = question.classifier
    return Comparison(question.film.radiograph, model.name, model.digest, question.seed, "positive", results)


def draw_panels(
    question: Question, finding: str, states: States, view: View, controls: bool
) -> tuple[View, dict[str, Any] | None]:
    """Draw the film and one panel for each method; return how they are looked at now, and a region just drawn."""
    film = question.film
    digest = film.radiograph.digest
    spacing = film.radiograph.pixel_spacing_mm
    mask = film.mask(finding)
    outlines = []
    if mask is not None:
        outlines = [(display_name(finding), caches.outline_png(film.seal(finding), mask))]
    panels = [_film_panel(question, finding, mask)]
    panels += [_panel(question, finding, method, status) for method, status in states.items()]
    return viewer.mount(
        f"viewer {question.classifier.name} {finding}",
        digest,
        caches.film_png(digest, film),
        caches.film_windows(digest, film),
        panels,
        view=view,
        outlines=outlines,
        width_mm=spacing[1] * film.radiograph.shape[1] if spacing else None,
        controls=controls,
    )


def _film_panel(question: Question, asked: str, mask: np.ndarray | None) -> PanelGiven:
    finding = display_name(asked)
    if mask is None:
        note = f"Nobody outlined {finding.lower()} on this film."
        return PanelGiven("film", "Film", "The film, without an outline", note=note)
    outlines = question.film.outlines(asked)
    readers = ", ".join(sorted({a.reader for a in outlines}))
    origin = "planted here, truth exact" if all(a.exact for a in outlines) else f"outlined by {readers}"
    note = f"Green: {finding.lower()} {origin}; {100 * mask.mean():.1f} % of the film."
    return PanelGiven("film", "Film", f"The film with the outline of {finding}", note=note)


def _panel(question: Question, finding: str, method: str, status: Status | None) -> PanelGiven:
    known = get_method(method)
    if status is not None and status.state == "done":
        return _map(question, finding, known, status.result)
    waiting = partial(PanelGiven, method, known.title, f"{known.title}: no map yet", known.question)
    if status is None:
        return waiting(state="none", words="Press Run to see this map.")
    if status.state == "failed":
        return waiting(state="failed", words=status.error)
    if status.state == "cancelled":
        return waiting(state="cancelled", words="Cancelled. Press Run to start it again.")
    state: Literal["queued", "running"] = "queued" if status.state == "queued" else "running"
    return waiting(state=state, share=status.share, words=status.words)


def _map(question: Question, finding: str, method: Method, explanation: Explanation) -> PanelGiven:
    picture = caches.map_picture(question.key(finding, method.name), question, explanation)
    words = display.NO_EVIDENCE if picture.top == 0 else ""
    alt = f"{method.title} map for {display_name(finding)}" + (f": {words}" if words else "")
    seconds = f"{explanation.seconds:.1f} s" if explanation.seconds >= 0.1 else f"{1000 * explanation.seconds:.0f} ms"
    note = " · ".join([seconds, *notes_on(explanation)])
    return PanelGiven(method.name, method.title, alt, method.question, note, picture, words=words)
