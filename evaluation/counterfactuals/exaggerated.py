"""A film exaggerated from absent to present, with the anatomy measured at each step and what it says in words."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from classifiers import ChestClassifier
from classifiers.anatomy import segment
from evaluation.baselines.anatomy_prior import film_anatomy
from radiographs import Radiograph
from radiographs.findings import display_name
from xai_methods.counterfactual import Plane, Series, exaggerate, exaggerate_two
from xai_methods.method import Progress

_SERIES_SHARE = 0.4
"""Share of the work that is the series; the rest is its anatomy."""


@dataclass(frozen=True, eq=False)
class Exaggerated:
    """A series and its anatomy.

    Attributes:
        series: films, posteriors and cost. ratios: (L,) cardiothoracic ratio at each level, NaN where unsure.
        lungs: (L,) share of the film that is lung, NaN where unsure.
        inside: share of the change that lies in lungs or heart of the film as it is, NaN where unsure.
    """

    series: Series
    ratios: np.ndarray
    lungs: np.ndarray
    inside: float


@dataclass(frozen=True, eq=False)
class ExaggeratedPlane:
    """Two findings exaggerated at once, and ``ratios``, (L, L) cardiothoracic ratios, NaN where unsure."""

    plane: Plane
    ratios: np.ndarray


def exaggerated_film(
    classifier: ChestClassifier,
    radiograph: Radiograph,
    finding: str,
    method: str,
    progress: Progress = lambda share: None,
) -> Exaggerated:
    """Exaggerate ``finding`` on ``radiograph`` and measure each step.

    Raises:
        LookupError: the explainer does not serve this classifier or finding.
    """
    series = exaggerate(
        classifier, radiograph, finding, method=method, report=lambda share: progress(_SERIES_SHARE * share)
    )
    ratios, lungs = [], []
    for place, film in enumerate(series.films):
        ratio, lung = _measured(film)
        ratios.append(ratio)
        lungs.append(lung)
        progress(_SERIES_SHARE + (1 - _SERIES_SHARE) * (place + 1) / len(series.films))
    return Exaggerated(series, np.array(ratios), np.array(lungs), _inside(series))


def exaggerated_plane(
    classifier: ChestClassifier,
    radiograph: Radiograph,
    findings: tuple[str, str],
    method: str,
    progress: Progress = lambda share: None,
) -> ExaggeratedPlane:
    """Exaggerate two findings on ``radiograph`` at once and measure the heart on each film.

    Raises:
        LookupError: the explainer does not serve this classifier or a finding. ValueError: the findings are one.
    """
    plane = exaggerate_two(
        classifier, radiograph, findings, method=method, report=lambda share: progress(_SERIES_SHARE * share)
    )
    films = plane.films.reshape(-1, *plane.film.shape)
    ratios = []
    for place, film in enumerate(films):
        ratios.append(_measured(film)[0])
        progress(_SERIES_SHARE + (1 - _SERIES_SHARE) * (place + 1) / len(films))
    return ExaggeratedPlane(plane, np.array(ratios).reshape(plane.films.shape[:2]))


def _measured(film: np.ndarray) -> tuple[float, float]:
    anatomy = segment(Radiograph(film))
    if not anatomy.sure:
        return math.nan, math.nan
    return anatomy.cardiothoracic_ratio, float(anatomy.lungs.mean())


def _inside(series: Series) -> float:
    anatomy = film_anatomy(Radiograph(series.film))
    change = np.abs(series.difference)
    if not anatomy.sure or not change.any():
        return math.nan
    return float(change[anatomy.lungs | anatomy.heart].sum() / change.sum())


def in_words(made: Exaggerated) -> str:
    """What changed, where, by how much, in plain sentences; never what the film shows."""
    series = made.series
    name = display_name(series.finding).lower()
    sentences = [
        f"Asked from {series.levels[0]:.0%} to {series.levels[-1]:.0%}, the model's answer for {name} goes from "
        f"{series.reached[0]:.0%} to {series.reached[-1]:.0%}; on the film as it is, it is {series.own:.0%}.",
        "Its decision flips." if series.flips else "Its decision does not flip.",
        f"From end to end a pixel changes by {255 * np.abs(series.difference).mean():.1f} of 256 grey levels on average"
        + ("." if math.isnan(made.inside) else f", {made.inside:.0%} of it in lungs and heart."),
    ]
    first, last = _ends(made.ratios)
    if not math.isnan(first):
        sentences.append(
            f"The heart's width goes from {first:.2f} to {last:.2f} of the chest's, as our segmentation measures it."
        )
    moved = _others(series)
    if moved:
        most = max(moved, key=lambda finding: abs(moved[finding]))
        if abs(moved[most]) >= 0.1:
            sentences.append(
                f"Another finding moves with it: {display_name(most).lower()} by {100 * moved[most]:+.0f} points. "
                "The change is not of this finding alone."
            )
    return " ".join(sentences)


def _ends(values: np.ndarray) -> tuple[float, float]:
    known = values[~np.isnan(values)]
    return (float(known[0]), float(known[-1])) if len(known) >= 2 else (math.nan, math.nan)


def _others(series: Series) -> dict[str, float]:
    change = series.probabilities[-1] - series.probabilities[0]
    return {name: float(value) for name, value in zip(series.findings, change) if name != series.finding}


def plane_in_words(made: ExaggeratedPlane) -> str:
    """How far the two findings move alone and with each other, in plain sentences; never what the film shows."""
    plane = made.plane
    names = [display_name(finding).lower() for finding in plane.findings]
    sentences = []
    for axis, name in enumerate(names):
        reached = np.moveaxis(plane.reached[..., axis], axis, 0).mean(axis=1)
        across = np.moveaxis(plane.reached[..., 1 - axis], axis, 0).mean(axis=1)
        sentences.append(
            f"From {name} absent to present, on average over the other axis, the model's answer for it goes from "
            f"{reached[0]:.0%} to {reached[-1]:.0%}, and that for {names[1 - axis]} by "
            f"{100 * (across[-1] - across[0]):+.0f} points."
        )
    apart = np.abs(plane.reached - np.stack(np.meshgrid(plane.levels, plane.levels, indexing="ij"), axis=-1)).mean()
    sentences.append(f"What was reached lies {100 * apart:.0f} points from what was asked, on average.")
    return " ".join(sentences)
