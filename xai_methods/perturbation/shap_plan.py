"""Which coalitions Kernel SHAP evaluates, and what they weigh.

Sizes are drawn by leverage scores, in pairs, without replacement: Musco and Witter 2025, arXiv 2410.01917. Paired
sampling: Covert and Lee 2021, arXiv 2012.01536.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

ROUNDS = 50
"""How often coalitions drawn twice are drawn anew; later ones are kept, which wastes passes but biases nothing."""


@dataclass(frozen=True, eq=False)
class SamplingPlan:
    """Coalitions to evaluate, each with its complement, and what they weigh in the regression.

    Attributes:
        coalitions: (P, K) bool, none empty, none full; the complement of each is evaluated too.
        weights: (P,) of each pair, summing to 1. whole: pairs of sizes that are enumerated in full; they come first.
        enumerated: share of the Shapley kernel's weight that is enumerated.
    """

    coalitions: np.ndarray
    weights: np.ndarray
    whole: int
    enumerated: float

    @property
    def evaluated(self) -> np.ndarray:
        """(2P, K) bool: each coalition followed by its complement."""
        return np.stack([self.coalitions, ~self.coalitions], axis=1).reshape(-1, self.coalitions.shape[1])

    def first(self, pairs: int) -> SamplingPlan:
        """The plan that evaluates its first ``pairs`` pairs only, all enumerated ones among them."""
        if pairs >= len(self.coalitions):
            return self
        weights = self.weights[:pairs].copy()
        weights[self.whole :] *= (1 - weights[: self.whole].sum()) / weights[self.whole :].sum()
        return SamplingPlan(self.coalitions[:pairs], weights, self.whole, self.enumerated)


def plan_coalitions(players: int, samples: int, rng: np.random.Generator) -> SamplingPlan:
    """Choose ``samples // 2`` pairs of coalitions of 1 to players - 1.

    All sizes get the same share of the budget, as their leverage scores do. Sizes are taken in full from the outside
    in (1 and K - 1, 2 and K - 2, ...) as long as their share would draw each of their coalitions once.
    """
    halves = np.arange(1, players // 2 + 1)
    kernel = np.array([(1 if 2 * size == players else 2) / (size * (players - size)) for size in halves])
    kernel /= kernel.sum()
    shares = np.array([0.5 if 2 * size == players else 1.0 for size in halves])
    left, taken, coalitions, weights = samples // 2, 0, [], []
    while taken < len(halves):
        size = int(halves[taken])
        count = comb(players, size) // (2 if 2 * size == players else 1)
        if count > left * shares[taken] / shares[taken:].sum() + 1e-9:
            break
        coalitions.append(_all_of_size(players, size)[:count])
        weights.append(np.full(count, kernel[taken] / count))
        left, taken = left - count, taken + 1
    whole, mass = sum(map(len, coalitions)), float(kernel[taken:].sum())
    if taken < len(halves) and left:
        drawn = _draw(players, left, halves[taken:], shares[taken:], rng)
        drawn_sizes = drawn.sum(axis=1)
        worth = 1 / (drawn_sizes * (players - drawn_sizes))
        coalitions.append(drawn)
        weights.append(mass * worth / worth.sum())
    total = np.concatenate(weights)
    return SamplingPlan(
        np.concatenate(coalitions), total / total.sum(), whole, 1 - mass if taken < len(halves) else 1.0
    )


def _all_of_size(players: int, size: int) -> np.ndarray:
    """All coalitions of a size, those with the first player first."""
    members = np.array(list(combinations(range(players), size)))
    coalitions = np.zeros((len(members), players), dtype=bool)
    np.put_along_axis(coalitions, members, True, axis=1)
    return coalitions


def _draw(players: int, pairs: int, sizes: np.ndarray, shares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw coalitions, sizes by systematic sampling, no pair twice: (pairs, K).

    They come in random order, so that the first of them are a fair sample too.
    """
    cumulated = np.cumsum(shares) / shares.sum()
    places = (np.arange(pairs) + rng.random()) / pairs
    chosen = rng.permutation(sizes[np.minimum(np.searchsorted(cumulated, places), len(sizes) - 1)])
    drawn = _of_sizes(players, chosen, rng)
    for _ in range(ROUNDS):
        # A pair is known by the one of its two coalitions that shows the first player.
        _, first = np.unique(drawn ^ ~drawn[:, :1], axis=0, return_index=True)
        again = np.setdiff1d(np.arange(pairs), first)
        if not len(again):
            break
        drawn[again] = _of_sizes(players, chosen[again], rng)
    return drawn


def _of_sizes(players: int, sizes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    ranks = rng.random((len(sizes), players)).argsort(axis=1).argsort(axis=1)
    return ranks < sizes[:, None]
