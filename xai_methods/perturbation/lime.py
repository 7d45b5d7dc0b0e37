"""LIME: a linear model fitted to the classifier's answers around one film.

Ribeiro, Singh and Guestrin 2016, arXiv 1602.04938, in the form their code gives images: coalitions of superpixels
drawn with probability 1/2, an exponential kernel on the cosine distance, weighted ridge regression. Coalitions are
drawn in balanced blocks of antithetic pairs (Hammersley and Morton 1956, doi 10.1017/S0305004100031455): each one alone
is distributed as theirs, so the surrogate aimed at is theirs; what even orders of interaction add to its error cancels
within a pair, and superpixels that are shown and hidden evenly are told apart with fewer films.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import scipy

from xai_methods.method import Attribution, Method, Request
from xai_methods.parameters import parameter
from xai_methods.perturbation.game import Game
from xai_methods.perturbation.masking import (
    RegionParameters,
    Regions,
    looks,
    regions_of,
    seed_agreement,
    stop_parameter,
)
from xai_methods.registry import register

LOGIT_PRECISION = 1e-6
"""Relative differences between logits below this are rounding, not an answer to explain."""
FEWEST = 4
"""Samples a superpixel before anyone looks whether they suffice: below, standard errors are guesses."""


@dataclass(frozen=True)
class LimeParameters(RegionParameters):
    """Parameters of :class:`Lime`."""

    samples: int = parameter(
        500, "Films evaluated with regions hidden; at least 10 for each region.", low=50, high=20000, step=50
    )
    kernel_width: float = parameter(
        0.25, "How fast the weight of a film falls as more of it is hidden.", low=0.05, high=10.0, step=0.05
    )
    alpha: float = parameter(1.0, "Ridge penalty on the weights of the linear model.", low=0.0, high=100.0, step=0.1)
    stop_at: float = stop_parameter()


@dataclass(frozen=True, eq=False)
class Surrogate:
    """A weighted ridge regression and how well it stands.

    Attributes:
        weights: (K,) coefficients. intercept: the constant.
        r2: weighted share of variance it accounts for; NaN where the answers do not vary.
        errors: (K,) standard errors of the coefficients over repeated draws, robust to unequal variance.
    """

    weights: np.ndarray
    intercept: float
    r2: float
    errors: np.ndarray


def sample_coalitions(n: int, k: int, rng: np.random.Generator) -> np.ndarray:
    """Draw (n, k) bool coalitions: the first shows everything, the rest each superpixel with probability 1/2.

    From the second on they come in pairs, each a coalition and its complement (see :func:`pairs_of`). The pairs come in
    blocks, each the rows of a Hadamard matrix in random order, ``k`` of its columns drawn at random and each turned
    round at random: any one row is as likely as any other, and within a block all superpixels are uncorrelated
    (Plackett and Burman 1946, doi 10.1093/biomet/33.4.305).
    """
    order = 1 << (k - 1).bit_length()
    blocks = [np.ones((1, k), dtype=bool)]
    for _ in range(-(-n // (2 * order))):
        rows, columns = rng.permutation(order), rng.permutation(order)[:k]
        drawn = (scipy.linalg.hadamard(order)[rows][:, columns] > 0) ^ (rng.random(k) < 0.5)
        blocks.append(np.stack([drawn, ~drawn], axis=1).reshape(-1, k))
    return np.concatenate(blocks)[:n]


def pairs_of(n: int) -> np.ndarray:
    """Number of the pair to which each of ``n`` coalitions of :func:`sample_coalitions` belongs: (n,) int."""
    return (np.arange(n) + 1) // 2


def proximity(coalitions: np.ndarray, kernel_width: float) -> np.ndarray:
    """Weight of (N, K) bool coalitions by their cosine distance from the film with nothing hidden: (N,) in (0, 1]."""
    distance = 1 - np.sqrt(coalitions.mean(axis=1))
    return np.exp(-((distance / kernel_width) ** 2) / 2)


def fit_surrogate(
    coalitions: np.ndarray,
    logits: np.ndarray,
    sample_weights: np.ndarray,
    alpha: float,
    pairs: np.ndarray | None = None,
) -> Surrogate:
    """Fit ``logits`` by a linear model of the coalitions: weighted least squares with a ridge penalty.

    Args:
        coalitions: (N, K) bool. logits: (N,). sample_weights: (N,), positive.
        alpha: penalty on the sum of squared coefficients; the intercept is not penalised.
        pairs: (N,) int from 0 on; coalitions drawn together share a number. By default each was drawn alone.

    Returns:
        The surrogate. Its errors are the sandwich estimate HC2 (MacKinnon and White 1985,
        doi 10.1016/0304-4076(85)90158-7) under the same penalty, clustered by pairs.
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
    leverage = np.minimum(np.sum(reach * x, axis=1) + sample_weights / total, 1 - 1e-6)
    pulls = reach * (residual / np.sqrt(1 - leverage))[:, None]
    if pairs is not None:
        pulls = np.stack([np.bincount(pairs, weights=pull) for pull in pulls.T], axis=1)
    errors = np.sqrt((pulls**2).sum(axis=0))
    variance, noise = float(y @ y), LOGIT_PRECISION**2 * float(sample_weights @ logits**2)
    r2 = 1 - float(residual @ residual) / variance if variance > noise else float("nan")
    return Surrogate(weights, float(level - centre @ weights), r2, errors)


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
        surrogate, samples = self._converge(request, regions, chosen)
        return Attribution(
            values=regions.paint(surrogate.weights),
            regions=regions.labels,
            diagnostics={
                "local_r2": surrogate.r2,
                "n_superpixels": float(regions.count),
                "samples": float(samples),
                "samples_per_superpixel": samples / regions.count,
                "standard_error": float(surrogate.errors.mean()),
                "seed_agreement": seed_agreement(surrogate.weights, surrogate.errors),
                "intercept": surrogate.intercept,
            },
        )

    def _converge(self, request: Request, regions: Regions, chosen: LimeParameters) -> tuple[Surrogate, int]:
        """Judge coalitions until the surrogate is settled or the budget spent: the surrogate and their number."""
        coalitions = sample_coalitions(chosen.samples, regions.count, request.rng)
        weights, pairs = proximity(coalitions, chosen.kernel_width), pairs_of(chosen.samples)
        game, logits = Game(request, regions, chosen.precision, chosen.samples), np.empty(0)
        for evaluated in looks(FEWEST * regions.count + 1, chosen.samples, chosen.stop_at):
            logits = np.concatenate([logits, game(coalitions[len(logits) : evaluated])])
            seen = slice(evaluated)
            surrogate = fit_surrogate(coalitions[seen], logits, weights[seen], chosen.alpha, pairs[seen])
            if seed_agreement(surrogate.weights, surrogate.errors) >= chosen.stop_at:
                break
        return surrogate, len(logits)
