"""The report holds what the tables hold, and scorecards find what readers said of a method."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from evaluation.reader_study.report import in_words, write_report
from evaluation.reader_study.results import readers_results
from evaluation.reader_study.store import StudyStore
from tests.evaluation.reader_study.made import made_study, tiny_world  # noqa: F401
from tests.evaluation.reader_study.test_analysis import read_study


def test_a_closed_study_is_reported_and_found_by_scorecards(tiny_world):  # noqa: F811
    store = StudyStore.create(made_study())
    assert readers_results("tiny", "Nodule", ["grad-cam"]).empty
    store.add_readers(3)
    for reader in store.readers:
        read_study(store, reader, np.random.default_rng(reader))
    store.close()
    result = write_report(store, tiny_world / "out")
    page = (tiny_world / "out" / "report.html").read_text(encoding="utf-8")
    assert all(words in page for words in ("Tiny study", "grad-cam", "Do readers like the maps that are right?"))
    assert "http" not in page.split("The study file")[0].replace("http-equiv", "")
    assert pd.read_csv(tiny_world / "out" / "readings.csv").shape[0] == 3 * 14
    assert sorted(path.name for path in (tiny_world / "out").iterdir()) == sorted(
        [*(f"{name}.csv" for name in result.tables), "report.html"]
    )
    assert any(words.startswith("Accuracy: ") and "with no map" in words for words in in_words(result))
    shown = readers_results("tiny", "Nodule", ["grad-cam", "lime"])
    assert set(shown["Map"]) == {"no map", "grad-cam"}
    assert shown.set_index(["Map", "Measure"]).loc[("grad-cam", "Usefulness to readers (1 to 5)"), "Value"] == 5
    assert set(shown["Element"]) == {"Visual recognizability", "Actionability"}
    assert readers_results("tiny", "Effusion", ["grad-cam"]).empty
    assert readers_results("tiny", "Nodule", ["lime"]).empty
    (store.folder / "results.json").write_text(json.dumps({"study": 7}))
    assert readers_results("tiny", "Nodule", ["grad-cam"]).empty
