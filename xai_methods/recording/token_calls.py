"""Which step each call of a network that works on tokens becomes."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

from xai_methods.recording.calls import CALLS, Maker, Number, one_source
from xai_methods.recording.steps import Addition, Elementwise, Joined, Pooling, Rearrangement, Statistic, Step
from xai_methods.recording.token_steps import MASKED, Attention, MatrixProduct, Normalisation, Product, Shift, Softmax


def _sum(number: Number, target: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Step | None:
    if len(args) != 2 or kwargs:
        return None
    left, right = number(args[0]), number(args[1])
    if left is not None and right is not None:
        return Addition((left, right), target, lambda inputs: inputs[0] + inputs[1], "add")
    source, other = (left, args[1]) if left is not None else (right, args[0])
    assert source is not None
    constant = torch.as_tensor(other).detach()
    return Shift((source,), target, lambda inputs: inputs[0] + constant, "add", constant)


def _product(number: Number, target: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Step | None:
    if len(args) != 2 or kwargs:
        return None
    left, right = number(args[0]), number(args[1])
    if left is not None and right is not None:
        sizes = [x.numel() for x in args]
        gate = None if sizes[0] == sizes[1] else sizes.index(min(sizes))
        return Product((left, right), target, lambda inputs: inputs[0] * inputs[1], "mul", gate)
    source, variable, other = (left, *args) if left is not None else (right, args[1], args[0])
    assert source is not None
    constant = other.detach() if isinstance(other, torch.Tensor) else other
    shape = torch.broadcast_shapes(variable.shape, getattr(other, "shape", ()))
    kind = Elementwise if shape == variable.shape else Pooling
    return kind((source,), target, lambda inputs: inputs[0] * constant, "mul")


def _quotient(number: Number, target: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Step | None:
    if len(args) != 2 or kwargs or number(args[0]) is None:
        return None
    above, below = number(args[0]), number(args[1])
    assert above is not None
    if below is not None:
        return Product((above, below), target, lambda inputs: inputs[0] / inputs[1], "div", gate=1, held=True)
    return _product(number, target, (args[0], 1 / args[1]), {})


def _matrix_product(number: Number, target: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Step | None:
    if len(args) != 2 or kwargs or any(a.ndim < 2 for a in args):
        return None
    left, right = number(args[0]), number(args[1])
    if left is not None and right is not None:
        return MatrixProduct((left, right), target, lambda inputs: inputs[0] @ inputs[1], "matmul")
    if left is not None:
        constant = args[1].detach()
        return Pooling((left,), target, lambda inputs: inputs[0] @ constant, "matmul")
    constant = args[0].detach()
    assert right is not None
    return Pooling((right,), target, lambda inputs: constant @ inputs[0], "matmul")


def _softmax(number: Number, target: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Step | None:
    given = dict(zip(("input", "dim"), args)) | kwargs
    source, dim = number(given["input"]), given.get("dim")
    if source is None or dim is None or given.get("dtype") not in (None, given["input"].dtype):
        return None
    dim = dim if dim < 0 else dim - given["input"].ndim
    return Softmax((source,), target, lambda inputs: inputs[0].softmax(dim), "softmax", dim)


def _norm(centred: bool) -> Maker:
    """Make steps of layer norms (centred) or RMS norms."""
    names = ("input", "normalized_shape", "weight", *(("bias",) if centred else ()), "eps")

    def make(number: Number, target: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Step | None:
        given = dict(zip(names, args)) | kwargs
        source, shape, eps = number(given["input"]), tuple(given["normalized_shape"]), given.get("eps")
        if source is None:
            return None
        weight, bias = (None if given.get(k) is None else given[k].detach() for k in ("weight", "bias"))
        if eps is None:
            eps = 1e-5 if centred else torch.finfo(given["input"].dtype).eps

        def run(inputs: list[torch.Tensor]) -> torch.Tensor:
            if centred:
                return F.layer_norm(inputs[0], shape, weight, bias, eps)
            return F.rms_norm(inputs[0], shape, weight, eps)

        return Normalisation(
            (source,), target, run, "layer norm" if centred else "RMS norm", len(shape), weight, bias, eps, centred
        )

    return make


def _attention(number: Number, target: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Step | None:
    names = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal", "scale", "enable_gqa")
    given = dict(zip(names, args)) | kwargs
    triple = [given[name] for name in names[:3]]
    if given.get("enable_gqa") or given.get("dropout_p") or number(given.get("attn_mask")) is not None:
        return None
    if any(x.shape[:-2] != triple[0].shape[:-2] for x in triple):
        return None
    sources = [n for n in map(number, triple) if n is not None]
    places = iter(range(3))
    operands = tuple(x.detach() if number(x) is None else next(places) for x in triple)
    mask = _additive(given.get("attn_mask"), triple[0])
    if given.get("is_causal"):
        square = triple[0].new_full((triple[0].shape[-2], triple[1].shape[-2]), MASKED)
        mask = square.triu(diagonal=1)
    scale = given.get("scale") or 1 / math.sqrt(triple[0].shape[-1])
    return Attention(tuple(sources), target, lambda inputs: inputs[0], "attention", operands, mask, scale)


def _additive(mask: torch.Tensor | None, like: torch.Tensor) -> torch.Tensor | None:
    """A mask as what is added to the scores."""
    if mask is None:
        return None
    if mask.dtype == torch.bool:
        return torch.where(mask, 0.0, MASKED).to(like)
    return mask.detach().to(like.dtype).clamp(min=MASKED)


def _concatenation(number: Number, target: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Step | None:
    """Concatenations in which some parts are the network's own, such as a class token."""
    plain = CALLS[torch.cat](number, target, args, kwargs)
    if plain is not None:
        return plain
    given = dict(zip(("tensors", "dim"), args)) | kwargs
    parts = [t.detach() if number(t) is None else None for t in given["tensors"]]
    dim = given.get("dim", 0)
    sources = tuple(n for n in map(number, given["tensors"]) if n is not None)

    def run(inputs: list[torch.Tensor]) -> torch.Tensor:
        rest = iter(inputs)
        return torch.cat([next(rest) if part is None else part for part in parts], dim)

    return Joined(sources, target, run, "cat")


