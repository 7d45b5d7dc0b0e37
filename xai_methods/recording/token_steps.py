"""Steps of networks that work on tokens: attention, softmax, products, normalisation over each token's features."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.nn.functional as F

from xai_methods.recording.steps import Step

Found = TypeVar("Found", bound=torch.Tensor | None)
MASKED = -1e9
"""Score of what attention must not look at: finite, so that nothing times nothing is nothing."""


def reduced(values: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """Sum over the axes along which a tensor of ``shape`` was broadcast to that of ``values``."""
    return values if values.shape == shape else values.sum_to_size(shape)


@dataclass(frozen=True, eq=False)
class Shift(Step):
    """Its source plus a constant of the network: a bias. The sum may be larger than the source."""

    constant: torch.Tensor


@dataclass(frozen=True, eq=False)
class Product(Step):
    """The entrywise product (or quotient) of two sources.

    Attributes:
        gate: which of the two opens or closes the other, where that can be told. held: whether the gate is a
            normalisation's statistic or a divisor, which counts as a constant.
    """

    gate: int | None = None
    held: bool = False


@dataclass(frozen=True, eq=False)
class TokenStep(Step, ABC):
    """A step that knows its own derivative, transposed."""

    @abstractmethod
    def pulled_back(
        self, inputs: Sequence[torch.Tensor], output: torch.Tensor, upper: torch.Tensor
    ) -> list[torch.Tensor]:
        """Gradients with respect to each source from those with respect to the output, one row a logit.

        Where a value is (1, ...), its rows stand in place of the 1; else they stand before its shape.
        """

    def shapes_agree(self, inputs: Sequence[torch.Tensor], output: torch.Tensor) -> bool:
        """Whether nothing was broadcast, which ``pulled_back`` does not sum over."""
        return all(x.shape[:-2] == output.shape[:-2] for x in inputs)


@dataclass(frozen=True, eq=False)
class MatrixProduct(TokenStep):
    """The matrix product of two sources. ``gate``: which of them is a softmax, where one is."""

    gate: int | None = None

    def pulled_back(
        self, inputs: Sequence[torch.Tensor], output: torch.Tensor, upper: torch.Tensor
    ) -> list[torch.Tensor]:
        """See :class:`TokenStep`."""
        left, right = inputs
        return [upper @ right.transpose(-2, -1), left.transpose(-2, -1) @ upper]


@dataclass(frozen=True, eq=False)
class Softmax(TokenStep):
    """Softmax along ``dim``."""

    dim: int

    def pulled_back(
        self, inputs: Sequence[torch.Tensor], output: torch.Tensor, upper: torch.Tensor
    ) -> list[torch.Tensor]:
        """See :class:`TokenStep`."""
        return [softmax_back(output, upper, self.dim)]


def softmax_back(output: torch.Tensor, upper: torch.Tensor, dim: int = -1) -> torch.Tensor:
    """Transpose of the softmax's derivative, where the softmax is ``output``."""
    lower = output * upper
    return lower.addcmul_(output, lower.sum(dim=dim, keepdim=True), value=-1)


@dataclass(frozen=True, eq=False)
class Normalisation(TokenStep):
    """Layer norm (centred) or RMS norm over the last axes.

    Attributes:
        axes: how many of them. weight, bias: of the normalised shape. eps: added to the variance.
    """

    axes: int
    weight: torch.Tensor | None
    bias: torch.Tensor | None
    eps: float
    centred: bool = True

    def over(self) -> tuple[int, ...]:
        """The axes that are normalised."""
        return tuple(range(-self.axes, 0))

    def scale(self, x: torch.Tensor) -> torch.Tensor:
        """What centred values are multiplied by: weight over standard deviation."""
        inverse = self.inverse_deviation(x)
        return inverse if self.weight is None else inverse * self.weight

    def inverse_deviation(self, x: torch.Tensor) -> torch.Tensor:
        """1 over the standard deviation (or root mean square) of each token."""
        spread = self.centre(x).square().mean(dim=self.over(), keepdim=True)
        return torch.rsqrt(spread + self.eps)

    def centre(self, x: torch.Tensor) -> torch.Tensor:
        """Without its mean, which is its own transpose; unchanged by RMS norm."""
        return x - x.mean(dim=self.over(), keepdim=True) if self.centred else x

    def pulled_back(
        self, inputs: Sequence[torch.Tensor], output: torch.Tensor, upper: torch.Tensor
    ) -> list[torch.Tensor]:
        """See :class:`TokenStep`."""
        inverse = self.inverse_deviation(inputs[0])
        unit = self.centre(inputs[0]) * inverse
        scaled = upper if self.weight is None else upper * self.weight
        along = (scaled * unit).mean(dim=self.over(), keepdim=True)
        return [self.centre(scaled).addcmul(unit, along, value=-1).mul_(inverse)]


@dataclass(frozen=True, eq=False)
class Attention(TokenStep):
    """Scaled dot-product attention: softmax(scale q k' + mask) v.

    Attributes:
        operands: q, k and v: the place of each among the sources, or a constant of the network.
        mask: added to the scores; None where there is none. scale: of the scores.
    """

    operands: tuple[int | torch.Tensor, ...]
    mask: torch.Tensor | None
    scale: float

    def run(self, inputs: list[torch.Tensor]) -> torch.Tensor:
        """Compute the step's output."""
        q, k, v = self.placed(inputs)
        return F.scaled_dot_product_attention(q, k, v, attn_mask=self.mask, scale=self.scale)

    def placed(self, inputs: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """q, k and v."""
        return [inputs[operand] if isinstance(operand, int) else operand for operand in self.operands]

    def variable(self, place: int) -> bool:
        """Whether q (0), k (1) or v (2) was computed from the film."""
        return isinstance(self.operands[place], int)

    def scores(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """What the softmax is taken of, (N, heads, T, S)."""
        q, k, _ = self.placed(inputs)
        found = (q * self.scale) @ k.transpose(-2, -1)
        return found if self.mask is None else found + self.mask

    def weights(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """Attention weights (N, heads, T, S): how much each token takes from each."""
        return self.scores(inputs).softmax(dim=-1)

    def handed(self, found: Sequence[Found]) -> list[Found]:
        """What belongs to q, k and v, in the order of the sources; constants' parts are left out."""
        return [part for part, operand in zip(found, self.operands) if isinstance(operand, int)]

    def pulled_back(
        self, inputs: Sequence[torch.Tensor], output: torch.Tensor, upper: torch.Tensor
    ) -> list[torch.Tensor]:
        """See :class:`TokenStep`."""
        q, k, v = self.placed(inputs)
        weights = self.weights(inputs)
        to_values = weights.transpose(-2, -1) @ upper
        to_scores = softmax_back(weights, upper @ v.transpose(-2, -1))
        return self.handed([to_scores @ (k * self.scale), to_scores.transpose(-2, -1) @ (q * self.scale), to_values])
