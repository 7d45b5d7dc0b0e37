"""What all class-activation maps share: one layer's feature maps, weighed, summed, brought to the input grid."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F

from xai_methods.hooks import features_and_gradients
from xai_methods.method import Attribution, Method, Request


class CamMethod(Method):
    """Base of the class-activation maps that need one forward and one backward pass; subclasses write :meth:`weigh`."""

    family = "cam"
    signed = True
    unit = "arbitrary"
    speed: ClassVar[Literal["fast", "slow"]] = "fast"

    @abstractmethod
    def weigh(self, features: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        """From feature maps (K, h, w) and the logit's gradient (K, h, w) to the map (h, w), before any ReLU."""

    def _explain(self, request: Request) -> Attribution:
        features, gradient, logit = features_and_gradients(request.classifier, request.film, request.column)
        request.count(2)
        request.report(0.8)
        return on_input_grid(self.weigh(features.float(), gradient.float()), request.classifier.side, logit)


def on_input_grid(native: torch.Tensor, side: int, logit: float) -> Attribution:
    """Bring a map (h, w) to the input grid, bilinearly, in its own units, and say what it was before.

    Args:
        native: (h, w) map on the layer's cells. side: S of the input grid. logit: the explained logit.

    Returns:
        Values (S, S); ``cells`` is (h, w). Diagnostics, all of the map on its own cells: ``positive_cells`` is the
        share of cells above 0, ``all_negative`` is 1.0 where there is none, ``cell_max`` and ``cell_min`` are its
        extremes.
    """
    large = F.interpolate(native[None, None], (side, side), mode="bilinear", align_corners=False)[0, 0]
    positive = float((native > 0).float().mean())
    diagnostics = {
        "positive_cells": positive,
        "all_negative": float(positive == 0),
        "cell_max": float(native.max()),
        "cell_min": float(native.min()),
    }
    cells = (native.shape[0], native.shape[1])
    return Attribution(large.cpu().numpy(), cells=cells, diagnostics=diagnostics, logit=logit)
