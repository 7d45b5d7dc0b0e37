"""RISE: how much higher the logit is, over random masks, where a pixel is shown.

Petsiuk, Das and Saenko 2018, arXiv 1806.07421.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F

from xai_methods.method import Attribution, Method, Request
from xai_methods.parameters import Parameters, parameter
from xai_methods.passes import empty_films, precision_parameter, predict_logits
from xai_methods.perturbation.masking import HIDES, make_regions
from xai_methods.registry import register


@dataclass(frozen=True)
class RiseParameters(Parameters):
    """Parameters of :class:`Rise`."""

    masks: int = parameter(1000, "Films evaluated under random masks.", low=50, high=20000, step=50)
    cells: int = parameter(7, "Cells along a side of a mask, before it is enlarged.", low=2, high=32, step=1)
    shown: float = parameter(0.5, "Share of cells that are shown.", low=0.1, high=0.9, step=0.05)
    hide: str = parameter(
        "mean", "What hidden parts show: the film's mean grey, its blur, black, or the average film.", choices=HIDES
    )
    precision: str = precision_parameter()


class Masks:
    """Smooth random masks, made when they are needed: (S, S) float32 in [0, 1], 1 where the film is shown.

    Each is a grid of cells, shown with a given probability, enlarged bilinearly and shifted at random by less than a
    cell. Two at a time share a shift; with probability 1/2 the second is the first's complement, distributed alike.

    Args:
        count: how many. side: S. cells: along a side. shown: probability. rng: their source.
    """

    def __init__(self, count: int, side: int, cells: int, shown: float, rng: np.random.Generator) -> None:
        self.side, self.cell = side, -(-side // cells)
        pairs = -(-count // 2)
        first = rng.random((pairs, cells + 1, cells + 1)) < shown
        second = ~first if shown == 0.5 else rng.random(first.shape) < shown
        self.grids = np.stack([first, second], axis=1).reshape(2 * pairs, cells + 1, cells + 1)[:count]
        self.shifts = rng.integers(0, self.cell, (pairs, 2)).repeat(2, axis=0)[:count]

    def draw(self, first: int, last: int) -> torch.Tensor:
        """Masks ``first`` to before ``last``: (N, S, S)."""
        grids = torch.as_tensor(self.grids[first:last], dtype=torch.float32)[:, None]
        large = self.cell * self.grids.shape[-1]
        smooth = F.interpolate(grids, (large, large), mode="bilinear", align_corners=False)[:, 0]
        masks = torch.empty((last - first, self.side, self.side))
        for mask, whole, (down, across) in zip(masks, smooth, self.shifts[first:last]):
            mask[:] = whole[down : down + self.side, across : across + self.side]
        return masks


@register
class Rise(Method):
    """Mean logit over masks that show a pixel, less the mean over all masks.

    Values: logit units. The original's mean of the answer is of a probability and not negative; of a logit, whose
    zero means nothing for a single film, only the difference from the mean over all masks can be read.
    """

    name = "rise"
    title = "RISE"
    family = "perturbation"
    question = "Over many random masks, is the answer higher where this pixel is shown?"
    reference = "Petsiuk, Das, Saenko 2018, arXiv 1806.07421"
    signed = True
    unit = "share of the logit"
    stochastic = True
    speed = "slow"
    order = 72
    parameters = RiseParameters

    def _explain(self, request: Request) -> Attribution:
        chosen = cast(RiseParameters, request.parameters)
        side = request.classifier.side
        masks = Masks(chosen.masks, side, chosen.cells, chosen.shown, request.rng)
        blank = make_regions(request.classifier, request.film, np.zeros((side, side), dtype=np.int32), chosen.hide)
        gain = blank.film - blank.hidden
        device = request.film.device
        answers, shown = (torch.zeros(side * side, dtype=torch.float64, device=device) for _ in range(2))
        squares = torch.zeros_like(answers)
        drawn = torch.empty(0)

        def compose(first: int, last: int) -> torch.Tensor:
            nonlocal drawn
            drawn = masks.draw(first, last).to(device)
            films = empty_films(last - first, blank.film)
            return torch.addcmul(blank.hidden, drawn[:, None], gain, out=films)

        def add(first: int, last: int, logits: np.ndarray) -> None:
            flat = drawn.reshape(last - first, -1).double()
            answers.add_(torch.as_tensor(logits, device=device) @ flat)
            shown.add_(flat.sum(dim=0))
            squares.add_((flat**2).sum(dim=0))

        logits = predict_logits(request, compose, chosen.masks, chosen.precision, on_batch=add)
        values = (answers / shown - logits.mean()).cpu().numpy()
        spread = (squares * (chosen.masks / shown) ** 2 - chosen.masks).clamp(min=0).sqrt().mean().item()
        return Attribution(
            values.reshape(side, side),
            cells=(chosen.cells, chosen.cells),
            diagnostics={
                "mean_logit": float(logits.mean()),
                "standard_error": float(logits.std()) * spread / chosen.masks,
            },
        )
