"""Losses of the localised classifier."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


class BoxAttention(nn.Module):
    """Pull the class map of a finding into the box a radiologist drew for it.

    The map's softmax over the cells is compared with the share of each cell that the box covers (cross-entropy),
    and the softmax's mass inside the box is raised (negative logarithm). Unlike a per-cell sigmoid (Li et al. 2018,
    arXiv 1711.06373), the softmax does not care about the map's level: the mean over all cells stays free to be the
    logit, also where the box is a small part of the film. The softmax's temperature is learned for each finding.
    """

    def __init__(self, n_findings: int) -> None:
        super().__init__()
        self.log_temperature = nn.Parameter(torch.zeros(n_findings))

    def forward(self, maps: torch.Tensor, findings: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
        """Mean loss over the films that show a part of their box.

        Args:
            maps: (N, C, h, w) class maps.
            findings: (N,) index of the boxed finding.
            shares: (N, h, w) share of each cell inside the box, 0 to 1.
        """
        rows = torch.arange(len(maps))
        chosen = maps[rows, findings] * self.log_temperature[findings].exp()[:, None, None]
        log_p = F.log_softmax(chosen.flatten(1), dim=1)
        inside = shares.flatten(1)
        area = inside.sum(dim=1)
        seen = area > 0.05
        if not bool(seen.any()):
            return maps.sum() * 0
        log_p, inside, area = log_p[seen], inside[seen], area[seen]
        spread = -(inside * log_p).sum(dim=1) / area - torch.log(area.clamp(min=1))
        mass = -torch.logsumexp(log_p + torch.log(inside.clamp(min=1e-6)), dim=1)
        return (0.5 * spread + 0.5 * mass).mean()
