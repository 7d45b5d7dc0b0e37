"""The film and one panel for each method, side by side, filled in as the methods finish."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np

from dashboard import viewer
from dashboard.compare import caches, regions
from dashboard.compare.request import CompareRequest
from dashboard.jobs import JobManager, Status
from dashboard.shared import display
from dashboard.shared.display import View
from dashboard.shared.film_context import FilmContext
from dashboard.shared.glossary import explained
from dashboard.shared.map_notes import notes_on
from dashboard.shared.state import UPLOAD
from dashboard.viewer import OutlineGiven, PanelGiven, Seen
from evaluation.one_film.compare import Comparison, FindingResult
from evaluation.one_film.evaluate import MethodResult
from radiographs.annotation import union_mask
from radiographs.findings import display_name
from xai_methods import Explanation, Method, get_method

States = dict[str, Status | None]
"""The state of each method's work, by its name; None where it was never begun."""


def states_of(request: CompareRequest, jobs: JobManager, finding: str) -> States:
    """How far each method's work on one finding is."""
    return {method: jobs.status(request.key(finding, method)) for method in request.parameters}


def made_of(status: Status) -> Explanation | None:
    """The map that some work made: its result, else what was there when it was cancelled, or is there so far."""
    made: Explanation | None = status.result if status.state == "done" else status.early
    return made


def results_so_far(request: CompareRequest, states: States, finding: str) -> FindingResult:
    """What is known of one finding now: what is done or was stopped is scored, where somebody outlined the finding."""
    base = caches.unexplained(request.classifier, request.film, finding)
    methods = {}
    for method, status in states.items():
        if status is not None and not status.pending and (made := made_of(status)) is not None:
            methods[method] = caches.scored(request.classifier, request.film, made)
        elif status is not None and status.state == "failed":
            methods[method] = MethodResult(finding, method, get_method(method).title, error=status.error)
    return replace(base, methods=methods)


def comparison_of(request: CompareRequest, results: dict[str, FindingResult]) -> Comparison:
    """The results as the report and the exports take them."""
    model = request.classifier
    return Comparison(request.film.radiograph, model.name, model.digest, request.seed, "positive", results)


def draw_panels(
    request: CompareRequest, finding: str, states: States, view: View, controls: bool, film_too: bool = True
) -> Seen:
    """Draw the film and one panel for each method; return what the viewer tells: view, region, step to another film.

    Args:
        view: how maps are drawn at first. controls: whether the toolbar is shown.
        film_too: whether the film has a panel of its own, which it needs once for all models.
    """
    film = request.film.radiograph
    outlines = _outlines(request.film, finding)
    panels = [_film_panel(request.film, finding, outlines)] if film_too else []
    panels += [_panel(request, finding, method, status) for method, status in states.items()]
    return viewer.mount(
        f"viewer {request.classifier.name} {finding}",
        film,
        caches.film_png(film),
        caches.film_windows(film),
        panels,
        view=view,
        outlines=[OutlineGiven(o.label, caches.outline_png(o.mask), o.own) for o in outlines],
        controls=controls,
        steps=not request.film.reference.startswith(f"{UPLOAD}/"),
    )


@dataclass(frozen=True, eq=False)
class _Outline:
    """An outline on the panels: what the read-out calls it, its (H, W) mask, the note under the film, and whose."""

    label: str
    mask: np.ndarray
    note: str
    own: bool


def _outlines(film: FilmContext, finding: str) -> list[_Outline]:
    """The experts' outline of a finding, then that of the person at the page."""
    name, found = display_name(finding), []
    reference, own = union_mask(list(film.annotations), finding), regions.own_mask(film, finding)
    if reference is not None:
        outlines = film.outlines(finding)
        readers = " and ".join(sorted({a.reader for a in outlines}))
        origin = "exact mask of a synthetic finding" if all(a.exact for a in outlines) else readers
        note = f"Green: {name.lower()}, {origin}; {100 * reference.mean():.1f} % of the film."
        found.append(_Outline(f"{name} ({readers})", reference, note, own=False))
    if own is not None:
        note = f"Dashed yellow: {name.lower()}, {film.drawn[0].reader}; {100 * own.mean():.1f} % of the film."
        found.append(_Outline(f"{name} ({film.drawn[0].reader})", own, note, own=True))
    return found


def _film_panel(film: FilmContext, finding: str, outlines: list[_Outline]) -> PanelGiven:
    name = display_name(finding)
    notes = [outline.note for outline in outlines]
    if film.reference_hidden:
        notes.insert(0, "Reference annotations are hidden.")
    elif not film.outlines(finding):
        notes.insert(0, f"No reference annotation for {name.lower()}.")
    alt = f"The film with the outline of {name}" if outlines else "The film, without an outline"
    return PanelGiven("film", "Film", alt, note=" ".join(notes))


def _panel(request: CompareRequest, finding: str, name: str, status: Status | None) -> PanelGiven:
    method = get_method(name)
    if status is not None and (made := made_of(status)) is not None:
        panel = _map(request, finding, method, made)
        if status.state == "running":
            return replace(panel, state="running", share=status.share, words=status.words)
        return panel
    waiting = partial(PanelGiven, name, method.title, f"{method.title}: no map yet", method.question)
    if status is None:
        return waiting(state="none", words="Press Run to see this map.")
    if status.state == "failed":
        return waiting(state="failed", words=status.error)
    if status.state == "cancelled":
        return waiting(state="cancelled", words="Cancelled. Press Run to start it again.")
    state: Literal["queued", "running"] = "queued" if status.state == "queued" else "running"
    return waiting(state=state, share=status.share, words=status.words)


def _map(request: CompareRequest, finding: str, method: Method, explanation: Explanation) -> PanelGiven:
    picture = caches.map_picture(request.classifier, request.film.radiograph, explanation)
    words = display.NO_EVIDENCE if picture.top == 0 else ""
    alt = f"{method.title} map for {display_name(finding)}" + (f": {words}" if words else "")
    seconds = f"{explanation.seconds:.1f} s" if explanation.seconds >= 0.1 else f"{1000 * explanation.seconds:.0f} ms"
    note = " · ".join([seconds, *notes_on(explanation)])
    tip = "\n\n".join(part for part in (method.question, explained(note)) if part)
    return PanelGiven(method.name, method.title, alt, tip, note, picture, words=words, unit=method.unit)
