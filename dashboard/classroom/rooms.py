"""Rooms: who is in one, where its lesson stands, and what was answered; in memory, and on disk through a restart."""

from __future__ import annotations

import contextlib
import json
import logging
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from radiographs.files import read_json, write_text

LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
"""Of codes: no vowels, so that no code is a word, and none that looks like a digit."""
CODE_LENGTH = 6
LASTS_SECONDS = 24 * 3600
MOST_ROOMS, MOST_OF_ONE, MOST_STUDENTS = 60, 3, 120
LONGEST_NICKNAME = 24
_log = logging.getLogger(__name__)


class RoomError(ValueError):
    """Something cannot be done in a room. The message says why and what to do."""


@dataclass(frozen=True)
class Reply:
    """What one student answered to one step: a choice by its place, or a mark on the film.

    Attributes:
        choice: place among the choices, None for a mark.
        mark: left, top, right, bottom as shares of the film, 0 to 1; a point where both ends are the same.
    """

    choice: int | None = None
    mark: tuple[float, float, float, float] | None = None

    @classmethod
    def checked(cls, given: Any) -> Reply:
        """A reply from JSON or a browser.

        Raises:
            ValueError: it is none.
        """
        choice, mark = (given.get(key) if isinstance(given, dict) else None for key in ("choice", "mark"))
        if isinstance(choice, int) and not isinstance(choice, bool) and 0 <= choice < 100 and mark is None:
            return cls(choice=choice)
        numbers = [float(v) for v in mark if _is_share(v)] if isinstance(mark, list | tuple) else []
        if choice is None and isinstance(mark, list | tuple) and len(mark) == len(numbers) == 4:
            left, top, right, bottom = numbers
            return cls(mark=(min(left, right), min(top, bottom), max(left, right), max(top, bottom)))
        raise ValueError("no choice and no mark on the film")


@dataclass
class Room:
    """One class and its lesson, or one person on their own.

    Attributes:
        code: six letters. owner: the teacher, by the name of :func:`dashboard.shared.belongings.person`.
        lesson: its name. opened: seconds since 1970. alone: whether the owner learns on their own.
        step: where the lesson stands. shown: how many parts of the step's answer are shown.
        ended: whether the teacher ended it. students: nicknames by person.
        replies: by step and person.
    """

    code: str
    owner: str
    lesson: str
    opened: float
    alone: bool = False
    step: int = 0
    shown: int = 0
    ended: bool = False
    students: dict[str, str] = field(default_factory=dict)
    replies: dict[int, dict[str, Reply]] = field(default_factory=dict)

    def of_step(self, step: int | None = None) -> dict[str, Reply]:
        """What was answered to a step, by default the one on the screen, by person."""
        return dict(self.replies.get(self.step if step is None else step, {}))

    @property
    def stands_at(self) -> tuple[int, int, bool]:
        """What everybody follows: step, parts shown, whether it ended."""
        return self.step, self.shown, self.ended


