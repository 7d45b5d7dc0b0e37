"""What a reader study is: a TOML file, checked before anybody reads."""

from __future__ import annotations

import hashlib
import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

from evaluation.runs.plan import near
from xai_methods import get_method, methods
from xai_methods.counterfactual import EXPLAINERS
from xai_methods.parameters import ParameterError

Question = Literal["present", "confidence", "place", "usefulness", "misled"]
QUESTIONS: tuple[Question, ...] = get_args(Question)
Design = Literal["latin square", "crossover"]
Place = Literal["point", "region"]
NO_MAP = "none"
"""Kind of the arm that shows the film alone."""
Kind = Literal["none", "method", "counterfactual", "random"]
MOST_CASES, MOST_ARMS = 2000, 12
RANDOM = "random"
"""Registered name of the control: a map that knows nothing."""


class StudyError(ValueError):
    """A study cannot be run as it is written. The message names the key, what was wrong and what is allowed."""


@dataclass(frozen=True)
class Arm:
    """What readers are shown beside the film.

    Attributes:
        kind: no map, a method's, a counterfactual's change with the films at its ends, or the random control.
        method: registered name of what draws the map; "" without one. parameters: those that are not its defaults.
        name: unlike all others of the study, for tables.
    """

    kind: Kind
    method: str = ""
    parameters: dict[str, Any] = field(default_factory=dict, hash=False)
    name: str = ""


@dataclass(frozen=True)
class StudyCase:
    """One film and what is asked of it.

    Attributes:
        film: a file, or ``collection/film-id``. finding: asked about. model: registered name of the explained model.
        present: the truth; None takes it from the collection's labels and outlines.
    """

    film: str
    finding: str
    model: str
    present: bool | None = None


@dataclass(frozen=True)
class Study:
    """A reader study.

    Attributes:
        name: for people. instructions: what readers are told first.
        cases: what is read and counts. practice: read first, with the right answer shown after each.
        checks: cases whose answer is plain, strewn among the others; who misses more than ``failed_checks`` of them is
            left out of the analysis.
        arms: at least two. questions: of every case. place: whether readers give a point or draw a region.
        design: "latin square": each reader sees each case once, under one of the arms, in equal shares; "crossover":
            each case under every arm, in as many sessions, ``washout_days`` apart.
        show_model: whether readers see the model's probability, under every arm.
        back: whether answers may be changed later. seconds_per_case: the film goes after so long; 0 for no limit.
        effect: gain in accuracy or AUROC that the study is to find, for planning.
        text: the file's own text.
    """

    name: str
    cases: tuple[StudyCase, ...]
    arms: tuple[Arm, ...]
    instructions: str = ""
    practice: tuple[StudyCase, ...] = ()
    checks: tuple[StudyCase, ...] = ()
    questions: tuple[Question, ...] = QUESTIONS
    place: Place = "point"
    design: Design = "latin square"
    washout_days: float = 28.0
    show_model: bool = True
    back: bool = False
    seconds_per_case: float = 0.0
    failed_checks: int = 1
    effect: float = 0.1
    text: str = field(default="", repr=False)

    @property
    def slug(self) -> str:
        """The name as a folder's: small letters, digits and hyphens, with the start of the file's digest."""
        plain = re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")[:40] or "study"
        return f"{plain}-{hashlib.sha256(self.text.encode()).hexdigest()[:6]}"

    @property
    def sessions(self) -> int:
        """How often a reader comes: once, or once for each arm."""
        return len(self.arms) if self.design == "crossover" else 1


_TABLES = {"cases", "practice", "checks"}
_DEFAULTS = {"model", "finding"}
"""Keys at the top of the file that hold for all its cases."""


