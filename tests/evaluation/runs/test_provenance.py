from __future__ import annotations

import json
from dataclasses import replace

import pytest

from evaluation.runs.provenance import provenance_words, trained_on, unfinished_words
from evaluation.runs.report import make_report
from evaluation.runs.report_files import html_page
from radiographs.collection import FilmEntry
from tests.evaluation.looking import CARD, Spots
from tests.evaluation.runs.made import made_store

LISTED = replace(CARD, split="spots.csv")


class Recorded(Spots):
    split = "spots"


@pytest.mark.parametrize(
    ("card", "films", "part", "state"),
    [
        (LISTED, Recorded(), "test", "no"),
        (LISTED, Recorded(), "train", "yes"),
        (LISTED, Recorded(), "val", "yes"),
        (LISTED, Recorded(), None, "unknown"),
        (LISTED, Spots(), "test", "unknown"),
        (CARD, Recorded(), "test", "unknown"),
    ],
)
def test_trained_on_is_yes_no_or_unknown(card, films, part, state):
    assert trained_on(card, films, FilmEntry("a", part=part)) == state


def test_unknown_training_and_unknown_patients_are_said():
    ids = [entry.film_id for entry in Spots().entries()][:6]
    assert provenance_words(LISTED, Recorded(), ids) == ["Trained on these patients: no for 6 of 6 films."]
    words = " ".join(provenance_words(CARD, Spots(), ids))
    assert "unknown for 6 of 6 films" in words
    assert "too good" in words
    assert "Patients unknown" not in words

    class Nameless(Recorded):
        def entries(self):
            return [replace(entry, patient="") for entry in super().entries()]

    assert "Patients unknown for 6 films" in " ".join(provenance_words(LISTED, Nameless(), ids))
    assert "not available" in provenance_words(LISTED, Recorded(), ["gone"])[0]


def test_an_unfinished_run_says_so(tmp_path):
    assert unfinished_words({"state": "done", "done": 3, "films": 3}) == ""
    store = made_store(tmp_path)
    assert "not finished" not in html_page(make_report(store))
    store.write_text("status.json", json.dumps({"state": "stopped", "films": 24, "done": 9}))
    report = make_report(store)
    assert report.unfinished == "This run is not finished: 9 of 24 films are scored."
    assert report.unfinished in html_page(report)
    assert "unknown" in report.sections[0].provenance[0]
