"""How attention, softmax, products and normalisation over features propagate relevance.

AttnLRP (Achtibat et al. 2024, arXiv 2402.05602): a product's factors get half each; a softmax is replaced by its
tangent at its input, whose constant keeps relevance as a bias does; a norm's deviation is a constant. CP-LRP (Ali et
al. 2022, arXiv 2202.07304): attention weights and gates are constants too, so that all goes to what they weigh.
"""

from __future__ import annotations

import torch

from xai_methods.recording.steps import Step
from xai_methods.recording.token_steps import Attention, MatrixProduct, Normalisation, Product, Shift, Softmax, reduced
from xai_methods.relevance.rules import stabilised

ATTENTION_RULES = ("attnlrp", "cp-lrp")
Split = tuple[list[torch.Tensor | None], float]
"""Relevance of each of a step's sources (None: nothing goes there), and what constants absorbed."""


def through_token_step(
    step: Step, inputs: list[torch.Tensor], z: torch.Tensor, upper: torch.Tensor, rule: str, epsilon: float
) -> Split | None:
    """Split the relevance ``upper`` of the step's output ``z``; None for a step of another kind.

    Args:
        rule: one of :data:`ATTENTION_RULES`. epsilon: stabiliser of denominators.
    """
    if isinstance(step, Shift):
        share = upper / stabilised(z, epsilon)
        return [inputs[0] * reduced(share, inputs[0].shape)], float((step.constant * share).sum())
    if isinstance(step, Normalisation):
        share = upper / stabilised(z, epsilon)
        lower = inputs[0] * step.centre(share * step.scale(inputs[0]))
        return [lower], 0.0 if step.bias is None else float((step.bias * share).sum())
    if isinstance(step, Softmax):
        lower = inputs[0] * _tangent(z, upper, step.dim)
        return [lower], float(upper.sum() - lower.sum())
    if isinstance(step, (Product, MatrixProduct)):
        return _through_product(step, inputs, z, upper, rule, epsilon), 0.0
    if isinstance(step, Attention):
        return _through_attention(step, inputs, upper / stabilised(z, epsilon), rule)
    return None


def _tangent(softmax: torch.Tensor, upper: torch.Tensor, dim: int = -1) -> torch.Tensor:
    """What each of a softmax's inputs gets, over that input (Achtibat et al. 2024, proposition 3.1)."""
    return upper - softmax * upper.sum(dim=dim, keepdim=True)


def _through_product(
    step: Product | MatrixProduct,
    inputs: list[torch.Tensor],
    z: torch.Tensor,
    upper: torch.Tensor,
    rule: str,
    epsilon: float,
) -> list[torch.Tensor | None]:
    """Half of the relevance to each factor, or all to the one that the other gates."""
    held = step.gate if rule == "cp-lrp" or (isinstance(step, Product) and step.held) else None
    upper = upper if held is not None else upper / 2
    if isinstance(step, MatrixProduct):
        parts = step.pulled_back(inputs, z, upper / stabilised(z, epsilon))
        found = [x * reduced(part, x.shape) for x, part in zip(inputs, parts)]
    else:
        found = [reduced(upper, x.shape) for x in inputs]
    return [None if place == held else part for place, part in enumerate(found)]


def _through_attention(step: Attention, inputs: list[torch.Tensor], share: torch.Tensor, rule: str) -> Split:
    """Values, then softmax, then queries and keys; the softmax's constant, masks and position biases absorb theirs."""
    q, k, v = step.placed(inputs)
    weights = step.weights(inputs)
    to_values = v * (weights.transpose(-2, -1) @ share)
    if rule == "cp-lrp":
        return list(step.handed([None, None, to_values])), 0.0
    to_weights = weights * (share @ v.transpose(-2, -1))
    if step.variable(2):
        to_values, to_weights = to_values / 2, to_weights / 2
    tangent = _tangent(weights, to_weights) * step.scale
    half = 0.5 if step.variable(0) and step.variable(1) else 1.0
    to_queries, to_keys = q * (tangent @ k) * half, k * (tangent.transpose(-2, -1) @ q) * half
    passed = step.handed([to_queries, to_keys])
    absorbed = float(to_weights.sum()) - sum(float(part.sum()) for part in passed)
    return step.handed([to_queries, to_keys, to_values]), absorbed
