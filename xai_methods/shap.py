"""Kernel SHAP over superpixels: Shapley values of the game "which superpixels are shown".

Lundberg and Lee 2017, arXiv 1705.07874; paired sampling as in Covert and Lee 2021, arXiv 2012.01536.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import cast

import numpy as np

from xai_methods.masking import Game, RegionParameters, looks, regions_of, seed_agreement, stop_parameter
from xai_methods.method import Attribution, Method, Request
from xai_methods.parameters import parameter
from xai_methods.registry import register

Value = Callable[[np.ndarray], np.ndarray]
"""A game: (N, K) bool coalitions to (N,) values."""
EXACT_PLAYERS = 12
"""Up to so many superpixels all coalitions are judged and the Shapley values are exact ..."""
EXACT_PRICE = 10
"""... unless that takes more than so many times the samples asked for."""
FEWEST = 4
"""Samples a superpixel before anyone looks whether they suffice: below, standard errors are guesses."""


@dataclass(frozen=True)
class KernelShapParameters(RegionParameters):
    """Parameters of :class:`KernelShap`."""

    samples: int = parameter(
        500,
        "Films judged with regions hidden. With 12 regions or fewer all combinations are judged instead, unless they"
        " are more than 10 times as many.",
        low=50,
        high=20000,
        step=50,
    )
    stop_at: float = stop_parameter()


@dataclass(frozen=True, eq=False)
class ShapleyValues:
    """Shapley values of a game, exact or estimated.

    Attributes:
        values: (K,), summing to ``full - base``. base: value of the empty coalition. full: of the full one.
        enumerated: share of the Shapley kernel's weight on coalitions that were all judged, 1 where exact.
        errors: (K,) standard errors over repeated draws, 0 where exact.
        samples: coalitions judged beside the empty and the full one.
    """

    values: np.ndarray
    base: float
    full: float
    enumerated: float
    errors: np.ndarray
    samples: int


@dataclass(frozen=True, eq=False)
class Plan:
    """Coalitions to judge and what they weigh in the regression.

    Attributes:
        coalitions: (N, K) bool, none empty, none full. weights: (N,), summing to 1.
        pairs: (N,) int; those drawn together share a number, -1 for those of sizes enumerated in full.
        enumerated: share of the kernel's weight that is enumerated.
    """

    coalitions: np.ndarray
    weights: np.ndarray
    pairs: np.ndarray
    enumerated: float

    @property
    def whole(self) -> int:
        """Number of coalitions of sizes enumerated in full; they come first."""
        return int((self.pairs < 0).sum())

    def first(self, n: int) -> Plan:
        """The plan that judges its first ``n`` coalitions only, all enumerated ones and whole pairs among them."""
        if n >= len(self.coalitions):
            return self
        weights = self.weights[:n].copy()
        weights[self.whole :] = (1 - weights[: self.whole].sum()) / (n - self.whole)
        return Plan(self.coalitions[:n], weights, self.pairs[:n], self.enumerated)


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
        players: K, at least 2. samples: coalitions judged at most, beside the empty and the full one; from 2^K - 2
            on the values are exact.
        rng: source of the coalitions drawn.
        stop_at: seed agreement (see ``masking.seed_agreement``) at which fewer samples will do; 1 never stops.

    Raises:
        ValueError: there are fewer than 2 players or samples.
    """
    if players < 2 or samples < 2:
        raise ValueError(f"Kernel SHAP takes at least 2 players and 2 samples, got {players} and {samples}")
    plan = plan_coalitions(players, samples, rng)
    ends = np.array([[False] * players, [True] * players])
    chosen, worth = np.concatenate([ends, plan.coalitions]), np.empty(0)
    least = max(FEWEST * players, plan.whole + players) // 2 * 2 + plan.whole % 2
    for judged in looks(least, len(plan.coalitions), stop_at):
        worth = np.concatenate([worth, value(chosen[len(worth) : judged + 2])])
        base, full = float(worth[0]), float(worth[1])
        values, errors = _solve(plan.first(judged), worth[2:] - base, full - base)
        if seed_agreement(values, errors) >= stop_at:
            break
    return ShapleyValues(values, base, full, plan.enumerated, errors, len(worth) - 2)


