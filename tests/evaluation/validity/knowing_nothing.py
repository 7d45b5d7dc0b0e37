"""Networks that know no finding: a validity gate that any of them passes measures something else than findings.

Each gives every finding the same number, or the number of another finding.
"""

from __future__ import annotations

import torch
from torch import nn

from classifiers import ChestClassifier, ModelCard, Preprocessing

_CARD = ModelCard(
    "null", "Knows no finding", "A null model for tests of the validity gate.", "Nothing.", "none", "none", "No use."
)


class EdgeEnergy(nn.Module):
    """The gradient's magnitude over the film, plain or under a Gaussian about the middle (``width`` in sides)."""

    def __init__(self, findings: int, width: float | None = None) -> None:
        super().__init__()
        self.findings, self.width, self.cells = findings, width, nn.Identity()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, films: torch.Tensor) -> torch.Tensor:
        """(N, 1, S, S) to (N, C), every column the same."""
        films = self.cells(films)
        down, right = films.diff(dim=2)[..., :-1], films.diff(dim=3)[..., :-1, :]
        energy = (down**2 + right**2).sqrt()
        if self.width is not None:
            off = torch.linspace(-0.5, 0.5, energy.shape[-1], dtype=films.dtype)
            bell = torch.exp(-0.5 * (off / self.width) ** 2)
            energy = energy * bell[:, None] * bell
        return (energy.sum(dim=(1, 2, 3)) * self.scale)[:, None].expand(-1, self.findings)


class SquaredBrightness(nn.Module):
    """The film's brightness, squared and summed."""

    def __init__(self, findings: int) -> None:
        super().__init__()
        self.findings, self.cells, self.scale = findings, nn.Identity(), nn.Parameter(torch.ones(1))

    def forward(self, films: torch.Tensor) -> torch.Tensor:
        """(N, 1, S, S) to (N, C), every column the same."""
        return ((self.cells(films) ** 2).sum(dim=(1, 2, 3)) * self.scale)[:, None].expand(-1, self.findings)


def null_models(findings: tuple[str, ...], preprocessing: Preprocessing) -> dict[str, ChestClassifier]:
    """The null models that know no finding at all, by what they answer to."""
    count = len(findings)
    networks = {
        "edge energy under a central Gaussian": EdgeEnergy(count, 0.2),
        "edge energy": EdgeEnergy(count),
        "squared brightness": SquaredBrightness(count),
    }
    return {
        words: ChestClassifier(network, findings, _CARD, "cells", preprocessing) for words, network in networks.items()
    }


def permuted(classifier: ChestClassifier, by: int = 1) -> ChestClassifier:
    """The same network with its findings' names moved on by ``by``: it sees findings, none under its own name."""
    count = len(classifier.findings)
    columns = tuple(classifier.columns[(i + by) % count] for i in range(count))
    return ChestClassifier(
        classifier.network,
        classifier.findings,
        classifier.card,
        classifier.cam_layer,
        classifier.preprocessing,
        columns,
    )
