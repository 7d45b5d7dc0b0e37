"""Maps made in a process beside the server, so that they neither hold up its pages nor end it where one crashes.

The process, :mod:`dashboard.jobs.explainer`, starts in the background, and anew when it ended. Until it is there, and
for what it has not (a graphics card, a model that nobody registered), maps are made here, in the caller's thread.
"""

from __future__ import annotations

import atexit
import contextlib
import io
import itertools
import json
import logging
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from classifiers import ChestClassifier
from dashboard.jobs.manager import Progress
from dashboard.jobs.sentences import SentenceError
from radiographs import Radiograph, extensions
from radiographs.decoding import wire
from xai_methods import Cancelled, Explanation, Parameters, get_method

HERE_VARIABLE = "XAI_LIGHTBOX_EXPLAIN_HERE"
"""Environment variable: 1 makes maps in the server's own process."""
LOOK_SECONDS = 0.2
"""How often work looks whether it is still wanted."""
CRASHED = (
    "Computing this map ended the process it ran in, out of memory or by a fault in a library. Try fewer samples or "
    "another method."
)
_CODE = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
    f"from {__package__}.explainer import serve; serve(json.loads(sys.argv[2]))"
)
_log = logging.getLogger(__name__)


class _EndedError(RuntimeError):
    """The process ended before it answered."""


class _UnknownThereError(LookupError):
    """The process has not what the question is about."""


class Explainer:
    """One process that makes maps, for several threads at once.

    Args:
        threads: that one map may use. models: digests by name of those to load at once.

    Raises:
        OSError, EOFError, ValueError: it cannot be started.
    """

    def __init__(self, threads: int, models: Mapping[str, str]) -> None:
        places = [place or os.getcwd() for place in sys.path]
        variables = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
        # No signal of the terminal reaches it: it ends when the server does.
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _CODE, json.dumps(places), json.dumps(dict(models))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **variables},
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin, self._process.stdout
        self.films: set[str] = set()
        self._numbers, self._retired = itertools.count(), False
        self._inboxes: dict[int, queue.SimpleQueue[Any]] = {}
        self._lock, self._sending = threading.Lock(), threading.Lock()
        _running.add(self)
        try:
            wire.receive(self._from, 0)
        except BaseException:
            self._close()
            raise
        threading.Thread(target=self._listen, name="explainer", daemon=True).start()

    @property
    def number(self) -> int:
        """The process's number in the system."""
        return self._process.pid

    def explain(
        self,
        header: dict[str, Any],
        film: Radiograph,
        progress: Progress,
        cancelled: Callable[[], bool],
    ) -> Explanation:
        """Have one map made.

        Raises:
            Cancelled: it is no longer wanted. SentenceError: it cannot be made; the message is a sentence for people.
            _EndedError: the process ended. _UnknownThereError: it does not know what this is about.
        """
        inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        with self._lock:
            number = next(self._numbers)
            self._inboxes[number] = inbox
            self.films.add(film.digest)
        try:
            self._send({**header, "number": number, "film": wire.film_header(film)}, film.pixels.data.cast("B"))
            end, body = self._awaited(number, inbox, progress, cancelled)
        finally:
            with self._lock:
                del self._inboxes[number]
            self._end_when_idle()
        if end["state"] == "done":
            return Explanation.load(io.BytesIO(body))
        if end["state"] == "cancelled":
            raise Cancelled
        raise SentenceError(end["words"]) if end["state"] == "failed" else _UnknownThereError

    def _awaited(
        self,
        number: int,
        inbox: queue.SimpleQueue[Any],
        progress: Progress,
        cancelled: Callable[[], bool],
    ) -> tuple[dict[str, Any], bytearray]:
        stopped = False
        while True:
            with contextlib.suppress(queue.Empty):
                header, body = inbox.get(timeout=LOOK_SECONDS)
                if header is None:
                    raise _EndedError
                if "state" in header:
                    return header, body
                progress(float(header["share"]), Explanation.load(io.BytesIO(body)) if header.get("early") else None)
            if not stopped and cancelled():
                stopped = True
                self._send({"number": number, "stop": True})

    def _send(self, header: dict[str, Any], body: bytes | memoryview = b"") -> None:
        try:
            with self._sending:
                wire.send(self._to, header, body)
        except (OSError, ValueError) as error:
            raise _EndedError from error

    def _listen(self) -> None:
        with contextlib.suppress(OSError, EOFError, ValueError):
            while True:
                header, body = wire.receive(self._from)
                with self._lock:
                    inbox = self._inboxes.get(header["number"])
                if inbox is not None:
                    inbox.put((header, body))
        self._close()
        with self._lock:
            for inbox in self._inboxes.values():
                inbox.put((None, None))

    def _close(self) -> None:
        self.end()
        for stream in (self._to, self._from):
            with self._sending, contextlib.suppress(OSError):
                stream.close()

    def retire(self) -> None:
        """End once nobody waits for it any more."""
        self._retired = True
        self._end_when_idle()

    def _end_when_idle(self) -> None:
        with self._lock:
            idle = self._retired and not self._inboxes
        if idle:
            self.end()

    def end(self) -> None:
        """End the process at once."""
        _running.discard(self)
        self._process.kill()
        self._process.wait()


