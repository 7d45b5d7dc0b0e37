"""Whether blurring what an expert outlined lowers a finding's logit more than any detailed, central place would.

Two comparisons, each with places alike in what blurring takes from them: the same shape elsewhere on the same film, as
far from the middle; and the same place on films without the finding. A network that answers to edges, to brightness or
to the middle of the film drops alike at both; one that sees the finding does not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import scipy

from classifiers import ChestClassifier
from evaluation.baselines.location_prior import patient_of
from evaluation.validity.blur_test import blur_sigma, logits_of, places_elsewhere
from radiographs.annotation import union_mask
from radiographs.collection import Collection, FilmEntry
from radiographs.findings import is_named

PER_ROUND = 4
"""Places elsewhere that one redraw adds to a film."""
CANDIDATES = 30
"""Places drawn in a redraw, of which the most alike are taken."""
CONTROLS = 8
"""Films without the finding, the most alike of all, on which the same place is blurred."""
_STEP = 1.25
"""Blurs are rounded to powers of this, so that films share them."""


@dataclass(eq=False)
class Place:
    """Drops of the finding's logit and of all others where one shape was blurred, and what the blur took there.

    Attributes:
        drops: (n, C) logits. taken: (n, 4) edge energy, blur energy and brightness taken from the film, as means over
            the shape, and its distance from the middle in sides of the input.
    """

    drops: np.ndarray
    taken: np.ndarray

    def joined(self, other: Place) -> Place:
        """Both lists of places as one."""
        return Place(np.concatenate([self.drops, other.drops]), np.concatenate([self.taken, other.taken]))


@dataclass(eq=False)
class BlurredRegion:
    """One film and one outlined finding: its region, what stands beside it, and the source of further places."""

    finding: str
    film_id: str
    patient: str
    mask: np.ndarray = field(repr=False)
    sigma: float
    region: Place
    elsewhere: Place
    controls: Place


class Films:
    """The films of a collection as a classifier's inputs, with their logits; blurred ones are made once a width."""

    def __init__(
        self,
        classifier: ChestClassifier,
        collection: Collection,
        entries: Sequence[FilmEntry],
    ) -> None:
        self.classifier, self.collection, self.entries = classifier, collection, list(entries)
        side = classifier.side
        self.inputs = np.empty((len(self.entries), side, side), dtype=np.float32)
        self.seen = np.empty((len(self.entries), side, side), dtype=bool)
        for number, entry in enumerate(self.entries):
            radiograph = collection.read(entry.film_id)
            self.inputs[number] = classifier.prepare(radiograph)[0, 0].float().cpu().numpy()
            self.seen[number] = classifier.preprocessing.prepare_mask(np.ones(radiograph.shape, dtype=bool)) > 0.5
        self.logits = logits_of(classifier, self.inputs)
        self._blurred: dict[tuple[int, float], np.ndarray] = {}

    def blurred(self, number: int, sigma: float) -> np.ndarray:
        """The (S, S) input of a film, blurred."""
        key = number, sigma
        if key not in self._blurred:
            film = scipy.ndimage.gaussian_filter(self.inputs[number], sigma, mode="nearest")
            self._blurred[key] = film.astype(np.float16)
        return self._blurred[key].astype(np.float32)


def rounded_sigma(region: np.ndarray) -> float:
    """The blur of a region as :func:`blur_sigma` has it, to the nearest power of 5/4 input pixels."""
    return _STEP ** round(math.log(blur_sigma(region), _STEP))


class Shape:
    """A region softened at its edge (S/112) and the rectangle that holds it, found once and used on many films."""

    def __init__(self, region: np.ndarray) -> None:
        side = region.shape[0]
        # The softened edge reaches four of its widths; one pixel more holds the gradient across it.
        margin = math.ceil(4 * side / 112) + 1
        rows, columns = (np.flatnonzero((region > 0).any(axis=axis)) for axis in (1, 0))
        self.box = tuple(slice(max(one[0] - margin, 0), one[-1] + 1 + margin) for one in (rows, columns))
        self.soft = np.zeros_like(region)
        self.soft[self.box] = scipy.ndimage.gaussian_filter(region[self.box], side / 112)
        self.area = float(region.sum())
        row, column = scipy.ndimage.center_of_mass(region)
        self.off = math.hypot(row - (side - 1) / 2, column - (side - 1) / 2) / side

    def replaced(self, film: np.ndarray, blurred: np.ndarray) -> np.ndarray:
        """Replace (S, S) ``film`` by ``blurred`` in the shape."""
        return film + self.soft * (blurred - film)

    def taken(self, film: np.ndarray, blurred: np.ndarray) -> np.ndarray:
        """What blurring the shape takes from a film: (4,) as ``Place.taken`` has it."""
        before = film[self.box].astype(np.float64)
        after = before + self.soft[self.box] * (blurred[self.box] - before)
        change = before - after
        gone = edge_energy(before) - edge_energy(after), float((change**2).sum()), float(change.sum())
        return np.array([*(one / self.area for one in gone), self.off])


