"""Whether outlines lie where they can: of the films they are said to belong to, in their size and turned as they are.

A table in pixels of another size, a mask of another film or one that was turned gives scores like any other. The
outlines of lungs and heart by the anatomy network tell: ``python -m evaluation.validity.measure_outline_fit`` says how
well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import ndimage
from skimage.morphology import convex_hull_image

from evaluation.baselines.anatomy_prior import film_anatomy, organ_of
from evaluation.baselines.location_prior import coverage
from radiographs import Annotation, FilmError, Radiograph
from radiographs.collection import Collection
from radiographs.findings import display_name
from radiographs.radiograph import Note

CODE = "outline-misplaced"
"""Code of the doubt."""
LEAST_INSIDE = 0.2
"""Share of one outline that lies in the chest at least."""
USUAL, DEVIATION, STANDARD_ERRORS = 0.96, 0.11, 3
"""Of outlines by radiologists: that share's mean and standard deviation over films, a little more than was measured;
and by how many standard errors the mean of other outlines has to lie below it."""
FEWEST, MOST = 3, 24
"""Films on which a collection is judged."""
_GRID = 256
_MARGIN = 10
_BETTER = 0.05
_Placement = Callable[[np.ndarray], np.ndarray]


def _scaled(weights: np.ndarray, factor: float) -> np.ndarray:
    """Weights drawn at ``factor`` times their coordinates, from the upper left corner."""
    side = round(_GRID * factor)
    crop = min(side, _GRID)
    placed = np.zeros_like(weights)
    placed[:crop, :crop] = coverage(weights, side)[:crop, :crop]
    return placed


PLACEMENTS: dict[str, _Placement] = {
    "mirrored": lambda weights: weights[:, ::-1],
    "upside down": lambda weights: weights[::-1],
    "turned by 180 degrees": lambda weights: weights[::-1, ::-1],
    "with rows and columns exchanged": lambda weights: weights.T,
    "at twice their coordinates": partial(_scaled, factor=2.0),
    "at half their coordinates": partial(_scaled, factor=0.5),
}
"""Other ways in which outlines may have been meant."""


@dataclass(frozen=True)
class OutlineFit:
    """How the outlines of several films lie.

    Attributes:
        films: on how many it rests. inside: share of an outline that lies in the chest, mean over films.
        others: the same for each of ``PLACEMENTS``.
    """

    films: int
    inside: float
    others: dict[str, float]

    @property
    def doubt(self) -> Note | None:
        """What is wrong with the outlines, in words; None where nothing is, or too few films tell."""
        if self.films < FEWEST or self.inside >= least_on_average(self.films):
            return None
        words = (
            f"On {self.films} films only {self.inside:.0%} of what is outlined lies in the chest, where {USUAL:.0%} is "
            "usual: the outlines may be of other films, or of another size or turn of these."
        )
        best = max(self.others, key=lambda name: self.others[name])
        if self.others[best] > max(self.inside + _BETTER, least_on_average(self.films)):
            words += f" {best.capitalize()} it would be {self.others[best]:.0%}."
        return Note(CODE, words, True)


def least_on_average(films: int) -> float:
    """The mean share in the chest below which the outlines of so many films are doubted."""
    return USUAL - STANDARD_ERRORS * DEVIATION / math.sqrt(films)


def chest_of(radiograph: Radiograph) -> np.ndarray | None:
    """Lungs, heart and what lies between and close to them, (256, 256) bool; None where the anatomy is unsure."""
    anatomy = film_anatomy(radiograph)
    if not anatomy.sure or not anatomy.lungs.any():
        return None
    organs = coverage(anatomy.lungs | anatomy.heart, _GRID) > 0.5
    return np.asarray(ndimage.binary_dilation(convex_hull_image(organs), iterations=_MARGIN))


def outline_doubts(radiograph: Radiograph, annotations: Sequence[Annotation]) -> tuple[Note, ...]:
    """A doubt for each finding of lungs or heart that is outlined outside the chest."""
    placed = [one for one in annotations if organ_of(one.finding) and one.mask.any()]
    chest = chest_of(radiograph) if placed else None
    if chest is None:
        return ()
    outside = dict.fromkeys(one.finding for one in placed if _inside(coverage(one.mask, _GRID), chest) < LEAST_INSIDE)
    return tuple(
        Note(
            CODE,
            f"The outline of {display_name(finding).lower()} lies outside the chest: it may be of another film, size "
            "or turn.",
            True,
        )
        for finding in outside
    )


def with_outline_doubts(radiograph: Radiograph, annotations: Sequence[Annotation]) -> Radiograph:
    """The film with :func:`outline_doubts` among its notes, each once."""
    new = tuple(note for note in outline_doubts(radiograph, annotations) if note not in radiograph.notes)
    return radiograph.with_notes((*radiograph.notes, *new)) if new else radiograph


def measure_fit(films: Iterable[tuple[Radiograph, Sequence[Annotation]]]) -> OutlineFit:
    """How the outlines of lung and heart findings lie on films; those of unsure anatomy are left out."""
    found: list[list[float]] = []
    for radiograph, drawn in films:
        masks = [coverage(one.mask, _GRID) for one in drawn if organ_of(one.finding) and one.mask.any()]
        chest = chest_of(radiograph) if masks else None
        if chest is None:
            continue
        placements = [lambda weights: weights, *PLACEMENTS.values()]
        found.append([float(np.mean([_inside(place(mask), chest) for mask in masks])) for place in placements])
    if not found:
        return OutlineFit(0, float("nan"), {})
    own, *others = np.mean(found, axis=0).tolist()
    return OutlineFit(len(found), own, dict(zip(PLACEMENTS, others)))


def fit_of(collection: Collection) -> OutlineFit:
    """:func:`measure_fit` on at most ``MOST`` outlined films of a collection, spread over its list.

    Raises:
        CollectionError: the collection cannot be read at all.
    """
    outlined = [entry.film_id for entry in collection.entries() if any(map(organ_of, entry.annotated))]
    chosen = outlined[:: -(-len(outlined) // MOST) or 1]

    def films() -> Iterable[tuple[Radiograph, Sequence[Annotation]]]:
        for film_id in chosen:
            try:
                yield collection.read(film_id), collection.annotations(film_id)
            except (FilmError, LookupError, OSError):
                continue

    return measure_fit(films())


def _inside(weights: np.ndarray, chest: np.ndarray) -> float:
    """Share of an outline that lies in the chest; 0 where nothing of it lies on the film."""
    total = float(weights.sum())
    return float(weights[chest].sum()) / total if total > 0 else 0.0
