"""Which ReLUs and max-pools switch when a film is moved: the places where a network has no derivative."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from evaluation.stability.probe import Probe

_ATEN = torch.ops.aten


def _above_zero(output: Any, arguments: tuple[Any, ...]) -> torch.Tensor:
    return output > 0


def _above_floor(output: Any, arguments: tuple[Any, ...]) -> torch.Tensor:
    return output > arguments[1] if len(arguments) > 1 and arguments[1] is not None else output > 0


def _between(output: Any, arguments: tuple[Any, ...]) -> torch.Tensor:
    low = arguments[1] if len(arguments) > 1 else -1
    high = arguments[2] if len(arguments) > 2 else 1
    return (output > low).to(torch.int8) + (output >= high).to(torch.int8)


def _winner(output: Any, arguments: tuple[Any, ...]) -> torch.Tensor:
    return output[1]


_STATES: dict[Any, Callable[[Any, tuple[Any, ...]], torch.Tensor]] = {
    _ATEN.relu.default: _above_zero,
    _ATEN.relu_.default: _above_zero,
    _ATEN.leaky_relu.default: _above_zero,
    _ATEN.leaky_relu_.default: _above_zero,
    _ATEN.threshold.default: _above_zero,
    _ATEN.clamp_min.default: _above_floor,
    _ATEN.clamp_min_.default: _above_floor,
    _ATEN.hardtanh.default: _between,
    _ATEN.hardtanh_.default: _between,
    _ATEN.max_pool2d_with_indices.default: _winner,
}


class _States(TorchDispatchMode):
    """Compares, in every kinked operation, each film of the batch with the first film; sees this thread only."""

    def __init__(self) -> None:
        super().__init__()
        self.switched: torch.Tensor | int = 0
        self.units = 0

    def __torch_dispatch__(
        self, operation: Any, types: Any, arguments: tuple[Any, ...] = (), named: dict[str, Any] | None = None
    ) -> Any:
        output = operation(*arguments, **(named or {}))
        state_of = _STATES.get(operation)
        if state_of is not None:
            state = state_of(output, arguments)
            state = state.reshape(len(state), -1)
            self.switched = self.switched + (state != state[:1]).sum(dim=1)
            self.units += state.shape[1]
        return output


def switched_share(probe: Probe, films: np.ndarray) -> np.ndarray:
    """Share of ReLU units and max-pool windows that are in another state than on the unchanged film.

    Args:
        films: (N, S, S) in shares of the grey range.

    Returns:
        (N,) shares; NaN where the network has no such unit.
    """
    batch = probe.input(np.concatenate([probe.film[None], films]))
    with torch.no_grad(), _States() as states:
        probe.classifier(batch)
    probe.passes += len(batch)
    if states.units == 0 or isinstance(states.switched, int):
        return np.full(len(films), np.nan)
    return (states.switched[1:].double() / states.units).cpu().numpy()
