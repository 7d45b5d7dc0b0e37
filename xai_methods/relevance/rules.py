"""The rules by which a step with weights propagates relevance.

Notation: x input, w weights, b bias, z = wx + b output, R relevance; a plus or minus sign keeps that part and puts 0
for the rest. Each rule returns the relevance of its input and the sum that its bias has absorbed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch

from xai_methods.recording.steps import Affine

STABILISER = 1e-6
"""Added to denominators, away from zero."""

Propagated = tuple[torch.Tensor, float]


def stabilised(z: torch.Tensor, epsilon: float = STABILISER) -> torch.Tensor:
    """Move ``z`` away from zero by ``epsilon``; zero itself moves up."""
    return z + torch.where(z < 0, -epsilon, epsilon).to(z)


class Rule(ABC):
    """How a step with weights propagates relevance."""

    @abstractmethod
    def propagate(self, step: Affine, x: torch.Tensor, z: torch.Tensor, relevance: torch.Tensor) -> Propagated:
        """Relevance of ``x``, and the sum absorbed by the bias, for a step that mapped x to z."""


def _absorbed(bias: torch.Tensor | None, share: torch.Tensor) -> float:
    return 0.0 if bias is None else float((bias * share).sum())


def _parts(step: Affine, z: torch.Tensor, sign: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
    """Weights of this sign, weights of the other sign, bias of this sign (broadcastable over ``z``)."""
    bias = step.bias_as(z)
    plus, minus = step.weight.clamp(min=0), step.weight.clamp(max=0)
    if sign > 0:
        return plus, minus, None if bias is None else bias.clamp(min=0)
    return minus, plus, None if bias is None else bias.clamp(max=0)


@dataclass(frozen=True)
class _Shares:
    """Contributions to a step's outputs: x+ under one set of weights, x- under another, and a bias."""

    step: Affine
    x: torch.Tensor
    parts: tuple[tuple[torch.Tensor, torch.Tensor], ...]
    bias: torch.Tensor | None
    total: torch.Tensor

    def split(self, relevance: torch.Tensor) -> Propagated:
        """Split relevance in proportion to the contributions."""
        share = relevance / stabilised(self.total)
        lower = torch.zeros_like(self.x)
        for part, weight in self.parts:
            lower = lower + part * self.step.transposed(self.x.shape, weight, share)
        return lower, _absorbed(self.bias, share)


def _shares(
    step: Affine,
    x: torch.Tensor,
    z: torch.Tensor,
    weights: tuple[torch.Tensor, torch.Tensor],
    bias: torch.Tensor | None,
) -> _Shares:
    """Contributions of x+ under the first weights, of x- under the second, and of the bias."""
    parts = [(x.clamp(min=0), weights[0])]
    if bool((x < 0).any()):
        parts.append((x.clamp(max=0), weights[1]))
    total = torch.zeros_like(z) if bias is None else torch.zeros_like(z) + bias
    for part, weight in parts:
        total = total + step.linear(part, weight)
    return _Shares(step, x, tuple(parts), bias, total)


def _of_sign(step: Affine, x: torch.Tensor, z: torch.Tensor, sign: int) -> _Shares:
    same, other, bias = _parts(step, z, sign)
    return _shares(step, x, z, (same, other), bias)


@dataclass(frozen=True)
class Epsilon(Rule):
    """R_i = sum_j x_i w_ij R_j / (z_j +- epsilon) (Bach et al. 2015, doi 10.1371/journal.pone.0130140)."""

    epsilon: float = STABILISER

    def propagate(self, step: Affine, x: torch.Tensor, z: torch.Tensor, relevance: torch.Tensor) -> Propagated:
        """See :class:`Rule`."""
        share = relevance / stabilised(z, self.epsilon)
        return x * step.transposed(x.shape, step.weight, share), _absorbed(step.bias_as(z), share)


