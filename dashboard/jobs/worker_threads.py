"""Threads that wait for work and end with the program, whatever they are at: a server stops when it is told to."""

from __future__ import annotations

import threading
from collections.abc import Callable


class WorkerThreads:
    """A bounded number of daemon threads that do work for as long as there is any, and then wait for :meth:`wake`.

    Args:
        count: threads. take: does the next piece of work that the thread of this number may do, and says whether there
            was any; it raises nothing. prepare: called once in each thread.
    """

    def __init__(self, count: int, take: Callable[[int], bool], prepare: Callable[[], None]) -> None:
        self._waiting = threading.Condition()
        self._calls = 0
        self._closed = False
        self._take, self._prepare = take, prepare
        self._threads = [
            threading.Thread(target=self._run, args=(place,), name=f"lightbox_{place}", daemon=True)
            for place in range(count)
        ]
        self._started = False

    def wake(self) -> None:
        """Tell that there is more work."""
        with self._waiting:
            if not self._started:
                self._started = True
                for thread in self._threads:
                    thread.start()
            self._calls += 1
            self._waiting.notify_all()

    def close(self) -> None:
        """Let the threads end and wait until they have; what still waits is left undone."""
        with self._waiting:
            self._closed = True
            self._waiting.notify_all()
        if self._started:
            for thread in self._threads:
                thread.join()

    def _run(self, place: int) -> None:
        self._prepare()
        seen = 0
        while True:
            with self._waiting:
                while not self._closed and self._calls == seen:
                    self._waiting.wait()
                seen = self._calls
            while not self._closed and self._take(place):
                pass
            if self._closed:
                return
