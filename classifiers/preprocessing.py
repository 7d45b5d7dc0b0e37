"""From a film to a network's input and back, with the geometry known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F

from radiographs import Radiograph


@dataclass(frozen=True)
class Preprocessing:
    """How a film becomes a network's input: fitted to a square, resized, scaled. The aspect ratio is kept.

    Attributes:
        side: S, the input's side in pixels.
        fit: "pad" adds black at the shorter side, "crop" cuts the longer side, both centred.
        low, high: input values of black and white.
    """

    side: int
    fit: Literal["pad", "crop"] = "pad"
    low: float = 0.0
    high: float = 1.0

    def _square(self, shape: tuple[int, int]) -> tuple[int, int, int]:
        """Top, left and side, in film pixels, of the square the network sees; it may reach beyond the film."""
        height, width = shape
        side = max(height, width) if self.fit == "pad" else min(height, width)
        return (height - side) // 2, (width - side) // 2, side

    def prepare(self, radiograph: Radiograph) -> torch.Tensor:
        """Return the (1, 1, S, S) float32 input of ``radiograph``, in [low, high]."""
        film = torch.tensor(radiograph.pixels)[None, None]
        square = self._cut(film, radiograph.shape)
        small = F.interpolate(square, (self.side, self.side), mode="bilinear", antialias=True, align_corners=False)
        return self.low + (self.high - self.low) * small.clamp(0, 1)

    def prepare_mask(self, mask: np.ndarray) -> np.ndarray:
        """Return, for a (H, W) bool mask, the (S, S) float32 share of each input pixel that it covers."""
        return self.prepare_map(mask).clip(0, 1)

    def prepare_map(self, values: np.ndarray) -> np.ndarray:
        """Carry a map (H, W) of the film to the input grid: (S, S) float32, averaged; 0 outside the film."""
        square = self._cut(torch.tensor(values, dtype=torch.float32)[None, None], (values.shape[0], values.shape[1]))
        small = F.interpolate(square, (self.side, self.side), mode="bilinear", antialias=True, align_corners=False)
        return small[0, 0].numpy()

    def _cut(self, film: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
        top, left, side = self._square(shape)
        if self.fit == "crop":
            return film[..., top : top + side, left : left + side]
        below, right = side - shape[0] + top, side - shape[1] + left
        return F.pad(film, (-left, right, -top, below))

    def to_film(self, values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
        """Carry an (S, S) map into a film of ``shape`` (H, W), bilinearly; 0 where the network saw nothing.

        Raises:
            ValueError: ``values`` is not (S, S).
        """
        if values.shape != (self.side, self.side):
            raise ValueError(f"expected a map of {self.side} x {self.side}, got {values.shape}")
        top, left, side = self._square(shape)
        grid = torch.tensor(values, dtype=torch.float32)[None, None]
        # antialias changes nothing where the map is enlarged; on a film smaller than the map it averages.
        large = F.interpolate(grid, (side, side), mode="bilinear", antialias=True, align_corners=False)[0, 0].numpy()
        if self.fit == "pad":
            return np.ascontiguousarray(large[-top : -top + shape[0], -left : -left + shape[1]])
        film = np.zeros(shape, dtype=np.float32)
        film[top : top + side, left : left + side] = large
        return film
