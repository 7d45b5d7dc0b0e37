"""Kernel SHAP over superpixels: Shapley values of the game "which superpixels are shown".

Lundberg and Lee 2017, arXiv 1705.07874. The coalitions to evaluate: ``sampling_plan``. What is not
sampled: ``emulator``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import comb
from typing import cast

import numpy as np

from xai_methods.method import Attribution, Method, Request
from xai_methods.parameters import parameter
from xai_methods.perturbation.emulator import emulate
from xai_methods.perturbation.game import Game, play
from xai_methods.perturbation.masking import Regions, SamplingParameters, regions_of, seed_agreement
from xai_methods.perturbation.sampling_plan import SamplingPlan, plan_coalitions, settle, shapley_law
from xai_methods.registry import register

Value = Callable[[np.ndarray], np.ndarray]
"""A game: (N, K) bool coalitions to (N,) values."""
EXACT_PLAYERS = 12
"""Up to so many superpixels all coalitions are evaluated and the Shapley values are exact ..."""
EXACT_PRICE = 10
"""... unless that takes more than so many times the samples."""
LOGIT_PRECISION = 1e-6
"""Share of the answers below which what a linear model leaves is rounding."""


@dataclass(frozen=True)
class KernelShapParameters(SamplingParameters):
    """Parameters of :class:`KernelShap`."""

    samples: int = parameter(
        500,
        "Films evaluated with regions hidden. With 12 regions or fewer it is all combinations instead, unless they are "
        "more than 10 times as many.",
        low=50,
        high=20000,
        step=50,
    )


@dataclass(frozen=True, eq=False)
class ShapleyValues:
    """Shapley values of a game, exact or estimated.

    Attributes:
        values: (K,), summing to ``full - base``. base: value of the empty coalition. full: of the full one.
        enumerated: share of the Shapley kernel's weight on coalitions that were all evaluated, 1 where exact.
        errors: (K,) standard errors over repeated draws, 0 where exact.
        samples: coalitions evaluated beside the empty and the full one.
    """

    values: np.ndarray
    base: float
    full: float
    enumerated: float
    errors: np.ndarray
    samples: int

    @property
    def weights(self) -> np.ndarray:
        """As ``values``: what the superpixels are painted with."""
        return self.values


def exact_shapley(value: Value, players: int) -> ShapleyValues:
    """Compute exact Shapley values from all 2^players coalitions (Shapley 1953, doi 10.1515/9781400881970-018).

    Args:
        value: the game; called once, with all coalitions. players: K, 1 to 20.

    Raises:
        ValueError: ``players`` is out of bounds.
    """
    if not 1 <= players <= 20:
        raise ValueError(f"exact Shapley values take 1 to 20 players, got {players}")
    codes = np.arange(2**players)
    coalitions = (codes[:, None] >> np.arange(players)) & 1 == 1
    worth = np.asarray(value(coalitions), dtype=np.float64)
    sizes = coalitions.sum(axis=1)
    share = np.array([1 / (players * comb(players - 1, size)) for size in range(players)])
    values = np.empty(players)
    for player in range(players):
        without = codes[~coalitions[:, player]]
        gains = worth[without | (1 << player)] - worth[without]
        values[player] = share[sizes[without]] @ gains
    return ShapleyValues(values, float(worth[0]), float(worth[-1]), 1.0, np.zeros(players), len(codes) - 2)


def kernel_shap(
    value: Value, players: int, samples: int, rng: np.random.Generator, stop_at: float = 1.0
) -> ShapleyValues:
    """Estimate Shapley values by the weighted regression of Lundberg and Lee, with efficiency held exactly.

    Args:
        value: the game; called with the empty and the full coalition and those chosen, in one or more parts.
        players: K, at least 2. samples: coalitions evaluated at most, beside the empty and the full one; from 2^K - 2
            on the values are exact.
        rng: source of the coalitions drawn.
        stop_at: seed agreement (see ``masking.seed_agreement``) at which fewer samples will do; 1 never stops.

    Raises:
        ValueError: there are fewer than 2 players or samples.
    """
    if players < 2 or samples < 2:
        raise ValueError(f"Kernel SHAP takes at least 2 players and 2 samples, got {players} and {samples}")
    return settle(value, plan_coalitions(players, samples, rng), stop_at, shapley_values)


def shapley_values(plan: SamplingPlan, worth: np.ndarray) -> ShapleyValues:
    """Estimate Shapley values from (2P + 2,) values of the coalitions that a plan has ``chosen``."""
    base, full = float(worth[0]), float(worth[1])
    values, errors = estimate(plan, (worth[2::2] - worth[3::2]) / 2, full - base)
    enumerated = round(float(plan.weights(shapley_law(len(values)))[: plan.whole].sum()), 12)
    return ShapleyValues(values, base, full, enumerated, errors, len(worth) - 2)


def estimate(plan: SamplingPlan, odd: np.ndarray, total: float) -> tuple[np.ndarray, np.ndarray]:
    """Estimate Shapley values from the coalitions of a plan.

    They depend on half differences within pairs alone: what a coalition and its complement share cancels. Beyond the
    linear model, an emulator stands for what it can foretell, and only the rest is estimated from the sample.

    Args:
        plan: P pairs of coalitions. odd: (P,) half of what each coalition is worth beyond its complement.
        total: what all players together are worth beyond none.

    Returns:
        (K,) values, summing to ``total``, and (K,) standard errors.
    """
    values, errors = _solve(plan, odd, total)
    signs = np.where(plan.coalitions, 1.0, -1.0)
    drawn = slice(plan.whole, None)
    residual = odd - signs @ values / 2
    if len(odd) - plan.whole <= len(values) or np.abs(residual).max() <= LOGIT_PRECISION * np.abs(odd).max():
        return values, errors
    learnt = emulate(signs[drawn], residual[drawn], values)
    if learnt is None:
        return values, errors
    emulator, beyond = learnt
    beyond = np.concatenate([residual[: plan.whole] - emulator(signs[: plan.whole]), beyond])
    everything = float(emulator(np.ones((1, len(values))))[0])
    rest, errors = _solve(plan, beyond, -2 * everything)
    return values + emulator.shapley() + rest, errors


def _solve(plan: SamplingPlan, odd: np.ndarray, total: float) -> tuple[np.ndarray, np.ndarray]:
    """Solve the regression under sum = ``total``: (K,) values and (K,) standard errors.

    Writing values as total / K + d with d summing to 0, the centred coalitions span exactly the d allowed.
    """
    players = plan.coalitions.shape[1]
    share, weights = plan.coalitions.mean(axis=1), plan.weights(shapley_law(players))
    x = plan.coalitions - share[:, None]
    y = odd - (share - 0.5) * total
    inverse = np.linalg.pinv((x * weights[:, None]).T @ x, rcond=1e-10, hermitian=True)
    deviation = inverse @ (x.T @ (weights * y))
    values = total / players + deviation - deviation.mean()
    if len(odd) - plan.whole < 2:
        return values, np.zeros(players)
    # Each pair's own pull on the answer, larger by what the fit took of it (HC2).
    leverage = np.sum((x @ inverse) * x, axis=1) * weights
    gap = (y - x @ deviation) / np.sqrt(1 - np.minimum(leverage, 1 - 1e-6))
    return values, np.sqrt(plan.variance((x * (weights * gap)[:, None]) @ inverse))


@register
class KernelShap(Method):
    """Shapley value of each superpixel: its fair share of the logit's change from the film hidden to the film shown.

    Values: logit units, painted on all pixels of the superpixel, not divided by its area; over superpixels they
    sum to the film's logit less that of the film with everything hidden (``base_value``).
    """

    name = "kernel-shap"
    title = "SHAP"
    family = "perturbation"
    question = "How is the answer divided among the regions, averaged over every order of showing them?"
    reference = "Lundberg, Lee 2017, arXiv 1705.07874"
    signed = True
    unit = "share of the logit"
    additive = True
    stochastic = True
    speed = "slow"
    role = "main"
    order = 20
    parameters = KernelShapParameters

    def _explain(self, request: Request) -> Attribution:
        chosen = cast(KernelShapParameters, request.parameters)
        regions = regions_of(request, chosen)

        if regions.count <= EXACT_PLAYERS and 2**regions.count <= EXACT_PRICE * chosen.samples:
            # What is exact by count stays exact by value: "auto" is float32 here.
            precision = "float32" if chosen.precision == "auto" else chosen.precision
            shares = exact_shapley(Game(request, regions, precision, 2**regions.count), regions.count)
        else:
            plan = plan_coalitions(regions.count, chosen.samples, request.rng)
            shares = play(request, regions, plan, chosen, shapley_values, self._attribution)
        return self._attribution(regions, shares)

    def _attribution(self, regions: Regions, shares: ShapleyValues) -> Attribution:
        return Attribution(
            values=regions.paint(shares.values),
            regions=regions.labels,
            logit=shares.full,
            diagnostics={
                "base_value": shares.base,
                "additivity_residual": abs(float(shares.values.sum()) - (shares.full - shares.base)),
                "enumerated_share": shares.enumerated,
                "samples": float(shares.samples),
                "n_superpixels": float(regions.count),
                "standard_error": float(shares.errors.mean()),
                "seed_agreement": seed_agreement(shares.values, shares.errors),
            },
        )
