"""Threads that wait for work and end with the program, whatever they are at: a server stops when it is told to."""

from __future__ import annotations

import threading
from collections.abc import Callable


class WorkerThreads:
    """A bounded number of daemon threads, each of which calls ``take`` once for every call of :meth:`wake`.

    Args:
        count: threads. take: does the next piece of work; it raises nothing. prepare: called once in each thread.
    """

    def __init__(self, count: int, take: Callable[[], None], prepare: Callable[[], None]) -> None:
        self._waiting = threading.Semaphore(0)
        self._closed = threading.Event()
        self._take, self._prepare = take, prepare
        self._threads = [
            threading.Thread(target=self._run, name=f"lightbox_{place}", daemon=True) for place in range(count)
        ]
        self._started = False
        self._lock = threading.Lock()

    def wake(self) -> None:
        """Have one more piece of work done."""
        with self._lock:
            if not self._started:
                self._started = True
                for thread in self._threads:
                    thread.start()
        self._waiting.release()

    def close(self) -> None:
        """Let the threads end and wait until they have; what still waits is left undone."""
        self._closed.set()
        with self._lock:
            started = self._started
        for _ in self._threads:
            self._waiting.release()
        if started:
            for thread in self._threads:
                thread.join()

    def _run(self) -> None:
        self._prepare()
        while True:
            self._waiting.acquire()
            if self._closed.is_set():
                return
            self._take()
