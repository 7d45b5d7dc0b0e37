"""What a run says of itself, as it is read again, also where another version or a hand wrote it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from evaluation.runs.run_progress import RunProgress, read_progress, unfinished_words


@pytest.fixture
def written(tmp_path: Path):
    def read(content: object) -> RunProgress | None:
        path = tmp_path / "status.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return read_progress(path)

    return read


def test_what_was_said_is_read(written) -> None:
    said = RunProgress("running", 24, 9, 3, 1, 60.5, 6.0, 150.0, 2, "", 1.7e9)
    assert written(asdict(said)) == said
    assert said.share == 9 / 24


def test_fields_that_are_missing_or_no_such_numbers_are_not_known(written) -> None:
    wrong = {"films": "many", "done": -1, "per_minute": None, "left": 10**400, "workers": 1.5, "failures": True}
    assert written({"state": "running", "error": 3, "seconds": float("nan"), **wrong}) == RunProgress("running")
    assert written({"state": "stopped", "new": 1}) == RunProgress("stopped")


def test_more_done_than_there_is_fills_the_bar(written) -> None:
    assert written({"state": "running", "films": 2, "done": 5}).share == 1


@pytest.mark.parametrize("content", ["", "[]", "{", "[" * 100_000, {"state": "dreaming"}, {"state": []}, {"done": 3}])
def test_what_is_no_such_file_says_nothing(written, content) -> None:
    assert written(content) is None


def test_a_run_that_is_not_done_is_called_so() -> None:
    assert unfinished_words(None) == unfinished_words(RunProgress("done", 3, 3)) == ""
    assert unfinished_words(RunProgress("stopped", 24, 9)) == "This run is not finished: 9 of 24 films are scored."
    assert unfinished_words(RunProgress("stopped")) == "This run is not finished: 0 of ? films are scored."
