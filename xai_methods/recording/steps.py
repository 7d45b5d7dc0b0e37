"""The kinds of step that a network's way from the film to the logits is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F

from xai_methods.recording.convolution import transposed_convolution

Apply = Callable[[list[torch.Tensor]], torch.Tensor]


@dataclass(frozen=True, eq=False)
class Step:
    """One operation: it reads the values numbered ``sources`` and writes the value numbered ``target``.

    Attributes:
        apply: from the sources' tensors to the target's.
        name: the operation, for people.
    """

    sources: tuple[int, ...]
    target: int
    apply: Apply
    name: str

    def run(self, inputs: list[torch.Tensor]) -> torch.Tensor:
        """Compute the step's output."""
        return self.apply(inputs)


class Elementwise(Step):
    """An activation: relevance passes it unchanged."""


class Statistic(Elementwise):
    """A root: what normalisations divide by. Beside what it multiplies it counts as a constant."""


class Rearrangement(Step):
    """Each output entry is one input entry (reshape, concatenation, maximum): relevance goes where it came from."""


@dataclass(frozen=True, eq=False)
class Concatenation(Rearrangement):
    """Its sources one behind the other along ``dim``."""

    dim: int


@dataclass(frozen=True, eq=False)
class MaxPooling(Rearrangement):
    """The largest entry of each window. ``options``: kernel_size, stride, padding, dilation, ceil_mode."""

    options: dict[str, Any]


class Joined(Rearrangement):
    """A concatenation with tensors of the network's own (a class token): relevance that arrives there stays there."""


class Pooling(Step):
    """A linear map of its input without a bias: relevance is split in proportion to the contributions."""


class Addition(Step):
    """The sum of its sources: relevance is split in proportion to the contributions."""


@dataclass(frozen=True, eq=False)
class Affine(Step):
    """A convolution, a linear layer or a normalisation by channel, with weights that rules may change.

    Attributes:
        kind: "conv", "linear" or "scale" (one weight a channel). weight, bias: its parameters.
        options: stride, padding, dilation and groups of a convolution.
        first: whether nothing with weights lies between it and the film.
    """

    kind: str
    weight: torch.Tensor
    bias: torch.Tensor | None
    options: dict[str, Any]
    first: bool = False

    def run(self, inputs: list[torch.Tensor]) -> torch.Tensor:
        """Compute the step's output with its own weights."""
        return self.linear(inputs[0], self.weight, self.bias)

    def linear(self, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        """Apply the step with other weights."""
        if self.kind == "conv":
            return F.conv2d(x, weight, bias, **self.options)
        if self.kind == "linear":
            return F.linear(x, weight, bias)
        y = x * along_channels(weight, x)
        return y if bias is None else y + along_channels(bias, x)

    def transposed(self, shape: torch.Size, weight: torch.Tensor, upper: torch.Tensor) -> torch.Tensor:
        """Apply the transpose of the step, with other weights, to what arrives from above."""
        if self.kind == "conv":
            return transposed_convolution(shape, weight, upper, self.options)
        if self.kind == "linear":
            return upper @ weight
        return upper * along_channels(weight, upper)

    def bias_as(self, output: torch.Tensor) -> torch.Tensor | None:
        """The bias in a form that broadcasts over the step's output; None where there is none."""
        if self.bias is None:
            return None
        return self.bias if self.kind == "linear" else along_channels(self.bias, output)

    def scaled(self, scale: torch.Tensor, shift: torch.Tensor, target: int) -> Affine:
        """Return this step followed by ``scale * y + shift`` by channel, as one step that writes ``target``."""
        weight = self.weight * scale.view(-1, *[1] * (self.weight.ndim - 1))
        bias = shift if self.bias is None else self.bias * scale + shift
        return replace(self, weight=weight, bias=bias, target=target)


def along_channels(values: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Shape (K,) values so that they broadcast over the channels of an (N, K, ...) tensor."""
    return values.view(1, -1, *[1] * (like.ndim - 2))
