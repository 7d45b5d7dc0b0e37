"""The Jacobian by the forward chain rule, as a reference: J = product of the layers' own Jacobians.

Abe & Asai 2025 (arXiv 2502.14001) carry the product along with the forward pass, which also gives the Jacobian of every
partial model. The price is one tangent for each pixel, where reverse mode pays one pass for each finding; so this is
for small networks and for checking the other engine.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

Slope = Callable[[torch.Tensor], torch.Tensor]
_SLOPES: dict[type[nn.Module], Slope] = {
    nn.ReLU: lambda x: (x > 0).to(x.dtype),
    nn.Tanh: lambda x: 1 - torch.tanh(x) ** 2,
    nn.Sigmoid: lambda x: torch.sigmoid(x) * (1 - torch.sigmoid(x)),
    nn.Softplus: torch.sigmoid,
}
_LINEAR = (nn.Flatten, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.Identity, nn.Dropout)


@dataclass(frozen=True, eq=False)
class ForwardJacobian:
    """A network's Jacobian and those of its partial models.

    Attributes:
        matrix: (C, N), d output / d input.
        partial: by layer name, (units, N), d output of the layer / d input.
        multiplications: multiply-adds spent on tangents in convolutions and linear layers.
    """

    matrix: torch.Tensor
    partial: dict[str, torch.Tensor]
    multiplications: int


@dataclass(frozen=True)
class Cost:
    """What one Jacobian costs either way: input pixels, multiply-adds, and wall time in seconds."""

    pixels: int
    forward_multiplications: int
    reverse_multiplications: int
    forward_seconds: float
    reverse_seconds: float


def forward_jacobian(network: nn.Sequential, film: torch.Tensor) -> ForwardJacobian:
    """Carry d a[l] / d x through a small network, layer by layer.

    Args:
        network: layers in a row, in evaluation mode: convolutions, linear layers, batch normalisation, ReLU, tanh,
            sigmoid, softplus, max- and average pooling, flattening. film: (1, 1, S, S).

    Raises:
        TypeError: a layer has no rule here; the message names it.
    """
    with torch.no_grad():
        value = film.detach()
        tangents = torch.eye(film.numel(), dtype=film.dtype, device=film.device).reshape(-1, *film.shape[1:])
        partial, spent = {}, 0
        for name, layer in network.named_children():
            spent += len(tangents) * multiplications(layer, value)
            tangents, value = _push(name, layer, value, tangents), layer(value)
            partial[name] = tangents.flatten(1).T
    return ForwardJacobian(tangents.flatten(1).T, partial, spent)


def _push(name: str, layer: nn.Module, value: torch.Tensor, tangents: torch.Tensor) -> torch.Tensor:
    """Apply one layer's own Jacobian, at ``value``, to all tangents."""
    slope = _SLOPES.get(type(layer))
    if slope is not None:
        return tangents * slope(value)
    if isinstance(layer, nn.Linear):
        return F.linear(tangents, layer.weight)
    if isinstance(layer, nn.Conv2d) and layer.padding_mode == "zeros":
        return F.conv2d(tangents, layer.weight, None, layer.stride, layer.padding, layer.dilation, layer.groups)
    if isinstance(layer, nn.BatchNorm2d) and not layer.training and layer.running_var is not None:
        scale = torch.rsqrt(layer.running_var + layer.eps)
        return tangents * (scale if layer.weight is None else scale * layer.weight)[:, None, None]
    if isinstance(layer, nn.MaxPool2d):
        _, winners = F.max_pool2d(
            value, layer.kernel_size, layer.stride, layer.padding, layer.dilation, layer.ceil_mode, return_indices=True
        )
        picked = tangents.flatten(2).gather(2, winners.flatten(2).expand(len(tangents), -1, -1))
        return picked.reshape(len(tangents), *winners.shape[1:])
    if isinstance(layer, _LINEAR) and not (isinstance(layer, nn.Dropout) and layer.training):
        return layer(tangents)
    raise TypeError(f"the layer {name} ({type(layer).__name__}) has no forward rule; use reverse mode instead")


def multiplications(layer: nn.Module, value: torch.Tensor) -> int:
    """Multiply-adds of one convolution or linear layer on one input; 0 for other layers."""
    if isinstance(layer, nn.Linear):
        return layer.in_features * layer.out_features
    if isinstance(layer, nn.Conv2d):
        with torch.no_grad():
            outputs = layer(value)[0].numel()
        return outputs * layer.weight[0].numel()
    return 0


def reverse_jacobian(network: nn.Module, film: torch.Tensor) -> torch.Tensor:
    """(C, N) by one forward pass and one batched reverse pass."""
    with torch.enable_grad():
        pixels = film.detach().clone().requires_grad_(True)
        outputs = network(pixels)[0]
        rows = torch.eye(len(outputs), dtype=outputs.dtype, device=outputs.device)
        (matrix,) = torch.autograd.grad(outputs, pixels, rows, is_grads_batched=True)
    return matrix.flatten(1)


def reference_network(side: int, n_findings: int = 14, seed: int = 0) -> nn.Sequential:
    """A small convolutional network in double precision for (1, 1, side, side), its weights drawn from ``seed``.

    Raises:
        ValueError: the side is below 8.
    """
    if side < 8:
        raise ValueError(f"side: expected 8 or more, got {side}")
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 8, 3, padding=1), nn.Softplus(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32, n_findings),
    )  # fmt: skip
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in network.parameters():
            weight.normal_(0, 0.5, generator=generator)
    return network.double().eval()


def cost_by_size(sides: tuple[int, ...] = (8, 12, 16, 24), n_findings: int = 14, seed: int = 0) -> list[Cost]:
    """What the Jacobian of :func:`reference_network` costs either way as the film grows."""
    costs = []
    for side in sides:
        network = reference_network(side, n_findings, seed)
        film = torch.randn(1, 1, side, side, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        started = time.perf_counter()
        forward = forward_jacobian(network, film)
        middle = time.perf_counter()
        reverse_jacobian(network, film)
        ended = time.perf_counter()
        single = forward.multiplications // math.prod(film.shape)
        # Reverse mode runs the network once and each layer's transpose once for each finding.
        costs.append(
            Cost(side * side, forward.multiplications, single * (1 + n_findings), middle - started, ended - middle)
        )
    return costs
