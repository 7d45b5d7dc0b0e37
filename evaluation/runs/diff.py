"""Two runs beside each other: what only one has, and how far the scores of both differ."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluation.runs.store import Store
from evaluation.statistics.intervals import mean_interval
from evaluation.statistics.paired_tests import patient_means, wilcoxon_holm

TOLERANCE = 1e-6
"""Values nearer than this, relative to the larger, are the same."""
_KEY = [
    "collection",
    "film",
    "finding",
    "classifier",
    "kind",
    "method",
    "parameters_digest",
    "seed",
    "reading",
    "metric",
]


@dataclass(frozen=True, eq=False)
class Difference:
    """How two runs differ.

    Attributes:
        table: one row a classifier, method, parameter set and score that both have: ``n`` scores, ``changed`` (how many
            differ), ``first`` and ``second`` (means), ``difference`` (second less first) with ``low`` and ``high``
            over patients, ``p`` (Wilcoxon, over patients, not corrected).
        only_first, only_second: scores that only one has. weights: classifiers whose weights differ.
    """

    table: pd.DataFrame
    only_first: int
    only_second: int
    weights: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether both runs have the same scores with the same values."""
        return not (self.only_first or self.only_second or int(self.table.changed.sum()))

    def words(self) -> str:
        """The difference in lines."""
        both, changed = int(self.table.n.sum()), int(self.table.changed.sum())
        lines = [
            f"{both} scores in both, {changed} of them differ; {self.only_first} only in the first, "
            f"{self.only_second} only in the second."
        ]
        lines += [f"The weights of {name} are not the same in both." for name in self.weights]
        for row in self.table[self.table.changed > 0].itertuples():
            lines.append(
                f"{row.classifier} {row.method} {row.metric}: {row.first:.4f} -> {row.second:.4f} "
                f"({row.difference:+.4f}, {_ends(row.low, row.high)}p {row.p:.3g}; {row.changed} of {row.n})"
            )
        return "\n".join(lines) + "\n"


def _ends(low: float, high: float) -> str:
    return "" if math.isnan(low) else f"{low:+.4f} to {high:+.4f}; "


def diff(first: Store, second: Store, seed: int = 0) -> Difference:
    """Compare two runs score by score; films are the same where their pixels are.

    Args:
        seed: of the bootstrap.

    Raises:
        ValueError: a run has no scores. StoreError: a file is damaged.
    """
    tables = [_scores(store) for store in (first, second)]
    digests = [set(zip(table.classifier, table.classifier_digest)) for table in tables]
    both = {name for name, _ in digests[0]} & {name for name, _ in digests[1]}
    weights = tuple(sorted({name for name, _ in digests[0] ^ digests[1] if name in both}))
    joined = tables[0].merge(tables[1], on=_KEY, how="outer", suffixes=("", "_second"), indicator=True)
    shared = joined[joined["_merge"] == "both"]
    counts = joined["_merge"].value_counts()
    groups = shared.groupby(["classifier", "method", "parameters_digest", "metric"], sort=False)
    rows = [
        _row(dict(zip(("classifier", "method", "parameters_digest", "metric"), key)), part, seed)
        for key, part in groups
    ]
    table = pd.DataFrame(rows, columns=_COLUMNS)
    return Difference(table, int(counts["left_only"]), int(counts["right_only"]), weights)


_COLUMNS = [
    *("classifier", "method", "parameters_digest", "metric", "n", "changed", "first", "second"),
    *("difference", "low", "high", "p"),
]


def _scores(store: Store) -> pd.DataFrame:
    keys = ", ".join(f"{name}::VARCHAR AS {name}" if name != "seed" else name for name in _KEY)
    table = store.query(
        f"SELECT {keys}, any_value(classifier_digest)::VARCHAR AS classifier_digest, any_value(patient) AS patient, "
        "any_value(value) AS value FROM scores GROUP BY ALL"
    )
    if table.empty:
        raise ValueError(f"{store.folder} has no scores; name the folder that --out of lightbox run named")
    return table


def _row(head: dict[str, object], part: pd.DataFrame, seed: int) -> dict[str, object]:
    one, two = part["value"].to_numpy(dtype=float), part["value_second"].to_numpy(dtype=float)
    same = np.isclose(one, two, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
    change = np.where(same, 0.0, two - one)
    change[np.isnan(one) | np.isnan(two)] = np.nan
    patients = part["patient"].to_numpy()
    mean = mean_interval(change, patients, np.random.default_rng(seed))
    tested = wilcoxon_holm(patient_means(np.stack([two, one], axis=1), patients), ("second", "first"))[0]
    both = ~np.isnan(change)
    return head | {
        "n": len(part), "changed": int((~same).sum()),
        "first": float(one[both].mean()) if both.any() else np.nan,
        "second": float(two[both].mean()) if both.any() else np.nan,
        "difference": mean.value, "low": mean.low, "high": mean.high, "p": 1.0 if same.all() else tested.p,
    }  # fmt: skip