def edge_energy(film: np.ndarray) -> float:
    """Sum of the gradient's magnitude over (H, W) pixels, by forward differences."""
    down, right = np.diff(film, axis=0)[:, :-1], np.diff(film, axis=1)[:-1]
    return float(np.sqrt(down**2 + right**2).sum())


def outlined_pairs(films: Films, findings: Sequence[str]) -> list[BlurredRegion]:
    """Blur every outlined region of the findings, and the same place on films without the finding.

    Returns:
        The pairs, with no place elsewhere yet; regions that the classifier does not see are left out.
    """
    pairs = []
    for number, entry in enumerate(films.entries):
        named = [finding for finding in findings if is_named(finding, entry.annotated)]
        annotations = films.collection.annotations(entry.film_id) if named else []
        for finding in named:
            outline = union_mask(annotations, finding)
            region = None if outline is None else films.classifier.preprocessing.prepare_mask(outline)
            if region is None or region.sum() < 0.5:
                continue
            sigma = rounded_sigma(region)
            own = _blur(films, [number], [region], sigma)
            pair = BlurredRegion(finding, entry.film_id, patient_of(entry), region, sigma, own, _none(own), _none(own))
            pair.controls = _controls(films, pair, number)
            pairs.append(pair)
    return pairs


def _none(place: Place) -> Place:
    return Place(place.drops[:0], place.taken[:0])


def add_places(films: Films, pair: BlurredRegion, rng: np.random.Generator) -> None:
    """Draw once more: add places elsewhere on the film, those most alike the region; none where it fits nowhere."""
    number = [entry.film_id for entry in films.entries].index(pair.film_id)
    candidates = places_elsewhere(pair.mask, films.seen[number], CANDIDATES, rng)
    if not candidates:
        return
    film, blurred = films.inputs[number], films.blurred(number, pair.sigma)
    figures = np.stack([Shape(place).taken(film, blurred) for place in candidates])
    chosen = nearest(pair.region.taken[0], figures, PER_ROUND)
    pair.elsewhere = pair.elsewhere.joined(
        _blur(films, [number] * len(chosen), [candidates[i] for i in chosen], pair.sigma)
    )


def _controls(films: Films, pair: BlurredRegion, number: int) -> Place:
    """The same place on the films of other patients without the finding that are most alike there."""
    without = [
        other
        for other, entry in enumerate(films.entries)
        if not is_named(pair.finding, (*entry.labels, *entry.annotated))
        and patient_of(entry) != pair.patient
        and films.seen[other][pair.mask > 0.5].all()
    ]
    if not without:
        return _none(pair.region)
    shape = Shape(pair.mask)
    figures = np.stack([shape.taken(films.inputs[other], films.blurred(other, pair.sigma)) for other in without])
    chosen = nearest(pair.region.taken[0], figures, CONTROLS)
    return _blur(films, [without[i] for i in chosen], [pair.mask] * len(chosen), pair.sigma)


def nearest(aim: np.ndarray, figures: np.ndarray, count: int) -> list[int]:
    """Indices of the ``count`` rows of (n, 4) ``figures`` nearest to (4,) ``aim``, each column by its spread."""
    spread = figures.std(axis=0)
    distances = (((figures - aim) / np.where(spread > 0, spread, 1)) ** 2).sum(axis=1)
    return np.argsort(distances, kind="stable")[:count].tolist()


def _blur(films: Films, numbers: Sequence[int], regions: Sequence[np.ndarray], sigma: float) -> Place:
    shown = [(Shape(region), films.inputs[n], films.blurred(n, sigma)) for n, region in zip(numbers, regions)]
    stack = np.stack([shape.replaced(film, blurred) for shape, film, blurred in shown])
    figures = np.stack([shape.taken(film, blurred) for shape, film, blurred in shown])
    return Place(films.logits[list(numbers)] - logits_of(films.classifier, stack), figures)
