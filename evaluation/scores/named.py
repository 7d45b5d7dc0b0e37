"""A registry: things by name, found in the modules of one package, each of which registers what it holds."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Generic, Protocol, TypeVar


class HasName(Protocol):
    """What can be registered: it has a name, and a place in lists."""

    @property
    def name(self) -> str:
        """Its registered name."""

    @property
    def order(self) -> int:
        """Its place in lists."""


T = TypeVar("T", bound=HasName)


class Named(Generic[T]):
    """Things of one kind by name.

    Args:
        kind: what they are, in a word, with its article ("a metric").
        package: dotted name of the package whose modules register them.
    """

    def __init__(self, kind: str, package: str) -> None:
        self._article, self._kind = kind.split(" ", 1)
        self._package = package
        self._found: dict[str, T] = {}
        self._loaded = False

    def add(self, one: T) -> T:
        """Register it under its name.

        Raises:
            ValueError: the name is taken.
        """
        if one.name in self._found:
            raise ValueError(f"{self._article} {self._kind} named {one.name!r} is registered already")
        self._found[one.name] = one
        return one

    def all(self) -> dict[str, T]:
        """All by name, in the order in which people read them."""
        if not self._loaded:
            package = importlib.import_module(self._package)
            for module in pkgutil.walk_packages(package.__path__, f"{self._package}."):
                importlib.import_module(module.name)
            self._loaded = True
        return dict(sorted(self._found.items(), key=lambda item: (item[1].order, item[0])))

    def get(self, name: str) -> T:
        """Return the one called ``name``.

        Raises:
            LookupError: there is none; the message lists those there are.
        """
        known = self.all()
        if name not in known:
            raise LookupError(f"there is no {self._kind} {name!r}; there are: {', '.join(known)}")
        return known[name]
