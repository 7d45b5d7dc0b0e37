"""Readers of pictures that come from outside: decoded in a small pool of processes, so that none harms the program.

A decoder has 2 GiB of address space (Linux), 10 s of processor time for a picture, and a bounded answer. One
that takes longer is killed, and another takes its place. Decoders start when a first picture comes and end a minute
after the last. This costs about 10 ms for a small film, 0.2 s for one of 5 megapixels, 0.5 s for the first.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from radiographs.decoding import wire
from radiographs.errors import AnnotationError, FilmError
from radiographs.film_readers.codestreams import MAX_SIDE
from radiographs.film_readers.mask_images import mask_bytes
from radiographs.radiograph import Radiograph
from radiographs.reading import film_bytes

SECONDS = 10
"""Processor time for one picture."""
LONGEST_SECONDS = 60.0
"""By the clock, where other work keeps the processor busy, and on Windows, which does not count otherwise."""
MEMORY = 2 * 2**30
"""Address space of a decoder in bytes."""
DECODERS = min(8, max(3, os.cpu_count() or 1))
_START_SECONDS = 60.0
_IDLE_SECONDS = 60.0
_QUEUE_SECONDS = 120.0
_LARGEST_PIXELS = 4 * MAX_SIDE**2
_CODE = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
    f"from {__package__}.decoder import serve; serve(*map(int, sys.argv[2:]))"
)
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "MALLOC_ARENA_MAX"), "1")


class DecodingError(RuntimeError):
    """A decoder gave no answer. The message is one sentence about the picture."""


def read_film(source: Path | str | bytes | BinaryIO) -> Radiograph:
    """Read one film from outside as :func:`radiographs.reading.read_radiograph` does, in a decoder process.

    Args:
        source: path, content, or binary stream (read from where it stands).

    Raises:
        FilmError: it is no film that can be read, or takes more time or memory than one may; one sentence says why.
    """
    return read_film_and_patient(source)[0]


def read_film_and_patient(source: Path | str | bytes | BinaryIO) -> tuple[Radiograph, str]:
    """As :func:`read_film`, with what ``dicom_patient.patient_key`` says of the file."""
    try:
        header, body = _pool.answer({"task": "film"}, film_bytes(source), _LARGEST_PIXELS)
        if "refused" not in header:
            return wire.film_of(header, body), str(header["patient"])
    except (DecodingError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, (DecodingError, FilmError)):
            raise FilmError(str(error)) from error
        raise FilmError("the film is damaged and cannot be decoded") from error
    raise FilmError(str(header["refused"])[:1000])


def read_mask_file(path: Path) -> np.ndarray:
    """Read a mask image from outside as ``mask_images.read_mask_image`` does, in a decoder process: (H, W) bool.

    Raises:
        AnnotationError: it is no such image, or takes more time or memory than one may; one sentence says why.
    """
    data = mask_bytes(path)
    try:
        header, body = _pool.answer({"task": "mask", "name": path.name}, data, MAX_SIDE**2)
        if "refused" not in header:
            return np.frombuffer(body, np.uint8).reshape(wire.shape_of(header["shape"])) != 0
    except (DecodingError, KeyError, TypeError, ValueError) as error:
        why = error if isinstance(error, DecodingError) else "it is damaged and cannot be decoded"
        raise AnnotationError(f"the mask {path.name} cannot be read: {why}") from error
    raise AnnotationError(str(header["refused"])[:1000])


class _Decoder:
    """One process; used by one thread at a time."""

    def __init__(self) -> None:
        places = [place or os.getcwd() for place in sys.path]
        # No signal of the terminal reaches a decoder, and nothing that it prints reaches a log.
        windows = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _CODE, json.dumps(places), str(MEMORY), str(SECONDS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **_ONE_THREAD},
            start_new_session=True,
            creationflags=windows,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin, self._process.stdout
        self._lock, self._resting = threading.Lock(), False
        self._rest: threading.Timer | None = None
        _running.add(self)
        try:
            with _timer(_START_SECONDS, self._process.kill):
                wire.receive(self._from, 0)
        except (OSError, EOFError, ValueError) as error:
            self.end()
            raise DecodingError("no process could be started to decode it; try again later") from error

    def answer(self, header: dict[str, Any], data: bytes, largest: int) -> tuple[dict[str, Any], bytearray]:
        """Send a picture and wait for what it holds.

        Raises:
            DecodingError: there is no answer; the process has ended.
        """
        began = time.monotonic()
        try:
            with _timer(LONGEST_SECONDS, self._process.kill):
                wire.send(self._to, header, data)
                return wire.receive(self._from, largest)
        except (OSError, EOFError, ValueError) as error:
            self.end()
            if time.monotonic() - began >= SECONDS:
                words = f"decoding it takes longer than {SECONDS} s, far more than a film needs"
            else:
                words = "it is damaged, or decoding it takes more memory than one picture may have"
            raise DecodingError(words) from error

    def rest(self) -> None:
        """Let the process end after a minute without work: what it read must not stay in memory."""
        self._resting = True
        self._rest = _started(threading.Timer(_IDLE_SECONDS, self._end_idle))

    def wake(self) -> bool:
        """Whether the process can take a picture; it no longer ends of itself."""
        with self._lock:
            self._resting = False
            if self._rest is not None:
                self._rest.cancel()
            return self._process.poll() is None

    def _end_idle(self) -> None:
        with self._lock:
            if self._resting:
                self.end()

    def end(self) -> None:
        """Kill the process."""
        _running.discard(self)
        self._process.kill()
        for stream in (self._to, self._from):
            with contextlib.suppress(OSError):
                stream.close()
        self._process.wait()


class _Pool:
    """As many decoders as may run at once; each starts when it is needed."""

    def __init__(self) -> None:
        self._places: queue.LifoQueue[_Decoder | None] = queue.LifoQueue()
        for _ in range(DECODERS):
            self._places.put(None)

    def answer(self, header: dict[str, Any], data: bytes, largest: int) -> tuple[dict[str, Any], bytearray]:
        """See :meth:`_Decoder.answer`; waits where all decoders are at work."""
        try:
            decoder = self._places.get(timeout=_QUEUE_SECONDS)
        except queue.Empty:
            raise DecodingError("too many pictures are being decoded; try again in a minute") from None
        try:
            if decoder is None or not decoder.wake():
                decoder = None
                decoder = _Decoder()
            found = decoder.answer(header, data, largest)
            decoder.rest()
            return found
        except BaseException:
            if decoder is not None:
                decoder.end()
            decoder = None
            raise
        finally:
            self._places.put(decoder)


def _started(timer: threading.Timer) -> threading.Timer:
    timer.daemon = True
    timer.start()
    return timer


@contextlib.contextmanager
def _timer(seconds: float, action: Callable[[], object]) -> Iterator[None]:
    timer = _started(threading.Timer(seconds, action))
    try:
        yield
    finally:
        timer.cancel()


_running: set[_Decoder] = set()
_pool = _Pool()


def _forget() -> None:
    """In a forked process: the parent's decoders are not its own."""
    global _pool
    _running.clear()
    _pool = _Pool()


def end_decoders() -> None:
    """End all decoder processes; the next picture starts another."""
    for decoder in list(_running):
        decoder.end()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
atexit.register(end_decoders)
