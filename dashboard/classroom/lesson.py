"""A lesson as its teacher wrote it: ``lesson.toml``, and ``notes.md`` for the teacher alone (docs/lessons.md)."""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifiers.registry import list_models
from evaluation.stability.perturbations import PERTURBATIONS
from radiographs.registry import collections
from xai_methods import methods

LONGEST_TEXT, LONGEST_LINE, MOST_STEPS, MOST_CHOICES = 4000, 300, 40, 8
_LARGEST_FILE = 256 * 1024
_SUBJECT = {"film", "model", "finding"}
_ALWAYS = {"kind", "title"}
KINDS: dict[str, tuple[set[str], set[str]]] = {
    "tell": (set(), {*_SUBJECT, "methods", "better"}),
    "choose": ({"question", "choices"}, {*_SUBJECT, "methods", "better", "answer"}),
    "point": ({"question", *_SUBJECT}, {"methods", "better"}),
    "which-map": ({"question", "methods", *_SUBJECT}, {"better"}),
    "two-models": ({"question", "methods", "second", *_SUBJECT}, {"better"}),
    "shortcut": ({"question", "choices", "answer", "methods", "films", "changed", "model", "finding"}, set()),
    "counterfactual": ({"question", *_SUBJECT}, {"better"}),
    "stability": ({"question", "changes", *_SUBJECT}, {"better"}),
}
"""Kinds of steps: the keys that each needs beside kind and title, and further ones that it may have."""
_TEXTS = {"title": LONGEST_LINE, "question": LONGEST_LINE, "text": LONGEST_TEXT, "reveal": LONGEST_TEXT}
_LINES = ("film", "model", "finding", "second")
_LISTS = ("methods", "films", "changed", "choices", "changes")


class LessonError(ValueError):
    """A lesson cannot be used. The message says which file, what is wrong and what to do."""


@dataclass(frozen=True)
class Subject:
    """A film (``collection/film-id``), a model and a finding by their names; "" where a step needs none."""

    film: str = ""
    model: str = ""
    finding: str = ""


@dataclass(frozen=True)
class LessonStep:
    """One thing on the screen.

    Attributes:
        kind: one of :data:`KINDS`. title, text: above the question. question: what is asked. reveal: words once shown.
        subjects: what it is about, the best first; the first whose film is at hand is taken.
        methods: names of explanation methods. second: name of the model beside the subject's.
        films, changed: of a shortcut, films as the model met them, and each without what it looks at.
        choices: answers to choose from; answer: place of the right one, None where there is none or it is measured.
        changes: names of everyday changes of a film.
        notes: for the teacher alone, Markdown.
    """

    kind: str
    title: str
    text: str = ""
    question: str = ""
    reveal: str = ""
    subjects: tuple[Subject, ...] = ()
    methods: tuple[str, ...] = ()
    second: str = ""
    films: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    answer: int | None = None
    changes: tuple[str, ...] = ()
    notes: str = ""

    @property
    def asks(self) -> bool:
        """Whether students answer."""
        return self.kind != "tell"

    @property
    def marks(self) -> bool:
        """Whether they answer with a mark on the film."""
        return self.kind in ("point", "counterfactual")


@dataclass(frozen=True)
class Lesson:
    """A lesson.

    Attributes:
        name: its folder's. title, summary: for people. minutes: about how long it takes. order: place in lists.
        steps: one after the other. notes: before the first step, for the teacher alone. digest: of its files.
    """

    name: str
    title: str
    summary: str
    minutes: int
    order: int
    steps: tuple[LessonStep, ...]
    notes: str
    digest: str


def read_lesson(folder: Path) -> Lesson:
    """Read and check one lesson.

    Raises:
        LessonError: a file cannot be read, or something in it is missing, unknown or wrong.
    """
    file = folder / "lesson.toml"
    try:
        text, notes = _text_of(file), _text_of(folder / "notes.md") if (folder / "notes.md").is_file() else ""
        given = tomllib.loads(text)
        return _lesson(folder.name, given, notes, hashlib.sha256(f"{text}\n{notes}".encode()).hexdigest())
    except OSError as error:
        raise LessonError(f"{file} cannot be read: {error.strerror}. Check the folder and its permissions.") from error
    except (ValueError, RecursionError) as error:
        raise LessonError(f"{file} is no lesson yet: {error}. Mend it and load the page again.") from error


def _text_of(path: Path) -> str:
    if path.stat().st_size > _LARGEST_FILE:
        raise ValueError(f"{path.name} is larger than {_LARGEST_FILE // 1024} kB")
    return path.read_text(encoding="utf-8")


