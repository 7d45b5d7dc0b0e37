from __future__ import annotations

import json
from dataclasses import replace

import pytest

from classifiers import training_films
from classifiers.training_films import trained_on
from evaluation.one_film.evaluate import ScoringContext
from evaluation.runs import worker
from evaluation.runs.provenance import LEFT_OUT, RESAVED, provenance_words, resaved_films, units_of
from evaluation.runs.report import make_report
from evaluation.runs.report_files import html_page
from evaluation.runs.selection import MapRequest, WorkItem
from evaluation.runs.store import Store
from radiographs.collection import FilmEntry
from radiographs.perceptual_digest import perceptual_digest
from tests.evaluation.looking import CARD, Spots, looker
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


def test_an_unfinished_run_and_unknown_patients_stand_in_the_head(tmp_path):
    store = made_store(tmp_path)
    assert "not finished" not in html_page(make_report(store))
    store.write_text("status.json", json.dumps({"state": "stopped", "films": 24, "done": 9}))
    report = make_report(store)
    assert report.unfinished == "This run is not finished: 9 of 24 films are scored."
    assert (report.unnamed, report.units) == (0, "patients")
    page = html_page(replace(report, unnamed=report.films))
    head = page[: page.index("Validity gate")]
    assert report.unfinished in head
    assert f"Patients unknown for {report.films} of {report.films} films." in head
    assert "films taken as patients" in head
    assert [units_of(*counts) for counts in ((0, 9), (9, 9), (2, 9))] == [
        "patients",
        "films taken as patients",
        "patients (films where unknown)",
    ]
    assert "unknown" in report.sections[0].provenance[0]


def test_resaved_training_films_are_counted_left_out_or_scored(tmp_path):
    card, ids = replace(CARD, split="nih"), [entry.film_id for entry in Spots().entries()]
    before = " ".join(provenance_words(card, Spots(), ids))
    assert "recognised when they are read" in before
    words = " ".join(provenance_words(card, Spots(), ids[2:], ({ids[0]}, {ids[2], ids[3]})))
    assert "yes for 3, unknown for 20 of 23 films" in words
    assert "trained on, re-saved: 3 of 23 (1 left out, 2 scored)." in words
    assert "not recognised" in " ".join(provenance_words(CARD, Spots(), ids, (set(), set())))

    store = made_store(tmp_path)
    row = {"collection": "tiny-films", "film_id": "film-1-1", "film": f"{1:064d}", "doubt": RESAVED}
    gone = {"question": "q", "collection": "tiny-films", "film_id": "gone", "finding": "Nodule", "classifier": "tiny"}
    store.write([], [gone | {"method": "lrp", "metric": "", "reason": LEFT_OUT}], {}, [row])
    assert resaved_films(store, "tiny-films", "tiny") == ({"gone"}, {"film-1-1"})
    assert resaved_films(store, "tiny-films", "other") == (set(), set())


def test_a_run_of_training_films_alone_says_why_it_has_no_scores(tmp_path):
    store = Store(tmp_path)
    store.make()
    row = {"question": "q", "collection": "c", "film_id": "f", "finding": "Nodule", "classifier": "m"}
    store.write([], [row | {"method": "lrp", "metric": "", "reason": LEFT_OUT}], {})
    with pytest.raises(ValueError, match=LEFT_OUT):
        make_report(store)


def test_a_training_film_is_left_out_of_a_run_on_films_held_out(monkeypatch):
    request = MapRequest("q", "Spot", "method", "grad-cam", "{}", "d", 0, ("pixel_auprc",))
    item = WorkItem("spots", "03", "p", "looking", "digest", (), (request,), "positive", False)
    monkeypatch.setattr(training_films, "_digests", lambda split: perceptual_digest(Spots().read("03").pixels)[None])
    monkeypatch.setattr(training_films, "_answers", {})
    model = looker()
    model.card = replace(CARD, split="nih")

    class Unrecorded(Spots):
        def entries(self):
            return [replace(entry, part=None) for entry in super().entries()]

    films = Unrecorded()
    opened = {n: ScoringContext(model, films.read(n), (), films, films.entry(n)) for n in ("03", "05")}
    monkeypatch.setattr(worker, "open_context", lambda item: opened[item.film_id])
    left = worker.run_work_item(item)
    assert [(row["film_id"], row["reason"]) for row in left.failures] == [("03", LEFT_OUT)]
    assert left.films == []
    scored = worker.run_work_item(replace(item, held_out=False, requests=()))
    assert [row["doubt"] for row in scored.films] == [RESAVED]
    other = worker.run_work_item(replace(item, film_id="05", requests=()))
    assert [row["doubt"] for row in other.films] == [""]
