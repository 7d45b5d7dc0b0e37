"""Latent shift: the film with its code moved towards the finding, less the film with it moved away."""

from __future__ import annotations

from classifiers import ChestClassifier
from xai_methods.counterfactual.as_map import CounterfactualMethod
from xai_methods.counterfactual.latent import NAME, autoencoder_missing
from xai_methods.registry import register


@register
class LatentShift(CounterfactualMethod):
    """Absolute difference between the films at the two ends of the shift, in film units."""

    name = NAME
    title = "Latent shift"
    question = "Where does the film change when its code in an autoencoder is moved along the model's gradient?"
    reference = "Cohen et al. 2021, arXiv 2102.09475"
    speed = "fast"
    order = 81

    def serves(self, classifier: ChestClassifier, finding: str) -> str | None:
        """Any classifier and finding, where an autoencoder is shipped."""
        return super().serves(classifier, finding) or autoencoder_missing()
