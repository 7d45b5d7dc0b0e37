"""Latent shift in torchxrayvision's autoencoder, where its weights are fetched."""

from __future__ import annotations

from classifiers import ChestClassifier
from xai_methods.counterfactual.as_map import CounterfactualMethod
from xai_methods.counterfactual.xrv_autoencoder import NAME, missing
from xai_methods.registry import register


@register
class LatentShiftXrv(CounterfactualMethod):
    """Absolute difference between the films at the two ends of the shift, in film units."""

    name = NAME
    title = "Latent shift, torchxrayvision"
    question = "Where does the film change when its code in torchxrayvision's autoencoder is moved along the gradient?"
    reference = "Cohen et al. 2021, arXiv 2102.09475"
    speed = "slow"
    order = 82

    def serves(self, classifier: ChestClassifier, finding: str) -> str | None:
        """Any classifier and finding, where the weights are fetched."""
        return super().serves(classifier, finding) or missing()
