"""What earlier classes said of a lesson, without names: beside the own answer of whoever learns alone."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path
from typing import Any

from dashboard.classroom import tally
from dashboard.classroom.exhibit import Exhibit
from dashboard.classroom.lesson import Lesson
from dashboard.classroom.preparing import ready
from dashboard.classroom.results import shown_steps
from dashboard.classroom.rooms import Room
from radiographs.files import read_json, write_text
from radiographs.places import home_folder

_log = logging.getLogger(__name__)
_lock = threading.Lock()


def add(room: Room, lesson: Lesson) -> None:
    """Add what a class that ended said of each step to what earlier classes said: counts, nobody's name or answer."""
    with _lock:
        found = _stored(lesson)
        for place in shown_steps(room, lesson):
            exhibit = ready(lesson, place)
            if exhibit is None:
                continue
            right, judged = tally.share_right(room.of_step(place).values(), exhibit)
            before = found.get(_key(place, exhibit), {})
            found[_key(place, exhibit)] = {
                "right": before.get("right", 0) + right,
                "judged": before.get("judged", 0) + judged,
                "classes": before.get("classes", 0) + 1,
            }
        try:
            write_text(_path(lesson), json.dumps({"digest": lesson.digest, "steps": found}))
        except OSError as error:
            _log.error("the results of a class cannot be written: %s", error.strerror)


def in_words(lesson: Lesson, place: int, exhibit: Exhibit) -> str:
    """How many were right in earlier classes, in a sentence; "" where no class answered this step yet."""
    with _lock:
        found = _stored(lesson).get(_key(place, exhibit), {})
    if not found.get("judged"):
        return ""
    classes = "an earlier class" if found["classes"] == 1 else f"{found['classes']} earlier classes"
    return f"In {classes}, {found['right']} of {found['judged']} students were right."


def _key(place: int, exhibit: Exhibit) -> str:
    return f"{place} {exhibit.subject.get('film', '')}"


def _path(lesson: Lesson) -> Path:
    return home_folder() / "lesson-results" / f"{lesson.name}.json"


def _stored(lesson: Lesson) -> dict[str, dict[str, Any]]:
    """What was written of the lesson as it is; of an earlier version, or a damaged file, nothing."""
    try:
        content = read_json(_path(lesson))
        steps = content["steps"] if content["digest"] == lesson.digest else {}
        return {key: {name: int(one[name]) for name in ("right", "judged", "classes")} for key, one in steps.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
