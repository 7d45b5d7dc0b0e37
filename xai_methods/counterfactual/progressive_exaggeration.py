"""Progressive exaggeration: the film with the finding drawn in, less the film with it taken out."""

from __future__ import annotations

from classifiers import ChestClassifier
from xai_methods.counterfactual.as_map import CounterfactualMethod
from xai_methods.counterfactual.exaggeration import NAME, unserved
from xai_methods.registry import register


@register
class ProgressiveExaggeration(CounterfactualMethod):
    """Absolute difference between the film made present and the film made absent, in film units."""

    name = NAME
    title = "Progressive exaggeration"
    question = "Where does the film change when a trained generator makes the finding present instead of absent?"
    reference = "Singla et al. 2023, doi 10.1016/j.media.2022.102721, arXiv 2101.04230"
    speed = "fast"
    order = 80

    def serves(self, classifier: ChestClassifier, finding: str) -> str | None:
        """Only classifiers whose generator is shipped, and only its findings."""
        return super().serves(classifier, finding) or unserved(classifier, finding)
