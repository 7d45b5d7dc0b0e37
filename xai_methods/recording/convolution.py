"""The transpose of a convolution: from its outputs to its inputs."""

from __future__ import annotations

from typing import Any

import torch

FEW_CHANNELS = 3
"""A convolution of so few input channels goes down faster as one matrix product and shifted sums."""


def transposed_convolution(
    shape: torch.Size, weight: torch.Tensor, upper: torch.Tensor, options: dict[str, Any]
) -> torch.Tensor:
    """Apply the transpose of ``F.conv2d(x, weight, **options)`` to ``upper``.

    Args:
        shape: (N, C, H, W) of x. weight: (K, C / groups, kh, kw). upper: (N, K, h, w), in the weight's format; what
            comes back has its memory layout, unless C is small.
        options: stride, padding and dilation as pairs, and groups.

    Returns:
        (N, C, H, W).
    """
    if shape[1] <= FEW_CHANNELS and options["groups"] == 1 and options["dilation"] == (1, 1):
        return _by_shifted_sums(shape, weight, upper, options["stride"], options["padding"])
    spread = upper.is_contiguous(memory_format=torch.channels_last)
    layout = torch.channels_last if spread else torch.contiguous_format
    # The backward pass reads this tensor's shape and layout, not what is in it.
    like = torch.empty(shape, dtype=upper.dtype, device=upper.device, memory_format=layout)
    return torch.ops.aten.convolution_backward(
        upper, like, weight, None, options["stride"], options["padding"], options["dilation"], False, [0, 0],
        options["groups"], [True, False, False],
    )[0]  # fmt: skip


def _by_shifted_sums(
    shape: torch.Size, weight: torch.Tensor, upper: torch.Tensor, stride: tuple[int, int], padding: tuple[int, int]
) -> torch.Tensor:
    """What each weight sends down, summed apart for each phase of the stride; sums are in float32 at least."""
    (sh, sw), (top, left) = stride, padding
    channels, kh, kw = weight.shape[1:]
    count, outputs, h, w = upper.shape
    sent = weight.flatten(1).t() @ upper.permute(0, 2, 3, 1).reshape(-1, outputs).t()
    sent = sent.view(channels, kh, kw, count, h, w)
    height = max(-(-(shape[2] + top) // sh), h + (kh - 1) // sh)
    width = max(-(-(shape[3] + left) // sw), w + (kw - 1) // sw)
    summed_in = torch.promote_types(upper.dtype, torch.float32)
    phases = upper.new_zeros((sh, sw, channels, count, height, width), dtype=summed_in)
    for i in range(kh):
        for j in range(kw):
            phases[i % sh, j % sw, :, :, i // sh : i // sh + h, j // sw : j // sw + w] += sent[:, i, j]
    whole = phases.permute(3, 2, 4, 0, 5, 1).reshape(count, channels, height * sh, width * sw)
    return whole[:, :, top : top + shape[2], left : left + shape[3]]
