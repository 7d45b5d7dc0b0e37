"""Eigen-CAM: what the last feature maps have most in common, whatever the finding."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import torch

from xai_methods.cam.cam_layer import on_input_grid
from xai_methods.hooks import feature_maps
from xai_methods.method import Attribution, Method, Request
from xai_methods.parameters import Parameters, parameter
from xai_methods.registry import register


@dataclass(frozen=True)
class EigenCamParameters(Parameters):
    """Parameters of :class:`EigenCam`."""

    centred: bool = parameter(False, "Take each feature map's mean off first, as some programs do; the paper does not.")


def principal_map(features: torch.Tensor, centred: bool = False) -> tuple[torch.Tensor, float]:
    """Project feature maps (K, h, w) on their first principal direction.

    The direction's sign is free; it is taken such that the map is high where the features' positive part is.

    Args:
        features: (K, h, w). centred: whether each feature map's mean over the cells is taken off first.

    Returns:
        The map (h, w), and the share of the features' squared sum that it holds (NaN where that sum is 0).
    """
    cells = features.double().flatten(1).T
    lit = cells.clamp(min=0).sum(dim=1)
    if centred:
        cells = cells - cells.mean(dim=0)
    # The smaller of the two Gram matrices has the same first direction, and takes a fraction of the time of an SVD.
    if cells.shape[0] <= cells.shape[1]:
        powers, directions = torch.linalg.eigh(cells @ cells.T)
        projected = directions[:, -1] * powers[-1].clamp(min=0).sqrt()
    else:
        powers, directions = torch.linalg.eigh(cells.T @ cells)
        projected = cells @ directions[:, -1]
    if float(projected @ lit) < 0:
        projected = -projected
    share = float(powers[-1].clamp(min=0) / cells.square().sum())
    return projected.reshape(features.shape[1:]).to(features.dtype), share


@register
class EigenCam(Method):
    """Eigen-CAM (Muhammad & Yeasin 2020, arXiv 2008.00299): the same map for every finding.

    Negative cells do not speak against anything and are set to 0. Diagnostics, beside those of all class-activation
    maps: ``principal_share``, the share of the features' squared sum that the first direction holds.
    """

    name = "eigen-cam"
    title = "Eigen-CAM"
    family = "cam"
    question = "Where do the last feature maps together light up most, whatever the finding?"
    reference = "Muhammad & Yeasin 2020, doi 10.1109/IJCNN48605.2020.9206626"
    signed = False
    unit = "arbitrary"
    speed = "fast"
    order = 34
    parameters = EigenCamParameters

    def _explain(self, request: Request) -> Attribution:
        features, logits = feature_maps(request.classifier, request.film)
        request.count(1)
        request.report(0.8)
        native, share = principal_map(features.float(), cast(EigenCamParameters, request.parameters).centred)
        attribution = on_input_grid(native.clamp(min=0), request.classifier.side, float(logits[request.column]))
        return replace(attribution, diagnostics=attribution.diagnostics | {"principal_share": share})
