"""All that readers answered as one table, with the truth, the model's call and what the maps scored beside it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from evaluation.reader_study.design import StudyTrial
from evaluation.reader_study.material import read_outline
from evaluation.reader_study.regions import hit, overlap
from evaluation.reader_study.store import Answer, StudyStore
from evaluation.reader_study.study_file import StudyError

COLUMNS = (
    *("reader", "session", "trial", "part", "case", "film", "finding", "model", "arm", "present", "model_probability"),
    *("model_wrong", "said_present", "confidence", "rating", "correct", "hit", "overlap", "usefulness", "misled"),
    *("seconds", "interrupted", "late"),
)
UNMEASURED = float("nan")


def readings(store: StudyStore) -> pd.DataFrame:
    """One row an answer, practice and checks too; NaN where a question was not asked or has no answer.

    ``rating`` joins call and confidence: 50 to 100 where the reader said present, 50 to 0 where they said absent.

    Raises:
        StudyError: the study is still open, so that nobody may know which map was which.
    """
    if not store.closed:
        raise StudyError(f"the study {store.study.name!r} is still open; `lightbox study close {store.slug}` ends it")
    outlines: dict[tuple[str, int], np.ndarray | None] = {}
    rows = []
    for reader in store.readers:
        trials = {trial.number: trial for trial in store.trials(reader)}
        for answer in store.answers(reader).values():
            trial = trials[answer.trial]
            place = trial.part, trial.case
            if place not in outlines:
                outlines[place] = read_outline(store.folder, *place)
            rows.append(_row(store, reader, trial, answer, outlines[place]))
    return pd.DataFrame(rows, columns=[*COLUMNS, *_metrics(store)])


def sealed_readings(store: StudyStore) -> pd.DataFrame:
    """What was answered so far without what is sealed: no arm, no truth; for whoever looks after an open study."""
    rows = [
        {"reader": reader, "trial": answer.trial, "seconds": answer.seconds, "interrupted": answer.interrupted}
        | {name: value for name, value in answer.given.items() if name != "place"}
        for reader in store.readers
        for answer in store.answers(reader).values()
    ]
    return pd.DataFrame(rows)


def _metrics(store: StudyStore) -> list[str]:
    return sorted({name for scores in store.material.scores.values() for name in scores})


def _row(
    store: StudyStore, reader: int, trial: StudyTrial, answer: Answer, outline: np.ndarray | None
) -> dict[str, Any]:
    facts = store.material.cases[trial.part, trial.case]
    asked = {"practice": store.study.practice, "check": store.study.checks, "case": store.study.cases}
    case, given = asked[trial.part][trial.case], answer.given
    said, confidence = given["present"], given.get("confidence")
    rating = UNMEASURED if confidence is None else 50 + (confidence if said else -confidence) / 2
    placed = "place" in store.study.questions and facts.present
    scores = store.material.scores.get(store.map_name(trial), {})
    return {
        "reader": reader, "session": trial.session, "trial": trial.number, "part": trial.part, "case": trial.case,
        "film": case.film, "finding": case.finding, "model": case.model, "arm": store.study.arms[trial.arm].name,
        "present": facts.present, "model_probability": facts.probability, "model_wrong": facts.model_wrong,
        "said_present": bool(said), "confidence": _number(confidence), "rating": rating,
        "correct": said == facts.present,
        "hit": hit(given.get("place"), outline) if placed else UNMEASURED,
        "overlap": overlap(given.get("place"), outline) if placed and store.study.place == "region" else UNMEASURED,
        "usefulness": _number(given.get("usefulness")), "misled": _number(given.get("misled")),
        "seconds": answer.seconds, "interrupted": answer.interrupted, "late": answer.late,
        **{name: _number(scores.get(name)) for name in _metrics(store)},
    }  # fmt: skip


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)
