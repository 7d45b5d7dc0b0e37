"""How far a film can move before the answer does: the Jacobian at one film, and whether it may be believed.

After Abe & Asai 2025, "Towards a perturbation-based explanation for medical AI as differentiable programs"
(arXiv 2502.14001): the Jacobian of a trained model at the given input needs no training data and no sampling; whether
it is numerically available has to be shown.
"""

from evaluation.stability.study import Stability, study

__all__ = ["Stability", "study"]
