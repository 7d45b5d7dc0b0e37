"""How far a run is: what it says of itself while it goes on, and how others read it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from radiographs.files import read_json

State = Literal["starting", "running", "done", "stopped", "failed"]
_COUNTS = ("films", "done", "before", "failures", "workers")
_AMOUNTS = (*_COUNTS, "seconds", "per_minute", "left", "beat")
_MOST = 1e12
"""No film count and no second since 1970 comes near."""


@dataclass(frozen=True)
class RunProgress:
    """How far a run is.

    Attributes:
        state: what it does. films: work items (a film under a classifier) in all; done: of those, finished;
            before: of those, finished by an earlier run. failures: scores that could not be had, in this run.
        seconds: since it began. per_minute: films. left: seconds it will take still; None where unknown.
        workers: how many work. error: why it failed. beat: when this was said, in seconds since 1970.
    """

    state: State
    films: int = 0
    done: int = 0
    before: int = 0
    failures: int = 0
    seconds: float = 0.0
    per_minute: float = 0.0
    left: float | None = None
    workers: int = 0
    error: str = ""
    beat: float = 0.0

    @property
    def share(self) -> float:
        """Share of its films that are done, 0 to 1."""
        return min(self.done / max(self.films, 1), 1.0)


def read_progress(path: Path) -> RunProgress | None:
    """What a run last said of itself in a file that another version of the program may have written.

    Returns:
        What it said, a field that is missing or no such number as where nothing is known; None where the file is
        missing or no such file.
    """
    try:
        found = read_json(path)
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict) or found.get("state") not in get_args(State):
        return None
    numbers = {name: found[name] for name in _AMOUNTS if _is_amount(found.get(name), whole=name in _COUNTS)}
    error = found.get("error")
    return RunProgress(state=found["state"], error=error if isinstance(error, str) else "", **numbers)


def unfinished_words(said: RunProgress | None) -> str:
    """A sentence where a run is not done yet; "" where it is, or said nothing."""
    if said is None or said.state == "done":
        return ""
    return f"This run is not finished: {said.done} of {said.films or '?'} films are scored."


def _is_amount(value: object, *, whole: bool) -> bool:
    return type(value) in ((int,) if whole else (int, float)) and 0 <= value < _MOST  # type: ignore[operator]
