"""Maps that know nothing of the classifier; a method that does not beat them has shown nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from evaluation.baselines.anatomy_prior import anatomy_prior, film_anatomy, organ_of
from evaluation.baselines.location_prior import average_mask
from evaluation.scores import Region, Score, score_map
from radiographs import Annotation, Radiograph
from radiographs.collection import Collection, FilmEntry
from radiographs.findings import canonical
from xai_methods.baselines.baselines import CENTRE_SIGMA, centre_prior, edge_strength, uniform_map

__all__ = [
    "AVERAGE",
    "BASELINES",
    "CENTRE",
    "CENTRE_SIGMA",
    "EDGES",
    "ORGAN",
    "READER",
    "UNIFORM",
    "Baseline",
    "baseline_maps",
    "centre_prior",
    "edge_map",
    "other_reader",
    "score_baselines",
]


@dataclass(frozen=True)
class Baseline:
    """A map that knows nothing of the classifier: its name, its title for people, what it is in one line."""

    name: str
    title: str
    meaning: str


UNIFORM = Baseline("uniform", "Uniform map", "The same value everywhere: every tie is averaged over.")
CENTRE = Baseline("centre-prior", "Centre prior", "A Gaussian at the centre of the film, a quarter of it wide.")
AVERAGE = Baseline(
    "average-mask", "Average expert mask", "Where experts outlined this finding on other patients' films."
)
EDGES = Baseline("edge-map", "Edge map", "Strength of the film's own edges (Sobel); it knows no finding.")
ORGAN = Baseline(
    "organ-prior", "Organ of the finding", "The lungs or the heart as our segmentation finds them, no more."
)
READER = Baseline("other-reader", "Another reader", "What one expert outlined, scored against what the others did.")
BASELINES: dict[str, Baseline] = {b.name: b for b in (UNIFORM, CENTRE, AVERAGE, EDGES, ORGAN, READER)}


def edge_map(radiograph: Radiograph) -> np.ndarray:
    """Magnitude of the Sobel gradient of the film: (H, W) float32."""
    return edge_strength(radiograph.pixels)


def baseline_maps(
    radiograph: Radiograph, finding: str, collection: Collection | None = None, entry: FilmEntry | None = None
) -> dict[str, np.ndarray]:
    """All baseline maps of one film and finding, by name: (H, W) float32, not negative.

    Args:
        radiograph: the film. finding: the finding that is scored.
        collection, entry: where the film is from, so that its own patient is left out of the average mask.

    Returns:
        The maps; without "average-mask" where nobody has outlined the finding on enough other films, and without
        "organ-prior" where the finding has no organ of its own or the segmentation is unsure.
    """
    maps = {UNIFORM.name: uniform_map(radiograph.shape), CENTRE.name: centre_prior(radiograph.shape)}
    average = average_mask(finding, collection, entry)
    if average is not None:
        maps[AVERAGE.name] = average.on(radiograph.shape)
    maps[EDGES.name] = edge_map(radiograph)
    organ = anatomy_prior(film_anatomy(radiograph), finding) if organ_of(finding) else None
    if organ is not None:
        maps[ORGAN.name] = organ
    return maps


def other_reader(annotations: Sequence[Annotation], finding: str) -> dict[str, Score]:
    """Scores of each reader's outline of ``finding`` against the other readers', averaged; empty for fewer than two.

    Args:
        annotations: of one film, by any readers.
    """
    by_reader: dict[str, list[np.ndarray]] = {}
    for annotation in annotations:
        if canonical(annotation.finding) == canonical(finding) and annotation.mask.any():
            by_reader.setdefault(annotation.reader, []).append(annotation.mask)
    drawn = {reader: np.logical_or.reduce(masks) for reader, masks in by_reader.items()}
    if len(drawn) < 2:
        return {}
    each = []
    for reader, mask in drawn.items():
        others = np.logical_or.reduce([other for name, other in drawn.items() if name != reader])
        each.append(score_map(mask.astype(np.float32), others))
    return {
        name: replace(score, value=float(np.mean([scores[name].value for scores in each])))
        for name, score in each[0].items()
    }


def score_baselines(
    radiograph: Radiograph,
    mask: np.ndarray | Region,
    finding: str,
    collection: Collection | None = None,
    entry: FilmEntry | None = None,
) -> dict[str, dict[str, Score]]:
    """Score all baselines of one film and finding as methods are scored: baseline name to metric name to score."""
    region = Region.of(mask)
    maps = baseline_maps(radiograph, finding, collection, entry)
    scores = {name: score_map(values, region) for name, values in maps.items()}
    if collection is not None and entry is not None:
        between = other_reader(collection.annotations(entry.film_id), finding)
        if between:
            scores[READER.name] = between
    return scores