class Plus(Rule):
    """The z-plus rule: positive contributions share all (Montavon et al. 2017, doi 10.1016/j.patcog.2016.11.008).

    An output without any positive contribution, which behind a SiLU still counts, passes relevance to negative ones.
    """

    def propagate(self, step: Affine, x: torch.Tensor, z: torch.Tensor, relevance: torch.Tensor) -> Propagated:
        """See :class:`Rule`."""
        plus = _of_sign(step, x, z, +1)
        lower, absorbed = plus.split(relevance)
        left = relevance * (plus.total <= 0)
        if bool(left.any()):
            more, more_absorbed = _of_sign(step, x, z, -1).split(left)
            lower, absorbed = lower + more, absorbed + more_absorbed
        return lower, absorbed


@dataclass(frozen=True)
class AlphaBeta(Rule):
    """1 + beta times the positive contributions less beta times the negative ones (Bach et al. 2015).

    An output with contributions of one sign only has nothing to weigh them against: they share its relevance once.
    Taken by the letter, the rule would pass on 1 + beta times, or minus beta times, what such an output received.
    """

    beta: float

    def propagate(self, step: Affine, x: torch.Tensor, z: torch.Tensor, relevance: torch.Tensor) -> Propagated:
        """See :class:`Rule`."""
        plus, minus = _of_sign(step, x, z, +1), _of_sign(step, x, z, -1)
        speaks, opposes = plus.total > 0, minus.total < 0
        taken = torch.where(opposes, torch.where(speaks, -self.beta, 1.0), 0.0).to(relevance)
        lower, absorbed = plus.split(relevance * (1 - taken))
        less, less_absorbed = minus.split(relevance * taken)
        return lower + less, absorbed + less_absorbed


@dataclass(frozen=True)
class Gamma(Rule):
    """Positive contributions count 1 + gamma times (Montavon et al. 2019, doi 10.1007/978-3-030-28954-6_10).

    For inputs of both signs: outputs above 0 favour positive contributions, outputs below 0 negative ones
    (Andéol et al. 2021, arXiv 2106.13200).
    """

    gamma: float

    def propagate(self, step: Affine, x: torch.Tensor, z: torch.Tensor, relevance: torch.Tensor) -> Propagated:
        """See :class:`Rule`."""
        lower, absorbed = self._side(step, x, z, relevance * (z > 0), +1)
        below = relevance * (z < 0)
        if bool(below.any()):
            more, more_bias = self._side(step, x, z, below, -1)
            lower, absorbed = lower + more, absorbed + more_bias
        return lower, absorbed

    def _side(self, step: Affine, x: torch.Tensor, z: torch.Tensor, relevance: torch.Tensor, sign: int) -> Propagated:
        same, other, favoured = _parts(step, z, sign)
        own = step.bias_as(z)
        bias = None if own is None or favoured is None else own + self.gamma * favoured
        weights = (step.weight + self.gamma * same, step.weight + self.gamma * other)
        return _shares(step, x, z, weights, bias).split(relevance)


class Flat(Rule):
    """The same share to every input of an output (Lapuschkin et al. 2019, doi 10.1038/s41467-019-08987-4)."""

    def propagate(self, step: Affine, x: torch.Tensor, z: torch.Tensor, relevance: torch.Tensor) -> Propagated:
        """See :class:`Rule`."""
        ones = torch.ones_like(step.weight)
        share = relevance / stabilised(step.linear(torch.ones_like(x), ones))
        return step.transposed(x.shape, ones, share), 0.0


@dataclass(frozen=True)
class ZBox(Rule):
    """The z-box rule for pixels that lie between ``low`` and ``high`` (Montavon et al. 2017).

    It expands each output about a point where the output is 0, so that pixels share all of R, as their contributions
    are to each other; the bias only moves that point and keeps nothing.
    """

    low: float
    high: float

    def propagate(self, step: Affine, x: torch.Tensor, z: torch.Tensor, relevance: torch.Tensor) -> Propagated:
        """See :class:`Rule`."""
        plus, minus = step.weight.clamp(min=0), step.weight.clamp(max=0)
        low, high = torch.full_like(x, self.low), torch.full_like(x, self.high)
        whole = step.linear(x, step.weight) - step.linear(low, plus) - step.linear(high, minus)
        share = relevance / stabilised(whole)
        lower = (
            x * step.transposed(x.shape, step.weight, share)
            - low * step.transposed(x.shape, plus, share)
            - high * step.transposed(x.shape, minus, share)
        )
        return lower, 0.0
