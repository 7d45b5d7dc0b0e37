"""The survey over a collection: which films count, and the means it states."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from classifiers.families import random_classifier
from evaluation.survey import as_markdown, cases, summary, survey
from radiographs import Annotation, Radiograph
from radiographs.collection import Collection, CollectionCard, FilmEntry


class Three(Collection):
    name = "three"
    card = CollectionCard("Three", "s", "a", "l", "c")

    def __init__(self, finding: str) -> None:
        self.finding = finding

    def missing(self) -> None:
        return None

    def entries(self) -> list[FilmEntry]:
        shared = {"labels": (self.finding,), "annotated": (self.finding,)}
        return [
            FilmEntry("a", patient="p1", part="test", **shared),
            FilmEntry("b", patient="p2", **shared),
            FilmEntry("c", patient="p3", part="train", **shared),
            FilmEntry("d", patient="p4"),
        ]

    def read(self, film_id: str) -> Radiograph:
        rng = np.random.default_rng(ord(film_id))
        return Radiograph(rng.random((64, 64), dtype=np.float32))

    def annotations(self, film_id: str) -> list[Annotation]:
        mask = np.zeros((64, 64), dtype=bool)
        mask[8:24, 8:24] = True
        return [Annotation(self.finding, mask, "box", "r")]


@pytest.fixture(scope="module")
def classifier():
    return random_classifier("resnet", n_findings=2, side=64, seed=0)


def test_films_of_training_patients_do_not_count(classifier) -> None:
    found = cases(classifier, Three(classifier.findings[0]), None, np.random.default_rng(0))
    assert [entry.film_id for entry, _ in found] == ["a", "b"]


def test_fewer_films_a_finding_on_request(classifier) -> None:
    assert len(cases(classifier, Three(classifier.findings[0]), 1, np.random.default_rng(0))) == 1


def test_survey_scores_methods_beside_baselines(classifier) -> None:
    rows = survey(classifier, Three(classifier.findings[0]), {"grad-cam": None, "jacobian": None})
    assert set(rows.film) == {"a", "b"}
    assert {"grad-cam", "jacobian", "uniform", "centre-prior", "chance"} <= set(rows.name)
    table = summary(rows).set_index("name")
    chance = (16 * 16) / (64 * 64)
    assert table.loc["chance", "pointing_game"] == pytest.approx(chance)
    assert table.loc["uniform", "pointing_game"] == pytest.approx(chance)
    assert table.loc["grad-cam", "pairs"] == 2


def test_summary_takes_the_mean_and_keeps_n() -> None:
    rows = pd.DataFrame(
        {
            "film": ["a", "b", "c"], "patient": ["p", "p", "q"], "finding": "F", "name": "m", "title": "M",
            "kind": "method", "seconds": [1.0, 2.0, 9.0], "pointing_game": [1.0, 0.0, np.nan],
        }
    )  # fmt: skip
    row = summary(rows, ["pointing_game"]).iloc[0]
    assert row.pointing_game == 0.5
    assert row.seconds == 2.0
    assert row.pairs == 3
    assert "| M |" in as_markdown(summary(rows, ["pointing_game"]), ["pointing_game"])
