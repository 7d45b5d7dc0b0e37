"""What a method says about one logit of one film."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


class Cancelled(Exception):
    """The person who asked for an explanation no longer wants it."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """A map on the classifier's input grid, in raw attribution units.

    Attributes:
        values: (S, S) float32, read-only; positive speaks for the finding, negative against it.
        signed: whether negative values carry meaning for this method.
        method: registered name. parameters: all its parameters. seed: the seed it ran under.
        finding: the finding whose logit is explained. logit: that logit.
        film: digest of the film. classifier: digest of the classifier.
        seconds: wall time. evaluations: forward passes of single films (a backward pass counts as one more).
        cells: (rows, columns) of the grid the method really works on, where coarser than the input (CAM methods).
        regions: (S, S) int32 superpixel labels, where the method works on superpixels.
        diagnostics: figures by which to judge the map (completeness residual, surrogate fit, seed spread ...).
    """

    values: np.ndarray
    signed: bool
    method: str
    parameters: dict[str, Any]
    seed: int
    finding: str
    logit: float
    film: str
    classifier: str
    seconds: float
    evaluations: int
    cells: tuple[int, int] | None = None
    regions: np.ndarray | None = None
    diagnostics: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.values.setflags(write=False)

    @property
    def positive(self) -> np.ndarray:
        """(S, S) float32: what speaks for the finding, 0 elsewhere."""
        return np.maximum(self.values, 0)

    @property
    def empty(self) -> bool:
        """True where nothing on the film speaks for the finding."""
        return not bool((self.values > 0).any())
