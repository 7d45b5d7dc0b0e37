"""Calls that a network makes at once, written out as the plain calls that they stand for.

What gives several tensors becomes one call a tensor, what subtracts becomes a sum, and the attention of
``torch.nn.MultiheadAttention`` becomes its projections and one attention.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
import torch.nn.functional as F


def _unbind(x: torch.Tensor, dim: int = 0) -> tuple[torch.Tensor, ...]:
    return tuple(x.select(dim, i) for i in range(x.shape[dim]))


def _parts(x: torch.Tensor, split_size: int | Sequence[int], dim: int = 0) -> tuple[torch.Tensor, ...]:
    length = x.shape[dim]
    if isinstance(split_size, int):
        sizes = [min(split_size, length - start) for start in range(0, length, split_size)]
    else:
        sizes = list(split_size)
    return tuple(x.narrow(dim, sum(sizes[:i]), size) for i, size in enumerate(sizes))


def _chunk(x: torch.Tensor, chunks: int, dim: int = 0) -> tuple[torch.Tensor, ...]:
    return _parts(x, -(-x.shape[dim] // chunks), dim)


def _stack(tensors: Sequence[torch.Tensor], dim: int = 0) -> torch.Tensor:
    return torch.cat([x.unsqueeze(dim) for x in tensors], dim)


def _each(x: torch.Tensor) -> Iterator[torch.Tensor]:
    return iter(_unbind(x))


def _subtract(x: Any, y: Any) -> torch.Tensor:
    return torch.add(x, torch.mul(y, -1) if isinstance(y, torch.Tensor) else -y)


def _subtract_from(y: torch.Tensor, x: Any) -> torch.Tensor:
    return torch.add(torch.mul(y, -1), x)


def _multiply_and_add(x: Any, y: Any, z: Any, *, value: float = 1) -> torch.Tensor:
    return torch.add(x, torch.mul(torch.mul(y, z), value))


def _normalize(x: torch.Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Any = None) -> torch.Tensor:
    if p != 2:
        raise NotImplementedError
    return torch.mul(x, torch.rsqrt(torch.add(x.square().sum(dim, keepdim=True), eps**2)))


def _multi_head_attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, embed_dim_to_check: int, num_heads: int,
    in_proj_weight: torch.Tensor | None, in_proj_bias: torch.Tensor | None, bias_k: Any, bias_v: Any,
    add_zero_attn: bool, dropout_p: float, out_proj_weight: torch.Tensor, out_proj_bias: torch.Tensor | None,
    training: bool = True, key_padding_mask: Any = None, need_weights: bool = True, attn_mask: Any = None,
    use_separate_proj_weight: bool = False, q_proj_weight: Any = None, k_proj_weight: Any = None,
    v_proj_weight: Any = None, static_k: Any = None, static_v: Any = None, average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[torch.Tensor, None]:  # fmt: skip
    """``F.multi_head_attention_forward`` in evaluation, for (T, N, W) inputs; its weights are not given out."""
    extras = (bias_k, bias_v, key_padding_mask, attn_mask, static_k, static_v)
    if training or add_zero_attn or is_causal or query.ndim != 3 or any(x is not None for x in extras):
        raise NotImplementedError
    weights = (
        [q_proj_weight, k_proj_weight, v_proj_weight]
        if in_proj_weight is None
        else in_proj_weight.split(embed_dim_to_check)
    )
    biases = [None] * 3 if in_proj_bias is None else in_proj_bias.split(embed_dim_to_check)
    if query is key and key is value and in_proj_weight is not None:
        triple: Sequence[torch.Tensor] = _chunk(F.linear(query, in_proj_weight, in_proj_bias), 3, dim=-1)
    else:
        triple = [F.linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases)]
    q, k, v = (x.reshape(len(x), x.shape[1], num_heads, -1).permute(1, 2, 0, 3) for x in triple)
    found = F.scaled_dot_product_attention(q, k, v).permute(2, 0, 1, 3).flatten(2)
    return F.linear(found, out_proj_weight, out_proj_bias), None


WRITTEN_OUT: dict[Callable[..., Any], Callable[..., Any]] = {
    torch.unbind: _unbind,
    torch.Tensor.unbind: _unbind,
    torch.Tensor.__iter__: _each,
    torch.split: _parts,
    torch.Tensor.split: _parts,
    torch.chunk: _chunk,
    torch.Tensor.chunk: _chunk,
    torch.stack: _stack,
    torch.sub: _subtract,
    torch.Tensor.sub: _subtract,
    torch.Tensor.__sub__: _subtract,
    torch.Tensor.__rsub__: _subtract_from,
    torch.addcmul: _multiply_and_add,
    torch.Tensor.addcmul: _multiply_and_add,
    F.normalize: _normalize,
    F.multi_head_attention_forward: _multi_head_attention,
}
"""What stands in for each call; it raises NotImplementedError where it cannot."""

NOT_FROM_FILM = (
    torch.Tensor.new_zeros, torch.Tensor.new_ones, torch.Tensor.new_full, torch.Tensor.new_empty,
    torch.Tensor.new_tensor, torch.zeros_like, torch.ones_like, torch.empty_like, torch.full_like,
)  # fmt: skip
"""Calls that take from a tensor its form only."""
