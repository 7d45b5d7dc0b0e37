"""A model tried out on a few films before it is added: its answers, its CAM layer, and which methods explain it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from classifiers import ChestClassifier
from radiographs import Radiograph
from radiographs import registry as film_registry
from xai_methods import methods
from xai_methods.hooks import feature_maps
from xai_methods.serving import served

COLLECTION = "known-truth"
"""Where the films come from if nobody named any; from the first collection at hand where it is not there."""


@dataclass(frozen=True, eq=False)
class Trial:
    """What a model does on some films.

    Attributes:
        classifier: the model. films: their names. logits: (films, findings).
        cam: the CAM layer and its cells in words, or why there is none.
        served: by method, None where it explains the model, else why not.
    """

    classifier: ChestClassifier
    films: tuple[str, ...]
    logits: np.ndarray
    cam: str
    served: dict[str, str | None]

    @property
    def probabilities(self) -> np.ndarray:
        """Sigmoid of the logits: (films, findings)."""
        return 1 / (1 + np.exp(-self.logits.astype(np.float64)))

    @property
    def serving(self) -> list[str]:
        """Titles of the methods that explain the model."""
        return [methods()[name].title for name, reason in self.served.items() if reason is None]

    @property
    def refusing(self) -> list[tuple[str, str]]:
        """Titles of the other methods, each with the reason."""
        return [(methods()[name].title, reason) for name, reason in self.served.items() if reason is not None]


def trial_films(references: Sequence[str] = ()) -> list[tuple[str, Radiograph]]:
    """Films by name: those of ``references`` (a file, or collection/film-id), else two that come along.

    Raises:
        LookupError: there is no such film. FilmError: it cannot be read.
    """
    if not references:
        known = film_registry.collections()
        there = [name for name, films in known.items() if films.missing() is None and films.entries()]
        name = COLLECTION if COLLECTION in there else there[0]
        entries = known[name].entries()
        references = [f"{name}/{entry.film_id}" for entry in (entries[0], entries[-1])]
    return [(reference, film_registry.find_film(reference)[0]) for reference in references]


def try_model(
    classifier: ChestClassifier,
    films: Sequence[tuple[str, Radiograph]],
    *,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Trial:
    """Try a model out; the methods that read its inside run on the first film.

    Args:
        classifier: the model. films: at least one, with their names.
        progress: called with the share done, 0 to 1. cancelled: True stops the work.

    Raises:
        Cancelled: ``cancelled`` said so.
    """
    logits = np.stack([classifier.logits(film) for _, film in films])
    cam = f"none: {classifier.no_cam}"
    if classifier.cam_layer is not None:
        maps, _ = feature_maps(classifier, classifier.prepare(films[0][1]))
        channels, height, width = maps.shape
        cam = f"{classifier.cam_layer.removeprefix('network.')}, {height} x {width} cells of {channels} channels"
    found = served(classifier, films[0][1], progress=progress, cancelled=cancelled)
    return Trial(classifier, tuple(name for name, _ in films), logits, cam, found)
