"""The rooms of this server, and whose page follows which: a page is drawn again when its room moves."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dashboard.classroom.rooms import Rooms
from dashboard.people import identity
from dashboard.shared.drawing_again import drawing_again
from radiographs.places import home_folder


@dataclass(frozen=True)
class _Follower:
    draw_again: Callable[[], bool]
    teaches: bool


_lock = threading.Lock()
_followers: dict[str, dict[str, _Follower]] = {}
"""By room's code and session."""


def rooms() -> Rooms:
    """The rooms of this server."""
    return _rooms(home_folder() / "classes")


@cache
def _rooms(folder: Path) -> Rooms:
    return Rooms(folder, changed)


def follow(code: str, teaches: bool) -> None:
    """Have the fragment that is being drawn drawn again when the room changes, and for no other room any more.

    Args:
        code: of the room. teaches: whether it is drawn again also when somebody joins or answers.
    """
    session, follower = identity.session(), _Follower(drawing_again(fragment=True), teaches)
    with _lock:
        for followers in _followers.values():
            followers.pop(session, None)
        _followers.setdefault(code, {})[session] = follower


def changed(code: str, moved: bool) -> None:
    """Draw the pages again that follow a room, and forget those that were closed.

    Args:
        code: of the room. moved: whether its lesson moved; else only the teacher's pages are drawn again.
    """
    with _lock:
        followers = {s: one for s, one in _followers.get(code, {}).items() if moved or one.teaches}
    me = identity.session()
    closed = [session for session, one in followers.items() if session != me and not one.draw_again()]
    with _lock:
        for session in closed:
            _followers.get(code, {}).pop(session, None)
