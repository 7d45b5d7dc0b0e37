"""Scores of a run beside published ones, as tables of ``docs/results.md``: SHAMSUL, CheXlocalize and ChestX-ray14.

Films, models and outlines differ between the sides; the tables say what the protocols give here.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from evaluation.baselines.model_independent import baseline_titles
from evaluation.markdown import markdown_table
from evaluation.runs.store import Store
from evaluation.runs.tables import pairs_of, values
from evaluation.statistics.intervals import mean_interval
from radiographs.findings import display_name
from xai_methods import methods

PROTOCOLS = ("chexlocalize_iou", "shamsul_iou", "chestxray14_iobb", "chestxray14_boxes")
"""Scores that these tables are made of, beside the pointing game."""
AVERAGE = "average-mask"
SHAMSUL = {
    "Atelectasis": (0.07, 0.06, 0.11, 0.07),
    "Cardiomegaly": (0.14, 0.13, 0.23, 0.13),
    "Effusion": (0.04, 0.04, 0.06, 0.04),
    "Pneumothorax": (0.08, 0.30, 0.20, 0.12),
}
"""IoU of ``SHAMSUL_METHODS`` by finding: Ul Alam et al. 2023 (doi:10.5617/nmi.10471)."""
SHAMSUL_METHODS = ("lime", "kernel-shap", "grad-cam", "lrp")
CHEXLOCALIZE = {
    "Atelectasis": (0.25, 0.50),
    "Cardiomegaly": (0.45, 0.90),
    "Effusion": (0.24, 0.51),
    "Pneumothorax": (0.21, 0.39),
}
"""IoU and hit rate of Grad-CAM by finding: Saporta et al. 2022 (doi:10.1038/s42256-022-00536-x)."""
CHESTXRAY14 = {
    0.1: (0.73, 0.99, 0.71, 0.79, 0.44, 0.16, 0.75, 0.46, 0.63),
    0.25: (0.55, 0.98, 0.54, 0.58, 0.28, 0.05, 0.56, 0.35, 0.49),
    0.5: (0.28, 0.88, 0.33, 0.42, 0.14, 0.01, 0.38, 0.18, 0.33),
}
"""T(IoBB) of the eight boxed findings in alphabetical order, and their mean: Wang et al. 2017 (arXiv:1705.02315)."""


def shamsul(store: Store) -> str:
    """IoU after Otsu's threshold: SHAMSUL's, then the run's, of the positive part (as it is)."""
    positive, as_it_is = _scores(store, "chexlocalize_iou"), _scores(store, "shamsul_iou")
    names = [*(name for name in SHAMSUL_METHODS if name in set(positive.method)), AVERAGE]
    rows = []
    for finding, published in SHAMSUL.items():
        row = [display_name(finding), *(f"*{value:.2f}*" for value in published)]
        for name in names:
            one, other = (_of(table, name, finding).value.dropna() for table in (positive, as_it_is))
            row.append(f"{one.mean():.2f} ({other.mean():.2f}), {len(one)}")
        rows.append(row)
    theirs = (f"*{_title(name)}*" for name in SHAMSUL_METHODS)
    return markdown_table(["finding", *theirs, *map(_title, names)], rows)


def chexlocalize(store: Store) -> str:
    """IoU after Otsu's threshold and hit rate of Grad-CAM: CheXlocalize's, then the run's, with intervals."""
    overlap, hits = _scores(store, "chexlocalize_iou"), _scores(store, "pointing_game")
    rows = []
    for finding, (iou, rate) in CHEXLOCALIZE.items():
        prior = _of(hits, AVERAGE, finding).value
        row = [display_name(finding), f"*{iou:.2f}*", f"*{rate:.2f}*"]
        row += [_with_interval(_of(table, "grad-cam", finding)) for table in (overlap, hits)]
        rows.append([*row, f"{prior.mean():.2f}", str(len(prior))])
    head = ["finding", "*IoU*", "*hit rate*", "IoU", "hit rate", "hit rate of the mean annotation", "n"]
    return markdown_table(head, rows)


def chestxray14(store: Store) -> str:
    """T(IoBB): the share of the outlines in which a detected box lies by more than T; a map without a box misses."""
    best, boxes = _scores(store, "chestxray14_iobb"), _scores(store, "chestxray14_boxes")
    findings = sorted(best.finding.unique())
    rows = []
    for threshold, published in CHESTXRAY14.items():
        rows.append([str(threshold), "*Wang et al.*", *(f"*{value:.2f}*" for value in published), ""])
        for name in ("grad-cam", "lrp", AVERAGE):
            hits = [(_of(best, name, finding).value > threshold).mean() for finding in findings]
            many = boxes[boxes.method == name].value.mean()
            rows.append(["", _title(name), *(f"{hit:.2f}" for hit in hits), f"{np.mean(hits):.2f}", f"{many:.3g}"])
    return markdown_table(["T", "", *(display_name(f) for f in findings), "mean", "boxes a film"], rows)


def _scores(store: Store, metric: str) -> pd.DataFrame:
    return values(store, metric, pairs_of(store)[0])


def _of(table: pd.DataFrame, name: str, finding: str) -> pd.DataFrame:
    return table[(table.method == name) & (table.finding == finding)]


def _title(name: str) -> str:
    return methods()[name].title if name in methods() else baseline_titles()[name]


def _with_interval(table: pd.DataFrame) -> str:
    found = mean_interval(table.value.to_numpy(), table.patient, np.random.default_rng(0)).within(0, 1)
    ends = "" if math.isnan(found.low) else f" ({found.low:.2f} to {found.high:.2f})"
    return f"{found.value:.2f}{ends}"
