"""The generator and the discriminator of progressive exaggeration.

After Singla et al. 2023 (arXiv 2101.04230), with one difference: the decoder paints no film. It puts out a smooth
displacement and a smooth change of brightness, both scaled by how far the target posterior lies from the film's own.
So a film whose target is its own posterior stays exactly as it is, edges of tubes and lines cannot be painted over, and
the change is applied at the film's full resolution.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parametrizations

from xai_methods.counterfactual.conditional import BINS, Condition, ConditionalBlock, bin_weights
from xai_methods.counterfactual.edit import Edit


@dataclass(frozen=True)
class GeneratorShape:
    """Sizes of a :class:`Generator`.

    Attributes:
        findings: number of findings F. side: pixels a side of the film it looks at.
        widths: channels at 1/2, 1/4, 1/8 and 1/16 of the side. condition: length of the condition's embedding.
        farthest: largest displacement, as a share of half the film's side. strongest: largest change of brightness.
    """

    findings: int
    side: int = 128
    widths: tuple[int, int, int, int] = (24, 48, 96, 128)
    condition: int = 64
    farthest: float = 0.3
    strongest: float = 0.4

    def as_dict(self) -> dict[str, object]:
        """Name to value, as JSON holds it."""
        return asdict(self) | {"widths": list(self.widths)}


class Generator(nn.Module):
    """G(x, c): how a film would have to change for the finding to be as present as the target says."""

    def __init__(self, shape: GeneratorShape) -> None:
        super().__init__()
        self.shape = shape
        first, second, third, last = shape.widths
        width = shape.condition
        self.condition = Condition(shape.findings, shape.condition)
        self.down = nn.ModuleList(
            [_halving(given, made) for given, made in ((3, first), (first, second), (second, third), (third, last))]
        )
        self.deepest = ConditionalBlock(last, last, width)
        self.up = nn.ModuleList(
            [
                ConditionalBlock(last + third, third, width),
                ConditionalBlock(third + second, second, width),
            ]
        )
        self.to_flow = _silent(third, 2)
        self.to_change = _silent(second, 1)

    def forward(self, films: torch.Tensor, finding: torch.Tensor, own: torch.Tensor, target: torch.Tensor) -> Edit:
        """Say how films would have to change.

        Args:
            films: (N, 1, side, side) in [0, 1], or one film for N questions. finding: (N,) int64 indices.
            own: (N,) balanced posterior of the film as it is. target: (N,) posterior it should get.
        """
        condition = self.condition(finding, own, target)
        levels = self._encode(films)
        if len(films) != len(finding):
            levels = [level.expand(len(finding), -1, -1, -1) for level in levels]
        features = self.deepest(levels[-1], condition)
        painted = []
        for block, skip in zip(self.up, (levels[2], levels[1])):
            larger = F.interpolate(features, scale_factor=2.0, mode="nearest")
            features = block(torch.cat([larger, skip], dim=1), condition)
            painted.append(features)
        amount = (target - own)[:, None, None, None]
        flow = self.shape.farthest * torch.tanh(self.to_flow(F.relu(painted[0])).float())
        change = self.shape.strongest * torch.tanh(self.to_change(F.relu(painted[-1])).float())
        return Edit(amount * flow, amount * change)

    def _encode(self, films: torch.Tensor) -> list[torch.Tensor]:
        side = films.shape[-1]
        line = torch.linspace(-1, 1, side, device=films.device, dtype=films.dtype)
        places = torch.stack(torch.meshgrid(line, line, indexing="ij"))[None].expand(len(films), -1, -1, -1)
        features, levels = torch.cat([4 * films - 2, places], dim=1), []
        for stage in self.down:
            features = stage(features)
            levels.append(features)
        return levels


def _halving(given: int, made: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(given, made, 4, stride=2, padding=1), nn.GroupNorm(8, made), nn.ReLU(),
        nn.Conv2d(made, made, 3, padding=1), nn.GroupNorm(8, made), nn.ReLU(),
    )  # fmt: skip


def _silent(given: int, made: int) -> nn.Conv2d:
    """A convolution that starts by saying nothing: training begins at the film itself."""
    layer = nn.Conv2d(given, made, 3, padding=1)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer


class Discriminator(nn.Module):
    """Projection discriminator (Miyato, Koyama 2018, arXiv 1802.05637) with spectral normalisation (arXiv 1802.05957).

    Args:
        findings: number of findings. widths: channels of its halving stages.
    """

    def __init__(self, findings: int, widths: tuple[int, ...] = (24, 48, 96, 128)) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        for given, made in zip((1, *widths), widths):
            stages += [
                parametrizations.spectral_norm(nn.Conv2d(given, made, 4, stride=2, padding=1)),
                nn.LeakyReLU(0.1),
            ]
        self.stages = nn.Sequential(*stages)
        self.output = parametrizations.spectral_norm(nn.Conv2d(widths[-1], 1, 3, padding=1))
        self.table = parametrizations.spectral_norm(nn.Linear(findings * BINS, widths[-1], bias=False))
        self.findings = findings

    def forward(self, films: torch.Tensor, finding: torch.Tensor, posterior: torch.Tensor) -> torch.Tensor:
        """Judge (N, 1, h, w) films in [0, 1] said to have (N,) findings at (N,) posteriors: (N,), high where real."""
        features = self.stages(4 * films - 2)
        plain = self.output(features).float().mean(dim=(1, 2, 3))
        chosen = F.one_hot(finding, self.findings).to(posterior.dtype)
        code = torch.einsum("nf,nb->nfb", chosen, bin_weights(posterior)).flatten(1)
        return plain + (self.table(code) * features.mean(dim=(2, 3))).sum(dim=1).float()
