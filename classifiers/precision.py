"""In which precision forward passes are computed where many are needed and none wants gradients."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from classifiers.winograd import WinogradConvolutions

PRECISIONS = ("auto", "float32", "winograd", "bfloat16")
"""What people may ask for; "auto" is settled by :func:`settle_precision`."""
LESS_THAN_BFLOAT16 = ("SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX512_CORE", "AVX512_CORE_VNNI")
"""Instructions without bfloat16 to which ``ONEDNN_MAX_CPU_ISA`` may hold the library that convolves."""


def computes_bfloat16(device: torch.device) -> bool:
    """Whether ``device`` multiplies bfloat16 in hardware, so that it is faster there than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        if os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper() in LESS_THAN_BFLOAT16:
            return False
        able = torch.cpu.get_capabilities()
        return any(able.get(unit, False) for unit in ("avx512_bf16", "amx_bf16"))
    return False


def settle_precision(precision: str, device: torch.device) -> str:
    """Settle one of :data:`PRECISIONS`: "auto" is bfloat16 where the hardware has it, else on a CPU "winograd".

    The latter is float32 with the 3 x 3 convolutions by Winograd's algorithm, see ``classifiers.winograd``.

    Raises:
        ValueError: there is no such precision.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision: expected one of {', '.join(PRECISIONS)}, got {precision!r}")
    if precision != "auto":
        return precision
    if computes_bfloat16(device):
        return "bfloat16"
    return "winograd" if device.type == "cpu" else "float32"


def computing_in(precision: str, device: torch.device) -> AbstractContextManager[Any]:
    """Context in which this thread's passes run in ``precision``: "float32" as it is, the others by standing in.

    Weights stay as they are, and passes of other threads too.
    """
    if precision == "float32":
        return nullcontext()
    if precision == "winograd":
        return WinogradConvolutions()
    return torch.autocast(device.type, dtype=torch.bfloat16, cache_enabled=False)


def training_precision() -> AbstractContextManager[Any]:
    """Context in which a training's passes run on a CPU: in bfloat16 where the hardware has it, else in float32.

    Emulated, bfloat16 takes several times as long as float32.
    """
    return torch.autocast("cpu", torch.bfloat16, enabled=computes_bfloat16(torch.device("cpu")))
