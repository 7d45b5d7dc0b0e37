"""How stably the model answers at the film; properties of film, model and finding, the same for every method."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from evaluation.scores.base import Case, Metric
from evaluation.scores.registry import register
from evaluation.stability.distances import distances, logit_of, thresholds
from evaluation.stability.linearity import to_thresholds
from evaluation.stability.perturbations import PERTURBATIONS, USUAL, Perturbed, perturb_all
from evaluation.stability.probe import Probe
from evaluation.stability.sensitivity import Sensitivity, measure

SOURCE = "Abe & Asai 2025, arXiv 2502.14001"
SAME = "It speaks of model and film, not of the map: all methods get the same number."


def _sensitivity(case: Case) -> tuple[Probe, Sensitivity]:
    def measured() -> tuple[Probe, Sensitivity]:
        probe = Probe.of(case.classifier, case.radiograph)
        return probe, measure(probe)

    return case.cached("stability jacobian", measured, of="film")


def _perturbed(case: Case) -> tuple[Perturbed, ...]:
    def measured() -> tuple[Perturbed, ...]:
        probe, found = _sensitivity(case)
        return perturb_all(probe, case.radiograph, found, logit_of(thresholds(case.classifier)), case.seed, (USUAL,))

    return case.cached(f"stability perturbed {case.seed}", measured, of="film")


def spectral_norm(case: Case) -> float:
    """Largest singular value of the Jacobian, in logit per grey level (root mean square)."""
    probe, found = _sensitivity(case)
    return float(found.singular[0] * float(probe.norm_of(1.0)))


def distance(case: Case) -> float:
    """First-order distance of the finding to its threshold, in grey levels (root mean square)."""
    return distances(*_sensitivity(case))[case.classifier.column(case.explanation.finding)].l2


def radius(case: Case) -> float:
    """How far the linear picture holds to 10 % along the finding's own row, in grey levels (root mean square).

    Where it holds all the way to the threshold (or as far as films are followed), that way's length is given.
    """
    probe, found = _sensitivity(case)
    column = case.classifier.column(case.explanation.finding)
    line = to_thresholds(probe, found, distances(probe, found), only=(column,))[column]
    if line is None:
        return math.nan
    held = line.radius(column)
    return float(np.abs(line.steps).max()) if math.isinf(held) else held


def flip_under(name: str) -> Callable[[Case], float]:
    """1 where the usual level of a perturbation changes the finding's call, else 0; its mean over films is a rate."""

    def flip(case: Case) -> float:
        (done,) = (p for p in _perturbed(case) if p.name == name and p.level == USUAL)
        return float(done.flips[case.classifier.column(case.explanation.finding)])

    return flip


register(
    Metric(
        name="stability_spectral_norm",
        title="Spectral norm",
        meaning="The most that any change of the film of one grey level can move all logits together.",
        formula="σ₁(J) · S / 255",
        compute=spectral_norm,
        source=SOURCE,
        caveat=SAME,
        element="model transparency",
        direction="lower",
        needs=frozenset({"model"}),
        high=math.inf,
        unit="logit per grey level",
        slow=True,
    )
)
register(
    Metric(
        name="stability_distance",
        title="Distance to threshold",
        meaning="The smallest change of the film that would change the call, by the linear picture.",
        formula="|f(x) − logit(threshold)| / ‖∇f‖₂ · 255 / S",
        compute=distance,
        source="Moosavi-Dezfooli et al. 2016, arXiv 1511.04599; " + SOURCE,
        caveat=SAME + " Where the linear picture does not hold that far, it is an extrapolation.",
        element="model transparency",
        direction="higher",
        needs=frozenset({"model"}),
        high=math.inf,
        unit="grey levels",
        slow=True,
    )
)
register(
    Metric(
        name="stability_linear_radius",
        title="Linearity radius",
        meaning="How far the film can move along the finding's gradient while the Jacobian's forecast is 10 % right.",
        formula="max r: |f(x + t v) − f(x) − t J v| ≤ 0.1 |t J v| for all t ≤ r",
        compute=radius,
        source=SOURCE,
        caveat=SAME + " Followed no farther than the threshold; a value there is a lower bound.",
        element="model transparency",
        direction="higher",
        needs=frozenset({"model"}),
        high=math.inf,
        unit="grey levels",
        slow=True,
    )
)
for _perturbation in PERTURBATIONS:
    register(
        Metric(
            name=f"stability_flip_{_perturbation.name}",
            title=f"Flips under: {_perturbation.title.lower()}",
            meaning=f"Whether the call changes on a film {_perturbation.at(USUAL)}.",
            formula="1 where sign(f(x′) − logit(threshold)) ≠ sign(f(x) − logit(threshold)), else 0",
            compute=flip_under(_perturbation.name),
            source="levels as documented in evaluation/stability/perturbations.py",
            caveat=SAME,
            element="model transparency",
            direction="lower",
            needs=frozenset({"model"}),
            slow=True,
        )
    )
