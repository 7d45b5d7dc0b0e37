"""Which films of a run were read with a doubt, from the reader to the report."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evaluation.runs.doubts import doubt_rows, doubts_in_words, doubts_of
from evaluation.runs.report_files import write_report
from evaluation.runs.store import Store
from radiographs import Radiograph
from radiographs.radiograph import Note
from tests.evaluation.runs.made import FILMS, made_row, made_store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return made_store(tmp_path / "run")


def row(i: int, doubt: str) -> dict[str, str]:
    return {name: str(made_row(i, "m", "method", 0, 0.0)[name]) for name in ("collection", "film_id", "film")} | {
        "doubt": doubt
    }


def test_a_film_is_a_row_for_each_doubt_or_one_for_none() -> None:
    notes = Note("turned", "Turned."), Note("lateral", "From the side.", True), Note("modality", "Unsure.", True)
    film = Radiograph(np.eye(8))
    assert doubt_rows("a", "b", film) == [{"collection": "a", "film_id": "b", "film": film.digest, "doubt": ""}]
    codes = [found["doubt"] for found in doubt_rows("a", "b", Radiograph(np.eye(8), notes=notes))]
    assert codes == ["lateral", "modality"]


def test_the_report_says_how_many_and_which(store: Store, tmp_path: Path) -> None:
    doubtful = [row(0, "lateral"), row(0, "body-part"), row(1, "lateral"), row(1, "lateral"), row(5, "")]
    store.write([], [], {}, doubtful + [row(i, "") for i in range(2, FILMS)] + [row(FILMS + 3, "lateral")])
    said = f"2 of {FILMS} films were read with a doubt (lateral: 2; body part: 1)."
    assert doubts_in_words(doubts_of(store)) == said
    write_report(store, tmp_path / "report")
    assert said in (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    table = pd.read_csv(tmp_path / "report" / "doubts.csv")
    assert sorted(zip(table.film_id, table.doubt)) == [
        ("film-0-0", "body-part"), ("film-0-0", "lateral"), ("film-1-1", "lateral"),
    ]  # fmt: skip


def test_none_is_told_from_unknown(store: Store) -> None:
    shutil.rmtree(store.folder / "films")
    assert "unknown" in doubts_in_words(doubts_of(store))
    store.make()
    store.write([], [], {}, [row(0, ""), row(1, "lateral")])
    assert doubts_in_words(doubts_of(store)) == (
        f"1 of {FILMS} films was read with a doubt (lateral: 1); of {FILMS - 2} it is unknown."
    )
    store.write([], [], {}, [row(i, "") for i in range(2, FILMS)])
    assert doubts_in_words(doubts_of(store)) == f"1 of {FILMS} films was read with a doubt (lateral: 1)."
