"""Attention rollout: how much of each cell reaches what the network's head reads, if attention alone moved it."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from classifiers import ChestClassifier
from xai_methods.attention.token_attention import TokenAttention, attend, why_not
from xai_methods.cam.cam_layer import on_input_grid
from xai_methods.method import Attribution, Method, Request
from xai_methods.registry import register


def rollout(weights: Sequence[torch.Tensor]) -> torch.Tensor:
    """Multiply attention through the layers: (heads, T, T) each, the first layer first, to (T, T); rows add up to 1."""
    tokens = weights[0].shape[-1]
    still = torch.eye(tokens, dtype=weights[0].dtype, device=weights[0].device)
    through = still
    for layer in weights:
        through = (0.5 * layer.mean(dim=0) + 0.5 * still) @ through
    return through


@register
class AttentionRollout(Method):
    """Attention rollout (Abnar & Zuidema 2020, arXiv 2005.00928): the same map for every finding.

    Heads are averaged; a shortcut counts as half of each layer. Diagnostics, beside those of all maps on cells:
    ``layers``; ``spread``, the map's entropy as a share of that of an even map (near 1: it points nowhere).
    """

    name = "attention-rollout"
    title = "Attention rollout"
    family = "attention"
    question = "How much of each cell reaches the token that is read, if attention alone carried it?"
    reference = "Abnar & Zuidema 2020, arXiv 2005.00928"
    signed = False
    unit = "arbitrary"
    speed = "fast"
    order = 60

    def serves(self, classifier: ChestClassifier, finding: str) -> str | None:
        """Only networks that attend over one set of tokens."""
        return super().serves(classifier, finding) or why_not(classifier)

    def _explain(self, request: Request) -> Attribution:
        found = attend(request.classifier, request.film, request.column)
        request.count(2)
        request.report(0.9)
        return token_map(found.on_cells(self.token_shares(found)), request, found.logit, len(found.weights))

    def token_shares(self, found: TokenAttention) -> torch.Tensor:
        """What each token (T,) has to do with what the network's head reads."""
        return found.read @ rollout(found.weights)


def token_map(cells: torch.Tensor, request: Request, logit: float, layers: int) -> Attribution:
    """A map (h, w) of values from 0 up on the input grid, with what is known of it."""
    attribution = on_input_grid(cells.float(), request.classifier.side, logit)
    shares = cells.flatten() / cells.sum().clamp(min=1e-30)
    entropy = float(-(shares * shares.clamp(min=1e-30).log()).sum())
    spread = entropy / float(torch.tensor(float(cells.numel())).log())
    attribution.diagnostics.update({"layers": float(layers), "spread": spread})
    return attribution
