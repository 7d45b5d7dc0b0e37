"""Memory that a process no longer needs, given back to the system (Linux, glibc)."""

from __future__ import annotations

import ctypes
import gc
import logging
import sys
import time

LARGE = 4 << 20
"""Bytes from which on memory is taken from the system and given back by itself."""
GIVE_BACK_SECONDS = 10.0
"""Least time between two times amid work: after each, memory has to be fetched from the system again."""
_MMAP_THRESHOLD = -3
_given_back = 0.0
_log = logging.getLogger(__name__)


def give_back_large_arrays() -> None:
    """From now on have freed arrays of ``LARGE`` bytes and more go back to the system at once.

    glibc raises this bound by itself to the largest that was freed, up to 32 MiB: the arrays of large films then leave
    gaps of their size in the heap of each thread (mallopt(3), M_MMAP_THRESHOLD).
    """
    _call("mallopt", _MMAP_THRESHOLD, LARGE)


def give_back_memory() -> None:
    """Let the system have what was freed up to now; glibc keeps it for each thread otherwise."""
    global _given_back
    _given_back = time.monotonic()
    gc.collect()
    _call("malloc_trim", 0)


def give_back_memory_amid_work() -> None:
    """Call :func:`give_back_memory`, but every ``GIVE_BACK_SECONDS`` at most.

    Work that is repeated leaves gaps in the heap, of another size each time: it grows though nothing is held.
    """
    if time.monotonic() > _given_back + GIVE_BACK_SECONDS:
        give_back_memory()


def _call(name: str, *given: int) -> None:
    if sys.platform == "linux":
        try:
            getattr(ctypes.CDLL("libc.so.6"), name)(*given)
        except (OSError, AttributeError):
            _log.debug("this system's C library has no %s", name)
