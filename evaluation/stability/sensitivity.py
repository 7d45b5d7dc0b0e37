"""The Jacobian of all findings in numbers: norms, spectrum, and the directions in which the film matters most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluation.stability.probe import GREY_LEVELS, Probe
from xai_methods.gradient.jacobian import jacobian_and_stages


@dataclass(frozen=True, eq=False)
class StageSensitivity:
    """How strongly the logits answer to one stage of the network.

    Attributes:
        name: dotted name of the module whose output it is. channels: feature maps.
        maps: (C, h, w) float32, L2 norm over the channels of d logit / d feature.
    """

    name: str
    channels: int
    maps: np.ndarray


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """The Jacobian matrix at one film and what it says (Abe & Asai 2025, arXiv 2502.14001).

    Attributes:
        findings: names of the C rows. logits: (C,) float64 at the film.
        rows: (C, S, S) float32, logit per full grey range of one pixel.
        deviation: standard deviation of the film's pixels, in shares of the grey range.
        singular: (C,) float64 singular values, descending; the first is the spectral norm.
        left: (C, C) float64; column k says in which proportions the findings move along direction k.
        right: (C, S, S) float32; the film changes of norm 1 themselves, 0 where the singular value is 0.
        stages: the network's stages, from the film inwards.
    """

    findings: tuple[str, ...]
    logits: np.ndarray
    rows: np.ndarray
    deviation: float
    singular: np.ndarray
    left: np.ndarray
    right: np.ndarray
    stages: tuple[StageSensitivity, ...] = ()

    @property
    def l1(self) -> np.ndarray:
        """(C,) L1 norms: the most a logit moves where every pixel may move by the full grey range."""
        return np.abs(self.rows.astype(np.float64)).sum(axis=(1, 2))

    @property
    def l2(self) -> np.ndarray:
        """(C,) L2 norms of the rows."""
        return np.sqrt(np.square(self.rows, dtype=np.float64).sum(axis=(1, 2)))

    @property
    def linf(self) -> np.ndarray:
        """(C,) L∞ norms: the most a logit moves for one pixel's full grey range."""
        return np.abs(self.rows).max(axis=(1, 2)).astype(np.float64)

    @property
    def per_grey_level(self) -> np.ndarray:
        """(C, S, S): logit per grey level, of 256, of one pixel."""
        return self.rows / GREY_LEVELS

    @property
    def condition(self) -> float:
        """Largest over smallest singular value; infinite where some mix of findings answers to nothing."""
        least = self.singular[-1]
        # Singular values come from the Gram matrix: below the root of the rounding error they are noise.
        return float(self.singular[0] / least) if least > 1e-7 * self.singular[0] else float("inf")

    @property
    def effective_rank(self) -> float:
        """How many independent ways the logits move: (sum of squares)² / sum of fourth powers, 1 to C; NaN for 0."""
        energy = self.singular**2
        return float(energy.sum() ** 2 / (energy**2).sum()) if energy.any() else float("nan")

    @property
    def together(self) -> np.ndarray:
        """(C, C) cosine between the findings' rows: 1 where any small change moves both alike; NaN for a zero row."""
        flat = self.rows.reshape(len(self.rows), -1).astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.clip(flat @ flat.T / np.outer(self.l2, self.l2), -1, 1)

    def along(self, changes: np.ndarray) -> np.ndarray:
        """Predicted change of the logits, (N, C), for (N, S, S) changes in shares of the grey range."""
        flat = self.rows.reshape(len(self.rows), -1).astype(np.float64)
        return changes.reshape(len(changes), -1) @ flat.T


def spectrum(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Singular values and vectors of the C x (S·S) matrix through its C x C Gram matrix.

    Args:
        rows: (C, S, S).

    Returns:
        Singular values (C,) descending; left vectors (C, C), one a column, whose largest entry is positive; right
        vectors (C, S, S) of norm 1, 0 where the singular value is.
    """
    flat = rows.reshape(len(rows), -1).astype(np.float64)
    values, left = np.linalg.eigh(flat @ flat.T)
    values, left = values[::-1].clip(min=0), left[:, ::-1]
    left = left * np.sign(left[np.abs(left).argmax(axis=0), np.arange(len(rows))])
    singular = np.sqrt(values)
    safe = np.where(singular > 1e-7 * max(singular[0], np.finfo(float).tiny), singular, np.inf)
    right = (left / safe).T @ flat
    return singular, left, right.reshape(rows.shape).astype(np.float32)


def measure(probe: Probe) -> Sensitivity:
    """Compute the Jacobian of all findings at the film, in one forward and one batched reverse pass.

    Raises:
        Cancelled: the work is no longer wanted.
    """
    classifier = probe.classifier
    span = classifier.preprocessing.high - classifier.preprocessing.low
    prepared = probe.input(probe.film[None])
    matrix, found, logits = jacobian_and_stages(classifier, prepared, probe.report)
    probe.passes += 1
    rows = (matrix.double() * span).float().cpu().numpy()
    singular, left, right = spectrum(rows)
    stages = tuple(StageSensitivity(s.name, s.channels, s.maps.float().cpu().numpy()) for s in found)
    return Sensitivity(
        classifier.findings,
        logits.double().cpu().numpy(),
        rows,
        float(probe.film.std()),
        singular,
        left,
        right,
        stages,
    )