def read_study(path: Path) -> Study:
    """Read and check a study file.

    Raises:
        StudyError: the file is not there, is no TOML, or a key or value in it is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise StudyError(f"there is no study file {path}; docs/reader-study.md shows how to write one") from None
    except (OSError, ValueError) as error:  # no text, or no path
        raise StudyError(f"the study file {path} cannot be read: {error}") from None
    return parse_study(text)


def parse_study(text: str) -> Study:
    """Check the text of a study file; films and weights are not looked at.

    Raises:
        StudyError: it is no TOML, or a key or value in it is wrong.
    """
    try:
        given = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits is no TOMLDecodeError
        raise StudyError(f"the study file is not TOML: {error}") from None
    known = {one.name: one for one in fields(Study) if one.name != "text"}
    _check_keys(given, {*known, *_DEFAULTS}, "")
    for name in ("name", "cases", "arms"):
        if not given.get(name):
            raise StudyError(f"{name}: the study needs {'a name' if name == 'name' else 'at least one'}")
    made: dict[str, Any] = {
        name: _typed(name, given[name], known[name].default)
        for name in given
        if name not in _TABLES | _DEFAULTS | {"arms", "questions"}
    }
    made |= {name: _cases(name, given[name], given) for name in _TABLES if name in given}
    made["arms"] = _arms(given["arms"])
    if "questions" in given:
        made["questions"] = _questions(given["questions"])
    study = Study(**made, text=text)
    _check_values(study)
    return study


def _check_keys(given: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    for key in given:
        if key not in known:
            raise StudyError(f"{where}unknown key {key!r}; {near(key, known)}")


def _typed(name: str, value: Any, default: Any) -> Any:
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise StudyError(f"{name}: expected true or false, got {value!r}")
        return value
    if isinstance(default, (int, float)):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
            raise StudyError(f"{name}: expected a number of 0 or more, got {value!r}")
        if isinstance(default, int) and value != int(value):
            raise StudyError(f"{name}: expected a whole number, got {value!r}")
        return type(default)(value)
    if not isinstance(value, str) or (default is MISSING and not value.strip()):
        raise StudyError(f"{name}: expected a text, got {value!r}")
    return value


def _tables(name: str, given: Any) -> list[dict[str, Any]]:
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise StudyError(f"{name}: expected tables [[{name}]]")
    return given


def _cases(name: str, given: Any, study: Mapping[str, Any]) -> tuple[StudyCase, ...]:
    found = []
    for number, one in enumerate(_tables(name, given), start=1):
        where = f"{name}, number {number}: "
        _check_keys(one, ("film", "finding", "model", "present"), where)
        texts = {key: one.get(key, study.get(key, "")) for key in ("film", "finding", "model")}
        for key, value in texts.items():
            if not isinstance(value, str) or not value:
                raise StudyError(f"{where}{key}: expected a name, got {value!r}; say it here, or once for the study")
        present = one.get("present")
        if present is not None and not isinstance(present, bool):
            raise StudyError(f"{where}present: expected true or false, got {present!r}")
        found.append(StudyCase(**texts, present=present))
    if len({(case.film, case.finding) for case in found}) != len(found):
        raise StudyError(f"{name}: one film stands there twice with the same finding")
    if len(found) > MOST_CASES:
        raise StudyError(f"{name}: {len(found)} cases; at most {MOST_CASES} can be read")
    return tuple(found)


def _arms(given: Any) -> tuple[Arm, ...]:
    arms = tuple(_arm(one) for one in _tables("arms", given))
    names = [arm.name for arm in arms]
    for name in names:
        if names.count(name) > 1:
            raise StudyError(f"arms: there are two arms {name!r}; give one of them another name")
    if not 2 <= len(arms) <= MOST_ARMS:
        raise StudyError(f"arms: a study compares 2 to {MOST_ARMS} arms, not {len(arms)}")
    return arms


def _arm(given: Mapping[str, Any]) -> Arm:
    _check_keys(given, ("kind", "method", "parameters", "name"), "arms: ")
    kind = given.get("kind", "method")
    if kind not in get_args(Kind):
        raise StudyError(f"arms: there is no kind {kind!r}; {near(str(kind), get_args(Kind))}")
    usual = {"counterfactual": next(iter(EXPLAINERS)), "random": RANDOM}
    method = given.get("method", usual.get(kind, ""))
    if kind == NO_MAP and (method or "parameters" in given):
        raise StudyError("arms: the arm without a map has no method and no parameters")
    if kind == "counterfactual" and method not in EXPLAINERS:
        raise StudyError(f"arms: there is no explainer {method!r}; {near(str(method), EXPLAINERS)}")
    if kind == "random" and method != RANDOM:
        raise StudyError("arms: the random control has no other method")
    if kind != NO_MAP and (not isinstance(method, str) or method not in methods()):
        raise StudyError(f"arms: there is no method {method!r}; {near(str(method), methods())}")
    parameters, name = given.get("parameters", {}), given.get("name", method or "no map")
    if not isinstance(parameters, dict) or not isinstance(name, str) or not 0 < len(name) <= 60:
        raise StudyError(f"arms: {method}: expected parameters by name, and a name of 1 to 60 letters")
    if method:
        try:
            get_method(method).parameters.parse(parameters)
        except ParameterError as error:
            raise StudyError(f"arms: {method}: {error}") from None
    return Arm(kind, method, parameters, name)


def _questions(given: Any) -> tuple[Question, ...]:
    if not isinstance(given, list):
        raise StudyError(f"questions: expected a list of names, got {given!r}")
    for name in given:
        if name not in QUESTIONS:
            raise StudyError(f"questions: there is no question {name!r}; {near(str(name), QUESTIONS)}")
    return tuple(name for name in QUESTIONS if name in given)


def _check_values(study: Study) -> None:
    for name, value, allowed in (("design", study.design, get_args(Design)), ("place", study.place, get_args(Place))):
        if value not in allowed:
            raise StudyError(f"{name}: there is no {value!r}; {near(value, allowed)}")
    if "present" not in study.questions:
        raise StudyError("questions: every study asks whether the finding is present; add 'present'")
    if not 0 < study.effect < 0.5:
        raise StudyError(f"effect: expected a gain between 0 and 0.5, got {study.effect:g}")
    if len(study.cases) < len(study.arms):
        raise StudyError(f"cases: {len(study.cases)} cases cannot be shared among {len(study.arms)} arms")
    read = {(case.film, case.finding) for case in study.cases}
    for name, others in (("practice", study.practice), ("checks", study.checks)):
        if both := [case.film for case in others if (case.film, case.finding) in read]:
            raise StudyError(f"{name}: {both[0]} is also among the cases, which counts it twice")
    if unknown := [case.film for case in study.checks if case.present is None]:
        raise StudyError(f"checks: {unknown[0]}: say whether it is present, for a check has a plain answer")
