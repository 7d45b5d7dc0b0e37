"""A world in which the right counterfactual is known: a disc on grey, whose size is the finding, beside a thin wire."""

import numpy as np
import torch
from torch import nn

from xai_methods.counterfactual.calibration import BalancedPosterior
from xai_methods.counterfactual.networks import Discriminator, Generator, GeneratorShape
from xai_methods.counterfactual.training.exaggeration import Draw, Explained, Trainer, TrainerSettings

SIDE = 32
MIDDLE, SLOPE = 80.0, 0.04
"""Area in pixels at which the posterior is one half, and how fast it rises."""


def disc(radius: float, row: float, column: float, wire: bool = True) -> np.ndarray:
    """A (SIDE, SIDE) uint8 film: a soft-edged disc of 200 on grey 60, and a wire of 120 at the left."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    inside = np.clip(radius + 0.5 - np.hypot(rows - row, columns - column), 0, 1)
    film = 60 + 140 * inside
    if wire:
        film[:, 3] = 120
    return film.round().astype(np.uint8)


def films(number: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(N, SIDE, SIDE) uint8 films and the radii of their discs."""
    rng = np.random.default_rng(seed)
    radii = rng.uniform(2.5, 8.0, number)
    places = rng.uniform(14, 20, (number, 2))
    return np.stack([disc(r, *place) for r, place in zip(radii, places)]), radii


class AreaClassifier(nn.Module):
    """Logit = area of what is brighter than 0.5, less a constant; films come in [0, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(SLOPE), requires_grad=False)
        self.last = nn.Identity()

    def forward(self, shown: torch.Tensor) -> torch.Tensor:
        area = torch.sigmoid(20 * (shown.float() - 0.52)).sum(dim=(1, 2, 3))
        return self.last(self.slope * (area * (SIDE / shown.shape[-1]) ** 2 - MIDDLE)[:, None])


def trainer(steps: int, seed: int = 0, **weights: float) -> Trainer:
    """Networks for the disc world, untrained."""
    pixels, _ = films(256, seed)
    logits = AreaClassifier()(torch.from_numpy(pixels).float().div(255)[:, None])
    posterior = BalancedPosterior(1.0, 0.0)
    explained = Explained(
        AreaClassifier(), 0.0, 1.0, (0,), (posterior,), {SIDE: np.array([[1.0, 0.0]], dtype=np.float32)}
    )
    settings = TrainerSettings(
        stages=((SIDE, steps),), batch=16, rate=2e-3, average=0.9, jitter=0.1, every=steps, **weights
    )
    draw = Draw(pixels, posterior.of(logits).numpy(), seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        shape = GeneratorShape(1, SIDE, (16, 24, 32, 32), 16, farthest=0.6)
        return Trainer(Generator(shape), Discriminator(1, (16, 24, 32)), explained, draw, settings)
