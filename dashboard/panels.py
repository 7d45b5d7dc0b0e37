"""The film and one panel for each method, side by side, filled in as the methods finish."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from dashboard import caches, display
from dashboard.display import Drawn, View
from dashboard.jobs import JobManager, Status
from dashboard.question import Question, mask_digest, notes_on
from evaluation.compare import Comparison, FindingResult, MethodResult
from radiographs.findings import display_name
from xai_methods import get_method

MODE_WORDS = {"overlay": "Overlay", "contour": "Contour", "map": "Map only"}
PART_WORDS = {"positive": "Speaks for it", "signed": "For and against"}
COLUMN_WIDTH = 252
"""Least width of a panel in pixels, before the row is broken."""


def view_controls(view: View, outlined: bool) -> View:
    """Draw the controls that change how maps are shown; nothing is recomputed by them."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        mode = st.segmented_control(
            "Show", display.MODES, default=view.mode, format_func=MODE_WORDS.__getitem__, key="mode", required=True,
            help="Colours over the film, the outline of the map's strongest tenth of the film, or the colours alone.",
        )  # fmt: skip
        part = st.segmented_control(
            "Evidence", display.PARTS, default=view.part, format_func=PART_WORDS.__getitem__, key="part", required=True,
            help="What raises the finding's score, or that and what lowers it. Scores judge what raises it.",
        )  # fmt: skip
        opacity = st.slider(
            "Opacity", 0.0, 1.0, view.opacity, 0.05, key="opacity", disabled=mode != "overlay", width=130
        )
        outline = st.toggle("Expert outline", view.outline, key="outline", disabled=not outlined)
    return View(mode, part, opacity, outline)


def results_so_far(
    question: Question, jobs: JobManager, finding: str
) -> tuple[FindingResult, dict[str, Status | None]]:
    """What is known of one finding now, and the state of each method's work."""
    mask = question.film.mask(finding)
    seal = mask_digest(mask)
    film, model = question.film.radiograph.digest, question.classifier.digest
    base = caches.unexplained(film, model, finding, seal, question, mask)
    states = {method: jobs.status(question.key(finding, method)) for method in question.parameters}
    methods = {}
    for method, status in states.items():
        if status is not None and status.state == "done":
            methods[method] = caches.scored(question.key(finding, method), seal, question, status.result)
        elif status is not None and status.state == "failed":
            methods[method] = MethodResult(finding, method, get_method(method).title, error=status.error)
    return replace(base, methods=methods), states


def comparison_of(question: Question, results: dict[str, FindingResult]) -> Comparison:
    """The results as the report and the exports take them."""
    model = question.classifier
    return Comparison(question.film.radiograph, model.name, model.digest, question.seed, "positive", results)


def draw_panels(question: Question, result: FindingResult, states: dict[str, Status | None], view: View) -> None:
    """Draw the film and one panel for each method in a row that wraps."""
    film = caches.grey_picture(question.film.radiograph.digest, question.film)
    with st.grid(3, min_column_width=COLUMN_WIDTH, gap="small"):
        with st.container():
            _film_panel(question, result, film, view)
        for method, status in states.items():
            with st.container():
                _panel(question, result, film, view, method, status)


def _film_panel(question: Question, result: FindingResult, film: np.ndarray, view: View) -> None:
    st.markdown("**Film**")
    finding = display_name(result.finding)
    digest = question.film.radiograph.digest
    if result.mask is None:
        shown = caches.film_png(digest, "plain", "", film, None)
        st.image(shown, width="stretch", alt="The film, without an outline")
        st.caption(f"Nobody outlined {finding.lower()} on this film.")
        return
    look = "outlined" if view.outline else "plain"
    shown = caches.film_png(digest, look, mask_digest(result.mask), film, result.mask)
    st.image(shown, width="stretch", alt=f"The film{' with the outline of ' + finding if view.outline else ''}")
    outlines = question.film.outlines(result.finding)
    readers = ", ".join(sorted({a.reader for a in outlines}))
    origin = "planted here, truth exact" if all(a.exact for a in outlines) else f"outlined by {readers}"
    st.caption(f"Green: {finding.lower()} {origin}; {100 * result.mask.mean():.1f} % of the film.")


def _panel(
    question: Question, result: FindingResult, film: np.ndarray, view: View, method: str, status: Status | None
) -> None:
    known = get_method(method)
    st.markdown(f"**{known.title}**", help=known.question)
    done = result.methods.get(method)
    if done is not None and done.explanation is not None:
        _map(question, result, film, view, done)
        return
    dim = caches.film_png(question.film.radiograph.digest, "dim", "", film, None)
    st.image(dim, width="stretch", alt=f"{known.title}: no map yet")
    if status is None:
        st.caption("Press Run to see this map.")
    elif status.state == "failed":
        st.error(status.error, icon=":material/error:")
    elif status.state == "cancelled":
        st.caption("Cancelled. Press Run to start it again.")
    elif status.state == "queued":
        st.progress(0.0, "Waiting for its turn")
    else:
        st.progress(status.share, f"{status.share:.0%} · {status.seconds:.0f} s")


def _map(question: Question, result: FindingResult, film: np.ndarray, view: View, done: MethodResult) -> None:
    explanation = done.explanation
    key = question.key(result.finding, done.method)
    shown: Drawn = caches.map_png(key, mask_digest(result.mask), view, film, done, result.mask)
    words = f"{done.title} map for {display_name(result.finding)}" + (f": {shown.words}" if shown.words else "")
    st.image(shown.png, width="stretch", alt=words)
    if shown.words:
        st.markdown(f":material/info: **{shown.words}**")
    elif shown.bar is not None:
        st.image(shown.bar, width="stretch", alt=f"Colour bar from {shown.low:.2g} to {shown.high:.2g}")
        with st.container(horizontal=True, horizontal_alignment="distribute", gap=None):
            st.caption(f"{shown.low:.2g}", width="content")
            st.caption(f"{shown.high:.2g}", width="content")
    seconds = f"{explanation.seconds:.1f} s" if explanation.seconds >= 0.1 else f"{1000 * explanation.seconds:.0f} ms"
    st.caption(" · ".join([seconds, *notes_on(explanation)]))
