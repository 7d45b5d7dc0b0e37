"""In which precision forward passes are computed where many are needed and none wants gradients."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

PRECISIONS = ("auto", "float32", "bfloat16")
"""What people may ask for; "auto" is settled by :func:`settle_precision`."""


def computes_bfloat16(device: torch.device) -> bool:
    """Whether ``device`` multiplies bfloat16 in hardware, so that it is faster there than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        able = torch.cpu.get_capabilities()
        return any(able.get(unit, False) for unit in ("avx512_bf16", "amx_bf16"))
    return False


def settle_precision(precision: str, device: torch.device) -> str:
    """Settle one of :data:`PRECISIONS`: "float32" or "bfloat16"; "auto" is bfloat16 where the hardware has it.

    Raises:
        ValueError: there is no such precision.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision: expected one of {', '.join(PRECISIONS)}, got {precision!r}")
    if precision != "auto":
        return precision
    return "bfloat16" if computes_bfloat16(device) else "float32"


def computing_in(precision: str, device: torch.device) -> AbstractContextManager[Any]:
    """Context in which this thread's passes run in ``precision``: "float32" as it is, "bfloat16" by autocast.

    Weights stay as they are, and passes of other threads too.
    """
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16, cache_enabled=False)
