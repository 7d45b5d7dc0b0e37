"""Input x gradient: the film's difference from a film that shows nothing, times the gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from xai_methods.gradient.gradients import logits_and_gradients
from xai_methods.method import Attribution, Method, Request
from xai_methods.parameters import Parameters, parameter
from xai_methods.reference_films import BASELINES, grey_of_zero, reference_film
from xai_methods.registry import register


@dataclass(frozen=True)
class InputXGradientParameters(Parameters):
    """Parameters of :class:`InputXGradient`."""

    baseline: str = parameter(
        "black",
        "What the film is compared with. zero: the number 0 in the model's input range, whichever grey that is.",
        choices=BASELINES,
    )


@register
class InputXGradient(Method):
    """Input x gradient (Shrikumar et al. 2016, arXiv 1605.01713), in units of logit.

    With the baseline "zero" it is the method of the paper; any other takes the film's difference from that baseline
    instead, so that the map does not depend on where a model's input range has its 0. Diagnostics: ``base_value``, the
    baseline's logit; ``additivity_residual``, how far the map's sum is from the logit's difference, which is 0 where
    the model is a straight line; ``grey_of_zero``, the grey that input 0 stands for (0 black, 1 white).
    """

    name = "input-x-gradient"
    title = "Input × gradient"
    family = "gradient"
    question = "How much does each pixel's difference from the baseline contribute, if the model were a straight line?"
    reference = "Shrikumar et al. 2016, arXiv 1605.01713"
    signed = True
    unit = "share of the logit"
    additive = True
    speed = "fast"
    order = 51
    parameters = InputXGradientParameters

    def _explain(self, request: Request) -> Attribution:
        baseline = reference_film(request, cast(InputXGradientParameters, request.parameters).baseline)
        base = float(request.logits(baseline)[0])
        request.report(0.3)
        logits, gradients = logits_and_gradients(request, request.film)
        values = (request.film - baseline)[0, 0].double() * gradients[0].double()
        diagnostics = {
            "base_value": base,
            "additivity_residual": abs(float(values.sum()) - (float(logits[0]) - base)),
            "grey_of_zero": grey_of_zero(request),
        }
        return Attribution(values.float().cpu().numpy(), diagnostics=diagnostics, logit=float(logits[0]))
