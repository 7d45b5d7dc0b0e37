"""The answers of one classifier to one film, slightly changed over and over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch

from classifiers import ChestClassifier
from radiographs import Radiograph
from xai_methods import Cancelled
from xai_methods.method import Progress
from xai_methods.passes import empty_films

GREY_LEVELS = 255
"""Steps from black to white of an 8-bit film: one grey level is a 255th of the full range."""
BATCH = 8
"""Films in one forward pass on a CPU; four times as many on a GPU."""


@dataclass(eq=False)
class Probe:
    """Runs a classifier on changed films. Films are (N, S, S) float64 in shares of the grey range, 0 to 1.

    Attributes:
        classifier: the model, which stays as it is. film: (S, S) float64, the unchanged film on the input grid.
        report: called with the share done of the present step. cancelled: True stops the work.
        passes: forward passes of single films so far.
    """

    classifier: ChestClassifier
    film: np.ndarray
    report: Progress = field(default=lambda share: None)
    cancelled: Callable[[], bool] = field(default=lambda: False)
    passes: int = 0

    @classmethod
    def of(
        cls,
        classifier: ChestClassifier,
        radiograph: Radiograph,
        report: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Probe:
        """Prepare a film for its classifier."""
        film = to_greys(classifier, classifier.prepare(radiograph))[0]
        return cls(classifier, film, report or (lambda share: None), cancelled or (lambda: False))

    @property
    def side(self) -> int:
        """S, the input's side in pixels."""
        return self.film.shape[0]

    @property
    def pixels(self) -> int:
        """S x S."""
        return self.film.size

    def input(self, films: np.ndarray, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        """Films (N, S, S) in shares of the grey range, as the classifier takes them: (N, 1, S, S)."""
        low, high = self.classifier.preprocessing.low, self.classifier.preprocessing.high
        given = torch.as_tensor(low + (high - low) * films, dtype=dtype)
        return given[:, None].to(self.classifier.device)

    def logits(self, films: np.ndarray) -> np.ndarray:
        """Logits (N, C) float64 of (N, S, S) films; stops between batches where the work is cancelled.

        Raises:
            Cancelled: the work is no longer wanted.
        """
        found = []
        batch = BATCH if self.classifier.device.type == "cpu" else 4 * BATCH
        for start in range(0, len(films), batch):
            if self.cancelled():
                raise Cancelled
            given = self.input(films[start : start + batch])
            some = empty_films(len(given), given).copy_(given)
            with torch.inference_mode():
                found.append(self.classifier(some).double().cpu().numpy())
            self.passes += len(some)
            self.report(min(start + batch, len(films)) / len(films))
        return np.concatenate(found)

    def rms_levels(self, change: np.ndarray | float) -> np.ndarray | float:
        """Root mean square, in grey levels a pixel, of a change of this L2 norm (in shares of the grey range)."""
        return GREY_LEVELS * change / self.side

    def norm_of(self, levels: np.ndarray | float) -> np.ndarray | float:
        """L2 norm, in shares of the grey range, of a change whose root mean square is ``levels`` grey levels."""
        return levels * self.side / GREY_LEVELS


def to_greys(classifier: ChestClassifier, prepared: torch.Tensor) -> np.ndarray:
    """A classifier's input (N, 1, S, S) in shares of the grey range: (N, S, S) float64."""
    low, high = classifier.preprocessing.low, classifier.preprocessing.high
    return ((prepared[:, 0].double() - low) / (high - low)).cpu().numpy()
