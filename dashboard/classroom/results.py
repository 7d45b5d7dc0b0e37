"""What a class answered, of the steps whose answer was shown: a table, CSV, and one page for the wall."""

from __future__ import annotations

import io
import math
from datetime import UTC, datetime

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from dashboard import NOTICE
from dashboard.classroom import tally
from dashboard.classroom.exhibit import Exhibit
from dashboard.classroom.lesson import Lesson
from dashboard.classroom.preparing import ready
from dashboard.classroom.rooms import Reply, Room
from evaluation.csv_table import csv_text

A4 = (8.27, 11.69)
GREY, GREEN = "#8a9aa5", "#12805c"
MOST_FILMS = 3
"""Films with everybody's marks on the page."""
COLUMNS = ("student", "step", "question", "answer", "right")


def shown_steps(room: Room, lesson: Lesson) -> list[int]:
    """Places of the steps whose answers everybody may see: those before the one on the screen, and it once shown."""
    last = room.step + 1 if room.shown or room.ended else room.step
    return [place for place, step in enumerate(lesson.steps[:last]) if step.asks and room.of_step(place)]


def table(room: Room, lesson: Lesson) -> pd.DataFrame:
    """A row for each student and step that was shown, by nickname; ``right`` is None where no answer is right."""
    rows = []
    for place in shown_steps(room, lesson):
        exhibit = ready(lesson, place)
        for person, reply in room.of_step(place).items():
            right = None if exhibit is None else tally.is_right(reply, exhibit)
            name = room.students.get(person, "")
            rows.append((name, place + 1, lesson.steps[place].question, _in_words(reply, exhibit), right))
    return pd.DataFrame(rows, columns=list(COLUMNS)).sort_values(["step", "student"], kind="stable")


def csv(room: Room, lesson: Lesson) -> str:
    """The table as CSV; marks as left, top, right, bottom in shares of the film."""
    found = table(room, lesson)
    return csv_text(found.assign(right=found["right"].map({True: "yes", False: "no"}).fillna("")))


def of_student(room: Room, lesson: Lesson, person: str) -> tuple[int, int]:
    """How many of a student's answers are right, and of how many that can be judged."""
    right, judged = 0, 0
    for place in shown_steps(room, lesson):
        exhibit, reply = ready(lesson, place), room.of_step(place).get(person)
        found = tally.is_right(reply, exhibit) if exhibit is not None and reply is not None else None
        right, judged = right + (found is True), judged + (found is not None)
    return right, judged


def pdf(room: Room, lesson: Lesson) -> bytes:
    """One page: each question with the share that was right, and everybody's marks on the films."""
    figure = Figure(figsize=A4, facecolor="white")
    day = datetime.fromtimestamp(room.opened, UTC).strftime("%d %B %Y")
    _write(figure, 0.955, lesson.title, fontsize=18, fontweight="bold")
    _write(figure, 0.93, f"{len(room.students)} students, {day}", fontsize=11, color=GREY)
    steps = [(place, ready(lesson, place)) for place in shown_steps(room, lesson)]
    marked = [(place, one) for place, one in steps if one is not None and one.film is not None][:MOST_FILMS]
    bottom = 0.34 if marked else 0.06
    _draw_bars(figure, room, lesson, steps, bottom)
    for column, (place, exhibit) in enumerate(marked):
        axes = figure.add_axes((0.06 + 0.31 * column, 0.06, 0.28, 0.24))
        picture = tally.heat_picture(tuple(room.of_step(place).values()), exhibit, outline=True)
        axes.imshow(np.asarray(Image.open(io.BytesIO(picture))))
        axes.set_axis_off()
        axes.set_title(f"Step {place + 1}: what the class marked", fontsize=9, parse_math=False)
    _write(figure, 0.03, NOTICE, fontsize=8, color=GREY)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="pdf", metadata={"Title": lesson.title, "Creator": "XAI Lightbox"})
    return buffer.getvalue()


def _draw_bars(
    figure: Figure, room: Room, lesson: Lesson, steps: list[tuple[int, Exhibit | None]], bottom: float
) -> None:
    axes = figure.add_axes((0.06, bottom, 0.88, 0.90 - bottom))
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(max(len(steps), 6) - 0.5, -0.5)
    for row, (place, exhibit) in enumerate(steps):
        replies = list(room.of_step(place).values())
        right, judged = (0, 0) if exhibit is None else tally.share_right(replies, exhibit)
        share = right / judged if judged else math.nan
        axes.text(0, row - 0.22, f"{place + 1}. {lesson.steps[place].question}"[:105], fontsize=9, parse_math=False)
        axes.barh(row + 0.12, 0.75, height=0.22, color="#e4e9ec")
        if judged:
            axes.barh(row + 0.12, 0.75 * share, height=0.22, color=GREEN)
        words = f"{right} of {judged} right" if judged else f"{len(replies)} answers, none is the right one"
        axes.text(0.77, row + 0.12, words, fontsize=9, va="center", parse_math=False)


def _write(figure: Figure, height: float, words: str, **style: object) -> None:
    figure.text(0.06, height, words, parse_math=False, **style)  # type: ignore[arg-type]


def _in_words(reply: Reply, exhibit: Exhibit | None) -> str:
    if reply.mark is not None:
        return ", ".join(f"{value:.3f}" for value in reply.mark)
    known = exhibit.choices if exhibit is not None else ()
    place = reply.choice or 0
    return known[place] if place < len(known) else f"choice {place + 1}"
