"""Which methods explain a model, and why others do not."""

from __future__ import annotations

from collections.abc import Callable

from classifiers import ChestClassifier
from radiographs import Radiograph
from xai_methods.explanation import Cancelled
from xai_methods.registry import methods


def served(
    classifier: ChestClassifier,
    radiograph: Radiograph | None = None,
    *,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> dict[str, str | None]:
    """By method: None where it explains the classifier's first finding, else why not, in a sentence.

    Args:
        classifier: the model. radiograph: a film on which the fast methods that read the network's inside are tried
            out, for what a network holds shows only there. Without one, what can be said beforehand is said.
        progress: called with the share done, 0 to 1. cancelled: True stops the work.

    Raises:
        Cancelled: ``cancelled`` said so.
    """
    known = {name: method for name, method in methods().items() if method.role != "baseline"}
    finding, found = classifier.findings[0], {}
    for number, (name, method) in enumerate(known.items()):
        if cancelled is not None and cancelled():
            raise Cancelled
        found[name] = method.serves(classifier, finding)
        inside = method.family not in ("perturbation", "counterfactual")
        if found[name] is None and radiograph is not None and inside and method.speed == "fast":
            try:
                method.explain(classifier, radiograph, finding, cancelled=cancelled)
            except (LookupError, RuntimeError, ValueError) as error:
                words = " ".join(str(error).split()) or type(error).__name__
                found[name] = words[0].upper() + words[1:]
        if progress is not None:
            progress((number + 1) / len(known))
    return found