def plan_coalitions(players: int, samples: int, rng: np.random.Generator) -> Plan:
    """Choose about ``samples`` coalitions of 1 to players - 1.

    Sizes are taken in full from the outside in (1 and K-1, 2 and K-2, ...) as long as the budget would draw each of
    their coalitions once; the rest of the budget draws pairs of a coalition and its complement from the sizes left,
    in proportion to the kernel's weight of each size.
    """
    size_weights = np.array([1 / (size * (players - size)) for size in range(1, players)])
    size_weights /= size_weights.sum()
    coalitions, weights = [], []
    left, mass, size = samples, 1.0, 1
    while size <= players - size:
        sizes = {size, players - size}
        count = sum(comb(players, one) for one in sizes)
        weight = sum(size_weights[one - 1] for one in sizes)
        if count > left or (mass > weight + 1e-12 and left * weight / mass < count):
            break
        coalitions += [_all_of_size(players, one) for one in sorted(sizes)]
        weights += [np.full(comb(players, one), size_weights[one - 1] / comb(players, one)) for one in sorted(sizes)]
        left, mass, size = left - count, mass - weight, size + 1
    inner = np.arange(size, players - size + 1)
    drawn = np.zeros((0, players), dtype=bool)
    if len(inner) and left >= 2:
        drawn = _draw_pairs(players, left // 2, inner, size_weights[inner - 1], rng)
        weights.append(np.full(len(drawn), mass / len(drawn)))
    enumerated = sum(map(len, coalitions))
    pairs = np.concatenate([np.full(enumerated, -1), np.arange(len(drawn)) // 2])
    total = np.concatenate(weights)
    return Plan(np.concatenate([*coalitions, drawn]), total / total.sum(), pairs, 1 - mass if len(inner) else 1.0)


def _all_of_size(players: int, size: int) -> np.ndarray:
    members = np.array(list(combinations(range(players), size)))
    coalitions = np.zeros((len(members), players), dtype=bool)
    np.put_along_axis(coalitions, members, True, axis=1)
    return coalitions


def _draw_pairs(
    players: int, pairs: int, sizes: np.ndarray, size_weights: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Draw ``pairs`` coalitions, sizes by systematic sampling, each followed by its complement: (2 pairs, K).

    They come in random order, so that the first of them are a fair sample too.
    """
    cumulated = np.cumsum(size_weights) / size_weights.sum()
    chosen = sizes[np.minimum(np.searchsorted(cumulated, (np.arange(pairs) + rng.random()) / pairs), len(sizes) - 1)]
    chosen = rng.permutation(chosen)
    ranks = rng.random((pairs, players)).argsort(axis=1).argsort(axis=1)
    drawn = ranks < chosen[:, None]
    return np.stack([drawn, ~drawn], axis=1).reshape(2 * pairs, players)


def _solve(plan: Plan, worth: np.ndarray, total: float) -> tuple[np.ndarray, np.ndarray]:
    """Solve the regression under sum = ``total``: (K,) values and (K,) standard errors.

    Writing values as total / K + d with d summing to 0, the centred coalitions span exactly the d allowed.
    """
    players = plan.coalitions.shape[1]
    share = plan.coalitions.mean(axis=1)
    x = plan.coalitions - share[:, None]
    y = worth - share * total
    inverse = np.linalg.pinv((x * plan.weights[:, None]).T @ x, rcond=1e-10, hermitian=True)
    deviation = inverse @ (x.T @ (plan.weights * y))
    values = total / players + deviation - deviation.mean()
    drawn = plan.pairs >= 0
    pairs = int(drawn.sum()) // 2
    if pairs < 2:
        return values, np.zeros(players)
    pulls = x[drawn] * (plan.weights * (y - x @ deviation))[drawn, None]
    pulls = pulls.reshape(pairs, 2, players).sum(axis=1)
    pulls = (pulls - pulls.mean(axis=0)) @ inverse
    return values, np.sqrt(pairs / (pairs - 1) * (pulls**2).sum(axis=0))


@register
class KernelShap(Method):
    """Shapley value of each superpixel: its fair share of the logit's change from the film hidden to the film shown.

    Values: logit units, painted on all pixels of the superpixel, not divided by its area; over superpixels they
    sum to the film's logit less that of the film with everything hidden (``base_value``).
    """

    name = "kernel-shap"
    title = "SHAP"
    family = "perturbation"
    question = "How is the answer shared out among the regions, averaged over every order of showing them?"
    reference = "Lundberg, Lee 2017, arXiv 1705.07874"
    signed = True
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
            game = Game(request, regions, chosen.precision, chosen.samples + 2)
            shares = kernel_shap(game, regions.count, chosen.samples, request.rng, chosen.stop_at)
        return Attribution(
            values=regions.paint(shares.values),
            regions=regions.labels,
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
