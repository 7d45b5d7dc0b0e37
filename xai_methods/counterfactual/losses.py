"""Losses of progressive exaggeration (Singla et al. 2023, arXiv 2101.04230)."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from xai_methods.counterfactual.edit import Edit


def discriminator_hinge(real: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
    """Hinge loss of the discriminator over (N,) outputs for real and (M,) of made films."""
    return F.relu(1 - real).mean() + F.relu(1 + made).mean()


def generator_hinge(made: torch.Tensor) -> torch.Tensor:
    """Hinge loss of the generator over (N,) outputs for made films."""
    return -made.mean()


def classifier_consistency(target: torch.Tensor, log_odds: torch.Tensor) -> torch.Tensor:
    """Kullback-Leibler divergence of the posterior reached from the target posterior, mean over (N,); 0 at best.

    Args:
        target: (N,) posteriors in (0, 1). log_odds: (N,) log-odds of the posteriors reached.
    """
    entropy = F.binary_cross_entropy(target, target)
    return F.binary_cross_entropy_with_logits(log_odds, target) - entropy


def context_weights(films: torch.Tensor, structures: torch.Tensor | None = None) -> torch.Tensor:
    """How much each pixel of (N, 1, S, S) films counts in a reconstruction: (N, 1, S, S), mean 1 over each film.

    The film's edges, where devices show, and each structure count as much as the whole film, whatever their area. The
    paper weighs devices that a detector found; edges stand for them here.

    Args:
        films: in [0, 1]. structures: (N, K, S, S) masks or shares of lungs and heart.
    """
    across = F.pad(films[..., :, 1:] - films[..., :, :-1], (0, 1)).abs()
    along = F.pad(films[..., 1:, :] - films[..., :-1, :], (0, 0, 0, 1)).abs()
    edges = across + along
    weights = 1 + edges / edges.mean(dim=(2, 3), keepdim=True).clamp_min(1e-6)
    if structures is not None:
        area = structures.mean(dim=(2, 3), keepdim=True)
        weights = weights + (structures / area.clamp_min(1e-3)).sum(dim=1, keepdim=True)
    return weights / weights.mean(dim=(2, 3), keepdim=True)


def reconstruction(films: torch.Tensor, again: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Weighted mean absolute difference of (N, 1, S, S) films and what came back, in film units."""
    return (weights * (films - again).abs()).mean()


def roughness(edit: Edit) -> torch.Tensor:
    """Mean absolute slope of displacement and brightness, a film's side being 1; 0 where an edit is even."""
    parts = (edit.flow, edit.change)
    return torch.stack([part.diff(dim=axis).abs().mean() * part.shape[axis] for part in parts for axis in (2, 3)]).sum()


def size(edit: Edit) -> torch.Tensor:
    """Mean absolute change of brightness, plus a tenth of the mean displacement in half sides.

    Displacing counts less: tissue that grows or shrinks is a likelier finding than tissue that shines.
    """
    return edit.change.abs().mean() + 0.1 * edit.flow.abs().mean()
