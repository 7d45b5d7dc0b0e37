"""Which rule each step with weights gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from xai_methods.relevance.rules import STABILISER, AlphaBeta, Box, Epsilon, Flat, Gamma, Rule
from xai_methods.relevance.steps import Affine


@dataclass(frozen=True)
class Composite:
    """A rule for linear layers, one for convolutions (and normalisations not folded into one), one for the first.

    ``stabiliser`` keeps the denominators of sums and pooling away from zero.
    """

    linear: Rule
    convolution: Rule
    first: Rule | None = None
    stabiliser: float = STABILISER

    def rule(self, step: Affine) -> Rule:
        """The rule of one step."""
        if step.first and self.first is not None:
            return self.first
        return self.linear if step.kind == "linear" else self.convolution


_Z_PLUS = AlphaBeta(1.0, 0.0)

_COMPOSITES: dict[str, Callable[[float, float, float, float], Composite]] = {
    "epsilon-plus-flat": lambda low, high, epsilon, gamma: Composite(Epsilon(epsilon), _Z_PLUS, Flat()),
    "epsilon-plus": lambda low, high, epsilon, gamma: Composite(Epsilon(epsilon), _Z_PLUS),
    "epsilon-gamma-box": lambda low, high, epsilon, gamma: Composite(Epsilon(epsilon), Gamma(gamma), Box(low, high)),
    "alpha2-beta1": lambda low, high, epsilon, gamma: Composite(Epsilon(epsilon), AlphaBeta(2.0, 1.0)),
    "epsilon": lambda low, high, epsilon, gamma: Composite(Epsilon(epsilon), Epsilon(epsilon)),
}

COMPOSITES = tuple(_COMPOSITES)
"""Names that :func:`composite` takes."""


def composite(name: str, low: float, high: float, epsilon: float = 1e-6, gamma: float = 0.25) -> Composite:
    """Build the composite called ``name`` for films between ``low`` and ``high``.

    Args:
        name: one of :data:`COMPOSITES`. low, high: input values of black and white.
        epsilon: stabiliser of the epsilon rule. gamma: favour of the gamma rule.
    """
    return replace(_COMPOSITES[name](low, high, epsilon, gamma), stabiliser=min(epsilon, STABILISER))
