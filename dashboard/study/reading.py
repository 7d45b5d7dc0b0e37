"""One case of a study: the film and its map in the viewer, the questions, and the answer on disk before the next."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import streamlit as st

from dashboard import viewer
from dashboard.compare import caches
from dashboard.jobs import sentence
from dashboard.shared import display
from dashboard.shared.caches import BY_CONTENT
from dashboard.shared.display import View
from dashboard.shared.fragments import fragment
from dashboard.shared.unforeseen import safely
from dashboard.study import questions
from dashboard.viewer import OutlineGiven, PanelGiven
from dashboard.viewer.pictures import region_mask
from evaluation.reader_study import material
from evaluation.reader_study.design import StudyTrial
from evaluation.reader_study.material import CaseFacts, ShownMap
from evaluation.reader_study.regions import packed, unpacked
from evaluation.reader_study.store import AnsweredError, StudyStore
from evaluation.reader_study.study_file import StudyCase
from radiographs import Radiograph
from radiographs.bounded_cache import bounded_cache
from radiographs.findings import display_name

PROBLEM, FEEDBACK, SHOWN, CHANGING = "study problem", "study feedback", "study shown", "study changing"
POINT_RADIUS = 0.012
"""Of the dot that stands for a reader's point, as a share of the film's longer side."""


@bounded_cache(256, key=lambda case, facts: (case.film, facts.film))
def _film(case: StudyCase, facts: CaseFacts) -> Radiograph:
    with st.spinner("Reading the film ..."):
        return material.checked_film(case, facts)


@st.cache_resource(max_entries=16, show_spinner=False)
def _map(slug: str, name: str, _store: StudyStore) -> tuple[viewer.MapPicture, ShownMap]:
    shown = material.read_map(_store.folder, name)
    # The colour bar of raw values would tell methods apart.
    strongest = float(np.abs(shown.values).max()) or 1.0
    return viewer.map_picture(shown.values / strongest), shown


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs=BY_CONTENT)
def _dot(film: Radiograph, x: float, y: float) -> bytes:
    height, width = film.shape
    rows, columns = np.ogrid[:height, :width]
    radius = POINT_RADIUS * max(film.shape)
    return viewer.mask_png((rows - y * height) ** 2 + (columns - x * width) ** 2 <= radius**2)


def case_of(store: StudyStore, trial: StudyTrial) -> tuple[StudyCase, CaseFacts]:
    """The case of a trial, and what is known of it."""
    parts = {"practice": store.study.practice, "check": store.study.checks, "case": store.study.cases}
    return parts[trial.part][trial.case], store.material.cases[trial.part, trial.case]


def draw(store: StudyStore, reader: int, trial: StudyTrial) -> None:
    """Draw one case with its questions; the button stores the answer."""
    study = store.study
    case, facts = case_of(store, trial)
    film = _film(case, facts)
    if st.session_state.get(SHOWN) != (reader, trial.number):
        st.session_state["study began"] = store.shown(reader, trial)
        st.session_state[SHOWN] = (reader, trial.number)
    began, limit = st.session_state["study began"], study.seconds_per_case
    over = bool(limit) and time.time() - began > limit
    if limit:
        fragment(_draw_time, ticking=not over)(began, limit, over)
    left, right = st.columns([3, 1])
    with left:
        if over:
            st.info("The time for this film is over. Answer from what you saw.", icon=":material/timer_off:")
        else:
            _draw_film(store, trial, case, film)
    with right:
        _draw_model(store, case, facts)
        letter = store.letter(trial)
        questions.draw(study, trial, case.finding, letter)
        if "place" in study.questions:
            _draw_place(store, trial)
        if problem := st.session_state.pop(PROBLEM, ""):
            st.error(problem, icon=":material/error:")
        st.button(
            "Answer and go on", type="primary", key="study_answer", shortcut="Ctrl+Enter",
            on_click=safely(_submit), args=(store, reader, trial, letter),
        )  # fmt: skip
        st.caption("You can stop at any case: all answers so far are stored.")


def _draw_time(began: float, limit: float, over: bool) -> None:
    left = limit - (time.time() - began)
    if left <= 0 and not over:
        st.rerun()
    st.caption(f"{max(0, round(left))} seconds left for this film." if left > 0 else "No time left for this film.")


def _draw_model(store: StudyStore, case: StudyCase, facts: CaseFacts) -> None:
    if store.study.show_model:
        words = "calls it" if facts.called else "does not call it"
        name = display_name(case.finding).lower()
        st.markdown(f"The model gives {name} a probability of **{facts.probability:.0%}** and {words}.")


def _panels(store: StudyStore, trial: StudyTrial) -> tuple[list[PanelGiven], ShownMap | None]:
    panels = [PanelGiven("film", "Film", "The film")]
    letter = store.letter(trial)
    if not letter:
        return panels, None
    picture, shown = _map(store.slug, store.map_name(trial), store)
    words = display.NO_EVIDENCE if picture.top == 0 else ""
    return [
        *panels,
        PanelGiven("map", f"Map {letter}", f"Map {letter} over the film", picture=picture, words=words),
    ], shown


def _draw_film(store: StudyStore, trial: StudyTrial, case: StudyCase, film: Radiograph) -> None:
    panels, shown = _panels(store, trial)
    asked = "place" in store.study.questions
    seen = viewer.mount(
        f"study {trial.number}", film, caches.film_png(film), caches.film_windows(film), panels, view=View(),
        outlines=_own_outlines(store, trial, film), point=asked and store.study.place == "point",
    )  # fmt: skip
    if asked and seen.region:
        _take_place(store, trial, film, seen.region)
    if shown is not None and shown.ends is not None:
        _draw_ends(shown.ends, display_name(case.finding).lower())


def _draw_ends(ends: tuple[np.ndarray, np.ndarray], finding: str) -> None:
    """The films that the model would call absent and present."""
    for place, film, words in zip(st.columns(2), ends, ("less", "more")):
        place.image(
            display.png(display.grey_picture(film)), width="stretch", caption=f"Generated: {words} {finding}",
            alt=f"A generated film on which the model finds {words} {finding}",
        )  # fmt: skip


def _own_outlines(store: StudyStore, trial: StudyTrial, film: Radiograph) -> list[OutlineGiven]:
    place = st.session_state.get(questions.key(trial, "place given"))
    found = []
    if trial.number == st.session_state.get(FEEDBACK):
        truth = material.read_outline(store.folder, trial.part, trial.case)
        if truth is not None:
            found.append(OutlineGiven("expert", caches.outline_png(truth)))
    if place is not None and "x" in place:
        found.append(OutlineGiven("your point", _dot(film, place["x"], place["y"]), own=True))
    elif place is not None:
        found.append(OutlineGiven("your region", caches.outline_png(unpacked(place["region"])), own=True))
    return found


def _take_place(store: StudyStore, trial: StudyTrial, film: Radiograph, told: dict[str, Any]) -> None:
    key, kind = questions.key(trial, "place given"), told.get("kind")
    try:
        place: dict[str, Any] | None = None
        if kind == "point":
            place = {axis: min(max(float(told[axis]), 0.0), 1.0) for axis in "xy"}
        elif kind in ("undo", "redo"):
            pass
        elif store.study.place == "region":
            place = {"region": packed(region_mask(str(told.get("png", "")), film.shape))}
        else:
            return
    except (KeyError, TypeError, ValueError) as error:
        st.warning(sentence(error), icon=":material/draw:")
        return
    if st.session_state.get(key) != place:
        st.session_state[key] = place
        st.rerun()


def _draw_place(store: StudyStore, trial: StudyTrial) -> None:
    place = st.session_state.get(questions.key(trial, "place given"))
    if store.study.place == "region":
        how = "Where is it? Draw it with Box, Polygon or Brush (x, y, u)."
    else:
        how = "Where is it? Take Point (t) and click; or zoom (+), bring it to the middle (arrows) and press Space."
    st.caption(f"{how} {'Your place is taken.' if place is not None else 'No place yet.'}")


def _submit(store: StudyStore, reader: int, trial: StudyTrial, letter: str) -> None:
    given, missing = questions.answered(store.study, trial, letter)
    if missing:
        st.session_state[PROBLEM] = missing
        return
    try:
        store.answer(reader, trial, given)
    except AnsweredError as error:
        st.session_state[PROBLEM] = sentence(error)
    except OSError as error:
        st.session_state[PROBLEM] = (
            f"Your answer is not stored yet: {error.strerror or 'it cannot be written'}. All answers before it are. "
            "Tell whoever runs the study, then press the button again."
        )
        return
    st.session_state.pop(CHANGING, None)
    if trial.part == "practice":
        st.session_state[FEEDBACK] = trial.number


def draw_feedback(store: StudyStore, reader: int, trial: StudyTrial) -> None:
    """Draw a practice case with its right answer, until the reader goes on."""
    case, facts = case_of(store, trial)
    said = store.answers(reader)[trial.number].given["present"]
    words = f"{display_name(case.finding)} is {'' if facts.present else 'not '}on this film."
    st.info(f"{'Right.' if said == facts.present else 'Not so.'} {words} This was practice.", icon=":material/school:")
    st.button("Go on", type="primary", key="study_go_on", on_click=safely(_go_on))
    _draw_film(store, trial, case, _film(case, facts))


def _go_on() -> None:
    st.session_state.pop(FEEDBACK, None)
