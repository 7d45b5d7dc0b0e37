"""Model-independent baselines: maps that need no classifier; a method that does not beat them has shown nothing.

Some know the film alone: the registered methods of role "baseline". Two know where the finding is to be expected: the
mean annotation and anatomical prior. Another reader is no map, but what one expert outlined against the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from evaluation.baselines.anatomy_prior import anatomy_prior, film_anatomy, organ_of
from evaluation.baselines.location_prior import average_mask
from evaluation.scores import Score, score_map
from radiographs import Annotation, Radiograph
from radiographs.collection import Collection, FilmEntry
from radiographs.findings import is_named
from xai_methods import methods
from xai_methods.baselines.baselines import BaselineMethod

AVERAGE, ORGAN, READER = "average-mask", "organ-prior", "other-reader"
"""Names of where experts outlined the finding on other patients' films, of lungs or heart as our segmentation finds
them, and of one expert's outline against the others'."""
_TITLES = {AVERAGE: "Mean annotation (location prior)", ORGAN: "Anatomical prior", READER: "Another reader"}


def film_baselines() -> dict[str, BaselineMethod]:
    """The registered methods that know the film alone, by name; not noise, whose scores are those of chance."""
    return {m.name: m for m in methods().values() if isinstance(m, BaselineMethod) and not m.stochastic}


def baseline_titles() -> dict[str, str]:
    """Titles for people of all baselines by name, in the order in which tables show them."""
    return {name: method.title for name, method in film_baselines().items()} | _TITLES


def baseline_maps(
    radiograph: Radiograph, finding: str, collection: Collection | None = None, entry: FilmEntry | None = None
) -> dict[str, np.ndarray]:
    """All baseline maps of one film and finding, by name: (H, W) float32, not negative.

    Args:
        radiograph: the film. finding: the finding that is scored.
        collection, entry: where the film is from, so that its own patient is left out of the mean annotation.

    Returns:
        The maps; without "average-mask" where nobody has outlined the finding on enough other films, and without
        "organ-prior" where the finding has no organ of its own or the segmentation is unsure.
    """
    maps = {name: one.draw(radiograph.pixels, np.random.default_rng(0)) for name, one in film_baselines().items()}
    average = average_mask(finding, collection, entry)
    if average is not None:
        maps[AVERAGE] = average.on(radiograph.shape)
    organ = anatomy_prior(film_anatomy(radiograph), finding) if organ_of(finding) else None
    if organ is not None:
        maps[ORGAN] = organ
    return maps


def other_reader(annotations: Sequence[Annotation], finding: str) -> dict[str, Score]:
    """Scores of each reader's outline of ``finding`` against the other readers', averaged; empty for fewer than two.

    Args:
        annotations: of one film, by any readers.
    """
    by_reader: dict[str, list[np.ndarray]] = {}
    for annotation in annotations:
        if is_named(finding, [annotation.finding]) and annotation.mask.any():
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
