"""A series as a map: where the film changes between its two ends, under the contract of all methods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from xai_methods.counterfactual.generate import EXPLAINERS, unit_film
from xai_methods.counterfactual.series import LEVELS, CounterfactualRefusedError, Limits, Series
from xai_methods.method import Attribution, Method, Request
from xai_methods.parameters import Parameters, parameter


@dataclass(frozen=True)
class CounterfactualParameters(Parameters):
    """How far the finding is exaggerated, and whether badly drawn films are refused."""

    reach: float = parameter(
        0.9,
        "Distance between the target posteriors at the two ends, around one half.",
        low=0.2,
        high=0.98,
        step=0.02,
    )
    refuse: bool = parameter(True, "Refuse films whose reconstruction is answered differently or looks unlike them.")

    @property
    def levels(self) -> np.ndarray:
        """Target posteriors, ascending."""
        return np.linspace(0.5 - self.reach / 2, 0.5 + self.reach / 2, len(LEVELS))

    @property
    def limits(self) -> Limits | None:
        """Limits that refuse nothing, or None for the explainer's own."""
        return None if self.refuse else Limits(1.0, -1.0)


def attribution_of(series: Series) -> Attribution:
    """The map of a series and the figures by which to judge it.

    Raises:
        CounterfactualRefusedError: the series explains nothing; the message says why.
    """
    if series.refusal is not None:
        raise CounterfactualRefusedError(series.refusal)
    diagnostics = {
        "posterior of the film": series.own,
        "posterior reached at the absent end": float(series.reached[0]),
        "posterior reached at the present end": float(series.reached[-1]),
        "decision flips": float(series.flips),
        "reconstruction changes the answer by": series.cost.answer,
        "reconstruction's structural similarity": series.cost.likeness,
    }
    return Attribution(np.abs(series.difference), diagnostics=diagnostics)


class CounterfactualMethod(Method):
    """Absolute difference between the films at the two ends of a series, in film units; its name is an explainer's."""

    family = "counterfactual"
    signed = False
    unit = "arbitrary"
    parameters = CounterfactualParameters

    def _explain(self, request: Request) -> Attribution:
        chosen = cast(CounterfactualParameters, request.parameters)
        film, explain = unit_film(request.classifier, request.film), EXPLAINERS[self.name]
        series = explain(request.classifier, film, request.finding, chosen.levels, chosen.limits, request.report)
        request.count(series.evaluations)
        return attribution_of(series)
