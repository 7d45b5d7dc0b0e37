"""A computation that runs out of memory says so in a sentence, and the program goes on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

_SAID = re.compile(r"out of memory|can't allocate memory|not enough memory|failed to allocate|bad_alloc", re.IGNORECASE)


class OutOfMemoryError(RuntimeError):
    """There was not enough memory. The message says for what, and what to do."""


@contextmanager
def saying_out_of_memory(name: str, side: int) -> Iterator[None]:
    """Turn what Python, torch and onnxruntime raise for want of memory into one sentence.

    Args:
        name: the model. side: its input's side in pixels.

    Raises:
        OutOfMemoryError: there was not enough memory.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not _SAID.search(str(error)):
            raise
        raise OutOfMemoryError(
            f"there is not enough memory for {name} on films of {side} x {side} pixels; choose a method with smaller "
            "batches, a smaller input side, or a computer with more memory"
        ) from error
