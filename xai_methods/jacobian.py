"""Jacobian sensitivity: how much each logit would change for a small change of each pixel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from classifiers import ChestClassifier
from xai_methods.method import Attribution, Method, Request
from xai_methods.parameters import Parameters, parameter
from xai_methods.registry import register

ROWS = 8
"""Rows of the Jacobian in one reverse pass."""


@dataclass(frozen=True)
class JacobianParameters(Parameters):
    """Parameters of Jacobian sensitivity."""

    reading: str = parameter(
        "signed",
        "signed: which way the logit would move; magnitude: how far, whichever way",
        choices=("signed", "magnitude"),
    )


def jacobian(
    classifier: ChestClassifier, film: torch.Tensor, report: Callable[[float], None] | None = None
) -> torch.Tensor:
    """Derivative of every logit with respect to every pixel (Abe & Asai 2025, arXiv 2502.14001).

    One forward pass, then reverse passes batched over the findings: with far fewer findings than pixels, reverse
    mode is the cheap direction (the paper's forward algorithm gives the same matrix).

    Args:
        classifier: the model, which stays as it is. film: (1, 1, S, S) input in the classifier's range.
        report: called with the share done; what it raises stops the work.

    Returns:
        (C, S, S) in units of logit per input unit.
    """
    with torch.inference_mode(False), torch.enable_grad():
        pixels = film.detach().clone().requires_grad_(True)
        logits = classifier(pixels)[0]
        directions = torch.eye(len(logits), dtype=logits.dtype, device=logits.device)
        rows = []
        for start in range(0, len(logits), ROWS):
            some = directions[start : start + ROWS]
            batch = torch.autograd.grad(logits, pixels, some, retain_graph=True, is_grads_batched=True)
            rows.append(batch[0][:, 0, 0])
            if report is not None:
                report(min(start + ROWS, len(logits)) / len(logits))
    return torch.cat(rows)


@register
class JacobianSensitivity(Method):
    """The finding's row of the Jacobian, in units of logit per full grey range of one pixel.

    Diagnostics: ``l1``, ``l2``, ``linf`` are norms of the row; ``spectral_norm`` is the largest singular value of the
    whole Jacobian, the most that any small change of the film can move all logits together.
    """

    name = "jacobian"
    title = "Jacobian sensitivity"
    family = "gradient"
    question = "How far would the logit move for a small change of each pixel?"
    reference = "Abe & Asai 2025, arXiv 2502.14001"
    signed = True
    speed = "fast"
    role = "main"
    order = 50
    parameters = JacobianParameters

    def _explain(self, request: Request) -> Attribution:
        classifier = request.classifier
        range_of_greys = classifier.preprocessing.high - classifier.preprocessing.low
        request.count(1)
        # Input units become shares of the full grey range, so that models of different input ranges can be compared.
        matrix = jacobian(classifier, request.film, request.report).double() * range_of_greys
        request.count(len(matrix))
        row = matrix[request.column]
        flat = matrix.flatten(1)
        diagnostics = {
            "l1": float(row.abs().sum()),
            "l2": float(row.norm()),
            "linf": float(row.abs().max()),
            "spectral_norm": float(torch.linalg.eigvalsh(flat @ flat.T)[-1].clamp(min=0).sqrt()),
        }
        assert isinstance(request.parameters, JacobianParameters)
        values = row.abs() if request.parameters.reading == "magnitude" else row
        return Attribution(values.float().cpu().numpy(), diagnostics=diagnostics)
