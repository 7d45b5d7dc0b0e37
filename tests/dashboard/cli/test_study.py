"""``lightbox study`` from the plan to the report, in sentences where something is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard.cli.main import main
from evaluation.reader_study.store import StudyStore
from evaluation.reader_study.study_file import read_study
from radiographs.places import asset
from tests.evaluation.reader_study.made import study_text, tiny_world  # noqa: F401
from tests.evaluation.reader_study.test_analysis import read_study as read_all


def test_a_study_is_opened_read_closed_and_reported(tiny_world, capsys):  # noqa: F811
    file = tiny_world / "study.toml"
    file.write_text(study_text())
    assert main(["study", "open", str(file), "--readers", "3"]) == 0
    said = capsys.readouterr().out
    assert said.count("reader ") == 3
    assert "grad-cam" not in said
    assert main(["study", "open", str(file), "--readers", "1"]) == 0
    assert "reader 4: " in capsys.readouterr().out
    store = StudyStore.find("Tiny study")
    for reader in store.readers[:3]:
        read_all(store, reader, np.random.default_rng(reader))
    assert main(["study", "status", "Tiny study", "--csv", str(tiny_world / "so-far.csv")]) == 0
    said = capsys.readouterr().out
    assert "reader 1: 14 of 14" in said
    assert "reader 4: 0 of 14" in said
    sealed = (tiny_world / "so-far.csv").read_text()
    assert "grad-cam" not in sealed + said
    out = str(tiny_world / "out")
    assert main(["study", "report", "Tiny study", "--out", out]) == 2
    assert "still open" in capsys.readouterr().err
    assert main(["study", "close", store.slug]) == 0
    assert "grad-cam" in capsys.readouterr().out
    assert main(["study", "report", "Tiny study", "--out", out]) == 0
    assert "Accuracy: " in capsys.readouterr().out
    assert (tiny_world / "out" / "report.html").is_file()
    assert main(["study", "open", str(file)]) == 2
    assert "is closed" in capsys.readouterr().err


def test_a_plan_says_how_many_readers_and_cases(tmp_path, capsys):
    file = tmp_path / "study.toml"
    file.write_text(study_text(further="effect = 0.2"))
    assert main(["study", "plan", str(file), "--simulations", "3"]) == 0
    said = capsys.readouterr().out
    assert "Nothing is wrong in the file" in said
    assert "readers  cases  power" in said
    assert main(["study", "plan", str(file), "--present", "2"]) == 2


@pytest.mark.parametrize(
    ("text", "words"), [("name = [", "not TOML"), ('name = "a"', "cases: the study needs at least one")]
)
def test_a_wrong_file_is_one_line(tmp_path, capsys, text, words):
    (tmp_path / "study.toml").write_text(text)
    assert main(["study", "plan", str(tmp_path / "study.toml")]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert len(said.splitlines()) == 1


def test_the_example_needs_only_what_the_project_ships():
    study = read_study(asset("studies", "mass.toml"))
    assert {case.film.split("/")[0] for case in (*study.cases, *study.practice, *study.checks)} == {"known-truth"}
    assert {case.model for case in study.cases} == {"known-truth"}
