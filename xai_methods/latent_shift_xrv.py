"""Latent shift in torchxrayvision's autoencoder, where its weights are fetched."""

from __future__ import annotations

from typing import cast

from classifiers import ChestClassifier
from xai_methods.counterfactual.ask import unit_film
from xai_methods.counterfactual.xrv_autoencoder import NAME, missing, shifted_by_xrv
from xai_methods.method import Attribution, Method, Request
from xai_methods.progressive_exaggeration import CounterfactualParameters, attribution_of
from xai_methods.registry import register


@register
class LatentShiftXrv(Method):
    """Absolute difference between the films at the two ends of the shift, in film units."""

    name = NAME
    title = "Latent shift, torchxrayvision"
    family = "counterfactual"
    question = "Where does the film change when its code in torchxrayvision's autoencoder is moved along the gradient?"
    reference = "Cohen et al. 2021, arXiv 2102.09475"
    signed = False
    speed = "slow"
    order = 82
    parameters = CounterfactualParameters

    def serves(self, classifier: ChestClassifier, finding: str) -> str | None:
        """Any classifier and finding, where the weights are fetched."""
        return missing()

    def _explain(self, request: Request) -> Attribution:
        chosen = cast(CounterfactualParameters, request.parameters)
        film = unit_film(request.classifier, request.film)
        series = shifted_by_xrv(request.classifier, film, request.finding, chosen.levels, chosen.limits, request.report)
        request.count(series.evaluations)
        return attribution_of(series)
