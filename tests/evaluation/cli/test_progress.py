"""Progress: drawn anew on a terminal, a line a minute elsewhere, nothing where work is short."""

import sys

import pytest

from evaluation.cli import progress
from evaluation.cli.progress import EVERY_SECONDS, ProgressLine


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_a_pipe_gets_a_line_a_minute(clock, capsys):
    line = ProgressLine()
    for second in range(150):
        clock[0] = 100.0 + second
        line.share("lime", second / 150)
    said = capsys.readouterr().err.splitlines()
    assert EVERY_SECONDS == 60
    assert said == ["lime  40%", "lime  80%"]


def test_short_work_says_nothing_in_a_pipe(clock, capsys):
    ProgressLine().share("lime", 1.0)
    assert capsys.readouterr().err == ""


def test_a_terminal_has_one_line_and_no_remains_of_longer_words(clock, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    line = ProgressLine()
    line.show("12 of 30 films")
    line.bytes(1, 1, 2_000_000, 2_000_000)
    line.show("a", ended=True)
    assert capsys.readouterr().err == "\r12 of 30 films\r1 of 1 files, 2.0 of 2.0 MB\n\ra\n"
