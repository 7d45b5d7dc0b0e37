"""LayerCAM: feature maps times the positive part of their gradients, cell by cell."""

from __future__ import annotations

import torch

from xai_methods.cam.cam_layer import CamMethod
from xai_methods.registry import register


@register
class LayerCam(CamMethod):
    """LayerCAM (Jiang et al. 2021), kept before its ReLU.

    As HiResCAM, but without the cells whose strengthening would lower the logit. Behind a ReLU no cell is negative.
    """

    name = "layer-cam"
    title = "LayerCAM"
    question = "Which cells of the last feature maps push the logit up, each cell weighed by its own rising gradient?"
    reference = "Jiang et al. 2021, doi 10.1109/TIP.2021.3089943"
    order = 33

    def weigh(self, features: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        """Sum over the feature maps (K, h, w) of map times positive gradient: (h, w)."""
        return (features * gradient.clamp(min=0)).sum(dim=0)
