"""Occlusion: what the logit loses when a patch is hidden, patch by patch.

Zeiler and Fergus 2014, arXiv 1311.2901.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import torch

from xai_methods.method import Attribution, Method, Request
from xai_methods.parameters import Parameters, parameter
from xai_methods.passes import empty_films, precision_parameter, predict_logits
from xai_methods.perturbation.masking import HIDES, make_regions
from xai_methods.registry import register


@dataclass(frozen=True)
class OcclusionParameters(Parameters):
    """Parameters of :class:`Occlusion`."""

    patch: float = parameter(0.125, "Side of the patch, as a share of the film's side.", low=0.02, high=0.5, step=0.005)
    stride: float = parameter(
        0.5, "Step from patch to patch, as a share of the patch's side.", low=0.1, high=1.0, step=0.05
    )
    hide: str = parameter(
        "mean", "What a hidden patch shows: the film's mean grey, its blur, black, or the average film.", choices=HIDES
    )
    precision: str = precision_parameter()


def patch_corners(side: int, patch: int, stride: int) -> list[int]:
    """First pixels of the patches along one side: every ``stride``, the last flush with the end."""
    return sorted({*range(0, side - patch, stride), side - patch})


@register
class Occlusion(Method):
    """Fall of the logit when a patch is hidden; each pixel shows the mean over all patches that cover it.

    Values: logit units; positive where hiding lowers the logit.
    """

    name = "occlusion"
    title = "Occlusion"
    family = "perturbation"
    question = "If one patch of the film is hidden, by how much does the answer fall?"
    reference = "Zeiler, Fergus 2014, arXiv 1311.2901"
    signed = True
    unit = "share of the logit"
    speed = "slow"
    order = 71
    parameters = OcclusionParameters

    def _explain(self, request: Request) -> Attribution:
        chosen = cast(OcclusionParameters, request.parameters)
        side = request.classifier.side
        patch = max(1, round(chosen.patch * side))
        corners = patch_corners(side, patch, max(1, round(chosen.stride * patch)))
        whole = make_regions(request.classifier, request.film, np.zeros((side, side), dtype=np.int32), chosen.hide)
        places = [(slice(top, top + patch), slice(left, left + patch)) for top in corners for left in corners]

        def compose(first: int, last: int) -> torch.Tensor:
            films = empty_films(last - first, whole.film)
            films[:] = whole.film
            for film, place in zip(films, places[first:last]):
                film[0][place] = whole.hidden[place]
            return films

        # The film itself comes first, in the same precision, so that rounding that both share cancels.
        places = [(slice(0, 0), slice(0, 0)), *places]
        logits = predict_logits(request, compose, len(places), chosen.precision)
        total, covered = np.zeros((side, side)), np.zeros((side, side))
        for place, logit in zip(places[1:], logits[1:]):
            total[place] += logits[0] - logit
            covered[place] += 1
        return Attribution(total / covered, cells=(len(corners), len(corners)))
