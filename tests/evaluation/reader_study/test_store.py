"""Answers outlast kills and full disks, nothing is answered twice, and the key stays sealed until the study closes."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from evaluation.reader_study.store import DAY, AnsweredError, StudyStore, studies
from evaluation.reader_study.study_file import StudyError
from tests.evaluation.reader_study.made import made_study, tiny_world  # noqa: F401

GIVEN = {"present": True, "confidence": 80}


@pytest.fixture
def store(tiny_world) -> StudyStore:  # noqa: F811
    return StudyStore.create(made_study())


def read_on(store: StudyStore, reader: int, count: int, now: float = 1000.0) -> None:
    for _ in range(count):
        trial = store.turn(reader, now).trial
        assert trial is not None
        store.shown(reader, trial, now)
        store.answer(reader, trial, GIVEN, now + 5)
        now += 10


def test_codes_let_readers_in_again_on_any_device(store):
    codes = store.add_readers(2)
    assert store.readers == [1, 2]
    assert store.reader_of(codes[2].lower()) == 2
    assert store.reader_of("ABCDEFGH") is None
    assert not any(codes[1].encode() in path.read_bytes() for path in store.folder.rglob("*") if path.is_file())
    assert store.join("account") == 3
    assert store.join("account") == 3
    store.remember("browser", 2)
    assert store.reader_at("browser") == 2
    store.remember("browser", None)
    assert store.reader_at("browser") is None
    assert list(store.add_readers(1)) == [4]


def test_a_reader_goes_on_where_they_stopped_and_never_back(store):
    store.add_readers(1)
    read_on(store, 1, 3)
    again = StudyStore(store.folder)
    turn = again.turn(1)
    assert (turn.done, turn.whole, turn.trial.number) == (3, 14, 4)
    with pytest.raises(AnsweredError, match="answered already"):
        again.answer(1, again.trials(1)[1], GIVEN)
    with pytest.raises(AnsweredError, match="Another case"):
        again.answer(1, again.trials(1)[8], GIVEN)
    assert [one.seconds for one in again.answers(1).values()] == [5.0, 5.0, 5.0]


def test_an_interruption_and_a_late_answer_are_noted(tiny_world):  # noqa: F811
    store = StudyStore.create(made_study(further="seconds_per_case = 30\nback = true"))
    store.add_readers(1)
    trial = store.turn(1).trial
    assert store.shown(1, trial, 100.0) == 100.0
    assert store.shown(1, trial, 400.0) == 100.0
    store.answer(1, trial, GIVEN, 405.0)
    first = store.answers(1)[trial.number]
    assert (first.interrupted, first.late, first.seconds) == (True, True, 305.0)
    store.answer(1, trial, {"present": False, "confidence": 5}, 410.0)
    assert store.answers(1)[trial.number].given["present"] is False, "where the study allows it, the last answer counts"


def test_a_crossover_waits_between_its_sessions(tiny_world):  # noqa: F811
    store = StudyStore.create(made_study(further='design = "crossover"\nwashout_days = 2'))
    store.add_readers(1)
    first_session = sum(trial.session == 1 for trial in store.trials(1))
    read_on(store, 1, first_session)
    last = max(one.time for one in store.answers(1).values())
    waiting = store.turn(1, last + DAY)
    assert waiting.trial is None
    assert waiting.wait_until == last + 2 * DAY
    assert store.turn(1, last + 2 * DAY).trial.session == 2


def test_a_full_disk_is_said_and_loses_nothing(store, monkeypatch):
    store.add_readers(1)
    read_on(store, 1, 2)
    before = (store.folder / "answers" / "reader-001.jsonl").read_bytes()
    trial = store.turn(1).trial

    def full(number: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="the disk is full"):
            store.answer(1, trial, GIVEN)
    assert (store.folder / "answers" / "reader-001.jsonl").read_bytes() == before
    store.answer(1, trial, GIVEN)
    assert len(store.answers(1)) == 3


def test_a_half_written_line_is_no_answer_and_hinders_none(store):
    store.add_readers(1)
    read_on(store, 1, 2)
    path = store.folder / "answers" / "reader-001.jsonl"
    with path.open("ab") as file:
        file.write(b'{"event": "answered", "trial": 3, "ti')
    assert len(store.answers(1)) == 2
    read_on(store, 1, 1)
    assert len(store.answers(1)) == 3
    assert b'"ti{' not in path.read_bytes()
    path.write_bytes(b"nonsense\n")
    with pytest.raises(StudyError, match=r"reader-001\.jsonl of the study is damaged"):
        store.answers(1)


KILLED = """
import os, signal, sys
from pathlib import Path
from evaluation.reader_study import store
from evaluation.reader_study.store import StudyStore
one = StudyStore(Path(sys.argv[1]))
for _ in range(4):
    trial = one.turn(1).trial
    one.shown(1, trial)
    one.answer(1, trial, {"present": True, "confidence": 60})
    print(trial.number, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_answered_outlasts_a_killed_program(store):
    store.add_readers(1)
    command = [sys.executable, "-c", KILLED, str(store.folder)]
    killed = subprocess.run(command, cwd=Path(__file__).parents[3], capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert killed.stdout.split() == ["1", "2", "3", "4"]
    assert store.turn(1).done == 4


def test_the_key_is_sealed_until_the_study_closes(store):
    store.add_readers(1)
    read_on(store, 1, 4)
    with pytest.raises(StudyError, match="still open"):
        store.key()
    told = "".join(path.read_text() for path in (store.folder / "answers").iterdir())
    assert "grad-cam" not in told
    assert "arm" not in told
    assert (store.folder / "secret").stat().st_mode & 0o077 == 0
    store.close()
    assert sorted(store.key()) == ["A", "B"]
    assert json.loads((store.folder / "closed.json").read_text())["key"] == dict(sorted(store.key().items()))
    with pytest.raises(StudyError, match="closed"):
        store.answer(1, store.turn(1).trial, GIVEN)


def test_studies_are_found_by_name_and_damaged_ones_left_out(store, tiny_world):  # noqa: F811
    (tiny_world / "studies" / "damaged").mkdir()
    assert [one.slug for one in studies()] == [store.slug]
    assert StudyStore.find("Tiny study").slug == store.slug
    with pytest.raises(StudyError, match=f"there are: {store.slug}"):
        StudyStore.find("other")
    with pytest.raises(StudyError, match="was opened before"):
        StudyStore.create(store.study)
