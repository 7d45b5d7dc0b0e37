"""What the class page draws: the way in, then the room as its teacher, a student, or somebody on their own."""

from __future__ import annotations

import streamlit as st

from dashboard.classroom import stage, student, teacher
from dashboard.classroom.following import rooms
from dashboard.classroom.joining import ROOM
from dashboard.classroom.lesson import Lesson
from dashboard.classroom.lessons import Lessons, load_lessons
from dashboard.classroom.rooms import LONGEST_NICKNAME, Room, RoomError
from dashboard.jobs import sentence
from dashboard.people.roles import permit
from dashboard.shared import belongings, style
from dashboard.shared.background import warning_when_not_allowed
from dashboard.shared.fragments import fragment
from dashboard.shared.style import literal
from dashboard.shared.unforeseen import safely

TITLE = "Class"
WHAT = (
    "Learn in a group what maps of a chest X-ray model show, and what they do not. A teacher opens a room; students "
    "join by its code, answer on their own phones, and see together what is right."
)
HERE = "class room"
"""Key of the session's state: the code of the room that this page shows."""


def draw() -> None:
    """Draw the room that the address or the session names, else the way in."""
    state = st.session_state
    code = st.query_params.get(ROOM, "")[:20] or state.get(HERE, "")
    lessons = load_lessons()
    room, words = _room(code, lessons)
    if room is None:
        style.heading(TITLE)
        stage.draw_styles()
        _draw_way_in(code, words, lessons)
        return
    state[HERE] = room.code
    st.query_params.from_dict({ROOM: room.code})
    lesson = lessons.found[room.lesson]
    if room.owner == belongings.person() and not room.alone:
        teacher.draw(room.code, lesson)
    else:
        style.heading(lesson.title)
        stage.draw_styles()
        fragment(student.draw)(room.code, lesson)
        fragment(student.watch, ticking=True)(room.code, lesson)
        st.button("Leave", type="tertiary", icon=":material/logout:", key="leave_class", on_click=safely(leave))


def leave() -> None:
    """Go back to the way in; what was answered stays in the room."""
    st.session_state.pop(HERE, None)
    st.query_params.clear()


def _room(code: str, lessons: Lessons) -> tuple[Room | None, str]:
    """The room of a code where this person is in it; else None, and why not in words, "" where they may join."""
    if not code:
        return None, ""
    try:
        room = rooms().get(code)
    except RoomError as error:
        st.session_state.pop(HERE, None)
        return None, str(error)
    if room.owner != belongings.person() and belongings.person() not in room.students:
        return None, "This class has ended." if room.ended else ""
    if room.lesson not in lessons.found:
        return None, "The lesson of this room is no longer on this server. Ask the teacher."
    return room, ""


def _draw_way_in(code: str, words: str, lessons: Lessons) -> None:
    st.markdown(WHAT)
    if words:
        st.warning(literal(words), icon=":material/meeting_room:")
    st.subheader("Join a class", anchor=False)
    with st.form("join", border=False, width=420):
        given = st.text_input("Code", value=code, max_chars=12, key="class_code", placeholder="six letters")
        name = st.text_input(
            "Nickname",
            max_chars=LONGEST_NICKNAME,
            key="class_nickname",
            help="The class sees it.",
        )
        if st.form_submit_button("Join", type="primary", icon=":material/login:", width="stretch"):
            _join(given, name)
    _draw_own_rooms(lessons)
    st.subheader("Teach, or learn on your own", anchor=False)
    for wrong in lessons.wrong:
        st.warning(literal(wrong), icon=":material/error:")
    with st.grid(3, min_column_width=300, gap="small"):
        for lesson in lessons.found.values():
            _draw_lesson(lesson)


def _join(code: str, name: str) -> None:
    try:
        room = rooms().join(code, belongings.person(), name)
    except RoomError as error:
        st.error(literal(sentence(error)), icon=":material/error:")
        return
    _enter(room)


def _enter(room: Room) -> None:
    st.session_state[HERE] = room.code
    st.query_params.from_dict({ROOM: room.code})
    st.rerun()


def _draw_own_rooms(lessons: Lessons) -> None:
    """Draw a button for each room that this person opened and did not end."""
    own = [room for room in rooms().of(belongings.person()) if room.lesson in lessons.found and not room.ended]
    for room in own:
        title = lessons.found[room.lesson].title
        label = f"Go on alone: {title}" if room.alone else f"Back to your class {room.code}: {title}"
        if st.button(label, icon=":material/meeting_room:", key=f"back {room.code}"):
            _enter(room)


def _draw_lesson(lesson: Lesson) -> None:
    with st.container(border=True):
        st.markdown(f"**{lesson.title}**  \n{lesson.summary}")
        st.caption(f"About {lesson.minutes} minutes · {len(lesson.steps)} steps")
        with st.container(horizontal=True):
            if st.button("Open a room", icon=":material/school:", key=f"teach {lesson.name}"):
                _open(lesson, alone=False)
            if st.button("On my own", icon=":material/person:", key=f"alone {lesson.name}"):
                _open(lesson, alone=True)


def _open(lesson: Lesson, alone: bool) -> None:
    try:
        with warning_when_not_allowed():
            permit("teach", lesson.name)
            _enter(rooms().open(belongings.person(), lesson.name, alone=alone))
    except RoomError as error:
        st.error(sentence(error), icon=":material/error:")
