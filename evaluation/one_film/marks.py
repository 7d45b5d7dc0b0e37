"""How much of a map's evidence lies on what is no anatomy: lettering burnt into the film, tubes and lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from evaluation.one_film.compare import FindingResult
from radiographs import Annotation, Radiograph
from radiographs.lettering import find_lettering
from xai_methods import baseline_methods

DEVICES = ("tubings", "ett", "cvl", "ngt", "monitor_probes")
"""Structures that readers outline which a hospital brought: tubes, lines, probes."""
LARGE, TIMES = 0.1, 3.0
"""Least share of the evidence that is said, and how many times the region's share of the film it is at least."""


def marks_on(radiograph: Radiograph, annotations: Sequence[Annotation] = ()) -> dict[str, np.ndarray]:
    """Regions (H, W) bool by name: the lettering as it is detected, tubes and lines where a reader outlined them."""
    marks = {"lettering and markers": find_lettering(radiograph)}
    outlined = [annotation.mask for annotation in annotations if annotation.finding in DEVICES]
    if outlined:
        marks["tubes and lines"] = np.logical_or.reduce(outlined)
    return {name: mask for name, mask in marks.items() if mask.any()}


def evidence_on(values: np.ndarray, mask: np.ndarray) -> float:
    """Share of a map's positive evidence that lies inside a region, both (H, W); NaN where the map has none."""
    positive = np.maximum(values, 0)
    total = float(positive.sum(dtype=np.float64))
    return float(positive[mask].sum(dtype=np.float64)) / total if total > 0 else float("nan")


def marks_in_words(result: FindingResult, marks: Mapping[str, np.ndarray]) -> str:
    """Which maps put a large share of their evidence on such regions, a sentence each; "" where none does."""
    sentences = []
    for name, mask in marks.items():
        area = float(mask.mean())
        for done in result.methods.values():
            if done.on_film is None or done.method in baseline_methods() or done.on_film.shape != mask.shape:
                continue
            share = evidence_on(done.on_film, mask)
            if share >= max(LARGE, TIMES * area):
                sentences.append(f"{share:.0%} of {done.title}'s evidence lies on {name} ({area:.1%} of the film).")
    return " ".join(sentences)