class _Beside:
    """The explainer that serves now, if any, and the starting of others."""

    def __init__(self) -> None:
        self._lock, self._alone = threading.Lock(), threading.Lock()
        self._threads = 0
        self._models: dict[str, str] = {}
        self._starting = False
        self.explainer: Explainer | None = None

    def start(self, threads: int, models: Mapping[str, str]) -> None:
        """See :func:`start`."""
        with self._lock:
            self._threads, self._models = threads, dict(models)
            if self._starting:
                return
            self._starting = True
        threading.Thread(target=self._start, name="starts the explainer", daemon=True).start()

    def _start(self) -> None:
        explainer = None
        try:
            explainer = Explainer(self._threads, self._models)
        except (OSError, EOFError, ValueError) as error:
            _log.warning("no process beside the server can be started; maps are made in it (%s)", type(error).__name__)
        with self._lock:
            self.explainer, self._starting = explainer, False

    def give_up(self, explainer: Explainer) -> None:
        """Let an explainer go and start another in its place."""
        with self._lock:
            if self.explainer is not explainer:
                return
            self.explainer = None
        self.start(self._threads, self._models)

    def explain_alone(self, *question: Any) -> Explanation:
        """Have a map made in a process of its own, one after the other, so that a crash says which map it is of."""
        with self._alone:
            try:
                explainer = Explainer(self._threads, {})
            except (OSError, EOFError, ValueError) as error:
                raise SentenceError(CRASHED) from error
            try:
                return explainer.explain(*question)
            except _EndedError as error:
                raise SentenceError(CRASHED) from error
            finally:
                explainer.end()


def start(threads: int, models: Mapping[str, str]) -> None:
    """Start the process in the background, unless the environment says that maps are made here; returns at once.

    Args:
        threads: that one map may use. models: digests by name of those to load at once.
    """
    if os.environ.get(HERE_VARIABLE) != "1":
        _beside.start(threads, models)


def explain(
    method: str,
    classifier: ChestClassifier,
    film: Radiograph,
    finding: str,
    *,
    parameters: Parameters,
    seed: int,
    progress: Progress,
    cancelled: Callable[[], bool],
) -> Explanation:
    """As ``get_method(method).explain``, in the process beside this one where it is there and can.

    Raises:
        SentenceError: the process could not make the map, or ended over it; the message is a sentence for people.
        Cancelled, LookupError, RuntimeError ...: as ``Method.explain`` does.
    """
    explainer = _beside.explainer
    if explainer is not None and classifier.device.type == "cpu":
        header = {
            "method": method,
            "model": classifier.name,
            "digest": classifier.digest,
            "finding": finding,
            "parameters": parameters.as_dict(),
            "seed": seed,
            "edition": extensions.edition(),
        }
        question = header, film, progress, cancelled
        with contextlib.suppress(_UnknownThereError):
            try:
                return explainer.explain(*question)
            except _EndedError:
                _beside.give_up(explainer)
                return _beside.explain_alone(*question)
    return get_method(method).explain(
        classifier,
        film,
        finding,
        parameters=parameters,
        seed=seed,
        progress=progress,
        cancelled=cancelled,
        early=lambda made: progress(0.0, made),
    )


def forget(films: Iterable[str]) -> None:
    """Let no process hold what it read of these films, named by their digests: one that did is replaced."""
    explainer = _beside.explainer
    if explainer is not None and not explainer.films.isdisjoint(films):
        _beside.give_up(explainer)
        explainer.retire()


def end() -> None:
    """End all processes; maps are made here until :func:`start` is called again."""
    _beside.explainer = None
    for explainer in list(_running):
        explainer.end()


_running: set[Explainer] = set()
_beside = _Beside()
atexit.register(end)