def _lesson(name: str, given: dict[str, Any], notes: str, digest: str) -> Lesson:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,59}", name):
        raise ValueError(f"its folder's name has small letters, digits and '-', unlike {name!r}")
    _check_keys(given, {"title", "summary", "minutes", "step"}, {"order"}, "the lesson")
    steps = given["step"]
    if not isinstance(steps, list) or not 0 < len(steps) <= MOST_STEPS:
        raise ValueError(f"it has 1 to {MOST_STEPS} steps, each under a line [[step]]")
    for key in ("minutes", "order"):
        if not isinstance(given.get(key, 1), int) or not 0 < given.get(key, 1) < 1000:
            raise ValueError(f"{key} is a whole number from 1 to 999")
    first, by_title = _notes(notes)
    read = tuple(_step(one, f"step {place}", by_title) for place, one in enumerate(steps, start=1))
    lost = by_title.keys() - {step.title for step in read}
    if lost:
        raise ValueError(f"notes.md has a heading that is no step's title, {sorted(lost)[0]!r}")
    texts = (_line(given, "title", LONGEST_LINE, "the lesson"), _line(given, "summary", LONGEST_LINE, "the lesson"))
    return Lesson(name, *texts, given["minutes"], given.get("order", 500), read, first, digest)


def _notes(text: str) -> tuple[str, dict[str, str]]:
    """The notes before the first heading ``## ...``, and those below each, by heading."""
    first, *parts = re.split(r"^## +(.+?) *$", text, flags=re.MULTILINE)
    return first.strip(), dict(zip(parts[::2], (part.strip() for part in parts[1::2])))


def _step(given: Any, where: str, notes: dict[str, str]) -> LessonStep:
    if not isinstance(given, dict):
        raise ValueError(f"{where} stands under a line [[step]]")
    kind = given.get("kind")
    if kind not in KINDS:
        raise ValueError(f"{where} has the kind {kind!r}; there are: {', '.join(KINDS)}")
    needed, optional = KINDS[kind]
    _check_keys(given, needed | _ALWAYS, optional | {"text", "reveal"}, f"{where} ({kind})")
    texts: dict[str, Any] = {key: _line(given, key, longest, where) for key, longest in _TEXTS.items() if key in given}
    lists: dict[str, Any] = {key: _list(given, key, where) for key in _LISTS if key in given}
    names = {key: _line(given, key, LONGEST_LINE, where) for key in _LINES if key in given}
    step = LessonStep(
        kind, subjects=_subjects(given, names, where), second=names.get("second", ""),
        answer=_answer(given, lists.get("choices", ()), where), notes=notes.get(texts["title"], ""), **texts, **lists,
    )  # fmt: skip
    _check_names(step, where)
    return step


def _subjects(given: dict[str, Any], names: dict[str, str], where: str) -> tuple[Subject, ...]:
    own = Subject(*(names.get(key, "") for key in ("film", "model", "finding")))
    better = given.get("better")
    if better is None:
        return (own,) if own != Subject() else ()
    if not isinstance(better, dict):
        raise ValueError(f"{where}: better is a table [step.better] with film, model and finding")
    _check_keys(better, _SUBJECT, set(), f"{where}, better")
    return Subject(*(_line(better, key, LONGEST_LINE, where) for key in ("film", "model", "finding"))), own


def _answer(given: dict[str, Any], choices: tuple[str, ...], where: str) -> int | None:
    answer = given.get("answer")
    if answer is None:
        return None
    if isinstance(answer, bool) or not isinstance(answer, int) or not 1 <= answer <= len(choices):
        raise ValueError(f"{where}: answer is the number of the right choice, from 1 to {len(choices)}")
    return answer - 1


def _check_names(step: LessonStep, where: str) -> None:
    """Refuse names that nothing goes by here."""
    films = [film for film in (*(s.film for s in step.subjects), *step.films, *step.changed) if film]
    known: list[tuple[str, list[str], set[str]]] = [
        ("method", list(step.methods), set(methods())),
        ("model", [n for n in (*(s.model for s in step.subjects), step.second) if n], {e.name for e in list_models()}),
        ("collection", [film.partition("/")[0] for film in films], set(collections())),
        ("change", list(step.changes), {one.name for one in PERTURBATIONS}),
    ]
    for kind, used, there in known:
        for name in used:
            if name not in there:
                raise ValueError(f"{where} names a {kind} that is not here, {name!r}; there are: {', '.join(there)}")
    if len(step.films) != len(step.changed):
        raise ValueError(f"{where}: films and changed are lists of the same length")
    if step.choices and not 2 <= len(step.choices) <= MOST_CHOICES:
        raise ValueError(f"{where}: choices are 2 to {MOST_CHOICES}")


def _check_keys(given: dict[str, Any], needed: set[str], optional: set[str], where: str) -> None:
    missing, unknown = sorted(needed - given.keys()), sorted(given.keys() - needed - optional)
    if missing:
        raise ValueError(f"{where} lacks {', '.join(missing)}")
    if unknown:
        raise ValueError(f"{where} has keys that it cannot have: {', '.join(unknown)}")


def _line(given: dict[str, Any], key: str, longest: int, where: str) -> str:
    value = given[key]
    if not isinstance(value, str) or not value.strip() or len(value) > longest:
        raise ValueError(f"{where}: {key} is a text of 1 to {longest} letters")
    return value.strip()


def _list(given: dict[str, Any], key: str, where: str) -> tuple[str, ...]:
    value = given[key]
    if not isinstance(value, list) or not value or not all(isinstance(v, str) and 0 < len(v) <= 200 for v in value):
        raise ValueError(f"{where}: {key} is a list of texts")
    return tuple(value)
