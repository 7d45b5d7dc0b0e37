"""Gradients of one logit for many films at once, and the mean of many maps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch

from xai_methods.method import Request
from xai_methods.perturbation.masking import seed_agreement

FILMS = 16
"""Films in one forward and backward pass."""


def logits_and_gradients(request: Request, films: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The explained logit of each film, and its gradient with respect to the film's pixels.

    Args:
        request: the question; its count of evaluations goes up by two a film. films: (N, 1, S, S) inputs.

    Returns:
        (N,) logits, and (N, S, S) gradients in units of logit per input unit.

    Raises:
        RuntimeError: the logit does not depend on the film.
    """
    classifier = request.classifier
    with torch.inference_mode(False), torch.enable_grad():
        leaves = films.detach().clone().requires_grad_(True)
        logits = classifier(leaves)[:, request.column]
        if not logits.requires_grad:
            raise RuntimeError(f"the logits of {classifier.name} do not depend on the film")
        (gradients,) = torch.autograd.grad(logits.sum(), leaves)
    request.count(2 * len(films))
    return logits.detach().double(), gradients[:, 0]


def grey_range(request: Request) -> float:
    """Input units from black to white: what makes gradients of models with different input ranges comparable."""
    return request.classifier.preprocessing.high - request.classifier.preprocessing.low


@dataclass(frozen=True, eq=False)
class MeanMap:
    """The mean of N maps: ``values`` (S, S) float64 and ``errors`` (S, S), the standard errors of that mean."""

    values: torch.Tensor
    errors: torch.Tensor

    @property
    def diagnostics(self) -> dict[str, float]:
        """``standard_error``, the mean over the pixels; ``seed_agreement``, the correlation to expect of two seeds."""
        values, errors = self.values.cpu().numpy(), self.errors.cpu().numpy()
        return {
            "standard_error": float(errors.mean()),
            "seed_agreement": seed_agreement(values.ravel(), errors.ravel()),
        }


def mean_map(batches: Iterable[torch.Tensor]) -> MeanMap:
    """Average maps that come in batches (N, S, S), without keeping them.

    Raises:
        ValueError: there are fewer than two maps.
    """
    count, total, squares = 0, torch.zeros(()), torch.zeros(())
    for batch in batches:
        maps = batch.double()
        count += len(maps)
        total = total + maps.sum(dim=0)
        squares = squares + maps.square().sum(dim=0)
    if count < 2:
        raise ValueError(f"a mean with its error takes at least 2 maps, got {count}")
    mean = total / count
    variance = (squares / count - mean.square()).clamp(min=0) * count / (count - 1)
    return MeanMap(mean, (variance / count).sqrt())
