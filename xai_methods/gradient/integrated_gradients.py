"""Integrated Gradients: gradients summed on the straight way from a film that shows nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import torch

from xai_methods.gradient.gradients import FILMS, logits_and_gradients
from xai_methods.method import Attribution, Method, Request
from xai_methods.parameters import Parameters, parameter
from xai_methods.reference_films import BASELINES, grey_of_zero, reference_film
from xai_methods.registry import register


@dataclass(frozen=True)
class IntegratedGradientsParameters(Parameters):
    """Parameters of :class:`IntegratedGradients`."""

    steps: int = parameter(
        32, "Films on the way at which the gradient is taken (Gauss-Legendre points).", low=4, high=512, step=4
    )
    baseline: str = parameter(
        "black",
        "Where the way begins. zero: the number 0 in the model's input range, whichever grey that is.",
        choices=BASELINES,
    )


def path_gradient(request: Request, baseline: torch.Tensor, steps: int) -> torch.Tensor:
    """Mean gradient on the straight way from ``baseline`` (1, 1, S, S) to the film: (S, S) float64.

    Raises:
        Cancelled: the work was cancelled.
    """
    points, weights = np.polynomial.legendre.leggauss(steps)
    shares = torch.as_tensor((points + 1) / 2, device=request.film.device)
    parts = torch.as_tensor(weights / 2, device=request.film.device)
    way = request.film - baseline
    mean = torch.zeros(way.shape[2:], dtype=torch.float64, device=way.device)
    for start in range(0, steps, FILMS):
        some = shares[start : start + FILMS].to(way).view(-1, 1, 1, 1)
        _, gradients = logits_and_gradients(request, baseline + some * way)
        mean = mean + torch.einsum("n,nhw->hw", parts[start : start + FILMS], gradients.double())
        request.report(0.05 + 0.9 * min(start + FILMS, steps) / steps)
    return mean


@register
class IntegratedGradients(Method):
    """Integrated Gradients (Sundararajan et al. 2017, arXiv 1703.01365), in units of logit.

    The map's sum is the logit less the baseline's, up to what the finite number of steps misses. Diagnostics:
    ``base_value``, the baseline's logit; ``additivity_residual``, how far the sum is off, in units of logit;
    ``completeness``, the sum as a share of what it should be; ``grey_of_zero``, the grey that input 0 stands for.
    """

    name = "integrated-gradients"
    title = "Integrated Gradients"
    family = "gradient"
    question = "On the way from a film that shows nothing to this one, how much of the logit does each pixel bring in?"
    reference = "Sundararajan et al. 2017, arXiv 1703.01365"
    signed = True
    unit = "share of the logit"
    additive = True
    speed = "slow"
    order = 52
    parameters = IntegratedGradientsParameters

    def _explain(self, request: Request) -> Attribution:
        chosen = cast(IntegratedGradientsParameters, request.parameters)
        baseline = reference_film(request, chosen.baseline)
        base, logit = request.logits(torch.cat([baseline, request.film])).tolist()
        request.report(0.05)
        values = (request.film - baseline)[0, 0].double() * path_gradient(request, baseline, chosen.steps)
        total, difference = float(values.sum()), logit - base
        diagnostics = {
            "base_value": base,
            "additivity_residual": abs(total - difference),
            "completeness": total / difference if difference else float("nan"),
            "grey_of_zero": grey_of_zero(request),
        }
        return Attribution(values.float().cpu().numpy(), diagnostics=diagnostics, logit=logit)
