"""All methods by name."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from pathlib import Path
from typing import TypeVar

from radiographs import extensions
from radiographs.nearness import near
from xai_methods.method import Method

_METHODS: dict[str, Method] = {}
T = TypeVar("T", bound=type[Method])


def register(method: T) -> T:
    """Class decorator: add a method under its ``name``.

    Raises:
        ValueError: the name is taken.
        TypeError: it does not declare what every method declares (see :class:`Method`).
    """
    if not method.__module__.startswith(f"{__package__}."):
        _load_own()  # so that a name that the program uses is refused to others, whichever is imported first
    if method.name in _METHODS:
        raise ValueError(f"a method named {method.name!r} is registered already")
    missing = [name for name in Method.__annotations__ if not hasattr(method, name)]
    if missing:
        raise TypeError(f"the method {method.__name__} does not declare {', '.join(missing)}")
    _METHODS[method.name] = method()
    return method


@cache
def _load_own() -> None:
    """Import every module of the families, each of which registers what it holds."""
    for family in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if family.ispkg:
            package = importlib.import_module(f"{__package__}.{family.name}")
            for module in pkgutil.iter_modules(package.__path__):
                if not module.ispkg:
                    importlib.import_module(f"{package.__name__}.{module.name}")


def methods() -> dict[str, Method]:
    """All methods by name, in the order in which people read them (see ``Method.order``)."""
    _load_own()
    extensions.load("methods")
    return dict(sorted(_METHODS.items(), key=lambda item: (item[1].order, item[0])))


def main_methods() -> tuple[str, ...]:
    """Names of the methods shown where nobody chose, in order."""
    return tuple(name for name, method in methods().items() if method.role == "main")


def baseline_methods() -> tuple[str, ...]:
    """Names of the model-independent baselines, in order."""
    return tuple(name for name, method in methods().items() if method.role == "baseline")


def get_method(name: str) -> Method:
    """Return the method called ``name``.

    Raises:
        LookupError: there is none; the message names those that are near, or all.
    """
    known = methods()
    if name not in known:
        raise LookupError(f"there is no method {name!r}; {near(name, known)}")
    return known[name]
