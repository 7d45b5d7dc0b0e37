"""Which coalitions LIME and Kernel SHAP evaluate: the same, so that each logit serves both.

They come in pairs of a coalition and its complement (Hammersley and Morton 1956, doi 10.1017/S0305004100031455; Covert
and Lee 2021, arXiv 2012.01536), without replacement, their sizes by a mixture of what the two methods ask for: LIME's
fair coins, and the leverage scores of the Shapley kernel (Musco and Witter 2025, arXiv 2410.01917). Each method weighs
them by what its own law of coalitions makes of a size over how often the mixture draws it (Hesterberg 1995,
doi 10.1080/00401706.1995.10484303), so that both aim at what they aim at by themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Protocol, TypeVar

import numpy as np

from xai_methods.perturbation.masking import seed_agreement

ROUNDS = 50
"""How often coalitions drawn twice are drawn anew; later ones are kept, which wastes passes but biases nothing."""
FEWEST = 4
"""Samples a superpixel before anyone looks whether they suffice: below, standard errors are guesses."""
BY_LEVERAGE = 0.6
"""Share of the mixture that is drawn by leverage scores, all sizes alike; the rest by fair coins."""


def shapley_law(players: int) -> np.ndarray:
    """(K + 1,) what the Shapley kernel gives to all coalitions of each size together, summing to 1; 0 to the ends."""
    sizes = np.arange(1, players)
    law = np.zeros(players + 1)
    law[1:-1] = 1 / (sizes * (players - sizes))
    return law / law.sum()


def coin_law(players: int) -> np.ndarray:
    """(K + 1,) probability of each size where each player is shown with probability 1/2."""
    return np.array([comb(players, size) / 2**players for size in range(players + 1)])


@dataclass(frozen=True, eq=False)
class SamplingPlan:
    """Coalitions to evaluate, each with its complement, beside the empty and the full one.

    Attributes:
        coalitions: (P, K) bool, none empty, none full; the complement of each is evaluated too.
        expected: (P,) pairs of its size that such plans have on average. A size and its complement's are one here.
        whole: pairs of sizes that are enumerated in full; they come first.
    """

    coalitions: np.ndarray
    expected: np.ndarray
    whole: int

    @property
    def evaluated(self) -> np.ndarray:
        """(2P, K) bool: each coalition followed by its complement."""
        return np.stack([self.coalitions, ~self.coalitions], axis=1).reshape(-1, self.coalitions.shape[1])

    @property
    def chosen(self) -> np.ndarray:
        """(2P + 2, K) bool: the empty and the full coalition, then :attr:`evaluated`."""
        ends = np.zeros((2, self.coalitions.shape[1]), dtype=bool)
        ends[1] = True
        return np.concatenate([ends, self.evaluated])

    @property
    def sizes(self) -> np.ndarray:
        """(P,) size of each coalition or of its complement, whichever is smaller."""
        shown = self.coalitions.sum(axis=1)
        return np.minimum(shown, self.coalitions.shape[1] - shown)

    def weights(self, law: np.ndarray) -> np.ndarray:
        """What each pair stands for under another law of coalitions, all of a size alike: (P,).

        Args:
            law: (K + 1,) probability of each size. The weights sum to what it gives to sizes 1 to K - 1.
        """
        players = self.coalitions.shape[1]
        both = np.array([law[size] + (law[players - size] if 2 * size != players else 0) for size in self.sizes])
        found = both / self.expected
        drawn = slice(self.whole, None)
        if len(found) > self.whole:
            found[drawn] *= (law[1:-1].sum() - found[: self.whole].sum()) / found[drawn].sum()
        return found

    def variance(self, pulls: np.ndarray) -> np.ndarray:
        """Variance, over plans, of the sum of (P, K) pulls of the pairs: (K,).

        Enumerated pairs have none. So many of each size are drawn, without replacement: pulls differ between sizes in
        mean, which is no error, for every draw has as many of each; and a size of which most coalitions were drawn has
        little error left (Cochran 1977, sections 2.6 and 5.5).
        """
        players, sizes = self.coalitions.shape[1], self.sizes[self.whole :]
        found = np.zeros(pulls.shape[1])
        for size in np.unique(sizes):
            part = pulls[self.whole :][sizes == size]
            count, there = len(part), _pairs_of(players, int(size))
            if count > 1:
                part = (part - part.mean(axis=0)) * np.sqrt(count / (count - 1) * max(1 - count / there, 0.0))
            found += (part**2).sum(axis=0)
        return found

    def first(self, pairs: int) -> SamplingPlan:
        """The plan that evaluates its first ``pairs`` pairs only, all enumerated ones among them."""
        if pairs >= len(self.coalitions):
            return self
        expected = self.expected[:pairs].copy()
        expected[self.whole :] *= (pairs - self.whole) / (len(self.coalitions) - self.whole)
        return SamplingPlan(self.coalitions[:pairs], expected, self.whole)


def plan_coalitions(players: int, samples: int, rng: np.random.Generator) -> SamplingPlan:
    """Choose ``samples // 2`` pairs of coalitions of 1 to players - 1.

    A size is taken in full where its share of the budget would draw each of its coalitions once.
    """
    halves = np.arange(1, players // 2 + 1)
    once = np.where(2 * halves == players, 1, 2)
    coins = once * coin_law(players)[halves]
    shares = BY_LEVERAGE * once / once.sum() + (1 - BY_LEVERAGE) * coins / coins.sum()
    there = np.array([float(_pairs_of(players, int(size))) for size in halves])
    left, drawn = samples // 2, np.ones(len(halves), dtype=bool)
    while drawn.any() and (full := drawn & (there <= left * shares / shares[drawn].sum() + 1e-9)).any():
        left, drawn = left - int(there[full].sum()), drawn & ~full
    coalitions = [_all_of_size(players, int(size))[: int(there[size - 1])] for size in halves[~drawn]]
    whole = sum(map(len, coalitions))
    expected = there
    if drawn.any() and left:
        coalitions.append(_draw(players, left, halves[drawn], shares[drawn], rng))
        expected = np.where(drawn, left * shares / shares[drawn].sum(), there)
    chosen = np.concatenate(coalitions)
    return SamplingPlan(chosen, expected[chosen.sum(axis=1) - 1], whole)


class RegionEstimate(Protocol):
    """What is estimated from a plan: (K,) weights of the superpixels, and their standard errors."""

    @property
    def weights(self) -> np.ndarray:
        """(K,) what the superpixels are painted with."""
        ...

    @property
    def errors(self) -> np.ndarray:
        """(K,) their standard errors over plans."""
        ...


E = TypeVar("E", bound=RegionEstimate)


def settle(
    value: Callable[[np.ndarray], np.ndarray],
    plan: SamplingPlan,
    stop_at: float,
    estimate: Callable[[SamplingPlan, np.ndarray], E],
) -> E:
    """Evaluate coalitions of a plan until the estimate is settled or the plan at its end.

    Args:
        value: the game, (N, K) bool coalitions to (N,) values; called in one or more parts.
        stop_at: seed agreement (see ``masking.seed_agreement``) at which fewer coalitions will do; 1 never stops.
        estimate: from the first pairs of a plan and the values of all that it has ``chosen``.

    Returns:
        The last estimate.
    """
    chosen, worth = plan.chosen, np.empty(0)
    players = chosen.shape[1]
    least = 2 * max(FEWEST * players // 2, plan.whole + players // 2)
    for evaluated in looks(least, len(chosen) - 2, stop_at):
        worth = np.concatenate([worth, value(chosen[len(worth) : evaluated + 2])])
        found = estimate(plan.first(evaluated // 2), worth)
        if seed_agreement(found.weights, found.errors) >= stop_at:
            break
    return found


def looks(least: int, most: int, stop_at: float) -> list[int]:
    """Numbers of samples after which to see if they suffice: from ``least``, a half more each time, to ``most``.

    All but the last are even or odd as ``least`` is, so that pairs stay whole.
    """
    found: list[int] = []
    while stop_at < 1 and least < most:
        found.append(least)
        least += max(least // 4 * 2, 2)
    return [*found, most]


def _pairs_of(players: int, size: int) -> int:
    """Pairs of a coalition of ``size`` and its complement there are."""
    return comb(players, size) // (2 if 2 * size == players else 1)


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
    for size in np.unique(chosen).tolist():
        mine, there = np.flatnonzero(chosen == size), _pairs_of(players, size)
        if 3 * len(mine) > there:
            # So many of them would be drawn twice that they are better taken from all there are.
            drawn[mine] = _all_of_size(players, size)[rng.permutation(there)[: len(mine)]]
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
