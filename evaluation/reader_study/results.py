"""What readers said of methods in studies that are over, beside what a scorecard computes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from evaluation.scores.score import Element
from radiographs.files import read_json
from radiographs.places import home_folder

SUMMARY = "results.json"
"""File in a study's folder that its report leaves for scorecards."""
_COLUMNS = ["Study", "Map", "Element", "Measure", "Value", "Low", "High", "Readers", "Cases"]

ELEMENT_OF: dict[str, Element] = {
    "usefulness": "visual recognizability",
    "hit": "visual recognizability",
    "accuracy": "actionability",
    "accuracy_model_wrong": "actionability",
}
"""The element of interpretability that a measure of reading speaks of."""
TITLES = {
    "usefulness": "Usefulness to readers (1 to 5)",
    "hit": "Readers point into the outline",
    "accuracy": "Readers' accuracy",
    "accuracy_model_wrong": "Readers' accuracy where the model is wrong",
}


def studies_folder() -> Path:
    """Where studies lie: ``studies`` in the home folder."""
    return home_folder() / "studies"


def readers_results(model: str, finding: str, methods: Sequence[str]) -> pd.DataFrame:
    """Results of reported studies of a model and finding: one row a study, method and measure; empty where none is.

    Columns: Study, Map (a method's registered name, or "no map" to compare with), Element, Measure, Value, Low, High,
    Readers, Cases.
    """
    rows = []
    for path in sorted(studies_folder().glob(f"*/{SUMMARY}")):
        try:
            told: dict[str, Any] = read_json(path)
            if model in told["models"] and finding in told["findings"]:
                rows += [_row(told["study"], arm) for arm in told["arms"] if arm["method"] in ("", *methods)]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # a study that cannot be read says nothing here; its report does
    table = pd.DataFrame(rows, columns=_COLUMNS)
    shown = table.groupby("Study")["Map"].transform(lambda maps: (maps != "no map").any()) if len(table) else []
    return table[shown] if len(table) else table


def _row(study: str, arm: dict[str, Any]) -> tuple[Any, ...]:
    name, numbers = arm["endpoint"], (arm["value"], arm["low"], arm["high"], arm["readers"], arm["cases"])
    return study, arm["method"] or "no map", ELEMENT_OF[name].capitalize(), TITLES[name], *numbers
