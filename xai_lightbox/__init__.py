"""XAI Lightbox in Python: one name to import, whatever other packages are called.

>>> import xai_lightbox as lx
>>> film, _, collection = lx.find_film("known-truth/mass-01")
>>> model = lx.load_classifier("known-truth", "cpu")
>>> explanation = lx.get_method("grad-cam").explain(model, film, "Mass")
>>> lx.score_map(model.to_film(explanation, film), collection.annotations("mass-01")[0].mask)["pointing_game"]
Score(pointing_game 1, chance 0.0245, higher)

The rooms are below it: ``from xai_lightbox.evaluation.scores import score_map``. What is installed as a wheel lies
there alone, so that a package of somebody else's called ``evaluation`` or ``dashboard`` is neither hidden nor in the
way. In a clone the rooms are top-level packages, and the same names below ``xai_lightbox`` are the same modules
(:mod:`xai_lightbox.rooms`).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from xai_lightbox import rooms

rooms.open_rooms()

if TYPE_CHECKING:
    from classifiers import ChestClassifier, list_models, load_classifier, register_model, wrap
    from evaluation.one_film.compare import compare
    from evaluation.one_film.evaluate import ScoringContext
    from evaluation.scores import Score, get_metric, metrics, score_map
    from radiographs import Annotation, Radiograph
    from radiographs.reading import read_radiograph
    from radiographs.registry import collections, find_film, get_collection
    from xai_methods import Explanation, get_method, methods

_HOMES = {
    "radiographs": ("Annotation", "Radiograph"),
    "radiographs.reading": ("read_radiograph",),
    "radiographs.registry": ("collections", "find_film", "get_collection"),
    "classifiers": ("ChestClassifier", "list_models", "load_classifier", "register_model", "wrap"),
    "xai_methods": ("Explanation", "get_method", "methods"),
    "evaluation.scores": ("Score", "get_metric", "metrics", "score_map"),
    "evaluation.one_film.evaluate": ("ScoringContext",),
    "evaluation.one_film.compare": ("compare",),
}
"""Where each public name lives; imported when it is first used, for torch takes seconds."""

__all__ = [
    "Annotation",
    "ChestClassifier",
    "Explanation",
    "Radiograph",
    "Score",
    "ScoringContext",
    "collections",
    "compare",
    "find_film",
    "get_collection",
    "get_method",
    "get_metric",
    "list_models",
    "load_classifier",
    "methods",
    "metrics",
    "read_radiograph",
    "register_model",
    "score_map",
    "wrap",
]


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
