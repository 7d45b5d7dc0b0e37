"""Latent shift: the film with its code moved towards the finding, less the film with it moved away."""

from __future__ import annotations

from typing import cast

from classifiers import ChestClassifier
from xai_methods.counterfactual.ask import unit_film
from xai_methods.counterfactual.latent import NAME, autoencoder_missing, shifted
from xai_methods.method import Attribution, Method, Request
from xai_methods.progressive_exaggeration import CounterfactualParameters, attribution_of
from xai_methods.registry import register


@register
class LatentShift(Method):
    """Absolute difference between the films at the two ends of the shift, in film units."""

    name = NAME
    title = "Latent shift"
    family = "counterfactual"
    question = "Where does the film change when its code in an autoencoder is moved along the model's gradient?"
    reference = "Cohen et al. 2021, arXiv 2102.09475"
    signed = False
    speed = "fast"
    order = 81
    parameters = CounterfactualParameters

    def serves(self, classifier: ChestClassifier, finding: str) -> str | None:
        """Any classifier and finding, where an autoencoder is shipped."""
        return autoencoder_missing()

    def _explain(self, request: Request) -> Attribution:
        chosen = cast(CounterfactualParameters, request.parameters)
        film = unit_film(request.classifier, request.film)
        series = shifted(request.classifier, film, request.finding, chosen.levels, chosen.limits, request.report)
        request.count(series.evaluations)
        return attribution_of(series)
