"""LIME: a linear model fitted to the classifier's answers around one film.

Ribeiro, Singh and Guestrin 2016, arXiv 1602.04938, in the form their code gives images: coalitions of superpixels
drawn with probability 1/2, an exponential kernel on the cosine distance, weighted ridge regression. Coalitions are
those that Kernel SHAP evaluates too (``sampling_plan``), weighed so that the surrogate aimed at is theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from xai_methods.method import Attribution, Method, Request
from xai_methods.parameters import parameter
from xai_methods.perturbation.game import play
from xai_methods.perturbation.masking import Regions, SamplingParameters, regions_of, seed_agreement
from xai_methods.perturbation.sampling_plan import SamplingPlan, coin_law, plan_coalitions
from xai_methods.registry import register

LOGIT_PRECISION = 1e-6
"""Relative differences between logits below this are rounding, not an answer to explain."""


@dataclass(frozen=True)
class LimeParameters(SamplingParameters):
    """Parameters of :class:`Lime`."""

    samples: int = parameter(
        500, "Films evaluated with regions hidden; at least 10 for each region.", low=50, high=20000, step=50
    )
    kernel_width: float = parameter(
        0.25, "How fast the weight of a film falls as more of it is hidden.", low=0.05, high=10.0, step=0.05
    )
    alpha: float = parameter(1.0, "Ridge penalty on the weights of the linear model.", low=0.0, high=100.0, step=0.1)


@dataclass(frozen=True, eq=False)
class Surrogate:
    """A weighted ridge regression and how well it stands.

    Attributes:
        weights: (K,) coefficients. intercept: the constant.
        r2: weighted share of variance it accounts for; NaN where the answers do not vary.
        errors: (K,) standard errors of the coefficients over repeated draws, robust to unequal variance.
        samples: coalitions of a plan that it was fitted to. logit: the film's own, among them.
    """

    weights: np.ndarray
    intercept: float
    r2: float
    errors: np.ndarray
    samples: int = 0
    logit: float | None = None


def proximity(coalitions: np.ndarray, kernel_width: float) -> np.ndarray:
    """Weight of (N, K) bool coalitions by their cosine distance from the film with nothing hidden: (N,) in (0, 1]."""
    distance = 1 - np.sqrt(coalitions.mean(axis=1))
    return np.exp(-((distance / kernel_width) ** 2) / 2)


def fit_surrogate(
    coalitions: np.ndarray,
    logits: np.ndarray,
    sample_weights: np.ndarray,
    alpha: float,
    variance: Callable[[np.ndarray], np.ndarray] | None = None,
    alone: int | None = None,
) -> Surrogate:
    """Fit ``logits`` by a linear model of the coalitions: weighted least squares with a ridge penalty.

    Args:
        coalitions: (N, K) bool. logits: (N,). sample_weights: (N,), positive.
        alpha: penalty on the sum of squared coefficients; the intercept is not penalised.
        variance: variance over draws, (K,), of the sum of (N, K) pulls of the coalitions on the coefficients; by
            default as of coalitions that were each drawn alone.
        alone: this many coalitions were drawn alone and come first, the others in pairs; by default all were.

    Returns:
        The surrogate. Its errors are the sandwich estimate HC2 (MacKinnon and White 1985,
        doi 10.1016/0304-4076(85)90158-7) under the same penalty; of pairs CR2, which is the same for what is drawn
        together (Bell and McCaffrey 2002, Survey Methodology 28, 169-181).
    """
    design = coalitions.astype(np.float64)
    total = sample_weights.sum()
    centre, level = sample_weights @ design / total, sample_weights @ logits / total
    root = np.sqrt(sample_weights)
    x, y = (design - centre) * root[:, None], (logits - level) * root
    inverse = np.linalg.pinv(x.T @ x + alpha * np.eye(x.shape[1]), hermitian=True)
    weights = inverse @ (x.T @ y)
    residual = y - x @ weights
    reach = x @ inverse
    alone = len(x) if alone is None else alone
    hat = np.column_stack([reach, root / total]), np.column_stack([x, root])
    gap = np.concatenate(
        [
            _unfitted(hat[0][:alone], hat[1][:alone], residual[:alone], 1),
            _unfitted(hat[0][alone:], hat[1][alone:], residual[alone:], 2),
        ]
    )
    pulls = reach * gap[:, None]
    errors = np.sqrt((pulls**2).sum(axis=0) if variance is None else variance(pulls))
    spread, noise = float(y @ y), LOGIT_PRECISION**2 * float(sample_weights @ logits**2)
    r2 = 1 - float(residual @ residual) / spread if spread > noise else float("nan")
    return Surrogate(weights, float(level - centre @ weights), r2, errors)


def _unfitted(reach: np.ndarray, x: np.ndarray, residual: np.ndarray, together: int) -> np.ndarray:
    """Residuals (N,) as large as they would be had the fit taken nothing of them.

    A fit takes nearly all of what two of a pair differ by where there are hardly more pairs than superpixels.

    Args:
        reach, x: (N, M), of which the rows' products are what the fit takes of each residual for each other.
        residual: (N,). together: so many that follow one another were drawn together.
    """
    reach, x = (part.reshape(-1, together, part.shape[1]) for part in (reach, x))
    left, axes = np.linalg.eigh(np.eye(together) - reach @ x.transpose(0, 2, 1))
    along = axes.transpose(0, 2, 1) @ residual.reshape(-1, together, 1)
    return np.ravel(axes @ (along / np.sqrt(np.maximum(left, 1e-6))[:, :, None]))


def planned_surrogate(plan: SamplingPlan, logits: np.ndarray, kernel_width: float, alpha: float) -> Surrogate:
    """Fit LIME's surrogate to the coalitions of a plan as if they had been drawn by fair coins.

    Args:
        plan: P pairs. logits: (2P + 2,) of the coalitions that it has ``chosen``.
        kernel_width, alpha: see :class:`LimeParameters`. The penalty is that of as many coalitions drawn by coins.
    """
    number, players = len(logits), plan.coalitions.shape[1]
    end = number / 2**players
    # LIME always has the film itself among its coalitions, beside what the coins give.
    shares = np.concatenate([[end, 1 + end], np.repeat(number * plan.weights(coin_law(players)) / 2, 2)])
    chosen = plan.chosen

    def variance(pulls: np.ndarray) -> np.ndarray:
        return plan.variance(pulls[2::2] + pulls[3::2])

    found = fit_surrogate(chosen, logits, shares * proximity(chosen, kernel_width), alpha, variance, alone=2)
    return replace(found, samples=number - 2, logit=float(logits[1]))


@register
class Lime(Method):
    """Weight of each superpixel in a linear model of the classifier near this film.

    Values: the logit's change, in the linear model, when the superpixel is shown rather than hidden, painted on
    all its pixels. They are not divided by the superpixel's area.
    """

    name = "lime"
    title = "LIME"
    family = "perturbation"
    question = "If regions of the film are hidden at random, which of them raise or lower the answer by being there?"
    reference = "Ribeiro, Singh, Guestrin 2016, arXiv 1602.04938"
    signed = True
    unit = "share of the logit"
    stochastic = True
    speed = "slow"
    role = "main"
    order = 10
    parameters = LimeParameters

    def _explain(self, request: Request) -> Attribution:
        chosen = cast(LimeParameters, request.parameters)
        regions = regions_of(request, chosen)
        plan = plan_coalitions(regions.count, chosen.samples, request.rng)

        def estimate(part: SamplingPlan, logits: np.ndarray) -> Surrogate:
            return planned_surrogate(part, logits, chosen.kernel_width, chosen.alpha)

        surrogate = play(request, regions, plan, chosen, estimate, self._attribution)
        return self._attribution(regions, surrogate)

    def _attribution(self, regions: Regions, surrogate: Surrogate) -> Attribution:
        return Attribution(
            values=regions.paint(surrogate.weights),
            regions=regions.labels,
            logit=surrogate.logit,
            diagnostics={
                "local_r2": surrogate.r2,
                "n_superpixels": float(regions.count),
                "samples": float(surrogate.samples),
                "samples_per_superpixel": surrogate.samples / regions.count,
                "standard_error": float(surrogate.errors.mean()),
                "seed_agreement": seed_agreement(surrogate.weights, surrogate.errors),
                "intercept": surrogate.intercept,
            },
        )
