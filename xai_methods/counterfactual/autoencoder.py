"""A small autoencoder of chest films, in whose latent space a film can be shifted."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class AutoencoderShape:
    """Sizes of an :class:`Autoencoder`.

    Attributes:
        side: pixels a side of the film. widths: channels at 1/2, 1/4, 1/8 and 1/16 of the side.
        latent: channels of the code, which has a sixteenth of the side.
    """

    side: int = 128
    widths: tuple[int, int, int, int] = (24, 48, 96, 160)
    latent: int = 24

    def as_dict(self) -> dict[str, object]:
        """Name to value, as JSON holds it."""
        return asdict(self) | {"widths": list(self.widths)}


class Autoencoder(nn.Module):
    """Films (N, 1, side, side) in [0, 1] to codes (N, latent, side/16, side/16) and back."""

    def __init__(self, shape: AutoencoderShape) -> None:
        super().__init__()
        self.shape = shape
        widths = shape.widths
        down: list[nn.Module] = []
        for given, made in zip((1, *widths), widths):
            down += [nn.Conv2d(given, made, 4, stride=2, padding=1), nn.GroupNorm(8, made), nn.ELU()]
        self.encoder = nn.Sequential(*down, nn.Conv2d(widths[-1], shape.latent, 1))
        up: list[nn.Module] = [nn.Conv2d(shape.latent, widths[-1], 3, padding=1), nn.ELU()]
        for given, made in zip(widths[::-1], (*widths[-2::-1], widths[0])):
            up += [
                nn.Conv2d(given, 4 * made, 3, padding=1), nn.PixelShuffle(2), nn.GroupNorm(8, made), nn.ELU(),
            ]  # fmt: skip
        self.decoder = nn.Sequential(*up, nn.Conv2d(widths[0], 1, 3, padding=1))

    @property
    def side(self) -> int:
        """Pixels a side of the film."""
        return self.shape.side

    def encode(self, films: torch.Tensor) -> torch.Tensor:
        """Code of films."""
        return self.encoder(4 * films - 2)

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Films of codes, in [0, 1]."""
        return torch.sigmoid(self.decoder(codes))

    def forward(self, films: torch.Tensor) -> torch.Tensor:
        """Films drawn again from their codes."""
        return self.decode(self.encode(films))
