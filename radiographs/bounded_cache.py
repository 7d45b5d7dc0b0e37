"""Caches bounded by the memory that their values take, for films and maps may be of any size."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Mapping
from threading import Condition
from typing import Any, ParamSpec, Protocol, TypeVar, cast

import numpy as np
from cachetools import LRUCache, cached

Given = ParamSpec("Given")
Made = TypeVar("Made", covariant=True)
LEAST = 1024
"""Bytes that any value counts for, so that small ones are bounded too."""
_all: list[Cached[..., Any]] = []


class Cached(Protocol[Given, Made]):
    """A function whose results are cached."""

    def __call__(self, *args: Given.args, **kwargs: Given.kwargs) -> Made:
        """The result, made now or before."""

    def clear(self) -> None:
        """Forget all results."""


def bounded_cache(most_mb: int, key: Callable[..., Hashable]) -> Callable[[Callable[Given, Made]], Cached[Given, Made]]:
    """Have a function's results cached for everybody; the least recently used go first.

    Who asks for what another thread is making waits for it. A result that alone takes more is cached alone.

    Args:
        most_mb: megabytes of all results together, see :func:`bytes_of`.
        key: tells results apart, from what the function is given.
    """

    def decorate(function: Callable[Given, Made]) -> Cached[Given, Made]:
        most = most_mb << 20
        held: LRUCache[Hashable, Any] = LRUCache(most, getsizeof=lambda result: min(bytes_of(result), most))
        made: Any = cached(held, key=key, condition=Condition())(function)
        made.clear = made.cache_clear
        _all.append(made)
        return cast("Cached[Given, Made]", made)

    return decorate


def clear_all() -> None:
    """Forget the results of all functions under :func:`bounded_cache`."""
    for function in _all:
        function.clear()


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
