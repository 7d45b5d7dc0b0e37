"""The teacher's page: the step as it stands on the projector, and what drives it."""

from __future__ import annotations

import streamlit as st

from dashboard.classroom import earlier, joining, results, stage
from dashboard.classroom.exhibit import ClassPicture, parts_of
from dashboard.classroom.following import follow, rooms
from dashboard.classroom.lesson import Lesson
from dashboard.classroom.preparing import exhibit_of, prepare
from dashboard.classroom.rooms import Room, RoomError
from dashboard.jobs import sentence
from dashboard.shared import belongings, style
from dashboard.shared.file_button import file_button
from dashboard.shared.fragments import fragment
from dashboard.shared.style import literal
from dashboard.shared.unforeseen import safely

DRAWN = "class taught"
"""Key of the session's state: what of the room the page showed last."""
PRESENTING = "presenting"


def draw(code: str, lesson: Lesson) -> None:
    """Draw the room as its teacher sees it, and have the lesson's pictures made."""
    presenting = bool(st.session_state.get(PRESENTING))
    stage.draw_styles(presenting)
    if not presenting:
        style.heading(lesson.title)
    with st.spinner("Getting the lesson ready ..."):
        prepare(lesson)
    fragment(_draw_room)(code, lesson, presenting)
    fragment(_watch, ticking=True)(code, lesson)


def _draw_room(code: str, lesson: Lesson, presenting: bool) -> None:
    follow(code, teaches=True)
    if presenting != bool(st.session_state.get(PRESENTING)):
        st.rerun()
    try:
        room = rooms().get(code)
    except RoomError as error:
        st.warning(sentence(error), icon=":material/meeting_room:")
        return
    seen = _seen(room, lesson)
    if room.ended:
        st.subheader("The class has ended", anchor=False)
        _draw_results(room, lesson)
    else:
        _draw_step(room, lesson, presenting)
    # Only now: a page that was broken off while it was drawn has to be drawn again.
    st.session_state[DRAWN] = seen


def _draw_step(room: Room, lesson: Lesson, presenting: bool) -> None:
    step = lesson.steps[room.step]
    with st.container(key="class_stage"):
        exhibit = stage.draw_step(room, lesson)
        if exhibit is not None and step.asks:
            if room.shown:
                stage.draw_answer(room, step, exhibit)
            else:
                if exhibit.film is not None:
                    stage.draw_pictures((ClassPicture("", exhibit.film),))
                else:
                    stage.draw_choices(exhibit)
                st.markdown(f"{len(room.of_step())} of {len(room.students)} have answered.")
    with st.container(key="class_controls"):
        _draw_controls(room, lesson)
        if not presenting:
            _draw_desk(room, lesson)


def _watch(code: str, lesson: Lesson) -> None:
    try:
        now = _seen(rooms().get(code), lesson)
    except RoomError:
        now = None
    if st.session_state.get(DRAWN) != now:
        st.rerun()


def _seen(room: Room, lesson: Lesson) -> tuple[object, ...]:
    return (*room.stands_at, len(room.students), len(room.of_step()), exhibit_of(lesson, room.step).state)


def _draw_controls(room: Room, lesson: Lesson) -> None:
    parts, last = parts_of(lesson.steps[room.step].kind), room.step + 1 == len(lesson.steps)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Back", icon=":material/arrow_back:", key="class_back", shortcut="Left", disabled=room.step == 0,
            on_click=safely(_go), args=(room, lesson, -1),
        )  # fmt: skip
        st.button(
            "Reveal", icon=":material/visibility:", key="class_reveal", shortcut="S", disabled=room.shown >= parts,
            type="primary" if room.shown < parts else "secondary",
            on_click=safely(_show), args=(room, room.shown + 1),
        )  # fmt: skip
        st.button(
            "Show all", icon=":material/done_all:", key="class_all", shortcut="A", disabled=room.shown >= parts,
            on_click=safely(_show), args=(room, parts),
        )  # fmt: skip
        st.button(
            "Next", icon=":material/arrow_forward:", key="class_next", shortcut="Right", disabled=last,
            type="secondary" if room.shown < parts else "primary", on_click=safely(_go), args=(room, lesson, 1),
        )  # fmt: skip
        there = "1 student" if len(room.students) == 1 else f"{len(room.students)} students"
        st.caption(f"Class {room.code} · {there} · step {room.step + 1} of {len(lesson.steps)}")
        with st.popover("Join", icon=":material/qr_code_2:"):
            joining.draw_way_in(room.code)
        st.button(
            "Leave the presenter view" if st.session_state.get(PRESENTING) else "Presenter view", key="class_present",
            icon=":material/present_to_all:", shortcut="P", on_click=safely(_present),
        )  # fmt: skip
        with st.popover("End", icon=":material/stop_circle:"):
            st.markdown("Students see their results; you can still save them. Nobody can answer any more.")
            st.button("End the class", type="primary", key="class_end", on_click=safely(_end), args=(room, lesson))


def _draw_desk(room: Room, lesson: Lesson) -> None:
    """Draw what only the teacher sees: notes, who is there, and the results of what was shown."""
    notes = lesson.steps[room.step].notes or (lesson.notes if room.step == 0 else "")
    if notes:
        with st.expander("Notes for the teacher", icon=":material/speaker_notes:", expanded=True):
            st.markdown(notes)
    with st.expander("Who is here", icon=":material/group:", expanded=not room.students):
        if not room.students:
            joining.draw_way_in(room.code)
        answered = room.of_step()
        names = sorted((name, person in answered) for person, name in room.students.items())
        st.markdown(" · ".join(literal(name) + (" ✓" if done else "") for name, done in names) or "Nobody yet.")
    with st.expander("Results so far", icon=":material/table_chart:"):
        _draw_results(room, lesson)


def _draw_results(room: Room, lesson: Lesson) -> None:
    table = results.table(room, lesson)
    if table.empty:
        st.caption("Nothing was answered and shown yet.")
        return
    st.dataframe(table, hide_index=True, width="stretch")
    with st.container(horizontal=True):
        count = sum(len(room.of_step(place)) for place in range(room.step + 1))
        name = f"class-{room.code}-{count}"
        file_button("Results (CSV)", lambda: results.csv(room, lesson), f"{name}.csv", icon="download", key="class_csv")
        file_button(
            "One page (PDF)", lambda: results.pdf(room, lesson), f"{name}.pdf", icon="download", key="class_pdf"
        )


def _go(room: Room, lesson: Lesson, by: int) -> None:
    rooms().go(room.code, belongings.person(), by, len(lesson.steps))


def _show(room: Room, parts: int) -> None:
    rooms().show(room.code, belongings.person(), parts)


def _end(room: Room, lesson: Lesson) -> None:
    earlier.add(rooms().end(room.code, belongings.person()), lesson)


def _present() -> None:
    st.session_state[PRESENTING] = not st.session_state.get(PRESENTING)
