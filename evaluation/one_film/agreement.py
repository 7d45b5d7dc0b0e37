"""How far the maps of one film agree with each other, and what all scores say in plain words."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
import pandas as pd

from evaluation.one_film.compare import FindingResult
from evaluation.one_film.evaluate import MethodResult
from evaluation.scores import Score
from evaluation.scores.ranked_map import dilate
from evaluation.scores.similarity import spearman
from radiographs.findings import display_name
from xai_methods import baseline_methods

TOP = 0.1
"""Share of the input's pixels that are a map's strongest."""
MARGIN = 0.05
"""A difference of two scores below this is more than one film can tell: nothing is said of it."""
COMPARED = ("pixel_auprc", "pixel_auroc", "area_matched_iou", "relevance_mass_accuracy", "relevance_rank_accuracy")
"""Scores by which a map is set against the baselines, the quoted one first; no other may contradict it."""
Standing = Literal["better", "worse", "apart", "alike", "unknown"]


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
            sentences.append(f"Reference annotation: {result.whose}.")
        sentences.append(_where(done, finding, result.mask))
        sentences.append(_against_baselines(result, done))
    empty = [title for title, method in done.items() if method.explanation is not None and method.explanation.empty]
    if empty:
        sentences.append(f"{_list(empty)} found no positive evidence for {finding}.")
    sentences.append(_agreeing({t: m.explanation.values for t, m in done.items() if m.explanation is not None}))
    if result.mask is not None and done and not result.verdict.passed:
        sentences.append(f"Read all this with care: {result.verdict.caution}.")
    return " ".join(sentence for sentence in sentences if sentence)


def peak_place(done: MethodResult, mask: np.ndarray) -> Literal["inside", "within", "outside", "unknown"]:
    """Where a map's strongest point lies: inside the annotation, outside it, or nearer than the map can tell.

    A class activation map tells places apart by its cells, a map of superpixels by these: a peak at most half a cell
    from the annotation, or a strongest superpixel that holds a part of it, is "within" the map's resolution.

    Args:
        done: a map in the film's own pixels, with its score of the pointing game. mask: (H, W) bool, the annotation.
    """
    value = done.scores["pointing_game"].value if "pointing_game" in done.scores else float("nan")
    if np.isnan(value) or done.explanation is None or done.on_film is None:
        return "unknown"
    if value >= 0.5:
        return "inside"
    if value > 0:
        return "within"
    cells = done.explanation.cells
    if cells is None:
        return "outside"
    peaks = done.on_film == done.on_film.max()
    reach = half_a_cell(cells, (mask.shape[0], mask.shape[1]))
    return "within" if (peaks & dilate(mask, reach)).any() else "outside"


def half_a_cell(cells: tuple[int, int], shape: tuple[int, int]) -> int:
    """Half the width of a map's cell in pixels of a film of ``shape``, at least 15, the pointing game's tolerance."""
    return max(15, math.ceil(max(shape) / (2 * min(cells))))


def _where(done: Mapping[str, MethodResult], finding: str, mask: np.ndarray) -> str:
    places = {title: peak_place(method, mask) for title, method in done.items()}
    inside, within, outside = (
        [title for title, place in places.items() if place == wanted] for wanted in ("inside", "within", "outside")
    )
    parts = []
    if inside:
        parts.append(f"{_list(inside)} {_verb(inside, 'peaks', 'peak')} inside the annotation of {finding}")
    if within:
        place = "" if inside else f" the annotation of {finding}"
        parts.append(
            f"{_list(within)} {_verb(within, 'peaks', 'peak')} as near to{place or ' it'} as "
            f"{_verb(within, 'its', 'their')} resolution can tell"
        )
    if outside:
        place = "it" if parts else f"the annotation of {finding}"
        parts.append(f"{_list(outside)} {_verb(outside, 'peaks', 'peak')} outside {place}")
    return "; ".join(parts) + "." if parts else ""


def standing(method: Mapping[str, Score], baselines: Mapping[str, Mapping[str, Score]]) -> Standing:
    """How one map's scores stand to the best baseline's: better or worse beyond the margin, apart, or not told apart.

    "apart" where one score says better and another worse; "unknown" where there is nothing to compare.
    """
    differences = {}
    for name in COMPARED:
        rivals = [scores[name].value for scores in baselines.values() if name in scores]
        rivals = [value for value in rivals if not np.isnan(value)]
        if rivals and name in method and not np.isnan(method[name].value):
            differences[name] = method[name].value - max(rivals)
    if COMPARED[0] not in differences:
        return "unknown"
    above, below = (any(sign * d >= MARGIN for d in differences.values()) for sign in (1, -1))
    if above and below:
        return "apart"
    first = differences[COMPARED[0]]
    return "better" if first >= MARGIN else "worse" if first <= -MARGIN else "alike"


def _against_baselines(result: FindingResult, done: Mapping[str, MethodResult]) -> str:
    found = {title: standing(method.scores, result.baselines) for title, method in done.items()}
    said = {
        "better": "{} {overlap} the annotation more than every model-independent baseline",
        "alike": "{} {is} not told apart from the best baseline on one film",
        "worse": "{} {overlap} the annotation less than the best model-independent baseline",
        "apart": "scores disagree on {} against the baselines",
    }
    parts = []
    for place, words in said.items():
        titles = [title for title, one in found.items() if one == place]
        if titles:
            who = f"all {len(titles)} maps" if len(titles) == len(done) > 1 else _list(titles)
            one = len(titles) == 1
            parts.append(words.format(who, overlap="overlaps" if one else "overlap", **{"is": "is" if one else "are"}))
    if not parts:
        return ""
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]} (pixel AUPRC; differences below {MARGIN} are not told apart)."


def _agreeing(maps: Mapping[str, np.ndarray]) -> str:
    if len(maps) < 2:
        return ""
    table = agreement_matrix(maps)
    pairs = [(table.iloc[i, j], table.index[i], table.columns[j]) for i in range(len(table)) for j in range(i)]
    known = [pair for pair in pairs if not np.isnan(pair[0])]
    if not known:
        return ""
    most, least = max(known), min(known)
    if len(known) == 1:
        return f"The top-10 % pixels of {most[1]} and {most[2]} overlap by {most[0]:.0%}."
    if most[0] - least[0] < MARGIN:
        return f"The top-10 % pixels of all pairs of maps overlap about equally ({least[0]:.0%} to {most[0]:.0%})."
    return (
        f"The top-10 % pixels of {most[1]} and {most[2]} overlap most ({most[0]:.0%}), those of {least[1]} and "
        f"{least[2]} least ({least[0]:.0%})."
    )


def _list(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _verb(names: list[str], one: str, many: str) -> str:
    return one if len(names) == 1 else many
