"""How far the maps of one film agree with each other, and what all scores say in plain words."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from evaluation.one_film.compare import FindingResult
from evaluation.one_film.evaluate import MethodResult
from evaluation.scores.similarity import spearman
from radiographs.findings import display_name
from xai_methods import baseline_methods

TOP = 0.1
"""Share of the input's pixels that are a map's strongest."""
ALIKE = 0.5
"""Overlap of the strongest pixels from which two maps are said to agree."""


def top_overlap(first: np.ndarray, second: np.ndarray, share: float = TOP) -> float:
    """Intersection over union of the strongest ``share`` of two maps' pixels; only positive values count.

    Returns:
        0 to 1; two random maps get about share / (2 - share). NaN where a map has no positive value.
    """
    tops = []
    for values in (first, second):
        positive = np.maximum(values, 0)
        if not positive.any():
            return float("nan")
        tops.append((positive > 0) & (positive >= np.quantile(positive, 1 - share)))
    return float((tops[0] & tops[1]).sum() / (tops[0] | tops[1]).sum())


def agreement_matrix(maps: Mapping[str, np.ndarray], measure: str = "overlap") -> pd.DataFrame:
    """Agreement of every pair of maps: a symmetric table with 1 on its diagonal.

    Args:
        maps: by name, all of one shape. measure: "overlap" (see :func:`top_overlap`) or "rank correlation".

    Raises:
        ValueError: there is no such measure.
    """
    measures: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
        "overlap": top_overlap,
        "rank correlation": spearman,
    }
    if measure not in measures:
        raise ValueError(f"no such measure of agreement: {measure}; there are: {', '.join(measures)}")
    names = list(maps)
    table = pd.DataFrame(np.eye(len(names)), index=names, columns=names)
    for i, first in enumerate(names):
        for second in names[:i]:
            value = measures[measure](maps[first], maps[second])
            table.loc[first, second] = table.loc[second, first] = value
    return table


def in_words(result: FindingResult) -> str:
    """What the scores and maps of one finding say, in plain sentences; never what the film shows."""
    finding = display_name(result.finding).lower()
    done = {
        m.title: m for m in result.methods.values() if m.explanation is not None and m.method not in baseline_methods()
    }
    sentences = []
    if result.mask is not None and result.mask.any() and done:
        if result.whose:
            sentences.append(f"Reference outline: {result.whose}.")
        sentences.append(_where(done, finding))
        sentences.append(_against_baselines(result, done))
    empty = [title for title, method in done.items() if method.explanation is not None and method.explanation.empty]
    if empty:
        sentences.append(f"{_list(empty)} found nothing that speaks for {finding}.")
    sentences.append(_agreeing({t: m.explanation.values for t, m in done.items() if m.explanation is not None}))
    if result.mask is not None and not result.verdict.passed and done:
        sentences.append("Read all this with care: model and finding did not pass the validity gate.")
    return " ".join(sentence for sentence in sentences if sentence)


def _where(done: Mapping[str, MethodResult], finding: str) -> str:
    points = {title: method.scores["pointing_game"].value for title, method in done.items()}
    inside = [title for title, value in points.items() if value >= 0.5]
    outside = [title for title, value in points.items() if value < 0.5]
    parts = []
    if inside:
        parts.append(
            f"{_list(inside)} {_verb(inside, 'has its', 'have their')} strongest point inside the outline of {finding}"
        )
    if outside:
        parts.append(
            f"{_list(outside)} outside it"
            if inside
            else f"No map has its strongest point inside the outline of {finding}"
        )
    return "; ".join(parts) + "." if parts else ""


def _against_baselines(result: FindingResult, done: Mapping[str, MethodResult]) -> str:
    best = max((s["pixel_auprc"].value for s in result.baselines.values()), default=float("nan"))
    found = {title: method.scores["pixel_auprc"].value for title, method in done.items() if method.scores}
    better = [title for title, value in found.items() if value > best]
    if not found:
        return ""
    if not better:
        return "No map lies on the outline better than a map that knows nothing of the model (pixel AUPRC)."
    if len(better) == len(found):
        return "All lie on the outline better than every map that knows nothing of the model (pixel AUPRC)."
    lies = _verb(better, "lies", "lie")
    return f"{_list(better)} {lies} on the outline better than every map that knows nothing of the model (pixel AUPRC)."


def _agreeing(maps: Mapping[str, np.ndarray]) -> str:
    if len(maps) < 2:
        return ""
    table = agreement_matrix(maps)
    pairs = [(table.iloc[i, j], table.index[i], table.columns[j]) for i in range(len(table)) for j in range(i)]
    known = [pair for pair in pairs if not np.isnan(pair[0])]
    if not known:
        return ""
    most, least = max(known), min(known)
    alike = f"{most[1]} and {most[2]} agree most (their strongest tenths share {most[0]:.0%})"
    if len(known) == 1:
        return (
            f"{alike}."
            if most[0] >= ALIKE
            else f"{most[1]} and {most[2]} share {most[0]:.0%} of their strongest tenths."
        )
    return f"{alike}, {least[1]} and {least[2]} least ({least[0]:.0%})."


def _list(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _verb(names: list[str], one: str, many: str) -> str:
    return one if len(names) == 1 else many
