"""Caches bounded by the memory that their values take, for films and maps may be of any size."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Hashable, Mapping
from threading import Condition
from typing import Any, ParamSpec, Protocol, TypeVar, cast

import numpy as np
from cachetools import LRUCache, cached

Given = ParamSpec("Given")
Made = TypeVar("Made", covariant=True)
LEAST = 1024
"""Bytes that any value counts for, so that small ones are bounded too."""
_all: list[_Recent] = []
_session: Callable[[], str] = str
"""Names the session that uses a result; "", as ``str()`` is, where there are none."""


class Cached(Protocol[Given, Made]):
    """A function whose results are cached."""

    def __call__(self, *args: Given.args, **kwargs: Given.kwargs) -> Made:
        """The result, made now or before."""

    def clear(self) -> None:
        """Forget all results."""


class _Recent(LRUCache[Hashable, Any]):
    """Results by key, the least recently used of which go first; it knows which session last used each, and when.

    Whoever uses it holds ``condition``.
    """

    def __init__(self, most: int) -> None:
        super().__init__(most, getsizeof=lambda result: min(bytes_of(result), most))
        self.condition = Condition()
        self._last_used: dict[Hashable, dict[str, float]] = {}

    def __getitem__(self, key: Hashable) -> Any:
        found = super().__getitem__(key)
        self._note(key)
        return found

    def __setitem__(self, key: Hashable, result: Any) -> None:
        super().__setitem__(key, result)
        self._note(key)

    def __delitem__(self, key: Hashable) -> None:
        super().__delitem__(key)
        self._last_used.pop(key, None)

    def clear(self) -> None:
        super().clear()
        self._last_used.clear()

    def _note(self, key: Hashable) -> None:
        self._last_used.setdefault(key, {})[_session()] = time.monotonic()

    def forget_unused(self, since: float, drawn: Mapping[str, float]) -> bool:
        """See the function of that name; returns whether any went."""
        for key, sessions in self._last_used.items():
            self._last_used[key] = {
                session: at for session, at in sessions.items() if at >= min(since, drawn.get(session, since))
            }
        unused = [key for key in self if not self._last_used.get(key)]
        for key in unused:
            del self[key]
        return bool(unused)


def bounded_cache(most_mb: int, key: Callable[..., Hashable]) -> Callable[[Callable[Given, Made]], Cached[Given, Made]]:
    """Have a function's results cached for everybody; the least recently used go first.

    Who asks for what another thread is making waits for it. A result that alone takes more is cached alone.

    Args:
        most_mb: megabytes of all results together, see :func:`bytes_of`.
        key: tells results apart, from what the function is given.
    """

    def decorate(function: Callable[Given, Made]) -> Cached[Given, Made]:
        held = _Recent(most_mb << 20)
        made: Any = cached(held, key=key, condition=held.condition)(function)
        made.clear = made.cache_clear
        _all.append(held)
        return cast("Cached[Given, Made]", made)

    return decorate


def clear_all() -> None:
    """Forget the results of all functions under :func:`bounded_cache`."""
    for held in _all:
        with held.condition:
            held.clear()


def name_sessions(session: Callable[[], str]) -> None:
    """Let ``session`` name the session that uses a result, in the thread that does."""
    global _session
    _session = session


def forget_unused(seconds: float, drawn: Mapping[str, float]) -> bool:
    """Forget results of bounded caches that were not used in so many seconds and are on nobody's page.

    Args:
        drawn: by open session, when its page was last drawn whole (``time.monotonic``): what it used since then stays.

    Returns:
        Whether any went.
    """
    since, went = time.monotonic() - seconds, False
    for held in _all:
        with held.condition:
            went |= held.forget_unused(since, drawn)
    return went


def bytes_of(value: object) -> int:
    """Bytes of all arrays, bytes and strings in a value: in dataclasses, mappings, lists, tuples and sets, each once.

    Other objects, such as collections and classifiers, are shared and count for nothing.
    """
    seen: set[int] = set()
    total, left = LEAST, [value]
    while left:
        one = left.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, np.ndarray):
            total += one.nbytes
        elif isinstance(one, (bytes, bytearray, str)):
            total += len(one)
        elif isinstance(one, Mapping):
            left.extend(one.values())
        elif isinstance(one, (list, tuple, set, frozenset)):
            left.extend(one)
        elif dataclasses.is_dataclass(one):
            left.extend(getattr(one, field.name, None) for field in dataclasses.fields(one))
    return total
