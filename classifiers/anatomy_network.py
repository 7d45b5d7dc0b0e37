"""The small U-Net that outlines lungs and heart."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

STRUCTURES = ("right_lung", "left_lung", "heart")
"""What the channels outline, in order; right and left are the patient's."""
_WIDTHS = (24, 48, 96, 128, 160)
_FOLD = 2


def _block(inputs: int, outputs: int, convolutions: int = 2) -> nn.Sequential:
    layers: list[nn.Module] = []
    for index in range(convolutions):
        layers += [
            nn.Conv2d(inputs if index == 0 else outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
        ]
    return nn.Sequential(*layers)


class AnatomyNetwork(nn.Module):
    """U-Net (Ronneberger et al. 2015, arXiv 1505.04597) with added instead of joined skips, about 1.1 M weights.

    Blocks of 2 x 2 pixels enter as four channels, so that the costly first stage runs at half the input's side. The
    channels are independent, for the lung behind the heart belongs to both.
    """

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList(
            _block(inputs, outputs) for inputs, outputs in zip((_FOLD**2, *_WIDTHS[:-1]), _WIDTHS)
        )
        self.reduce = nn.ModuleList(
            nn.Conv2d(deep, shallow, 1) for deep, shallow in zip(_WIDTHS[:0:-1], _WIDTHS[-2::-1])
        )
        self.up = nn.ModuleList(_block(width, width, 1) for width in _WIDTHS[-2::-1])
        self.head = nn.Conv2d(_WIDTHS[0], len(STRUCTURES), 1)

    def forward(self, films: torch.Tensor) -> torch.Tensor:
        """Map (N, 1, S, S) films, S a multiple of 32, to logits (N, 3, S, S), one channel a structure."""
        features = F.pixel_unshuffle(films, _FOLD)
        skips: list[torch.Tensor] = []
        for stage in self.down:
            features = stage(F.max_pool2d(features, 2) if skips else features)
            skips.append(features)
        for reduce, block, skip in zip(self.reduce, self.up, skips[-2::-1]):
            features = block(skip + _doubled(reduce(features)))
        return _doubled(self.head(features))


def _doubled(values: torch.Tensor) -> torch.Tensor:
    return F.interpolate(values, scale_factor=2, mode="bilinear", align_corners=False)
