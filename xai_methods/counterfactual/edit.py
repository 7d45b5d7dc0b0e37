"""A change of a film as a smooth displacement and a smooth change of brightness, at any resolution."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F

SMOOTH = 64


@dataclass(frozen=True)
class Edit:
    """What is done to N films.

    Attributes:
        flow: (N, 2, h, w), where each point fetches its grey from: x and y in units of half the film's side.
        change: (N, 1, H, W), added brightness in film units.
    """

    flow: torch.Tensor
    change: torch.Tensor

    def apply(self, films: torch.Tensor) -> torch.Tensor:
        """Change (N, 1, S, S) films in [0, 1], or one film (1, 1, S, S) in N ways: (N, 1, S, S) in [0, 1].

        An edit that is zero everywhere hands back the film itself, but for rounding.
        """
        number, side = len(self.flow), films.shape[-1]
        moved = F.grid_sample(
            films.expand(number, -1, -1, -1), sampling_grid(self.flow, side),
            mode="bilinear", padding_mode="border", align_corners=False,
        )  # fmt: skip
        return (moved + enlarged(self.change, side)).clamp(0, 1)


def enlarged(coarse: torch.Tensor, side: int) -> torch.Tensor:
    """Carry (N, K, h, w) onto a grid of ``side``: bicubically up to :data:`SMOOTH` pixels, bilinearly from there."""
    if coarse.shape[-1] < SMOOTH:
        coarse = F.interpolate(coarse, (SMOOTH, SMOOTH), mode="bicubic", align_corners=False)
    return F.interpolate(coarse, (side, side), mode="bilinear", align_corners=False, antialias=side < coarse.shape[-1])


def sampling_grid(flow: torch.Tensor, side: int) -> torch.Tensor:
    """Where each pixel of a film of ``side`` fetches its grey: (N, side, side, 2) for ``F.grid_sample``."""
    still = F.affine_grid(
        torch.eye(2, 3, dtype=flow.dtype, device=flow.device)[None], [1, 1, side, side], align_corners=False
    )
    return still + enlarged(flow, side).permute(0, 2, 3, 1)