Calls = tuple[Callable[..., Any], ...]
_ELEMENTWISE: Calls = (
    torch.sigmoid, torch.Tensor.sigmoid, F.sigmoid, F.hardsigmoid, torch.tanh, torch.Tensor.tanh, F.tanh,
    torch.neg, torch.Tensor.neg, torch.Tensor.__neg__,
    torch.Tensor.square, torch.square, torch.Tensor.pow, torch.pow, torch.Tensor.__pow__,
)  # fmt: skip
_STATISTICS: Calls = (torch.rsqrt, torch.Tensor.rsqrt, torch.sqrt, torch.Tensor.sqrt)
_NORMS: Calls = (torch.norm, torch.Tensor.norm, torch.linalg.vector_norm)
"""Homogeneous in their input: relevance is split in proportion to what each entry adds, as in a linear map."""
_REARRANGING: Calls = (
    torch.roll, torch.Tensor.roll, torch.narrow, torch.Tensor.narrow, torch.select, torch.Tensor.select,
    torch.swapaxes, torch.Tensor.swapaxes, torch.movedim, torch.Tensor.movedim, torch.Tensor.expand_as,
    torch.Tensor.view_as, torch.Tensor.unflatten, torch.flip, torch.Tensor.flip, torch.Tensor.type_as,
    torch.index_select, torch.Tensor.index_select, F.pixel_unshuffle, F.pixel_shuffle,
)  # fmt: skip

_OWN: dict[Callable[..., Any], Maker] = {
    **{func: _sum for func in (torch.add, torch.Tensor.add, torch.Tensor.__add__, torch.Tensor.__radd__, operator.add)},
    **{func: _product for func in (torch.mul, torch.multiply, torch.Tensor.mul, torch.Tensor.__mul__)},
    **{func: _product for func in (torch.Tensor.__rmul__, torch.Tensor.multiply, operator.mul)},
    **{func: _quotient for func in (torch.div, torch.Tensor.div, torch.Tensor.__truediv__, operator.truediv)},
    **{func: _matrix_product for func in (torch.matmul, torch.Tensor.matmul, torch.Tensor.__matmul__, torch.bmm)},
    **{func: _softmax for func in (torch.softmax, torch.Tensor.softmax, F.softmax)},
    **{func: _concatenation for func in (torch.cat, torch.concat)},
    F.layer_norm: _norm(centred=True),
    torch.layer_norm: _norm(centred=True),
    F.rms_norm: _norm(centred=False),
    torch.rms_norm: _norm(centred=False),
    F.scaled_dot_product_attention: _attention,
    **{func: one_source(Elementwise, func) for func in _ELEMENTWISE},
    **{func: one_source(Statistic, func) for func in _STATISTICS},
    **{func: one_source(Pooling, func) for func in _NORMS},
    **{func: one_source(Rearrangement, func) for func in _REARRANGING},
}
TOKEN_CALLS = CALLS | _OWN
"""All calls that can be followed back; see :data:`xai_methods.recording.calls.CALLS`."""
