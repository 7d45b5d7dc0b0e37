"""Grad-CAM++: feature maps weighed by their positive gradients, cell by cell."""

from __future__ import annotations

import torch

from xai_methods.cam.cam_layer import CamMethod
from xai_methods.registry import register


@register
class GradCamPlusPlus(CamMethod):
    """Grad-CAM++ (Chattopadhyay et al. 2018, arXiv 1710.11063), kept before its ReLU.

    A feature map's weight is the sum over its cells of the positive gradient g times g² / (2 g² + a g³), where a is
    the sum of the map. The paper takes maps that are nowhere negative; of others, the positive part counts in a.
    """

    name = "grad-cam-plus-plus"
    title = "Grad-CAM++"
    question = "Which cells of the last feature maps push the logit up, each map weighed by its rising cells alone?"
    reference = "Chattopadhyay et al. 2018, doi 10.1109/WACV.2018.00097"
    order = 31

    def weigh(self, features: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        """Sum of the feature maps (K, h, w), each times its weight: (h, w)."""
        rising = gradient.clamp(min=0)
        total = features.clamp(min=0).sum(dim=(1, 2), keepdim=True)
        # g² / (2 g² + a g³) = 1 / (2 + a g): no square of a small gradient that a stabiliser would drown.
        weights = (rising / (2 + total * rising)).sum(dim=(1, 2))
        return torch.einsum("khw,k->hw", features, weights)
