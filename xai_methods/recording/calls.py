"""Which step each call of a network becomes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

from xai_methods.recording.steps import (
    Affine,
    Concatenation,
    Elementwise,
    MaxPooling,
    Pooling,
    Rearrangement,
    Step,
)

Number = Callable[[Any], int | None]
Maker = Callable[[Number, int, tuple[Any, ...], dict[str, Any]], Step | None]

OUT_OF_PLACE: dict[Callable[..., Any], Callable[..., Any]] = {
    torch.relu_: torch.relu,
    torch.Tensor.relu_: torch.relu,
    F.relu_: F.relu,
    torch.Tensor.add_: torch.add,
    torch.Tensor.__iadd__: torch.add,
    torch.Tensor.clamp_: torch.clamp,
    torch.Tensor.mul_: torch.mul,
    torch.Tensor.__imul__: torch.mul,
    F.hardtanh_: F.hardtanh,
    F.leaky_relu_: F.leaky_relu,
    torch.Tensor.sigmoid_: torch.sigmoid,
    torch.sigmoid_: torch.sigmoid,
    torch.Tensor.div_: torch.div,
    torch.Tensor.sub_: torch.sub,
}
"""In-place calls and what is recorded and run in their place, so that what a step read is still there later."""


def out_of_place(
    func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a call with ``inplace`` off, wherever it stands among them."""
    try:
        names = list(inspect.signature(func).parameters)
    except (TypeError, ValueError):
        return args, kwargs
    if "inplace" not in names:
        return args, kwargs
    place = names.index("inplace")
    if len(args) > place:
        return (*args[:place], False, *args[place + 1 :]), kwargs
    return args, kwargs | {"inplace": False}


def one_source(kind: type[Step], func: Callable[..., Any]) -> Maker:
    """Make steps of calls whose first argument alone was computed from the film."""

    def make(number: Number, target: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Step | None:
        if not args or number(args[0]) is None or any(number(a) is not None for a in (*args[1:], *kwargs.values())):
            return None
        rest, source = args[1:], number(args[0])
        assert source is not None
        return kind((source,), target, lambda inputs: func(inputs[0], *rest, **kwargs), _plain(func))

    return make


def _plain(func: Callable[..., Any]) -> str:
    return getattr(func, "__name__", "operation")


def _conv(number: Number, target: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Step | None:
    names = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
    given = dict(zip(names, args)) | kwargs
    source, weight = number(given["input"]), given["weight"]
    if source is None or number(weight) is not None:
        return None
    dilation, padding = _pair(given.get("dilation", 1)), given.get("padding", 0)
    if padding == "same":
        reach = [d * (k - 1) for d, k in zip(dilation, weight.shape[2:])]
        if any(r % 2 for r in reach):
            return None
        padding = [r // 2 for r in reach]
    options = {
        "stride": _pair(given.get("stride", 1)),
        "padding": (0, 0) if padding == "valid" else _pair(padding),
        "dilation": dilation,
        "groups": given.get("groups", 1),
    }
    return _affine(source, target, "conv", weight, given.get("bias"), options)


def _linear(number: Number, target: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Step | None:
    given = dict(zip(("input", "weight", "bias"), args)) | kwargs
    source = number(given["input"])
    if source is None or number(given["weight"]) is not None:
        return None
    return _affine(source, target, "linear", given["weight"], given.get("bias"), {})


def _norm(number: Number, target: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Step | None:
    names = ("input", "running_mean", "running_var", "weight", "bias", "training", "momentum", "eps")
    given = dict(zip(names, args)) | kwargs
    source, mean, variance = number(given["input"]), given.get("running_mean"), given.get("running_var")
    if source is None or mean is None or variance is None or given.get("training", False):
        return None
    scale = torch.rsqrt(variance.detach().double() + given.get("eps", 1e-5))
    if given.get("weight") is not None:
        scale = scale * given["weight"].detach().double()
    shift = -mean.detach().double() * scale
    if given.get("bias") is not None:
        shift = shift + given["bias"].detach().double()
    return _affine(source, target, "scale", scale.to(mean.dtype), shift.to(mean.dtype), {})


def _affine(
    source: int, target: int, kind: str, weight: torch.Tensor, bias: torch.Tensor | None, options: dict[str, Any]
) -> Affine:
    own = None if bias is None else bias.detach()
    return Affine((source,), target, lambda inputs: inputs[0], kind, kind, weight.detach(), own, options)


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (tuple(value) * 2)[:2]


def _cat(number: Number, target: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Step | None:
    given = dict(zip(("tensors", "dim"), args)) | kwargs
    sources, dim = [number(t) for t in given["tensors"]], given.get("dim", 0)
    known = tuple(s for s in sources if s is not None)
    if len(known) != len(sources):
        return None
    return Concatenation(known, target, lambda inputs: torch.cat(inputs, dim), "cat", dim)


def _max_pool(number: Number, target: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Step | None:
    names = ("input", "kernel_size", "stride", "padding", "dilation", "ceil_mode")
    given = dict(zip(names, args)) | kwargs
    source = number(given["input"])
    if source is None or given.pop("return_indices", False):
        return None
    kernel = _pair(given["kernel_size"])
    options = {
        "kernel_size": kernel,
        "stride": _pair(given.get("stride") or kernel),
        "padding": _pair(given.get("padding", 0)),
        "dilation": _pair(given.get("dilation", 1)),
        "ceil_mode": given.get("ceil_mode", False),
    }
    return MaxPooling((source,), target, lambda inputs: F.max_pool2d(inputs[0], **options), "max_pool2d", options)


_ELEMENTWISE = (
    torch.relu, torch.Tensor.relu, F.relu, F.relu6, F.hardtanh, F.leaky_relu, F.elu, F.selu, F.celu, F.gelu, F.silu,
    F.mish, F.softplus, F.hardswish, F.dropout, F.dropout2d, torch.clamp, torch.Tensor.clamp, torch.dropout,
)  # fmt: skip
_REARRANGING = (
    F.adaptive_max_pool2d, F.pad, torch.flatten, torch.reshape, torch.squeeze,
    torch.unsqueeze, torch.permute, torch.transpose, torch.clone, torch.Tensor.flatten, torch.Tensor.view,
    torch.Tensor.reshape, torch.Tensor.squeeze, torch.Tensor.unsqueeze, torch.Tensor.permute, torch.Tensor.transpose,
    torch.Tensor.contiguous, torch.Tensor.clone, torch.Tensor.__getitem__, torch.Tensor.expand, torch.Tensor.repeat,
    torch.Tensor.float, torch.Tensor.to,
)  # fmt: skip
_POOLING = (
    F.avg_pool2d, F.adaptive_avg_pool2d, torch.mean, torch.Tensor.mean, torch.sum, torch.Tensor.sum, F.interpolate,
)  # fmt: skip

CALLS: dict[Callable[..., Any], Maker] = {
    torch.conv2d: _conv,
    F.conv2d: _conv,
    F.linear: _linear,
    F.batch_norm: _norm,
    torch.batch_norm: _norm,
    torch.cat: _cat,
    torch.concat: _cat,
    F.max_pool2d: _max_pool,
    torch.max_pool2d: _max_pool,
    **{func: one_source(Elementwise, func) for func in _ELEMENTWISE},
    **{func: one_source(Rearrangement, func) for func in _REARRANGING},
    **{func: one_source(Pooling, func) for func in _POOLING},
}
"""Calls that can be followed back, and how each becomes a step; a maker returns None where its arguments forbid it."""
