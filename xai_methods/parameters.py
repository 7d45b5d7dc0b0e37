"""Declared parameters: one schema draws the widgets, validates the command line and documents the method."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Self, cast

from radiographs.nearness import near


class ParameterError(ValueError):
    """A parameter is unknown or out of its bounds. The message names it and what is allowed."""


@dataclass(frozen=True)
class Bounds:
    """What a parameter may be: a number from ``low`` to ``high`` in steps of ``step``, or one of ``choices``."""

    help: str
    low: float | None = None
    high: float | None = None
    step: float | None = None
    choices: tuple[str, ...] | None = None


def parameter(
    default: Any,
    help: str,
    *,
    low: float | None = None,
    high: float | None = None,
    step: float | None = None,
    choices: tuple[str, ...] | None = None,
) -> Any:
    """Declare one field of a :class:`Parameters` subclass: default, bounds (or choices) and one line of help."""
    return dataclasses.field(default=default, metadata={"bounds": Bounds(help, low, high, step, choices)})


@dataclass(frozen=True)
class Parameters:
    """Base of every method's parameters; a subclass is a frozen dataclass whose fields use :func:`parameter`."""

    def __post_init__(self) -> None:
        for name, bounds, value in self.described():
            _check(name, bounds, value)

    def described(self) -> list[tuple[str, Bounds, Any]]:
        """(name, bounds, value) of each field, in order."""
        return [(f.name, cast(Bounds, f.metadata["bounds"]), getattr(self, f.name)) for f in dataclasses.fields(self)]

    def as_dict(self) -> dict[str, Any]:
        """Name to value."""
        return dataclasses.asdict(self)

    @classmethod
    def parse(cls, given: dict[str, Any]) -> Self:
        """Build from names to values or texts (command line, URL).

        Raises:
            ParameterError: a name is unknown, a text is not of the field's type, or a value is out of bounds.
        """
        fields = {f.name: f for f in dataclasses.fields(cls)}
        values = {}
        for name, value in given.items():
            if name not in fields:
                raise ParameterError(f"unknown parameter {name!r}; {near(name, fields, 'this method has')}")
            values[name] = _convert(name, value, type(fields[name].default))
        return cls(**values)


def _convert(name: str, value: Any, wanted: type) -> Any:
    if isinstance(value, wanted) and not (isinstance(value, bool) and wanted is not bool):
        return value
    try:
        if wanted is bool:
            return {"true": True, "1": True, "false": False, "0": False}[str(value).lower()]
        if wanted is int and float(value) != int(float(value)):
            raise ValueError
        return wanted(float(value)) if wanted is int else wanted(value)
    except (KeyError, ValueError, TypeError, OverflowError):
        raise ParameterError(f"{name}: expected {wanted.__name__}, got {value!r}") from None


def _check(name: str, bounds: Bounds, value: Any) -> None:
    if bounds.choices is not None:
        if value not in bounds.choices:
            raise ParameterError(f"{name}: expected one of {', '.join(bounds.choices)}, got {value!r}")
        return
    low, high = bounds.low, bounds.high
    if isinstance(value, bool) or low is None or high is None:
        return
    if not low <= value <= high:
        raise ParameterError(f"{name}: expected {low:g} to {high:g}, got {value!r}")
