"""Memory that a process no longer needs, given back to the system."""

from __future__ import annotations

import ctypes
import gc
import logging
import sys

_log = logging.getLogger(__name__)


def give_back_memory() -> None:
    """Let the system have the memory of what went; glibc keeps freed memory for each thread otherwise."""
    gc.collect()
    if sys.platform == "linux":
        try:
            ctypes.CDLL("libc.so.6").malloc_trim(0)
        except (OSError, AttributeError):
            _log.debug("this system's C library does not give memory back when told to")
