"""The same methods under two models of a collection, as a table of ``docs/results.md``."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from evaluation.markdown import markdown_table
from evaluation.runs.store import Store
from evaluation.runs.tables import map_titles, pairs_of, values
from evaluation.scores import get_metric
from evaluation.statistics.intervals import mean_intervals
from evaluation.statistics.paired_tests import holm, patient_means, wilcoxon


def between_models(first: Store, second: Store, metrics: Sequence[str]) -> str:
    """What each method scores more under the second model than under the first, on the films that both have.

    Args:
        first, second: scores of one collection, each under one model, of methods with the same parameters.
        metrics: a column each.

    Returns:
        Mean difference with its interval over patients, number of pairs of film and finding, and p of Wilcoxon's test
        of the patients' means, after Holm over the whole table.
    """
    titles = {key: title for key, title in map_titles(first).items() if key in map_titles(second)}
    differences = {name: _differences(first, second, name) for name in metrics}
    found: list[tuple[str, str, str, float]] = []
    for name, table in differences.items():
        for key in (key for key in titles if key in set(table["map"])):
            of_map = table[table["map"] == key]
            (mean,) = mean_intervals([of_map.value.to_numpy()], of_map.patient, np.random.default_rng(0))
            per_patient = patient_means(of_map[["value"]].to_numpy(), of_map.patient.to_numpy())[:, 0]
            p = wilcoxon(per_patient) if np.any(per_patient) else 1.0
            ends = "" if math.isnan(mean.low) else f" ({mean.low:+.2f} to {mean.high:+.2f})"
            words = f"{mean.value:+.2f}{ends}, {mean.films}"
            found.append((titles[key], get_metric(name).title, words, p))
    corrected = holm(np.array([p for *_, p in found]))
    cells = {
        (title, metric): f"{words}; p {'< 0.001' if p < 0.001 else f'= {p:.3f}'}"
        for (title, metric, words, _), p in zip(found, corrected)
    }
    heads = [get_metric(name).title for name in metrics]
    rows = [[title, *(cells.get((title, head), "–") for head in heads)] for title in dict.fromkeys(t for t, _ in cells)]
    return markdown_table(["", *heads], rows)


def _differences(first: Store, second: Store, metric: str) -> pd.DataFrame:
    """Second less first of each film, finding and method: columns ``map``, ``patient``, ``value``; silent maps out."""
    each = [values(store, metric, pairs_of(store)[0]).query("kind == 'method'") for store in (first, second)]
    both = each[0].merge(each[1], on=["film", "finding", "map"], suffixes=("", "_second"))
    both["value"] = both.pop("value_second") - both["value"]
    return both[["map", "patient", "value"]].dropna()
