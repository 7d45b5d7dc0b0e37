"""Maps that know nothing of the classifier; a method that does not beat them has shown nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from evaluation.priors import average_mask
from evaluation.ranked import Region
from evaluation.registry import score_map
from evaluation.score import Score
from radiographs import Radiograph
from radiographs.collection import Collection, FilmEntry

CENTRE_SIGMA = 0.25
"""Standard deviation of the centre prior, as a share of the film's height and width."""


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


def centre_prior(shape: tuple[int, int]) -> np.ndarray:
    """A Gaussian at the centre of a film of ``shape`` (H, W): float32 in (0, 1]."""
    rows, columns = ((np.arange(side) + 0.5) / side - 0.5 for side in shape)
    down, across = (np.exp(-0.5 * (axis / CENTRE_SIGMA) ** 2) for axis in (rows, columns))
    return np.outer(down, across).astype(np.float32)


def edge_map(radiograph: Radiograph) -> np.ndarray:
    """Magnitude of the Sobel gradient of the film: (H, W) float32."""
    down, across = (ndimage.sobel(radiograph.pixels, axis=axis) for axis in (0, 1))
    return np.hypot(down, across)


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
    maps = {UNIFORM.name: np.ones(radiograph.shape, dtype=np.float32), CENTRE.name: centre_prior(radiograph.shape)}
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
