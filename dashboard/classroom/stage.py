"""One step as everybody sees it: the question and its pictures, then what the class said, then what is right."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

import streamlit as st

from dashboard.classroom import tally
from dashboard.classroom.exhibit import METRICS, ClassPicture, Exhibit, ScoredRow, parts_of
from dashboard.classroom.lesson import Lesson, LessonStep
from dashboard.classroom.preparing import exhibit_of
from dashboard.classroom.rooms import Reply, Room
from dashboard.shared.background import draw_progress
from dashboard.shared.style import literal
from evaluation.html_pages import number
from evaluation.markdown import markdown_table

CSS = """
.st-key-class_stage img { width: 100%; max-height: 62vh; object-fit: contain; object-position: left; }
.st-key-class_many img { max-height: 22vh; }
.class-votes { display: grid; grid-template-columns: fit-content(55%) 1fr max-content; gap: .5rem .9rem;
  align-items: center; max-width: 60rem; }
.class-votes .bar { height: 1.1em; border-radius: 3px; background: light-dark(#8a9aa5, #5c6870); }
.class-votes .right { background: light-dark(#12805c, #35c08f); }
.class-votes b { font-weight: 650; }
.class-choices { display: flex; flex-wrap: wrap; gap: .3rem 2.5rem; margin: 0; padding-left: 1.2em; }
.class-choices li { margin: 0; }
"""
PRESENTING_CSS = """
[data-testid=stHeader], [data-testid=stSidebar] { display: none; }
[data-testid=stMainBlockContainer] { padding: 1.5rem 3rem 5rem; max-width: none; }
[data-testid=stMainBlockContainer] :is(p, li, td, th, .class-votes) { font-size: 1.55rem; line-height: 1.4; }
[data-testid=stMainBlockContainer] h2 { font-size: 2.6rem; }
[data-testid=stMainBlockContainer] h3 { font-size: 2.1rem; }
[data-testid=stMainBlockContainer] [data-testid=stCaptionContainer] p { font-size: 1.2rem; }
.st-key-class_controls { position: fixed; inset: auto 0 0; z-index: 10; padding: .6rem 3rem;
  background: light-dark(#ffffff, #0d1114); }
.st-key-class_controls p { font-size: 1rem !important; }
"""


def draw_styles(presenting: bool = False) -> None:
    """Give the page the look of a class; large, with nothing around it, where it is on a projector."""
    st.html(f"<style>{CSS}{PRESENTING_CSS if presenting else ''}</style>")


def draw_step(room: Room, lesson: Lesson) -> Exhibit | None:
    """Draw the step on the screen up to its question; its exhibit, None where that is not there yet."""
    step = lesson.steps[room.step]
    st.subheader(step.title, anchor=False)
    if step.text:
        st.markdown(step.text)
    status = exhibit_of(lesson, room.step)
    if status.pending:
        draw_progress("Preparing the pictures", status)
        return None
    if status.state != "done":
        st.error(status.error or "The pictures could not be made. Load the page again.", icon=":material/error:")
        return None
    exhibit: Exhibit = status.result
    for doubt in exhibit.doubts:
        st.caption(f":material/warning: {doubt}")
    again = sum(map(len, exhibit.after[: max(room.shown - 1, 0)]))
    if not again and (room.shown == 0 or not step.marks):
        draw_pictures(exhibit.before)
    if step.asks and room.shown == 0:
        st.markdown(f"**{step.question}**")
    return exhibit


def draw_answer(room: Room, step: LessonStep, exhibit: Exhibit, mine: Reply | None = None, earlier: str = "") -> None:
    """Draw the parts of a step's answer that are shown: what the class said, then what is right.

    Args:
        mine: this student's own reply. earlier: what earlier classes said, in words.
    """
    replies = list(room.of_step().values())
    truth = room.shown >= 2 or parts_of(step.kind) < 2
    if step.marks:
        _draw_marks(room, exhibit, replies)
    else:
        st.markdown(f"**{step.question}**")
        draw_votes(exhibit, replies, truth, mine)
    if not truth:
        return
    said = tally.share_right(replies, exhibit)
    if said[1] and not room.alone:
        st.markdown(f"**{said[0]} of {said[1]} right.**")
    _draw_own(exhibit, mine)
    if earlier:
        st.markdown(earlier)
    if not step.marks:
        draw_pictures(sum(exhibit.after[: room.shown - 1], ()))
    if room.shown >= parts_of(step.kind):
        draw_scores(tally.scored(tuple(replies), exhibit))
        for words in (exhibit.words, step.reveal):
            if words:
                st.markdown(words)


def _draw_marks(room: Room, exhibit: Exhibit, replies: list[Reply]) -> None:
    """Draw everybody's marks over the film, from the second part on with the outline and further pictures."""
    if not any(reply.mark is not None for reply in replies):
        st.caption("Nobody marked a place.")
    outlined = room.shown >= 2
    title = "What you marked" if room.alone else "What the class marked"
    words = f"Green: {exhibit.target_words}" if outlined and exhibit.target is not None else ""
    marked = ClassPicture(title, tally.heat_picture(tuple(replies), exhibit, outlined), words)
    draw_pictures((marked, *sum(exhibit.after[: max(room.shown - 1, 0)], ())))


def _draw_own(exhibit: Exhibit, mine: Reply | None) -> None:
    right = tally.is_right(mine, exhibit) if mine is not None else None
    if right is None:
        return
    if mine is not None and mine.mark is not None:
        words = f"Your mark lies {'in' if right else 'outside'} {exhibit.target_words}."
    else:
        words = "Your answer is right." if right else "Your answer is not the right one."
    (st.success if right else st.info)(words, icon=":material/check_circle:" if right else ":material/arrow_forward:")


def draw_pictures(pictures: Sequence[ClassPicture]) -> None:
    """Draw pictures side by side, as many in a row as there is room for."""
    if not pictures:
        return
    across = len(pictures) if len(pictures) <= 5 else 4
    with (
        st.container(key="class_many" if len(pictures) > 5 else None),
        st.grid(across, min_column_width=160 if len(pictures) > 5 else 240, gap="small"),
    ):
        for picture in pictures:
            with st.container():
                if picture.title:
                    st.markdown(f"**{literal(picture.title)}**")
                st.image(picture.image, width="stretch", alt=f"{picture.title}. {picture.words}")
                if picture.words:
                    st.caption(literal(picture.words))


def draw_choices(exhibit: Exhibit) -> None:
    """List what can be chosen, before anything of the answers is shown."""
    st.html(
        f'<ul class="class-choices">{"".join(f"<li>{html.escape(choice)}</li>" for choice in exhibit.choices)}</ul>'
    )


def draw_votes(exhibit: Exhibit, replies: Sequence[Reply], truth: bool, mine: Reply | None = None) -> None:
    """Draw how often each choice was taken, and which is right where that is shown."""
    votes = tally.counts(replies, len(exhibit.choices))
    most = max(*votes, 1)
    rows = []
    for place, (choice, count) in enumerate(zip(exhibit.choices, votes)):
        right = truth and place in exhibit.right
        words = html.escape(choice) + (" ✓" if right else "")
        words += " <small>(yours)</small>" if mine is not None and mine.choice == place else ""
        bar = f'<div class="bar{" right" if right else ""}" style="width: {100 * count / most:.0f}%"></div>'
        rows.append(f"<span>{f'<b>{words}</b>' if right else words}</span>{bar}<span>{count}</span>")
    st.html(f'<div class="class-votes" role="list">{"".join(rows)}</div>')


def draw_scores(rows: Sequence[ScoredRow]) -> None:
    """Draw the scores as a table: the class, the methods, the expert, chance."""
    if not rows:
        return
    if "alike" in rows[0].values:
        alike = ([literal(row.who), number(row.values["alike"])] for row in rows)
        st.markdown(markdown_table(["Method", "How alike the map stays (1: the same)"], alike))
        return
    cells = ([literal(row.who), *(number(row.values.get(name, math.nan)) for name in METRICS)] for row in rows)
    st.markdown(markdown_table(["", *METRICS.values()], cells))
    st.caption(
        "Peak inside: 1 where the strongest place lies in the outline. Share inside: how much of all that is marked "
        "lies in it. Overlap: of the strongest places, as many as the outline has, with the outline. 1 is best."
    )
