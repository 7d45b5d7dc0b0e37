"""Arun et al.'s pass rule over a run that saved its maps (2021, doi:10.1148/ryai.2021200267)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evaluation.runs.store import Store
from evaluation.runs.tables import PairContext, values
from evaluation.scores.randomisation import pair_similarities, passes
from xai_methods import Explanation, ExplanationFileError

METRIC = "randomised_ssim"
MOST_MAPS = 40
"""Maps of one method and finding, each of another patient, among which random pairs are drawn."""
COLUMNS = ("map", "title", "randomised", "two_films", "pairs", "passes")


def pass_rule(store: Store, context: PairContext, seed: int = 0) -> pd.DataFrame:
    """Whether maps of a wholly randomised network are less alike than maps of two films are.

    Args:
        context: of the collection and the classifier. seed: of the draw of pairs.

    Returns:
        One row a map whose run scored ``randomised_ssim`` and saved maps: ``map`` (key), ``title``, ``randomised`` and
        ``two_films`` (mean SSIM), ``pairs`` (how many), ``passes`` (None where undefined).
    """
    rows = []
    for key, part in values(store, METRIC, context.pair).groupby("map", sort=False):
        pairs = _pairs(store, context, str(key), np.random.default_rng(seed))
        known = pairs[~np.isnan(pairs)]
        if len(known):
            verdict = passes(part.value.to_numpy(), pairs)
            rows.append((key, context.titles[str(key)], part.value.mean(), known.mean(), len(known), verdict))
    return pd.DataFrame(rows, columns=COLUMNS)


def _pairs(store: Store, context: PairContext, key: str, rng: np.random.Generator) -> np.ndarray:
    """SSIM of random pairs of saved maps of the same finding in different patients."""
    saved = store.query(
        "SELECT finding, patient, min(question) AS question FROM scores WHERE collection = ? AND classifier = ? "
        "AND kind = 'method' AND method || '/' || parameters_digest = ? GROUP BY finding, patient ORDER BY ALL",
        [context.pair.collection, context.pair.classifier, key],
    )
    found = []
    for _, part in saved.groupby("finding", sort=False, observed=True):
        maps = [_map(store, question) for question in part.question.head(MOST_MAPS)]
        found.append(pair_similarities([one for one in maps if one is not None], rng))
    return np.concatenate(found) if found else np.empty(0)


def _map(store: Store, question: str) -> np.ndarray | None:
    try:
        return Explanation.load(store.folder / "maps" / f"{question}.npz").values
    except (FileNotFoundError, ExplanationFileError):
        return None
