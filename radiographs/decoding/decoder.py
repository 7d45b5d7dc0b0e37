"""The decoder process: reads pictures from its standard input until that ends. It imports only what decoding needs."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from radiographs.decoding.wire import film_header, receive, send
from radiographs.errors import AnnotationError, FilmError
from radiographs.film_readers.dicom_patient import patient_key
from radiographs.film_readers.mask_images import mask_in
from radiographs.reading import read_radiograph

_TOO_MUCH_MEMORY = "decoding it takes more memory than one picture may have; save it smaller, or in grey"
Answer = tuple[dict[str, Any], np.ndarray]


def limit_memory(size: int) -> None:
    """Bound this process's address space to ``size`` bytes, where the system can (Linux; macOS and Windows cannot)."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (size, size))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, OSError, ValueError):
        return


def limit_time(seconds: int) -> None:
    """Let the system end this process after so many more seconds of processor time (not on Windows)."""
    try:
        import resource
    except ImportError:
        return
    with contextlib.suppress(OSError, ValueError):
        spent = math.ceil(time.process_time())
        resource.setrlimit(resource.RLIMIT_CPU, (spent + seconds, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def serve(memory: int, seconds: int) -> None:
    """Answer each message with what its picture holds, or with one sentence why it cannot be read.

    Args:
        memory: bytes of address space that the process may have. seconds: processor time for one picture.
    """
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a decoder's C code prints must not get between the answers
    limit_memory(memory)
    send(answers, {"ready": True})
    while True:
        try:
            request, data = receive(requests)
        except EOFError:
            return
        limit_time(seconds)
        header, array = _answer(_TASKS[request["task"]], bytes(data), str(request.get("name", "")))
        del data
        send(answers, header, np.ascontiguousarray(array).data.cast("B") if array.size else b"")
        del array


def _answer(task: Callable[[bytes, str], Answer], data: bytes, name: str) -> Answer:
    nothing = np.zeros(0, np.uint8)
    try:
        return task(data, name)
    except MemoryError:
        return {"refused": _TOO_MUCH_MEMORY}, nothing
    except (FilmError, AnnotationError) as error:
        return {"refused": _TOO_MUCH_MEMORY if _for_memory(error) else str(error)}, nothing


def _for_memory(error: BaseException | None) -> bool:
    """Whether an error comes of a lack of memory."""
    while error is not None and not isinstance(error, MemoryError):
        error = error.__cause__ or error.__context__
    return error is not None


def _film(data: bytes, _: str) -> Answer:
    film = read_radiograph(data)
    return {**film_header(film), "patient": patient_key(data)}, film.pixels


def _mask(data: bytes, name: str) -> Answer:
    mask = mask_in(data, name)
    return {"shape": mask.shape}, mask.view(np.uint8)


_TASKS: dict[str, Callable[[bytes, str], Answer]] = {"film": _film, "mask": _mask}
