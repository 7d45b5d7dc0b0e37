"""A small example of each method: one map on a film with a planted mass, whose truth is known to the pixel."""

from __future__ import annotations

import streamlit as st

from classifiers import registry as model_registry
from dashboard.compare.question import Question, notes_on
from dashboard.jobs import QueueFullError, Status, sentence
from dashboard.shared import caches, display
from dashboard.shared.redrawing import by_itself
from dashboard.shared.session import owner
from radiographs import FilmError
from radiographs.findings import display_name
from xai_methods import Method

FILM, MODEL, FINDING = "known-truth/mass-01", "known-truth", "Mass"


def question(method: Method) -> Question | str:
    """What the example asks; or, in a sentence, why there is none here."""
    if not any(entry.name == MODEL and entry.available for entry in model_registry.list_models()):
        return f"The example needs the model {MODEL}, which is not at hand."
    try:
        film, classifier = caches.film(FILM), caches.classifier(MODEL)
    except (FilmError, LookupError, ValueError, OSError) as error:
        return f"There is no example here. {sentence(error)}"
    unserved = method.serves(classifier, FINDING)
    return unserved or Question(film, classifier, (FINDING,), {method.name: method.parameters()}, 0)


def draw(method: Method) -> None:
    """Draw the example: at once for a fast method, on demand for a slow one; the page stays free meanwhile."""
    asked = question(method)
    if isinstance(asked, str):
        st.info(asked, icon=":material/image_not_supported:")
        return
    key = asked.key(FINDING, method.name)
    jobs, me = caches.manager(), f"{owner()} card"
    jobs.cancel(me, keep=(key,))
    status = jobs.status(key)
    if _never_made(status):
        words = "Make the example" + ("" if method.speed == "fast" else " (takes some seconds)")
        if method.speed == "fast" or st.button(words, icon=":material/play_arrow:", key="make_example"):
            try:
                jobs.submit(key, asked.work(FINDING, method.name), owner=me)
            except QueueFullError as error:
                st.warning(sentence(error), icon=":material/hourglass:")
        status = jobs.status(key)
    waits = status is not None and status.pending
    by_itself(_draw_state, ticking=waits)(asked, method, waits)


def _never_made(status: Status | None) -> bool:
    return status is None or status.state == "cancelled"


def _draw_state(asked: Question, method: Method, waited: bool) -> None:
    status = caches.manager().status(asked.key(FINDING, method.name))
    if status is not None and status.pending:
        text = "Waiting for its turn" if status.state == "queued" else f"{status.share:.0%} · {status.seconds:.0f} s"
        st.progress(status.share, f"Making the example · {text}")
    elif waited:
        st.rerun()
    elif status is not None and status.state == "failed":
        st.error(status.error, icon=":material/error:")
    elif status is not None and status.state == "done":
        _draw_pictures(asked, method, status)
    else:
        _draw_film(asked)


def _draw_film(asked: Question) -> None:
    film = display.film_picture(asked.film.radiograph)
    mask = asked.film.mask(FINDING)
    st.image(
        display.outlined(film, mask) if mask is not None else film,
        width="stretch",
        caption="Green: where the mass was planted.",
        alt=f"A child's chest film with the outline of a planted {display_name(FINDING).lower()}",
    )


def _draw_pictures(asked: Question, method: Method, status: Status) -> None:
    explanation, radiograph = status.result, asked.film.radiograph
    on_film = asked.classifier.to_film(explanation, radiograph)
    view = display.View(part="signed" if method.signed else "positive")
    shown = display.picture(display.film_picture(radiograph), on_film, view, asked.film.mask(FINDING))
    st.image(
        shown.pixels,
        width="stretch",
        output_format="PNG",
        alt=f"{method.title} map of a planted {display_name(FINDING).lower()}, with its exact outline",
    )
    if shown.scale is not None:
        st.image(
            display.colour_bar(shown.scale), width="stretch", alt="Colour bar, from the lowest value to the highest"
        )
        ends = f"{shown.scale.low:.3g} to {shown.scale.high:.3g} in the method's own units"
    else:
        ends = shown.words
    facts = [ends, f"{explanation.seconds:.1f} s", *notes_on(explanation)]
    st.caption(
        "Green: where the mass was planted into a normal film; the outline is exact. The model finds it with "
        f"probability {asked.classifier.probabilities(radiograph)[FINDING]:.0%}. " + " · ".join(facts)
    )
