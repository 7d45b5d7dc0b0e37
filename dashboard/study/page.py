"""The readers' page from the door to the last case."""

from __future__ import annotations

import time
from datetime import datetime

import streamlit as st

from dashboard.jobs import sentence
from dashboard.shared.style import literal
from dashboard.shared.unforeseen import safely
from dashboard.study import entrance, reading
from evaluation.reader_study.store import ReaderTurn, StudyStore
from evaluation.reader_study.study_file import StudyError
from radiographs import FilmError

TITLE = "Reader study"
STARTED = "study started"


def draw() -> None:
    """Draw the page: which study, who reads, and where they stand."""
    try:
        store = entrance.choose()
        if store is None:
            return
        st.subheader(literal(store.study.name), anchor=False)
        reader = entrance.reader(store)
        if reader is not None:
            _draw_turn(store, reader)
    except (StudyError, FilmError, LookupError) as error:
        st.error(sentence(error), icon=":material/error:")


def _draw_turn(store: StudyStore, reader: int) -> None:
    state, turn = st.session_state, store.turn(reader)
    by_number = {trial.number: trial for trial in store.trials(reader)}
    if (done := by_number.get(state.get(reading.FEEDBACK, 0))) is not None:
        reading.draw_feedback(store, reader, done)
        return
    st.progress(turn.done / turn.whole, f"{turn.done} of {turn.whole} answered")
    changing = by_number.get(state.get(reading.CHANGING, 0))
    if changing is not None:
        reading.draw(store, reader, changing)
    elif turn.trial is None:
        _draw_end(turn)
    elif not turn.done and state.get(STARTED) != store.slug:
        _draw_instructions(store)
    else:
        if turn.trial.part == "practice":
            st.caption("A practice case: it does not count, and you are told the right answer.")
        reading.draw(store, reader, turn.trial)
        if store.study.back and turn.done:
            last = max(store.answers(reader).values(), key=lambda one: one.time).trial
            st.button("Change the last answer", key="study_back", on_click=safely(_change), args=(last,))


def _change(number: int) -> None:
    st.session_state[reading.CHANGING] = number


def _draw_instructions(store: StudyStore) -> None:
    study = store.study
    if study.instructions:
        st.markdown(literal(study.instructions))
    count = len(study.cases) * study.sessions
    sentences = [
        f"You will read {count} cases"
        + (f" in {study.sessions} sessions, {study.washout_days:g} days apart." if study.sessions > 1 else "."),
        "Some films come with a map that says what moved the model, under a letter; what made it is told after the "
        "study.",
        "" if study.back else "An answer that was given cannot be changed.",
        f"Each film is shown for {study.seconds_per_case:g} seconds." if study.seconds_per_case else "",
        "Each answer is stored at once; you may stop after any case and go on later.",
    ]
    st.markdown(" ".join(one for one in sentences if one))
    st.markdown(
        "Keys: Tab to a question, Space and arrows to answer it, Tab to the button, Enter (from the film: Ctrl+Enter). "
        "? in the film shows its own keys."
    )
    st.button("Begin", type="primary", key="study_begin", on_click=safely(_begin), args=(store.slug,))


def _begin(slug: str) -> None:
    st.session_state[STARTED] = slug


def _draw_end(turn: ReaderTurn) -> None:
    if turn.wait_until > time.time():
        when = datetime.fromtimestamp(turn.wait_until).strftime("%d %B %Y, %H:%M")
        st.success(f"This session is done. The next one opens on {when}; come back with the same code.")
    else:
        st.success("You have read all cases. Thank you; there is nothing more to do.", icon=":material/done_all:")
