"""Where lessons lie: the project's, those of the home folder, and those of a folder named at the start."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from dashboard.classroom.lesson import Lesson, LessonError, read_lesson
from radiographs.places import asset, home_folder

LESSONS_VARIABLE = "XAI_LIGHTBOX_LESSONS"
"""Environment variable: a folder with further lessons; ``lightbox run-dashboard --lessons`` sets it."""


@dataclass(frozen=True)
class Lessons:
    """Lessons by name, in order; and a sentence for each that cannot be used."""

    found: dict[str, Lesson]
    wrong: tuple[str, ...] = ()


def folders() -> list[Path]:
    """Where lessons may lie; a folder of each lesson's own in there."""
    given = os.environ.get(LESSONS_VARIABLE)
    return [asset("lessons"), home_folder() / "lessons", *([Path(given).expanduser()] if given else [])]


def load_lessons() -> Lessons:
    """Read all lessons anew, so that a teacher sees what they just wrote."""
    found: dict[str, Lesson] = {}
    wrong: list[str] = []
    for place in (one for folder in folders() if folder.is_dir() for one in sorted(folder.iterdir()) if one.is_dir()):
        try:
            lesson = read_lesson(place)
        except LessonError as error:
            wrong.append(str(error))
            continue
        if lesson.name in found:
            wrong.append(f"{place} has the name of another lesson. Give its folder a name of its own.")
            continue
        found[lesson.name] = lesson
    return Lessons(dict(sorted(found.items(), key=lambda one: (one[1].order, one[0]))), tuple(wrong))
