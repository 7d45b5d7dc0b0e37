"""The Jacobian by the forward chain rule (Abe & Asai 2025, arXiv 2502.14001): a second road to check the first by."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

_SLOPES: dict[type[nn.Module], Callable[[torch.Tensor], torch.Tensor]] = {
    nn.ReLU: lambda x: (x > 0).to(x.dtype),
    nn.Softplus: torch.sigmoid,
}


@torch.no_grad()
def forward_jacobian(network: nn.Sequential, film: torch.Tensor) -> torch.Tensor:
    """Carry d a[l] / d x through the layers of a small network: (C, N) for a (1, 1, S, S) film."""
    value = film.detach()
    tangents = torch.eye(film.numel(), dtype=film.dtype).reshape(-1, *film.shape[1:])
    for layer in network:
        tangents, value = _push(layer, value, tangents), layer(value)
    return tangents.flatten(1).T


def _push(layer: nn.Module, value: torch.Tensor, tangents: torch.Tensor) -> torch.Tensor:
    """Apply one layer's own Jacobian, at ``value``, to all tangents."""
    if type(layer) in _SLOPES:
        return tangents * _SLOPES[type(layer)](value)
    if isinstance(layer, nn.Linear):
        return F.linear(tangents, layer.weight)
    if isinstance(layer, nn.Conv2d):
        return F.conv2d(tangents, layer.weight, None, layer.stride, layer.padding)
    if isinstance(layer, nn.BatchNorm2d):
        scale = layer.weight * torch.rsqrt(layer.running_var + layer.eps)
        return tangents * scale[:, None, None]
    if isinstance(layer, nn.MaxPool2d):
        _, winners = F.max_pool2d(value, layer.kernel_size, return_indices=True)
        picked = tangents.flatten(2).gather(2, winners.flatten(2).expand(len(tangents), -1, -1))
        return picked.reshape(len(tangents), *winners.shape[1:])
    return layer(tangents)


def small_network(n_findings: int = 3, seed: int = 0) -> nn.Sequential:
    """A small convolutional network for (1, 1, S, S), its weights drawn from ``seed``."""
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 8, 3, padding=1), nn.Softplus(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32, n_findings),
    )  # fmt: skip
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in network.parameters():
            weight.normal_(0, 0.5, generator=generator)
    return network.eval()
