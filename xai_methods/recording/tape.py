"""Recording what a network does to a film, whatever its code looks like.

One forward pass runs under a torch function mode, which sees modules, functions, operators and in-place calls alike,
and which lives in this thread only: the shared network is neither copied nor changed nor hooked.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode, resolve_name

from xai_methods.recording.calls import OUT_OF_PLACE, out_of_place
from xai_methods.recording.steps import Step
from xai_methods.recording.token_calls import TOKEN_CALLS
from xai_methods.recording.written_out import NOT_FROM_FILM, WRITTEN_OUT

TOLERANCE = 1e-4
"""How far logits may lie apart (see :func:`logits_apart`) and the steps still stand for the network."""


class UnsupportedNetworkError(RuntimeError):
    """The network cannot be followed back to the film. The message names what is in the way."""


@dataclass(frozen=True, eq=False)
class Recording:
    """What a network did to a film.

    Attributes:
        steps: the steps that the logits depend on, in order. last: number of the logits' value; 0 is the film.
        values: all values that were computed from the film, by number.
    """

    steps: tuple[Step, ...]
    last: int
    values: list[torch.Tensor]

    @property
    def logits(self) -> torch.Tensor:
        """The network's output, (N, C)."""
        return self.values[self.last]


@dataclass(eq=False)
class Tape(TorchFunctionMode):
    """The steps of one forward pass, in order; value 0 is the film.

    Attributes:
        steps: what was computed from the film. numbers: number of each tensor by identity.
        tensors: the tensors themselves, so that no identity is used twice.
    """

    steps: list[Step] = field(default_factory=list)
    numbers: dict[int, int] = field(default_factory=dict)
    tensors: list[torch.Tensor] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def start(self, film: torch.Tensor) -> None:
        """Number the film 0."""
        self.numbers[id(film)] = 0
        self.tensors.append(film)

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run one call; record it where it computes a tensor from the film."""
        func = OUT_OF_PLACE.get(func, func)
        args, given = out_of_place(func, args, dict(kwargs or {}))
        plain = WRITTEN_OUT.get(func)
        if plain is not None and self._from_film(args, given):
            try:
                with self:
                    return plain(*args, **given)
            except NotImplementedError:
                pass
        output = func(*args, **given)
        if func in NOT_FROM_FILM or not self._from_film(args, given):
            return output
        if not isinstance(output, torch.Tensor):
            return self._several(func, output)
        if id(output) in self.numbers:
            return output
        target = len(self.tensors)
        self.numbers[id(output)] = target
        self.tensors.append(output)
        make = TOKEN_CALLS.get(func)
        step = make(self.number, target, args, given) if make is not None else None
        self.steps.append(step or Step((), target, _refuse, _name(func)))
        return output

    def _several(self, func: Callable[..., Any], output: Any) -> Any:
        """Number what one call gave together, so that the network is refused if the logits depend on it."""
        for part in output if isinstance(output, (list, tuple)) else ():
            if isinstance(part, torch.Tensor) and id(part) not in self.numbers:
                target = len(self.tensors)
                self.numbers[id(part)] = target
                self.tensors.append(part)
                self.steps.append(Step((), target, _refuse, _name(func)))
        return output

    def number(self, value: Any) -> int | None:
        """Number of a tensor that was computed from the film, else None."""
        return self.numbers.get(id(value)) if isinstance(value, torch.Tensor) else None

    def _from_film(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        for value in (*args, *kwargs.values()):
            parts = value if isinstance(value, (list, tuple)) else (value,)
            if any(self.number(part) is not None for part in parts):
                return True
        return False


def record(network: nn.Module, film: torch.Tensor) -> Recording:
    """Record the steps from the film (N, 1, S, S) to the logits, in one forward pass.

    Raises:
        UnsupportedNetworkError: the logits depend on an operation that ``TOKEN_CALLS`` does not know.
    """
    tape = Tape()
    film = film.detach().clone()
    tape.start(film)
    with torch.no_grad(), tape:
        logits = network(film)
    last = tape.number(logits)
    if last is None or last == 0:
        raise UnsupportedNetworkError("the network's logits do not depend on the film")
    needed, steps = {last}, []
    for step in reversed(tape.steps):
        if step.target in needed:
            if step.apply is _refuse:
                raise UnsupportedNetworkError(
                    f"the operation {step.name!r} in this network cannot be followed backwards; choose another method"
                )
            needed.update(step.sources)
            steps.append(step)
    return Recording(tuple(reversed(steps)), last, tape.tensors)


def logits_apart(found: torch.Tensor, expected: torch.Tensor) -> float:
    """Largest difference of logits as a share of the largest expected one; infinite where the shapes differ."""
    if found.shape != expected.shape:
        return math.inf
    return float((found - expected).abs().max() / expected.abs().max().clamp(min=1e-12))


def _refuse(inputs: list[torch.Tensor]) -> torch.Tensor:
    raise UnsupportedNetworkError("an operation without a rule cannot be run")


def _name(func: Callable[..., Any]) -> str:
    return resolve_name(func) or getattr(func, "__name__", "unknown")
