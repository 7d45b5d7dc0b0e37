"""A small example of each method: one map on a film with a planted mass, whose truth is known to the pixel."""

from __future__ import annotations

import streamlit as st

from classifiers import registry as model_registry
from dashboard.compare.request import CompareRequest
from dashboard.jobs import sentence
from dashboard.shared import caches, display
from dashboard.shared.background import draw_until_done, worked_out
from dashboard.shared.fragments import fragment
from dashboard.shared.map_notes import notes_on
from radiographs import FilmError
from radiographs.findings import display_name
from xai_methods import Explanation, Method

FILM, MODEL, FINDING = "known-truth/mass-01", "known-truth", "Mass"


def example_request(method: Method) -> CompareRequest | str:
    """What the example explains; or, in a sentence, why there is none here."""
    if not any(entry.name == MODEL and entry.available for entry in model_registry.list_models()):
        return f"The example needs the model {MODEL}, which is not available."
    try:
        film, classifier = caches.film(FILM), caches.classifier(MODEL)
    except (FilmError, LookupError, ValueError, OSError) as error:
        return f"There is no example here. {sentence(error)}"
    unserved = method.serves(classifier, FINDING)
    return unserved or CompareRequest(film, classifier, (FINDING,), {method.name: method.parameters()}, 0)


def draw(method: Method) -> None:
    """Draw the example: at once for a fast method, on demand for a slow one; the page stays free meanwhile."""
    request = example_request(method)
    if isinstance(request, str):
        st.info(request, icon=":material/image_not_supported:")
        return
    key, fast = request.key(FINDING, method.name), method.speed == "fast"
    status = caches.manager().status(key)
    begun = status is not None and status.state != "cancelled"
    pressed = not (fast or begun) and st.button(
        "Make the example (takes some seconds)", icon=":material/play_arrow:", key="make_example"
    )
    status = worked_out(key, request.work(FINDING, method.name), "card", start=fast or pressed)
    if status is not None and status.pending:
        fragment(draw_until_done, ticking=True)(key, "Making the example")
    elif status is not None and status.state == "failed":
        st.error(status.error, icon=":material/error:")
    elif status is not None and status.state == "done":
        _draw_map(request, method, status.result)
    else:
        _draw_film(request)


def _draw_film(request: CompareRequest) -> None:
    film = display.film_picture(request.film.radiograph)
    mask = request.film.mask(FINDING)
    st.image(
        display.outlined(film, mask) if mask is not None else film,
        width="stretch",
        caption="Green: where the mass was planted.",
        alt=f"A child's chest film with the outline of a planted {display_name(FINDING).lower()}",
    )


def _draw_map(request: CompareRequest, method: Method, explanation: Explanation) -> None:
    radiograph = request.film.radiograph
    on_film = request.classifier.to_film(explanation, radiograph)
    view = display.View(part="signed" if method.signed else "positive")
    shown = display.picture(display.film_picture(radiograph), on_film, view, request.film.mask(FINDING))
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
        f"probability {request.classifier.probabilities(radiograph)[FINDING]:.0%}. " + " · ".join(facts)
    )
