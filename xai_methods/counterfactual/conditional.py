"""Layers whose normalisation is set by the finding and the target posterior."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

BINS = 10
"""Steps of the posterior, as in Singla et al. 2023 (arXiv 2101.04230)."""


def bin_weights(levels: torch.Tensor, bins: int = BINS) -> torch.Tensor:
    """Share of each bin in posteriors ``levels``: (N,) in [0, 1] to (N, bins), rows summing to 1.

    Bin k stands for (k + 0.5) / bins; a posterior between two centres is shared linearly between them, so that a slider
    moves without steps. Below the first and above the last centre, that bin has it all.
    """
    place = (levels * bins - 0.5).clamp(0, bins - 1)
    below = place.floor().clamp(max=bins - 2).long() if bins > 1 else torch.zeros_like(place).long()
    share = (place - below).unsqueeze(1)
    lower = F.one_hot(below, bins).to(levels.dtype)
    upper = F.one_hot((below + 1).clamp(max=bins - 1), bins).to(levels.dtype)
    return (1 - share) * lower + share * upper


class Condition(nn.Module):
    """Embeds which finding is meant, how present it is on the film, and how present it should become.

    Args:
        findings: number of findings F. width: length of the embedding. bins: steps of the posterior.
    """

    def __init__(self, findings: int, width: int, bins: int = BINS) -> None:
        super().__init__()
        self.bins = bins
        self.target = nn.Parameter(torch.randn(findings, bins, width) * 0.5)
        self.own = nn.Parameter(torch.randn(findings, bins, width) * 0.5)

    def forward(self, finding: torch.Tensor, own: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Embed (N,) finding indices, (N,) own and (N,) target posteriors: (N, width)."""
        return _looked_up(self.target[finding], target, self.bins) + _looked_up(self.own[finding], own, self.bins)


def _looked_up(table: torch.Tensor, posterior: torch.Tensor, bins: int) -> torch.Tensor:
    return torch.einsum("nb,nbw->nw", bin_weights(posterior, bins).to(table.dtype), table)


class ConditionalNorm(nn.Module):
    """Group normalisation whose scale and shift depend on a condition (Dumoulin et al. 2017, arXiv 1610.07629).

    Groups instead of batches: what a film becomes does not depend on the films beside it.

    Args:
        channels: of the features. width: of the condition's embedding. groups: that share a mean and a variance.
    """

    def __init__(self, channels: int, width: int, groups: int = 8) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(groups, channels, affine=False)
        self.scale_and_shift = nn.Linear(width, 2 * channels)
        nn.init.normal_(self.scale_and_shift.weight, std=0.05)
        nn.init.zeros_(self.scale_and_shift.bias)

    def forward(self, features: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """Normalise (N, K, h, w) features under (N, width) conditions."""
        scale, shift = self.scale_and_shift(condition)[:, :, None, None].chunk(2, dim=1)
        return self.norm(features) * (1 + scale) + shift


class ConditionalBlock(nn.Module):
    """Residual block of two convolutions, each behind a :class:`ConditionalNorm` and a ReLU."""

    def __init__(self, given: int, made: int, width: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList([ConditionalNorm(given, width), ConditionalNorm(made, width)])
        self.convolutions = nn.ModuleList(
            [nn.Conv2d(given, made, 3, padding=1, bias=False), nn.Conv2d(made, made, 3, padding=1, bias=False)]
        )
        self.shortcut = nn.Identity() if given == made else nn.Conv2d(given, made, 1, bias=False)

    def forward(self, features: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """Map (N, given, h, w) to (N, made, h, w)."""
        inner = features
        for norm, convolution in zip(self.norms, self.convolutions):
            inner = convolution(F.relu(norm(inner, condition)))
        return self.shortcut(features) + inner
