"""Score-CAM: feature maps weighed by the logit of the film seen through each of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import torch
import torch.nn.functional as F

from xai_methods.cam.cam_layer import on_input_grid
from xai_methods.hooks import feature_maps
from xai_methods.method import Attribution, Method, Request
from xai_methods.parameters import Parameters, parameter
from xai_methods.passes import precision_parameter, predict_logits
from xai_methods.reference_films import BASELINES, reference_film
from xai_methods.registry import register


@dataclass(frozen=True)
class ScoreCamParameters(Parameters):
    """Parameters of :class:`ScoreCam`."""

    masks: int = parameter(
        4096,
        "Feature maps tried as masks, those that vary most first; all where the network has fewer.",
        low=8,
        high=4096,
        step=8,
    )
    baseline: str = parameter("black", "What the film shows where a mask hides it.", choices=BASELINES)
    precision: str = precision_parameter()


@register
class ScoreCam(Method):
    """Score-CAM (Wang et al. 2020, arXiv 1910.01279), kept before its ReLU; it uses no gradient.

    Each feature map, scaled from 0 to 1 and brought to the input's size, lets the film through; the softmax over the
    feature maps of the logits of these films are the weights. It takes one forward pass for each feature map tried:
    512 on a ResNet-18, 1024 on a DenseNet-121. Diagnostics, beside those of all class-activation maps: ``masks``,
    how many were tried, and ``effective_masks``, the number of equal weights that would be as concentrated.
    """

    name = "score-cam"
    title = "Score-CAM"
    family = "cam"
    question = "If the film is seen through one feature map after another, which of them keep the logit up?"
    reference = "Wang et al. 2020, doi 10.1109/CVPRW50498.2020.00020"
    signed = True
    unit = "arbitrary"
    speed = "slow"
    order = 35
    parameters = ScoreCamParameters

    def _explain(self, request: Request) -> Attribution:
        chosen = cast(ScoreCamParameters, request.parameters)
        maps, logits = feature_maps(request.classifier, request.film)
        features = maps.float()
        request.count(1)
        tried = _most_varied(features, chosen.masks)
        scores = _scores(request, features[tried], reference_film(request, chosen.baseline), chosen.precision)
        weights = torch.softmax(scores, dim=0)
        native = torch.einsum("khw,k->hw", features[tried], weights.to(features))
        attribution = on_input_grid(native, request.classifier.side, float(logits[request.column]))
        counts = {"masks": float(len(tried)), "effective_masks": float(1 / weights.square().sum())}
        return replace(attribution, diagnostics=attribution.diagnostics | counts)


def _most_varied(features: torch.Tensor, count: int) -> torch.Tensor:
    """Indices of at most ``count`` feature maps (K, h, w), by their variance, in their own order.

    Raises:
        RuntimeError: the layer has a single cell, so that no map can hide anything.
    """
    if features[0].numel() == 1:
        raise RuntimeError(
            "Score-CAM needs feature maps of more than one cell; this model's CAM layer puts out a single cell"
        )
    if count >= len(features):
        return torch.arange(len(features), device=features.device)
    return features.flatten(1).var(dim=1).topk(count).indices.sort().values


def _scores(request: Request, features: torch.Tensor, hidden: torch.Tensor, precision: str) -> torch.Tensor:
    """Logit of the film seen through each of (K, h, w) feature maps: (K,) float64."""
    side, shown = request.classifier.side, request.film - hidden

    def compose(first: int, last: int) -> torch.Tensor:
        large = F.interpolate(features[first:last, None], (side, side), mode="bilinear", align_corners=False)
        low, high = large.amin(dim=(2, 3), keepdim=True), large.amax(dim=(2, 3), keepdim=True)
        # A map without contrast hides all of the film.
        masks = (large - low).div_((high - low).clamp(min=1e-8))
        return masks.mul_(shown).add_(hidden)

    scores = predict_logits(request, compose, len(features), precision, (0.02, 0.98))
    return torch.as_tensor(scores, device=features.device)
