import numpy as np
import pandas as pd
import pytest

from evaluation.stability.__main__ import main
from evaluation.stability.perturbations import PERTURBATIONS
from evaluation.stability.survey import as_markdown, chosen_films, error_detection, quantiles, survey
from tests.dashboard.made import TinyCollection, tiny_classifier


def test_films_of_training_patients_are_left_out_and_the_draw_is_the_seed_s(monkeypatch):
    collection, card = TinyCollection(), tiny_classifier().card
    assert [entry.film_id for entry in chosen_films(collection, 10, card)] == ["film-0", "film-2"]
    assert chosen_films(collection, 1, card, seed=3) == chosen_films(collection, 1, card, seed=3)
    with pytest.raises(ValueError, match="--films"):
        chosen_films(collection, 0, card)
    digest = collection.read("film-2").digest
    monkeypatch.setattr("classifiers.training_films.can_be_recognised", lambda card: True)
    monkeypatch.setattr("classifiers.training_films.is_training_film", lambda card, film: film.digest == digest)
    assert [entry.film_id for entry in chosen_films(collection, 10, card)] == ["film-0"]


def test_one_row_a_film_and_finding_and_a_summary():
    collection, shares = TinyCollection(), []
    rows = survey(
        tiny_classifier(), collection, chosen_films(collection, 2, tiny_classifier().card), progress=shares.append
    )
    assert shares == [0.5, 1.0]
    assert len(rows) == 4
    assert rows["labelled"].tolist() == [True, False, False, False]
    assert (rows["called"] == (rows["margin"] > 0)).all()
    asked = rows["labelled"] | rows["called"]
    assert (rows["radius"].notna() == asked).all()
    text = as_markdown(rows)
    assert "2 films" in text
    assert all(p.title in text for p in PERTURBATIONS)


def test_a_detector_that_knows_every_error_gets_one_and_its_reverse_nothing():
    count = 40
    wrong = np.arange(count) < 10
    rows = pd.DataFrame(
        {
            "patient": [str(n) for n in range(count)],
            "called": wrong,
            "labelled": np.zeros(count, dtype=bool),
            "distance": np.where(wrong, 0.1, 1.0),
            "margin": np.where(wrong, 5.0, 0.5),
            **{f"flip_{p.name}": False for p in PERTURBATIONS},
        }
    )
    found = error_detection(rows)
    assert found["distance"].value == 1
    assert found["confidence"].value == 0
    assert found["flips"].value == 0.5


def test_quantiles_keep_what_is_beyond_and_leave_out_what_is_not_known():
    assert quantiles(pd.Series([1.0, np.nan, np.inf, 2.0])) == (1.0, 2.0, np.inf)
    assert np.isnan(quantiles(pd.Series([np.nan]))).all()


def test_the_command_says_what_is_wrong_in_one_line(tmp_path, capsys):
    out = str(tmp_path / "rows.csv")
    assert main(["--model", "none-such", "--collection", "known-truth", "--out", out]) == 2
    assert main(["--model", "known-truth", "--collection", "none-such", "--out", out]) == 2
    assert capsys.readouterr().err.count("\n") == 2
