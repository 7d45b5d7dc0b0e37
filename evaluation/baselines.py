"""Maps that know nothing of the classifier; a method that does not beat them has shown nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluation.priors import average_mask
from evaluation.ranked import Region
from evaluation.registry import score_map
from evaluation.score import Score
from radiographs import Radiograph
from radiographs.collection import Collection, FilmEntry
from xai_methods.baselines import CENTRE_SIGMA, centre_prior, edge_strength, uniform_map

__all__ = [
    "AVERAGE",
    "BASELINES",
    "CENTRE",
    "CENTRE_SIGMA",
    "EDGES",
    "UNIFORM",
    "Baseline",
    "baseline_maps",
    "centre_prior",
    "edge_map",
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
BASELINES: dict[str, Baseline] = {b.name: b for b in (UNIFORM, CENTRE, AVERAGE, EDGES)}


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
        The maps; without "average-mask" where nobody has outlined the finding on enough other films.
    """
    maps = {UNIFORM.name: uniform_map(radiograph.shape), CENTRE.name: centre_prior(radiograph.shape)}
    average = average_mask(finding, collection, entry)
    if average is not None:
        maps[AVERAGE.name] = average.on(radiograph.shape)
    maps[EDGES.name] = edge_map(radiograph)
    return maps


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
    return {name: score_map(values, region) for name, values in maps.items()}
