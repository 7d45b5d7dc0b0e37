"""A cheap stand-in for the odd half of a game, whose Shapley values are known, so that only the rest is sampled.

Regression adjustment after Witter, Liu and Musco 2025, arXiv 2506.11849, with a Gaussian process in the place of their
trees: its kernel is a product over players, for which Shapley values are integrals of polynomials and thus exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

REACH = 2.0
"""How fast the kernel bends; the scales of all players sum to it. Small: low orders of interaction come first."""
FLOOR = 0.3
"""Scale that a player without effect keeps, as a share of the mean."""
NOISES = (0.01, 0.1, 1.0, 10.0)
"""Variances of what no emulator foretells, beside the kernel's own 1; the one that foretells best is taken."""
MOST = 1000
"""Most centres; their number cubed is what it costs."""


@dataclass(frozen=True, eq=False)
class Emulator:
    """An odd function h(z) = sum over centres a of c(a) sinh(z . s a) / sinh(sum s) of signs z, +1 shown and -1 hidden.

    Attributes:
        centres: (M, K), +1 or -1. coefficients: (M,). scales: (K,), s, not negative.
    """

    centres: np.ndarray
    coefficients: np.ndarray
    scales: np.ndarray

    def __call__(self, signs: np.ndarray) -> np.ndarray:
        """Values (N,) at (N, K) signs."""
        return _kernel(signs, self.centres, self.scales) @ self.coefficients

    def shapley(self) -> np.ndarray:
        """Exact Shapley values (K,) of h as a game; they sum to twice its value where all is shown.

        The Shapley value is the integral over q of the gain of a player when each other one is shown with probability
        q (Owen 1972, doi 10.1287/mnsc.18.5.64); of a product of K factors that is a polynomial of degree K - 1.
        """
        players = self.centres.shape[1]
        nodes, shares = np.polynomial.legendre.leggauss(players // 2 + 1)
        values = np.zeros(players)
        for sign in (1, -1):
            shown, hidden = np.exp(sign * self.centres * self.scales), np.exp(-sign * self.centres * self.scales)
            for node, share in zip(nodes, shares):
                factors = (1 + node) / 2 * shown + (1 - node) / 2 * hidden
                whole = self.coefficients * np.exp(np.log(factors).sum(axis=1))
                values += sign * share / 2 * (whole @ ((shown - hidden) / factors))
        return values / 2 / np.sinh(self.scales.sum())


def emulate(signs: np.ndarray, answers: np.ndarray, effects: np.ndarray) -> tuple[Emulator, np.ndarray] | None:
    """Learn ``answers`` as an odd function of ``signs`` by a Gaussian process.

    Args:
        signs: (N, K), +1 or -1, drawn independently of each other; N above K. answers: (N,), what a linear model of
            the signs, fitted to them, leaves.
        effects: (K,) roughly what each player moves; those who move more bend the emulator more.

    Returns:
        The mean of the N emulators that each leave one answer out, and (N,) what each answer has beyond the emulator
        that left it out, so that the two together stand for the answers without having seen them twice; None where
        that foretells nothing.
    """
    taken = min(len(signs), MOST)
    centres, known = signs[:taken], answers[:taken]
    scales = np.abs(effects) + FLOOR * np.abs(effects).mean()
    if taken < 2 or not known.any() or not scales.any():
        return None
    scales = REACH * scales / scales.sum()
    spread, turned = np.linalg.eigh(_kernel(centres, centres, scales))
    fits = [_left_out(np.maximum(spread, 0) + noise, turned, known) for noise in NOISES]
    noise, (beyond, weights) = min(zip(NOISES, fits), key=lambda fit: float(fit[1][0] @ fit[1][0]))
    # The linear model has seen the answers; unseen, it would have left so much more.
    unseen = len(signs) / (len(signs) - signs.shape[1])
    if beyond @ beyond >= unseen**2 * (known @ known):
        return None
    whole = Emulator(centres, weights, scales)
    rest = answers[taken:] - whole(signs[taken:])
    less = turned @ ((turned.T @ beyond) / (np.maximum(spread, 0) + noise)) / len(signs)
    return Emulator(centres, weights - less, scales), np.concatenate([beyond, rest])


def _kernel(some: np.ndarray, others: np.ndarray, scales: np.ndarray) -> np.ndarray:
    return np.sinh((some * scales) @ others.T) / np.sinh(scales.sum())


def _left_out(spread: np.ndarray, turned: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Errors of foretelling each answer from all others, and the weights of the emulator that knows all.

    By the eigenvalues and eigenvectors of its covariance (Dubrule 1983, doi 10.1007/BF01033232).
    """
    weights = turned @ ((turned.T @ known) / spread)
    return weights / ((turned**2) @ (1 / spread)), weights
