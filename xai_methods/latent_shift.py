"""Latent shift: the film with its code moved towards the finding, less the film with it moved away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from classifiers import ChestClassifier
from xai_methods.counterfactual.ask import unit_film
from xai_methods.counterfactual.latent import NAME, autoencoder_card, autoencoder_missing, shifted
from xai_methods.counterfactual.series import LEVELS, Limits
from xai_methods.method import Attribution, Method, Request
from xai_methods.parameters import Parameters, parameter
from xai_methods.progressive_exaggeration import attribution_of
from xai_methods.registry import register


@dataclass(frozen=True)
class LatentShiftParameters(Parameters):
    """How far the code is moved, and how bad a reconstruction may be."""

    reach: float = parameter(
        0.9,
        "Distance between the posteriors asked for at the two ends, around one half.",
        low=0.2,
        high=0.98,
        step=0.02,
    )
    tolerance: float = parameter(
        0.0,
        "Largest change of the answer by the reconstruction that is not refused; 0 takes the autoencoder's own.",
        low=0.0,
        high=1.0,
        step=0.05,
    )


@register
class LatentShift(Method):
    """Absolute difference between the films at the two ends of the shift, in film units."""

    name = NAME
    title = "Latent shift"
    family = "counterfactual"
    question = "Where does the film change when its code in an autoencoder is moved along the model's gradient?"
    reference = "Cohen et al. 2021, arXiv 2102.09475"
    signed = False
    speed = "fast"
    order = 81
    parameters = LatentShiftParameters

    def serves(self, classifier: ChestClassifier, finding: str) -> str | None:
        """Any classifier and finding, where an autoencoder is shipped."""
        return autoencoder_missing()

    def _explain(self, request: Request) -> Attribution:
        chosen = cast(LatentShiftParameters, request.parameters)
        levels = np.linspace(0.5 - chosen.reach / 2, 0.5 + chosen.reach / 2, len(LEVELS))
        own = autoencoder_card().figures["limits"]
        limits = Limits(chosen.tolerance or own["answer"], own["likeness"])
        film = unit_film(request.classifier, request.film)
        series = shifted(request.classifier, film, request.finding, levels, limits, request.report)
        request.count(series.evaluations)
        return attribution_of(series)
