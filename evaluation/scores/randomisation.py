"""Whether a map depends on what the network learnt: cascading and independent randomisation of its parameters."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, get_args

import numpy as np

from classifiers import ChestClassifier
from evaluation.scores.base import Case, Metric
from evaluation.scores.randomising import STAGES, RandomisationCurve, randomisation_curves, randomised_models
from evaluation.scores.registry import register
from xai_methods.method import Progress

Kind = Literal["cascading", "independent"]
_READINGS = {
    "ssim": ("SSIM", "SSIM, each map divided by the 99.5th percentile of its absolute values"),
    "spearman": ("rank correlation", "Spearman's ρ over the pixels"),
    "spearman_absolute": ("rank correlation without sign", "Spearman's ρ over the pixels' absolute values"),
}


def curves(case: Case) -> tuple[RandomisationCurve, RandomisationCurve]:
    """Cascading and independent curve of a case's map, measured once; the classifier stays as it is."""

    def explain(classifier: ChestClassifier, progress: Progress) -> np.ndarray:
        return case.explain_again(classifier=classifier, progress=progress).values

    def measure() -> tuple[RandomisationCurve, RandomisationCurve]:
        models = case.cached("randomised models", lambda: randomised_models(case.classifier, case.seed), of="film")
        return randomisation_curves(models, case.explanation.values, explain, case.report)

    return case.cached("randomisation", measure)


def _mean_of(kind: Kind, reading: str) -> Callable[[Case], float]:
    def mean(case: Case) -> float:
        values = getattr(curves(case)[kind == "independent"], reading)
        return math.nan if np.isnan(values).any() else float(values.mean())

    return mean


def _register(kind: Kind, reading: str) -> None:
    words, rule = _READINGS[reading]
    which = "from the logits down to the film" if kind == "cascading" else "one stage at a time"
    register(
        Metric(
            name=f"{kind}_{reading}",
            title=f"{kind.capitalize()} randomisation ({words})",
            meaning=f"How alike the map stays when the network's weights are drawn anew, {which}.",
            formula=f"mean over {STAGES} stages of {rule}",
            compute=_mean_of(kind, reading),
            source="Adebayo et al. 2018, arXiv:1810.03292",
            caveat="A map of edges stays as it is and fails, however good it looks. Smooth maps and flat borders raise "
            "SSIM whatever the network knows: compare it with the SSIM of maps of two films (Arun et al. 2021).",
            element="model transparency",
            direction="lower",
            needs=frozenset({"model", "repeats"}),
            slow=True,
        )
    )


for _kind in get_args(Kind):
    for _reading in _READINGS:
        _register(_kind, _reading)


def _last(case: Case) -> float:
    return float(curves(case)[0].ssim[-1])


register(
    Metric(
        name="randomised_ssim",
        title="Wholly randomised network (SSIM)",
        meaning="How alike the map is to that of a network that has learnt nothing.",
        formula="SSIM(map, map of the network with all weights drawn anew)",
        compute=_last,
        source="Adebayo et al. 2018, arXiv:1810.03292; Arun et al. 2021, doi:10.1148/ryai.2021200267",
        caveat="Arun et al. pass a method where this lies below the mean SSIM of random pairs of maps of the trained "
        "model on different films, which takes many films: the report of a run that saves its maps states it.",
        element="model transparency",
        direction="lower",
        needs=frozenset({"model", "repeats"}),
        slow=True,
    )
)
