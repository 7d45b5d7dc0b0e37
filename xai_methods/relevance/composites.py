"""Which rule each step with weights gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from xai_methods.recording.steps import Affine
from xai_methods.relevance.rules import STABILISER, AlphaBeta, Epsilon, Flat, Gamma, Plus, Rule, ZBox
from xai_methods.relevance.tokens import ATTENTION_RULES


@dataclass(frozen=True)
class Composite:
    """A rule for linear layers, one for convolutions, one for the first step, one for normalisations not folded away.

    Where the last two are None, such steps get the rule that convolutions get. ``stabiliser`` keeps the denominators of
    sums and pooling away from zero; ``attention`` is one of ``ATTENTION_RULES``.
    """

    linear: Rule
    convolution: Rule
    first: Rule | None = None
    normalisation: Rule | None = None
    stabiliser: float = STABILISER
    attention: str = ATTENTION_RULES[0]

    def rule(self, step: Affine) -> Rule:
        """The rule of one step."""
        if step.first and self.first is not None:
            return self.first
        if step.kind == "scale" and self.normalisation is not None:
            return self.normalisation
        return self.linear if step.kind == "linear" else self.convolution


_COMPOSITES: dict[str, Callable[[float, float, float, float], Composite]] = {
    "epsilon-plus-flat": lambda low, high, epsilon, gamma: Composite(Epsilon(epsilon), Plus(), Flat()),
    "epsilon-plus": lambda low, high, epsilon, gamma: Composite(Epsilon(epsilon), Plus()),
    "epsilon-gamma-box": lambda low, high, epsilon, gamma: Composite(Epsilon(epsilon), Gamma(gamma), ZBox(low, high)),
    # A normalisation's output has one input; alpha-beta would weigh it against the bias and double it at each layer.
    "alpha2-beta1": lambda low, high, epsilon, gamma: Composite(Epsilon(epsilon), AlphaBeta(1.0), normalisation=Plus()),
    "epsilon": lambda low, high, epsilon, gamma: Composite(Epsilon(epsilon), Epsilon(epsilon)),
}

COMPOSITES = tuple(_COMPOSITES)
"""Names that :func:`composite` takes."""


def composite(
    name: str,
    low: float,
    high: float,
    epsilon: float = 1e-6,
    gamma: float = 0.25,
    attention: str = ATTENTION_RULES[0],
) -> Composite:
    """Build the composite called ``name`` for films between ``low`` and ``high``.

    Args:
        name: one of :data:`COMPOSITES`. low, high: input values of black and white.
        epsilon: stabiliser of the epsilon rule. gamma: favour of the gamma rule.
        attention: one of ``ATTENTION_RULES``.
    """
    chosen = _COMPOSITES[name](low, high, epsilon, gamma)
    return replace(chosen, stabiliser=min(epsilon, STABILISER), attention=attention)
