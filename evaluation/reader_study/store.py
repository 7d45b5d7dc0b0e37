"""A study on disk: what was opened, who reads, and every answer, each of which outlasts whatever happens next."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from evaluation.reader_study import design
from evaluation.reader_study.design import StudyTrial
from evaluation.reader_study.material import StudyMaterial, Told, prepare
from evaluation.reader_study.results import studies_folder
from evaluation.reader_study.study_file import Study, StudyError, parse_study
from radiographs.files import append_line, write_text

DAY = 86400.0
CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""No letters that are taken for one another."""
CODE_LENGTH = 8


class AnsweredError(StudyError):
    """The case was answered before, or it is not this reader's turn to answer it."""


@dataclass(frozen=True)
class Answer:
    """What a reader answered to one trial.

    Attributes:
        trial: its number. given: answers by question. seconds: since the film was first shown.
        interrupted: whether it was shown again in between, as after a reload. late: whether the time was over.
        time: when, in seconds since 1970.
    """

    trial: int
    given: Mapping[str, Any]
    seconds: float
    interrupted: bool
    late: bool
    time: float


@dataclass(frozen=True)
class ReaderTurn:
    """Where a reader stands.

    Attributes:
        trial: the one to read now; None where they have to wait, or are done. wait_until: when the next session may
            begin, in seconds since 1970; 0 where they are done. done, whole: trials answered, and all of them.
    """

    trial: StudyTrial | None
    wait_until: float
    done: int
    whole: int


def studies() -> list[StudyStore]:
    """All studies that were opened on this computer, by name; those that cannot be read are left out."""
    found = []
    for folder in sorted(studies_folder().glob("*")):
        try:
            found.append(StudyStore(folder))
        except StudyError:
            continue
    return found


def new_secret() -> bytes:
    """Thirty-two random bytes, from which follows who reads what."""
    return secrets.token_bytes(32)


