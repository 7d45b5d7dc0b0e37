"""Gradient attention rollout: attention counts where the logit would rise with it."""

from __future__ import annotations

import torch

from xai_methods.attention.attention_rollout import AttentionRollout
from xai_methods.attention.token_attention import TokenAttention
from xai_methods.registry import register


def relevant(weights: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """Mean over the heads of the positive part of gradient times attention: (heads, T, S) each to (T, S)."""
    return (gradient * weights).clamp(min=0).mean(dim=0)


def token_relevance(found: TokenAttention) -> torch.Tensor:
    """What each token (T,) has to do with what the head reads: R + relevant attention times R, layer by layer."""
    tokens = len(found.read)
    through = torch.eye(tokens, dtype=found.read.dtype, device=found.read.device)
    for weights, gradient in zip(found.weights, found.gradients):
        through = through + relevant(weights, gradient) @ through
    if found.pooled is not None and found.pooled_gradient is not None:
        return relevant(found.pooled, found.pooled_gradient)[0] @ through
    # A token that is read keeps the 1 that it started with, which no attention gave it.
    return found.read @ (through - torch.eye(tokens, dtype=through.dtype, device=through.device))


@register
class GradientAttentionRollout(AttentionRollout):
    """Relevance by attention and its gradients (Chefer et al. 2021, arXiv 2103.15679), for self-attention.

    Diagnostics as of attention rollout.
    """

    name = "gradient-attention-rollout"
    title = "Gradient attention rollout"
    question = "Through which cells' attention would the logit rise, layer upon layer?"
    reference = "Chefer et al. 2021, arXiv 2103.15679"
    order = 61

    def token_shares(self, found: TokenAttention) -> torch.Tensor:
        """See :func:`token_relevance`."""
        return token_relevance(found)
