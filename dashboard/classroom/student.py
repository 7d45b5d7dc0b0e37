"""The page of a student, in a class or alone: the question, their answer, and what is right once it is shown."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from dashboard.classroom import earlier, results, stage
from dashboard.classroom.exhibit import Exhibit, parts_of
from dashboard.classroom.following import follow, rooms
from dashboard.classroom.lesson import Lesson, LessonStep
from dashboard.classroom.marking import marked
from dashboard.classroom.preparing import exhibit_of
from dashboard.classroom.rooms import Reply, Room, RoomError
from dashboard.jobs import sentence
from dashboard.shared import belongings
from dashboard.shared.style import literal
from dashboard.shared.unforeseen import safely

DRAWN = "class drawn"
"""Key of the session's state: what of the room the page showed last."""


def draw(code: str, lesson: Lesson) -> None:
    """Draw the room as this student sees it, and follow it from now on."""
    follow(code, teaches=False)
    me = belongings.person()
    try:
        room = rooms().get(code)
    except RoomError as error:
        st.warning(sentence(error), icon=":material/meeting_room:")
        return
    seen = _seen(room, lesson)
    if room.ended:
        _draw_end(room, lesson, me)
    else:
        _draw_step(room, lesson, me)
    # Only now: a page that was broken off while it was drawn has to be drawn again.
    st.session_state[DRAWN] = seen


def _draw_step(room: Room, lesson: Lesson, me: str) -> None:
    step = lesson.steps[room.step]
    who = "On your own" if room.alone else f"{literal(room.students.get(me, ''))} in class {room.code}"
    st.caption(f"{who} · step {room.step + 1} of {len(lesson.steps)}")
    with st.container(key="class_stage"):
        exhibit = stage.draw_step(room, lesson)
        if exhibit is not None and step.asks and room.shown == 0:
            _draw_question(room, step, exhibit, me)
        elif exhibit is not None and step.asks:
            before = earlier.in_words(lesson, room.step, exhibit) if room.alone else ""
            stage.draw_answer(room, step, exhibit, room.of_step().get(me), before)
        if exhibit is not None and step.kind == "shortcut":
            _draw_link(exhibit)
    if room.alone:
        _draw_own_controls(room, lesson, me)


def watch(code: str, lesson: Lesson) -> None:
    """Draw the page again where its room moved, or its pictures came, unseen."""
    try:
        now = _seen(rooms().get(code), lesson)
    except RoomError:
        now = None
    if st.session_state.get(DRAWN) != now:
        st.rerun()


def _seen(room: Room, lesson: Lesson) -> tuple[object, ...]:
    return (*room.stands_at, exhibit_of(lesson, room.step).state)


def _draw_question(room: Room, step: LessonStep, exhibit: Exhibit, me: str) -> None:
    mine = room.of_step().get(me)
    if step.marks:
        if exhibit.film is None:
            return
        given = marked(f"mark {room.code} {room.step}", exhibit.film, step.question, mine)
        if given is not None and given != mine:
            _reply(room, me, given)
            mine = given
        st.caption("Tap the place, or draw a box round it. You can change it until the teacher shows the answer.")
    else:
        for place, choice in enumerate(exhibit.choices):
            chosen = mine is not None and mine.choice == place
            st.button(
                choice, key=f"choose {room.code} {room.step} {place}", width="stretch",
                type="primary" if chosen else "secondary", icon=":material/check:" if chosen else None,
                on_click=safely(_reply), args=(room, me, Reply(choice=place)),
            )  # fmt: skip
    if mine is not None and not room.alone:
        st.caption("Your answer has arrived. Wait for the teacher.")


def _reply(room: Room, me: str, reply: Reply) -> None:
    try:
        rooms().reply(room.code, me, room.step, reply)
    except RoomError as error:
        st.toast(sentence(error), icon=":material/error:")


def _draw_link(exhibit: Exhibit) -> None:
    """Draw the way to the Compare page with the film and the model of the step."""
    about = exhibit.subject
    query = {key: about[key] for key in ("film", "model", "finding") if about.get(key)}
    st.link_button(
        "Look for yourself on the Compare page", f"./?{urlencode(query | {'run': '1'})}", icon=":material/open_in_new:"
    )


def _draw_own_controls(room: Room, lesson: Lesson, me: str) -> None:
    step = lesson.steps[room.step]
    parts, last = parts_of(step.kind), room.step + 1 == len(lesson.steps)
    with st.container(horizontal=True):
        if room.step:
            st.button(
                "Back", icon=":material/arrow_back:", key="alone_back", on_click=safely(_go), args=(room, lesson, -1)
            )
        if room.shown < parts:
            st.button(
                "Show what is right", type="primary", icon=":material/visibility:", key="alone_show",
                on_click=safely(rooms().show), args=(room.code, me, parts),
            )  # fmt: skip
        elif last:
            st.button(
                "Finish", type="primary", icon=":material/flag:", key="alone_end", on_click=safely(_end), args=(room,)
            )
        else:
            st.button(
                "Next", type="primary", icon=":material/arrow_forward:", key="alone_next",
                on_click=safely(_go), args=(room, lesson, 1),
            )  # fmt: skip


def _go(room: Room, lesson: Lesson, by: int) -> None:
    rooms().go(room.code, room.owner, by, len(lesson.steps))


def _end(room: Room) -> None:
    rooms().end(room.code, room.owner)


def _draw_end(room: Room, lesson: Lesson, me: str) -> None:
    """Draw how this student did, once the class has ended."""
    st.subheader("The lesson is over" if room.alone else "The class has ended", anchor=False)
    right, judged = results.of_student(room, lesson, me)
    if judged:
        st.markdown(f"You were right on **{right} of {judged}** questions that have a right answer.")
    st.markdown("Thank you for taking part. What you learnt here you can try on any film of this program.")
