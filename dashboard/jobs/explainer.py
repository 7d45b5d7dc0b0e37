"""The explainer: a process beside the server that makes maps, each in a thread, until its standard input ends."""

from __future__ import annotations

import contextlib
import gc
import io
import logging
import os
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from classifiers import ChestClassifier
from classifiers.registry import load_classifier
from dashboard.jobs.sentences import failure
from radiographs import extensions
from radiographs.decoding.wire import film_of, receive, send
from radiographs.memory import give_back_memory, give_back_memory_amid_work
from xai_methods import Cancelled, Explanation, get_method
from xai_methods.registry import methods

MODELS = 4
"""Models that are remembered, the least recently used go first."""
_SOON = "scipy.stats"
"""What methods import when they need it: a first map must not wait for it."""
TELL_SECONDS = 0.1
"""Least time between two words on how far a map is."""
logger = logging.getLogger(__name__)


class UnknownHereError(LookupError):
    """The explainer has not the model, the method or the code that the server has."""


class _Models:
    """Models by name; each is loaded once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: OrderedDict[str, ChestClassifier] = OrderedDict()

    def get(self, name: str, digest: str) -> ChestClassifier:
        """The model of that name and content.

        Raises:
            UnknownHereError: what is found under the name is another, or cannot be loaded.
        """
        with self._lock:
            held = self._held.pop(name, None)
            if held is None or held.digest != digest:
                try:
                    held = load_classifier(name, "cpu")
                except (LookupError, ValueError, RuntimeError, OSError) as error:
                    raise UnknownHereError(name) from error
            if held.digest != digest:
                raise UnknownHereError(name)
            self._held[name] = held
            while len(self._held) > MODELS:
                self._held.popitem(last=False)
            return held


class _Explainer:
    """Takes questions from one stream and answers them on another."""

    def __init__(self, answers: Any) -> None:
        self._answers, self._lock = answers, threading.Lock()
        self._models = _Models()
        self._stops: dict[int, threading.Event] = {}

    def tell(self, header: dict[str, Any], body: bytes | memoryview = b"") -> None:
        """Send one message to the server."""
        with self._lock:
            send(self._answers, header, body)

    def take(self, header: dict[str, Any], body: bytearray) -> None:
        """Begin what a message asks for, or stop it."""
        number = int(header["number"])
        if header.get("stop"):
            stop = self._stops.get(number)
            if stop is not None:
                stop.set()
            return
        self._stops[number] = threading.Event()
        threading.Thread(target=self._answer, args=(number, header, body), daemon=True).start()

    def load(self, name: str, digest: str) -> None:
        """Have a model ready before the first question."""
        with contextlib.suppress(UnknownHereError):
            self._models.get(name, digest)

    def _answer(self, number: int, header: dict[str, Any], body: bytearray) -> None:
        end: dict[str, Any] = {"number": number}
        held = io.BytesIO()
        try:
            self._explain(number, header, body).save(held)
            end["state"] = "done"
        except Cancelled:
            end["state"] = "cancelled"
        except UnknownHereError:
            end["state"] = "unknown here"
        except Exception as error:
            logger.warning("a map could not be made", exc_info=error)
            end |= {"state": "failed", "words": failure(error)}
        del self._stops[number]
        with contextlib.suppress(OSError):  # the server has ended, and so will this process
            self.tell(end, held.getbuffer())
        # Not after every map: what the others are made with would be taken from them as well.
        if self._stops:
            give_back_memory_amid_work()
        else:
            give_back_memory()

    def _explain(self, number: int, header: dict[str, Any], body: bytearray) -> Explanation:
        try:
            method = get_method(header["method"])
        except LookupError as error:
            raise UnknownHereError(header["method"]) from error
        if not set(extensions.edition().split()) <= set(header["edition"].split()):
            raise UnknownHereError("the extensions are others")
        return method.explain(
            self._models.get(header["model"], header["digest"]),
            film_of(header["film"], body),
            header["finding"],
            parameters=method.parameters(**header["parameters"]),
            seed=header["seed"],
            progress=self._progress(number),
            cancelled=self._stops[number].is_set,
            early=lambda made: self._show(number, made),
        )

    def _show(self, number: int, made: Explanation) -> None:
        held = io.BytesIO()
        made.save(held)
        self.tell({"number": number, "share": 0.0, "early": True}, held.getbuffer())

    def _progress(self, number: int) -> Callable[[float], None]:
        told = 0.0

        def progress(share: float) -> None:
            nonlocal told
            if time.monotonic() - told >= TELL_SECONDS:
                told = time.monotonic()
                self.tell({"number": number, "share": share})

        return progress


def serve(models: dict[str, str]) -> None:
    """Answer each question with a map, or with one sentence why there is none.

    Args:
        models: digests by name of those to load at once.
    """
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get between the answers
    with contextlib.suppress(OSError):
        # Where memory runs out, the system is to end this process and not the server.
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
    methods()
    import_module(_SOON)
    explainer = _Explainer(answers)
    for name, digest in models.items():
        explainer.load(name, digest)
    gc.freeze()  # what is there now stays: it need not be looked through after each map
    explainer.tell({"ready": True})
    with contextlib.suppress(EOFError, OSError, ValueError):
        while True:
            explainer.take(*receive(requests))
    os._exit(0)  # the server has ended; nobody waits for what the threads still do
