"""HiResCAM: feature maps times their gradients, cell by cell."""

from __future__ import annotations

import torch

from xai_methods.cam.cam_layer import CamMethod
from xai_methods.registry import register


@register
class HiResCam(CamMethod):
    """HiResCAM (Draelos & Carin 2020, arXiv 2011.08891), kept before its ReLU.

    No gradient is averaged, so each cell gets what it contributed to the logit to first order. Where only a linear
    layer follows, the sum over the cells is the logit less the bias; behind average pooling it is Grad-CAM.
    """

    name = "hires-cam"
    title = "HiResCAM"
    question = "How much of the logit does each cell of the last feature maps contribute, to first order?"
    reference = "Draelos & Carin 2020, arXiv 2011.08891"
    order = 32

    def weigh(self, features: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        """Sum over the feature maps (K, h, w) of map times gradient: (h, w)."""
        return (features * gradient).sum(dim=0)
