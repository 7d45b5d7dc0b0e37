"""The small network of the film check: is this a frontal chest film, and does it hang as it should."""

from __future__ import annotations

import torch
from torch import nn

SIDE = 128
"""Side in pixels of its input, to which a film is fitted without regard to its proportions."""
HANGS = 8
"""Ways in which a film can hang: ``2 * turn + mirrored``, mirrored first, then turned anticlockwise ``turn`` times."""
QUESTIONS = ("chest", "inverted", "cropped", "lateral", "child", "ap")
"""What the logits after the first ``HANGS`` say, in order."""
FEATURES = 64
"""Length of the vector from which all logits are computed."""


def _block(inputs: int, outputs: int, stride: int, size: int = 3) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


class FilmCheckNetwork(nn.Module):
    """Seven convolutions, an 8 x 8 grid that keeps its places, and one hidden layer: about 0.4 M weights."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_block(1, 16, 2, 5), *_block(16, 32, 2), *_block(32, 32, 1), *_block(32, 64, 2), *_block(64, 64, 1),
            *_block(64, 128, 2), *_block(128, 128, 1), *_block(128, 32, 1, 1), nn.Flatten(), nn.Dropout(0.2),
        )  # fmt: skip
        self.hidden = nn.Sequential(nn.Linear(32 * 8 * 8, FEATURES), nn.BatchNorm1d(FEATURES), nn.ReLU())
        self.head = nn.Linear(FEATURES, HANGS + len(QUESTIONS))

    def features(self, films: torch.Tensor) -> torch.Tensor:
        """Map (N, 1, 128, 128) films in [0, 1] to (N, 64)."""
        mean, spread = films.mean((2, 3), keepdim=True), films.std((2, 3), keepdim=True)
        return self.hidden(self.body((films - mean) / (spread + 0.02)))

    def forward(self, films: torch.Tensor) -> torch.Tensor:
        """Map (N, 1, 128, 128) films in [0, 1] to logits (N, 14): of the ``HANGS``, then of the ``QUESTIONS``."""
        return self.head(self.features(films))


def hung(films: torch.Tensor, hang: int) -> torch.Tensor:
    """Films (..., S, S) as they would hang in one of the ``HANGS`` ways."""
    mirrored = films.flip(-1) if hang % 2 else films
    return torch.rot90(mirrored, hang // 2, (-2, -1))


def composed(outer: int, inner: int) -> int:
    """The way in which a film hangs that hung ``inner`` and was then hung ``outer``."""
    turn = inner // 2 if outer % 2 == 0 else -(inner // 2)
    return (outer // 2 + turn) % 4 * 2 + (outer + inner) % 2


_TABLE = torch.tensor([[composed(outer, inner) for inner in range(HANGS)] for outer in range(HANGS)])


def look_from_all_sides(network: FilmCheckNetwork, film: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits (14,) and features (64,) of one film (128, 128), the mean over several ways to hang it.

    What the network says of the hang of each of the eight is carried back to the film, so that a turned film gets the
    same answer, turned. The questions are answered by the film and its mirror image.
    """
    features = network.features(torch.stack([hung(film, way) for way in range(HANGS)])[:, None])
    logits = network.head(features)
    hang = logits[:, :HANGS].log_softmax(1).gather(1, _TABLE).mean(0)
    return torch.cat([hang, logits[:2, HANGS:].mean(0)]), features[:2].mean(0)
