"""What is known of a piece of work, as it is shown to people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

State = Literal["queued", "running", "done", "failed", "cancelled"]


@dataclass(frozen=True)
class Status:
    """What is known of a piece of work at one moment.

    Attributes:
        state: queued, running, done, failed or cancelled. share: of the work done, 0 to 1.
        seconds: running time so far, or in all. result: what it returned, once done.
        error: why it failed, in one sentence.
        ahead: how many pieces of work that wait will start before this one; 0 where it does not wait.
        left: seconds until it is likely done, waiting included; None where nothing is known of its kind yet.
        early: the result as it stands while it runs, or stood when it was cancelled; None where there was none.
    """

    state: State
    share: float = 0.0
    seconds: float = 0.0
    result: Any = None
    error: str = ""
    ahead: int = 0
    left: float | None = None
    early: Any = None

    @property
    def pending(self) -> bool:
        """Whether it is still waiting or running."""
        return self.state in ("queued", "running")

    @property
    def words(self) -> str:
        """Where unfinished work stands, for people: its place in the line or what is done of it, and the time left."""
        left = "" if self.left is None else f"about {_duration(self.left)}"
        if self.state == "queued":
            place = "queued (next)" if self.ahead == 0 else f"queued ({self.ahead} ahead)"
            return f"{place} · {left}" if left else place
        if self.state == "running":
            done = f"{self.share:.0%} · {self.seconds:.0f} s"
            return f"{done} · {left} left" if left else done
        return ""


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