class StudyStore:
    """One study that was opened.

    Raises:
        StudyError: there is none in the folder, or its file is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._trials: dict[int, list[StudyTrial]] = {}
        try:
            self.study: Study = parse_study((folder / "study.toml").read_text(encoding="utf-8"))
            self._secret = bytes.fromhex((folder / "secret").read_text(encoding="ascii").strip())
        except (OSError, ValueError) as error:
            raise StudyError(f"there is no study that can be read in {folder.name}") from error

    @classmethod
    def create(cls, study: Study, told: Told = lambda doing, share: None) -> StudyStore:
        """Open a study: draw its secret, make what readers are shown, and only then let it be seen.

        Raises:
            StudyError: it was opened before, or something of it cannot be had. OSError: it cannot be written.
        """
        folder = studies_folder() / study.slug
        if (folder / "study.toml").exists():
            raise StudyError(f"the study {study.name!r} was opened before; `lightbox study open` adds readers to it")
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / "answers").mkdir(exist_ok=True)
        secret = new_secret()
        prepare(study, secret, folder, told).save(folder / "material.json")
        hidden = folder / "secret"
        write_text(hidden, secret.hex() + "\n", durable=True)
        os.chmod(hidden, 0o600)
        write_text(folder / "study.toml", study.text, durable=True)
        return cls(folder)

    @classmethod
    def find(cls, name: str) -> StudyStore:
        """The study of this slug, or of this name where it is the only one.

        Raises:
            StudyError: there is none, or several have the name.
        """
        found = [one for one in studies() if name in (one.slug, one.study.name)]
        if len(found) == 1:
            return found[0]
        known = ", ".join(one.slug for one in studies()) or "none"
        raise StudyError(f"there is {'no' if not found else 'more than one'} study {name!r} here; there are: {known}")

    @property
    def slug(self) -> str:
        """Name of the study's folder, and in addresses."""
        return self.folder.name

    @cached_property
    def material(self) -> StudyMaterial:
        """What is known of cases and maps."""
        return StudyMaterial.load(self.folder / "material.json")

    @property
    def closed(self) -> bool:
        """Whether no more is answered, and the key may be seen."""
        return (self.folder / "closed.json").exists()

    def close(self) -> None:
        """End the study: nobody answers any more, and which letter stood for which arm is written beside it."""
        if not self.closed:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            key = {letter: arm for arm, letter in sorted(self._letters.items(), key=lambda pair: pair[1])}
            write_text(self.folder / "closed.json", json.dumps({"time": now, "key": key}, indent=1), durable=True)

    def key(self) -> dict[str, str]:
        """Arm by letter.

        Raises:
            StudyError: the study is still open.
        """
        if not self.closed:
            raise StudyError(f"the study {self.study.name!r} is still open: which map is which stays sealed until then")
        return {letter: arm for arm, letter in self._letters.items()}

    @cached_property
    def _letters(self) -> dict[str, str]:
        return design.letters(self.study, self._secret)

    # Readers: a line each for a code given out, an account that joined, and a browser that gave a code.

    def _lines(self, path: Path) -> list[dict[str, Any]]:
        """All whole lines of a file; what a killed program left unfinished is no line."""
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return []
        try:
            return [json.loads(line) for line in content[: content.rfind(b"\n") + 1].splitlines()]
        except (ValueError, RecursionError) as error:
            raise StudyError(f"{path.name} of the study is damaged; look at it before anybody reads on") from error

    def _readers(self) -> list[dict[str, Any]]:
        return self._lines(self.folder / "readers.jsonl")

    @property
    def readers(self) -> list[int]:
        """Numbers of all readers that were let in, from 1."""
        return sorted({line["reader"] for line in self._readers() if "secret" in line})

    def add_readers(self, count: int) -> dict[int, str]:
        """Let more readers in; their codes by number, which are written nowhere."""
        first = len(self.readers) + 1
        made = {
            first + place: "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH)) for place in range(count)
        }
        for number, code in made.items():
            self._let_in(number, _digest(code))
        return made

    def _let_in(self, number: int, digest: str) -> None:
        append_line(self.folder / "readers.jsonl", json.dumps({"reader": number, "secret": digest}))

    def reader_of(self, code_or_account: str) -> int | None:
        """The reader with this code (small letters and blanks do not matter) or account; None where there is none."""
        given = (_digest(code_or_account), _digest(code_or_account.replace(" ", "").replace("-", "").upper()))
        return next((line["reader"] for line in self._readers() if line.get("secret") in given), None)

    def join(self, account: str) -> int:
        """The reader with this account, who is let in where they are new."""
        known = self.reader_of(account)
        if known is None:
            known = len(self.readers) + 1
            self._let_in(known, _digest(account))
        return known

    def remember(self, browser: str, reader: int | None) -> None:
        """Note that a reader sits at a browser, so that a reload asks for no code; None that nobody does any more."""
        append_line(self.folder / "readers.jsonl", json.dumps({"browser": _digest(browser), "reader": reader}))

    def reader_at(self, browser: str) -> int | None:
        """The reader who last gave a code at this browser; None where nobody did."""
        wanted = _digest(browser)
        return next((line["reader"] for line in reversed(self._readers()) if line.get("browser") == wanted), None)

    # Answers: a file a reader, a line each time that a case is shown or answered.

    def _answers_path(self, reader: int) -> Path:
        return self.folder / "answers" / f"reader-{reader:03}.jsonl"

    def trials(self, reader: int) -> list[StudyTrial]:
        """All that a reader reads, in order."""
        if reader not in self._trials:
            self._trials[reader] = design.trials(self.study, self.material.present(), reader, self._secret)
        return self._trials[reader]

    def letter(self, trial: StudyTrial) -> str:
        """By which letter the reader knows the trial's map; "" where there is none."""
        return self._letters.get(self.study.arms[trial.arm].name, "")

    def map_name(self, trial: StudyTrial) -> str:
        """Name of the trial's map among the stored ones."""
        return design.map_name(self._secret, trial.part, trial.case, trial.arm)

    def answers(self, reader: int) -> dict[int, Answer]:
        """What a reader answered so far, the last answer to each trial, by trial."""
        lines = self._lines(self._answers_path(reader))
        return {
            line["trial"]: Answer(
                line["trial"], line["answers"], line["seconds"], line["interrupted"], line["late"], line["time"]
            )
            for line in lines
            if line["event"] == "answered"
        }

    def turn(self, reader: int, now: float | None = None) -> ReaderTurn:
        """Where a reader stands now."""
        now = time.time() if now is None else now
        trials, answered = self.trials(reader), self.answers(reader)
        left = [trial for trial in trials if trial.number not in answered]
        done, whole = len(trials) - len(left), len(trials)
        if not left:
            return ReaderTurn(None, 0.0, done, whole)
        session = left[0].session
        earlier = [answered[t.number].time for t in trials if t.session < session and t.number in answered]
        begun = any(t.session == session and t.part != "practice" and t.number in answered for t in trials)
        until = max(earlier, default=-DAY * self.study.washout_days) + DAY * self.study.washout_days
        return ReaderTurn(left[0], 0.0, done, whole) if begun or now >= until else ReaderTurn(None, until, done, whole)

    def shown(self, reader: int, trial: StudyTrial, now: float | None = None) -> float:
        """Note that a trial's film is shown now; returns when it was shown first."""
        now = time.time() if now is None else now
        first = self._first_shown(reader, trial)
        line = {"event": "shown", "trial": trial.number, "time": now}
        append_line(self._answers_path(reader), json.dumps(line))
        return now if first is None else first

    def _shown(self, reader: int, trial: StudyTrial) -> list[float]:
        lines = self._lines(self._answers_path(reader))
        return [line["time"] for line in lines if line["event"] == "shown" and line["trial"] == trial.number]

    def _first_shown(self, reader: int, trial: StudyTrial) -> float | None:
        return min(self._shown(reader, trial), default=None)

    def answer(self, reader: int, trial: StudyTrial, given: Mapping[str, Any], now: float | None = None) -> None:
        """Store an answer; once this returns, it outlasts whatever happens.

        Args:
            given: answers by question.

        Raises:
            AnsweredError: the trial was answered and the study lets nobody change it, or another one comes first.
            StudyError: the study is closed. OSError: the answer cannot be written; nothing answered before is lost.
        """
        if self.closed:
            raise StudyError("the study is closed; nothing more can be answered")
        now = time.time() if now is None else now
        known, turn = self.answers(reader), self.turn(reader, now)
        if trial.number in known and not self.study.back:
            raise AnsweredError("This case was answered already; answers to this study cannot be changed")
        if trial.number not in known and (turn.trial is None or turn.trial.number != trial.number):
            raise AnsweredError("Another case comes first")
        shown = self._shown(reader, trial)
        seconds = now - min(shown, default=now)
        limit = self.study.seconds_per_case
        line = {
            "event": "answered", "trial": trial.number, "time": now, "seconds": round(seconds, 2),
            "interrupted": len(shown) > 1, "late": bool(limit and seconds > limit + 1), "answers": dict(given),
        }  # fmt: skip
        append_line(self._answers_path(reader), json.dumps(line, allow_nan=False))


def _digest(text: str) -> str:
    return hashlib.sha256(f"reader {text}".encode()).hexdigest()
