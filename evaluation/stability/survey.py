"""Stability over a collection: how far films are from thresholds, and whether unstable calls are wrong more often."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from classifiers import ChestClassifier, ModelCard
from classifiers.training_films import not_trained_on
from evaluation.baselines.location_prior import patient_of
from evaluation.stability.distances import distances, logit_of, thresholds
from evaluation.stability.linearity import FARTHEST, follow, to_thresholds
from evaluation.stability.perturbations import PERTURBATIONS, USUAL, perturb_all
from evaluation.stability.probe import Probe
from evaluation.stability.sensitivity import measure
from evaluation.statistics.intervals import Interval, auroc_interval
from radiographs.collection import Collection, FilmEntry
from radiographs.findings import canonical
from xai_methods.method import Progress

SHARES = (0.125, 0.25, 0.5, 1.0)
"""Steps on the way to a finding's threshold, as shares of the way."""
STEPS = (0.01, 0.03, 0.1, 0.3, 1.0)
"""Steps along the most sensitive direction, root mean square in grey levels."""


def chosen_films(collection: Collection, films: int, card: ModelCard, seed: int = 0) -> list[FilmEntry]:
    """Up to ``films`` films of patients that a model was not trained on, by its split or their looks, drawn at random.

    Raises:
        ValueError: ``films`` is below 1.
    """
    if films < 1:
        raise ValueError(f"--films: expected 1 or more, got {films}")
    held_out = not_trained_on(card, collection, collection.entries())
    if len(held_out) <= films:
        return held_out
    drawn = np.random.default_rng(seed).choice(len(held_out), films, replace=False)
    return [held_out[i] for i in np.sort(drawn)]


def film_rows(
    classifier: ChestClassifier, collection: Collection, entry: FilmEntry, seed: int = 0
) -> list[dict[str, object]]:
    """One row a finding of one film: label, call, distances, radii, and which usual changes overturn the call.

    ``radius`` follows the finding's own row and is measured for findings that are labelled or called; ``radius_all``
    follows the film's most sensitive direction, all findings together. Infinite: it held as far as was tried.
    """
    radiograph = collection.read(entry.film_id)
    probe = Probe.of(classifier, radiograph)
    found = measure(probe)
    reach, present = distances(probe, found), {canonical(label) for label in entry.labels}
    labelled = [canonical(finding) in present for finding in classifier.findings]
    followed = [c for c, one in enumerate(reach) if labelled[c] or one.called]
    own = to_thresholds(probe, found, reach, only=followed, shares=SHARES)
    strongest = follow(probe, found, found.right[0], np.array(STEPS))
    perturbed = perturb_all(probe, radiograph, found, logit_of(thresholds(classifier)), seed, levels=(USUAL,))
    rows = []
    for column, one in enumerate(reach):
        line = own[column]
        rows.append(
            {
                "film": entry.film_id,
                "patient": patient_of(entry),
                "finding": one.finding,
                "labelled": labelled[column],
                "called": one.called,
                "probability": one.probability,
                "margin": one.margin,
                "distance": one.l2,
                "distance_linf": one.linf,
                "radius": math.nan if line is None else line.radius(column),
                "radius_all": strongest.radius(),
                "spectral_norm": float(found.singular[0] * float(probe.norm_of(1.0))),
                **{f"flip_{done.name}": bool(done.flips[column]) for done in perturbed},
                **{f"error_{done.name}": done.error for done in perturbed},
            }
        )
    return rows


def survey(
    classifier: ChestClassifier,
    collection: Collection,
    entries: Sequence[FilmEntry],
    seed: int = 0,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """The rows of :func:`film_rows` over films; a film of any collection stands for itself."""
    rows: list[dict[str, object]] = []
    for number, entry in enumerate(entries):
        rows += film_rows(classifier, collection, entry, seed)
        if progress is not None:
            progress((number + 1) / len(entries))
    return pd.DataFrame(rows)


def error_detection(rows: pd.DataFrame, seed: int = 0) -> dict[str, Interval]:
    """AUROC, over pairs of film and finding, with which a small number announces a wrong call.

    Args:
        rows: of :func:`survey`. seed: of the bootstrap over patients.

    Returns:
        By detector: the first-order distance, the plain confidence |margin|, and the share of usual changes that
        overturn the call (the more, the likelier wrong).
    """
    wrong = (rows["called"] != rows["labelled"]).to_numpy()
    flips = rows[[f"flip_{p.name}" for p in PERTURBATIONS]].mean(axis=1)
    # A row of zeros has no distance: nothing small moves that call.
    detectors = {
        "distance": -rows["distance"].fillna(FARTHEST * 1e3),
        "confidence": -rows["margin"].abs(),
        "flips": flips,
    }
    patients = rows["patient"].to_numpy()
    return {
        name: auroc_interval(scores.to_numpy(), wrong, patients, np.random.default_rng(seed))
        for name, scores in detectors.items()
    }


def quantiles(values: pd.Series) -> tuple[float, float, float]:
    """10 %, 50 % and 90 % points of the values that are defined; infinite ones count as the largest."""
    known = values.dropna().to_numpy()
    if len(known) == 0:
        return math.nan, math.nan, math.nan
    low, middle, high = np.quantile(known, (0.1, 0.5, 0.9), method="nearest")
    return float(low), float(middle), float(high)


def as_markdown(rows: pd.DataFrame, seed: int = 0) -> str:
    """The survey as Markdown: distributions, flip rates with the forecast's error, and error detection."""
    films = rows.drop_duplicates("film")
    pairs = {
        "linearity radius, most sensitive direction (films)": films["radius_all"],
        "linearity radius, own row (findings labelled or called)": rows["radius"],
        "distance to threshold, L2 (all pairs)": rows["distance"],
        "distance to threshold, L2 (labelled or called)": rows.loc[rows["labelled"] | rows["called"], "distance"],
        "distance to threshold, L∞ (all pairs)": rows["distance_linf"],
    }
    out = [f"{len(films)} films, {rows['patient'].nunique()} patients, {len(rows)} pairs of film and finding.", ""]
    out += ["| grey levels (root mean square) | n | 10 % | median | 90 % |", "|---|---|---|---|---|"]
    for title, values in pairs.items():
        shown = " | ".join("beyond" if math.isinf(q) else f"{q:.3f}" for q in quantiles(values))
        out.append(f"| {title} | {int(values.notna().sum())} | {shown} |")
    out += ["", "| usual change | decisions flipped | films with one | forecast off by (median) |", "|---|---|---|---|"]
    for p in PERTURBATIONS:
        flips, by_film = rows[f"flip_{p.name}"], rows.groupby("film")[f"flip_{p.name}"].any()
        error = films[f"error_{p.name}"].median()
        out.append(f"| {p.title}: {p.at(USUAL)} | {flips.mean():.1%} | {by_film.mean():.0%} | {error:.0%} |")
    wrong = float((rows["called"] != rows["labelled"]).mean())
    out += ["", f"Wrong calls: {wrong:.1%} of pairs.", "", "| announces a wrong call by | AUROC |", "|---|---|"]
    for name, found in error_detection(rows, seed).items():
        out.append(f"| {name} | {found.value:.3f} ({found.low:.3f} to {found.high:.3f}) |")
    return "\n".join(out) + "\n"
