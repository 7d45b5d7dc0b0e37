"""A study file is read whole, or refused with a sentence that names what is wrong."""

from __future__ import annotations

import pytest

from evaluation.reader_study.study_file import StudyError, parse_study, read_study
from tests.evaluation.reader_study.made import made_study, study_text

WRONG = {
    "name = [": "not TOML",
    "": "name: the study needs a name",
    study_text(further='desing = "crossover"'): "did you mean 'design'",
    study_text(further='design = "crosover"'): "did you mean 'crossover'",
    study_text(further='questions = ["confidence"]'): "add 'present'",
    study_text(further='questions = ["presence"]'): "did you mean 'present'",
    study_text(further="washout_days = -1"): "washout_days: expected a number of 0 or more",
    study_text(further="back = 1"): "back: expected true or false",
    study_text(further="effect = 0.7"): "effect: expected a gain between 0 and 0.5",
    study_text(further="effect = nan"): "effect: expected a number of 0 or more",
    study_text(2): "2 cases cannot be shared among 3 arms",
    study_text().replace('"grad-cam"', '"grad-can"'): "did you mean 'grad-cam'",
    study_text().replace('kind = "random"', 'kind = "none"'): "two arms 'no map'",
    study_text().replace("film-21", "film-03"): "is also among the cases",
    study_text().replace('film = "reader-films/film-01"', "film = 7"): "cases, number 2: film",
    study_text().replace("present = true", ""): "checks: reader-films/film-21: say whether it is present",
    study_text().replace('method = "grad-cam"', 'method = "grad-cam"\nparameters = {layers = 3}'): "grad-cam",
    study_text().replace("film-05", "film-04"): "one film stands there twice",
}


@pytest.mark.parametrize(("text", "words"), WRONG.items(), ids=list(WRONG.values()))
def test_what_is_wrong_is_said(text: str, words: str):
    with pytest.raises(StudyError, match=words.replace("(", r"\(")):
        parse_study(text)


def test_a_file_that_is_not_there_or_no_text_is_a_sentence(tmp_path):
    with pytest.raises(StudyError, match="there is no study file"):
        read_study(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StudyError, match="cannot be read"):
        read_study(tmp_path / "bytes.toml")


def test_what_the_file_says_once_holds_for_all_cases():
    study = made_study()
    assert {(case.model, case.finding) for case in (*study.cases, *study.practice)} == {("tiny", "Nodule")}
    assert [arm.name for arm in study.arms] == ["no map", "grad-cam", "random"]
    assert study.slug.startswith("tiny-study-")
    assert study.slug != made_study(further="washout_days = 3").slug