class Rooms:
    """All rooms of a server.

    Args:
        folder: where they lie, a file each. changed: told the code of a room in which something changed, and whether
            its lesson moved, from whichever thread did so. now: seconds since 1970.
    """

    def __init__(
        self,
        folder: Path,
        changed: Callable[[str, bool], None] = lambda code, moved: None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._folder, self._changed, self._now = folder, changed, now
        self._lock = threading.RLock()
        self._rooms = {room.code: room for path in sorted(folder.glob("*.json")) if (room := _stored(path)) is not None}

    def open(self, owner: str, lesson: str, *, alone: bool = False) -> Room:
        """Open a room.

        Raises:
            RoomError: there are too many, of this teacher or in all; or it cannot be written.
        """
        with self._lock:
            self._sweep()
            own = [room for room in self._rooms.values() if room.owner == owner and not room.ended]
            if len(own) >= MOST_OF_ONE:
                raise RoomError(f"You have {MOST_OF_ONE} open rooms. End one of them, then open another.")
            if len(self._rooms) >= MOST_ROOMS:
                raise RoomError("Too many rooms are open on this server. Try again when a class has ended.")
            code = next(c for c in iter(_code, "") if c not in self._rooms)
            room = Room(code, owner, lesson, self._now(), alone)
            if alone:
                room.students[owner] = "You"
            self._rooms[code] = room
            self._write(room)
            return room

    def get(self, code: str) -> Room:
        """The room of a code, written in whatever way.

        Raises:
            RoomError: there is none (any more).
        """
        with self._lock:
            self._sweep()
            room = self._rooms.get(re.sub(r"[^A-Z]", "", code.upper()))
            if room is None:
                raise RoomError("There is no room of this code. Check the six letters; a room ends after a day.")
            return room

    def of(self, owner: str) -> list[Room]:
        """A teacher's rooms, the newest first."""
        with self._lock:
            self._sweep()
            return sorted((r for r in self._rooms.values() if r.owner == owner), key=lambda room: -room.opened)

    def join(self, code: str, person: str, nickname: str) -> Room:
        """Let a student in under a nickname; who is in already gets the new one.

        Raises:
            RoomError: there is no such room, it has ended or is full, or the nickname is taken or is none.
        """
        name = " ".join("".join(c for c in nickname if c.isprintable()).split())[:LONGEST_NICKNAME]
        if not name:
            raise RoomError("Write a nickname; it need not be your name.")
        with self._changing(code) as room:
            if room.alone:
                raise RoomError("There is no room of this code. Check the six letters.")
            if room.ended:
                raise RoomError("This class has ended.")
            if name.casefold() in {n.casefold() for p, n in room.students.items() if p != person}:
                raise RoomError(f"Somebody is called {name} already. Choose another nickname.")
            if person not in room.students and len(room.students) >= MOST_STUDENTS:
                raise RoomError(f"The room is full ({MOST_STUDENTS} students). Watch on somebody else's screen.")
            room.students[person] = name
            return room

    def reply(self, code: str, person: str, step: int, reply: Reply) -> None:
        """Take what a student answers to the step on the screen; a later answer replaces an earlier one.

        Raises:
            RoomError: they are not in the room, or the step is over.
        """
        with self._changing(code) as room:
            if person not in room.students:
                raise RoomError("You are not in this room. Join it by its code first.")
            if (step, 0, False) != room.stands_at:
                raise RoomError("This question is over; your answer came too late.")
            room.replies.setdefault(step, {})[person] = reply

    def go(self, code: str, person: str, by: int, steps: int) -> None:
        """Have the teacher go on to the next step (1) or back to the one before (-1) of so many.

        Raises:
            RoomError: somebody else wants to.
        """
        with self._driving(code, person) as room:
            step = min(max(room.step + by, 0), steps - 1)
            if step != room.step:
                # An answer that was seen stays seen: nobody answers again after the reveal.
                room.step, room.shown = step, 0 if step not in room.replies else 1

    def show(self, code: str, person: str, parts: int) -> None:
        """Have the teacher show so many parts of the step's answer.

        Raises:
            RoomError: somebody else wants to.
        """
        with self._driving(code, person) as room:
            room.shown = max(room.shown, parts)

    def end(self, code: str, person: str) -> Room:
        """Have the teacher end the room; what was answered can be read until a day has passed.

        Raises:
            RoomError: somebody else wants to.
        """
        with self._driving(code, person) as room:
            room.ended = True
            return room

    @contextlib.contextmanager
    def _driving(self, code: str, person: str) -> Iterator[Room]:
        with self._changing(code) as room:
            if room.owner != person:
                raise RoomError("Only the teacher who opened this room may do that.")
            if room.ended:
                raise RoomError("This class has ended.")
            yield room

    @contextlib.contextmanager
    def _changing(self, code: str) -> Iterator[Room]:
        with self._lock:
            room = self.get(code)
            before = room.stands_at
            yield room
            moved = room.stands_at != before
            self._write(room)
        self._changed(room.code, moved)

    def _sweep(self) -> None:
        for code in [c for c, room in self._rooms.items() if self._now() - room.opened > LASTS_SECONDS]:
            del self._rooms[code]
            self._path(code).unlink(missing_ok=True)

    def _path(self, code: str) -> Path:
        return self._folder / f"{code}.json"

    def _write(self, room: Room) -> None:
        try:
            write_text(self._path(room.code), json.dumps(asdict(room)))
        except OSError as error:
            # The class goes on from memory; only a restart of the server would lose this.
            _log.error("a room cannot be written: %s", error.strerror)


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _code() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))


def _stored(path: Path) -> Room | None:
    """A room from its file; None, and a line in the log, where the file is damaged."""
    try:
        given = read_json(path)
        replies = {
            int(step): {str(person): Reply.checked(one) for person, one in by.items()}
            for step, by in given.pop("replies").items()
        }
        room = Room(replies=replies, **given)
        kinds = {
            str: (room.owner, room.lesson, *room.students.values()),
            int: (room.step, room.shown),
            float: (room.opened,),
        }
        sound = all(isinstance(value, kind) for kind, values in kinds.items() for value in values)
        if not sound or room.code != path.stem:
            raise ValueError("values that make no sense")
        return room
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        _log.warning("a room's file cannot be read: %s", type(error).__name__)
        return None
