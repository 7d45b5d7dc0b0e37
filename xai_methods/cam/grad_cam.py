"""Grad-CAM: class-weighted last feature maps."""

from __future__ import annotations

import torch

from xai_methods.cam.cam_layer import CamMethod
from xai_methods.registry import register


@register
class GradCam(CamMethod):
    """Grad-CAM (Selvaraju et al. 2017, arXiv 1610.02391), kept before its ReLU.

    Each feature map is weighed by the mean of the logit's gradient over the map's cells. For a network that ends in
    global average pooling and a linear layer this is the class-activation map (Zhou et al. 2016, arXiv 1512.04150)
    divided by the number of cells, so its sum over the cells is the logit less the bias.
    """

    name = "grad-cam"
    title = "Grad-CAM"
    question = "Which cells of the last feature maps push the logit up or down, each map weighed by its mean gradient?"
    reference = "Selvaraju et al. 2017, doi 10.1109/ICCV.2017.74"
    role = "main"
    order = 30

    def weigh(self, features: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        """Sum of the feature maps (K, h, w), each times the mean of its gradient: (h, w)."""
        return torch.einsum("khw,k->hw", features, gradient.mean(dim=(1, 2)))
