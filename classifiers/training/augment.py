"""Random but plausible changes of a batch of films: position, exposure, sharpness and noise."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

MEAN, STD = 0.5, 0.25
"""Films in [0, 1] enter the network as (film - MEAN) / STD."""


def random_affine(n: int, generator: torch.Generator) -> torch.Tensor:
    """Draw (n, 2, 3) maps from output to input coordinates: +-8 degrees, zoom 0.8 to 1.15, shift +-8 %."""

    def uniform(low: float, high: float) -> torch.Tensor:
        return low + (high - low) * torch.rand(n, generator=generator)

    angle = uniform(-8, 8) * math.pi / 180
    zoom, stretch = uniform(0.8, 1.15), uniform(0.93, 1.07)
    cos, sin = torch.cos(angle) * zoom, torch.sin(angle) * zoom
    shift = 0.16
    rows = [
        torch.stack([cos * stretch, -sin, uniform(-shift, shift)], dim=1),
        torch.stack([sin, cos / stretch, uniform(-shift, shift)], dim=1),
    ]
    return torch.stack(rows, dim=1)


def warp(films: torch.Tensor, theta: torch.Tensor, side: int) -> torch.Tensor:
    """Resample (N, 1, h, w) films onto (N, 1, side, side) grids moved by ``theta``; outside is black."""
    grid = F.affine_grid(theta, [len(films), 1, side, side], align_corners=False)
    return F.grid_sample(films, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def vary_exposure(films: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Change gamma, contrast and brightness of films in [0, 1] and add noise."""
    n = len(films)

    def uniform(low: float, high: float) -> torch.Tensor:
        return (low + (high - low) * torch.rand(n, generator=generator)).view(n, 1, 1, 1)

    changed = films.clamp(1e-4, 1) ** torch.exp(uniform(-0.35, 0.35))
    changed = (changed - 0.5) * uniform(0.75, 1.25) + 0.5 + uniform(-0.1, 0.1)
    noise = torch.randn(films.shape, generator=generator) * uniform(0.0, 0.03)
    return (changed + noise).clamp(0, 1)


def blend(
    films: torch.Tensor, labels: torch.Tensor, n: int, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Blend each of the first ``n`` films, and its labels, with another of them by a share drawn evenly from 0 to 1.

    Source: Zhang et al. 2018 (mixup, arXiv 1710.09412).

    Args:
        films: (N, 1, S, S). labels: (N, C).
    """
    share, other = torch.rand(n, generator=generator), torch.randperm(n, generator=generator)
    blended = films[:n].lerp(films[other], share.view(n, 1, 1, 1)), labels[:n].lerp(labels[other], share.view(n, 1))
    return torch.cat([blended[0], films[n:]]), torch.cat([blended[1], labels[n:]])


def normalise(films: torch.Tensor) -> torch.Tensor:
    """Map films from [0, 1] to the network's input range."""
    return (films - MEAN) / STD
