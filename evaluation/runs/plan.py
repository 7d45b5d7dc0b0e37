"""What a benchmark run is to do: a TOML file, checked before any work starts."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

from evaluation.baselines.model_independent import baseline_titles
from evaluation.scores import POLARITIES, Polarity, headline_metrics, localisation_metrics, metrics
from radiographs.nearness import near
from xai_methods import get_method, main_methods, methods
from xai_methods.parameters import ParameterError

Films = Literal["outlined", "labelled", "all"]
"""Which pairs of film and finding: those that somebody outlined, those that the collection labels, or all."""
_FORMER = {"reading": "polarity"}
"""Keys by names that older plans give them."""
_NAME = re.compile(r"\w[\w .+-]{0,59}")
"""Names of methods of other code."""
MOST_VARIANTS = 500
"""Parameter sets that the sweeps of one method may give."""


class PlanError(ValueError):
    """A plan cannot be run. The message names the key, what was wrong and what is allowed."""


@dataclass(frozen=True)
class Variant:
    """A method with one set of parameters: its registered name and all its parameters, defaults too.

    ``maps`` is where the maps of a method lie that other code made (:mod:`evaluation.one_film.external_maps`), else "".
    Such a method bears a name that no registered one has.
    """

    method: str
    parameters: dict[str, Any] = field(default_factory=dict)
    maps: str = ""

    @property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that say which parameters these are."""
        return digest_of(self.parameters)


@dataclass(frozen=True)
class Plan:
    """What a run does.

    Attributes:
        name: for people. collections, classifiers: as lightbox films and lightbox models list them.
        findings: those to take; empty takes all that a classifier knows and ``films`` admits.
        films: see ``Films``. per_finding: films drawn for each finding, 0 takes all. draw_seed: of that draw.
        held_out: whether films of patients that a model may have been trained on are left out.
        methods: with their parameters. seeds: each method runs under each.
        metrics: their names. baselines: model-independent baselines.
        polarity: which part of a signed map is scored. maps: whether maps are saved as float16.
    """

    collections: tuple[str, ...]
    classifiers: tuple[str, ...]
    name: str = "benchmark"
    findings: tuple[str, ...] = ()
    films: Films = "outlined"
    per_finding: int = 0
    draw_seed: int = 0
    held_out: bool = True
    methods: tuple[Variant, ...] = ()
    seeds: tuple[int, ...] = (0,)
    metrics: tuple[str, ...] = ()
    baselines: tuple[str, ...] = field(default_factory=lambda: tuple(baseline_titles()))
    polarity: Polarity = "positive"
    maps: bool = False

    @property
    def localisation(self) -> tuple[str, ...]:
        """Those of ``metrics`` that set a map against an outline."""
        return tuple(name for name in self.metrics if name in localisation_metrics())


def digest_of(content: Any) -> str:
    """Sixteen hexadecimal digits of what can be written as JSON."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_plan(path: Path) -> Plan:
    """Read and check a plan.

    Raises:
        PlanError: the file is not there, is no TOML, or a key or value in it is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise PlanError(f"there is no plan {path}; `lightbox plan {path}` writes one") from None
    except IsADirectoryError:
        raise PlanError(f"{path} is a folder; name the plan, a .toml file, in it") from None
    except (OSError, ValueError) as error:  # no text, or no path
        raise PlanError(f"the plan {path} cannot be read: {error}") from None
    return parse_plan(text, path.parent)


def parse_plan(text: str, folder: Path = Path()) -> Plan:
    """Check the text of a plan; films, weights and maps are not looked at.

    Args:
        folder: that paths in the plan are relative to.

    Raises:
        PlanError: it is no TOML, or a key or value in it is wrong.
    """
    try:
        given = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits is no TOMLDecodeError
        raise PlanError(f"the plan is not TOML: {error}") from None
    given = {_FORMER.get(key, key): value for key, value in given.items()}
    known = {one.name: one for one in fields(Plan)}
    _check_keys(given, known, "")
    for name in ("collections", "classifiers"):
        if not given.get(name):
            raise PlanError(f"{name}: name at least one")
    defaults = {name: one.default for name, one in known.items()}
    made = {
        name: _typed(name, value, defaults[name]) for name, value in given.items() if name not in ("methods", "metrics")
    }
    made["methods"] = _methods(given.get("methods", [{"name": name} for name in main_methods()]), folder)
    made["metrics"] = _metrics(given.get("metrics", ["headline"]))
    plan = Plan(**made)
    _check_values(plan)
    return plan


def _check_keys(given: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    for key in given:
        if key not in known:
            raise PlanError(f"{where}unknown key {key!r}; {near(key, known)}")


def _typed(name: str, value: Any, default: Any) -> Any:
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise PlanError(f"{name}: expected true or false, got {value!r}")
        return value
    if isinstance(default, int):
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
            raise PlanError(f"{name}: expected a whole number from 0 to {2**31 - 1}, got {value!r}")
        return value
    if isinstance(default, str):
        if not isinstance(value, str):
            raise PlanError(f"{name}: expected a text, got {value!r}")
        return value
    kind = int if name == "seeds" else str
    if not isinstance(value, list) or not all(isinstance(v, kind) and not isinstance(v, bool) for v in value):
        raise PlanError(f"{name}: expected a list of {'whole numbers' if kind is int else 'names'}, got {value!r}")
    if len(set(value)) != len(value):
        raise PlanError(f"{name}: names one thing twice")
    return tuple(value)


def _methods(given: Any, folder: Path) -> tuple[Variant, ...]:
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise PlanError("methods: expected tables [[methods]], each with a name")
    found = [variant for one in given for variant in ([_external(one, folder)] if "maps" in one else _variants(one))]
    if len({(v.method, v.digest) for v in found}) != len(found):
        raise PlanError("methods: one method stands there twice with the same parameters")
    return tuple(found)


def _external(given: Mapping[str, Any], folder: Path) -> Variant:
    """A method of other code, whose maps lie in files."""
    _check_keys(given, ("name", "maps"), "methods: of a method with maps from files: ")
    name, maps = given.get("name"), given["maps"]
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise PlanError(f"methods: maps from files need a name of up to 60 letters, digits, spaces, got {name!r}")
    if name in methods() or name in baseline_titles():
        raise PlanError(f"methods: {name!r} is a method of this program; give maps from files another name")
    if not isinstance(maps, str) or not maps or "\0" in maps:
        raise PlanError(f"methods: {name}: maps: expected the path of a folder or table, got {maps!r}")
    return Variant(name, maps=os.path.abspath(folder / Path(maps).expanduser()))


def _variants(given: Mapping[str, Any]) -> list[Variant]:
    _check_keys(given, ("name", "parameters", "sweep", "maps"), "methods: ")
    name = given.get("name")
    if not isinstance(name, str) or name not in methods():
        raise PlanError(f"methods: there is no method {name!r}; {near(str(name), methods())}")
    kind = get_method(str(name)).parameters
    known = [field_name for field_name, _, _ in kind().described()]
    fixed, sweep = given.get("parameters", {}), given.get("sweep", {})
    for table in (fixed, sweep):
        if not isinstance(table, dict):
            raise PlanError(f"methods: {name}: expected names and values, got {table!r}")
        _check_keys(table, known, f"methods: {name}: ")
    for key, values in sweep.items():
        if not isinstance(values, list) or not values:
            raise PlanError(f"methods: {name}: sweep over {key}: expected a list of values, got {values!r}")
    number = 1
    for values in sweep.values():
        number *= len(values)
    if number > MOST_VARIANTS:
        raise PlanError(f"methods: {name}: the sweep gives {number} parameter sets; at most {MOST_VARIANTS} are run")
    found = []
    for values in itertools.product(*sweep.values()):
        try:
            parsed = kind.parse({**fixed, **dict(zip(sweep, values))})
        except ParameterError as error:
            raise PlanError(f"methods: {name}: {error}") from None
        found.append(Variant(str(name), parsed.as_dict()))
    return found


def _metrics(given: Any) -> tuple[str, ...]:
    names = _typed("metrics", given, ())
    found: list[str] = []
    for name in names:
        if name == "headline":
            found += headline_metrics()
        elif name == "localisation":
            found += localisation_metrics()
        elif name in metrics():
            found.append(name)
        else:
            known = ["headline", "localisation", *metrics()]
            raise PlanError(f"metrics: there is no score {name!r}; {near(name, known)}")
    return tuple(dict.fromkeys(found))


def _check_values(plan: Plan) -> None:
    for name, value, allowed in (("films", plan.films, get_args(Films)), ("polarity", plan.polarity, POLARITIES)):
        if value not in allowed:
            raise PlanError(f"{name}: expected one of {', '.join(allowed)}, got {value!r}")
    for baseline in plan.baselines:
        if baseline not in baseline_titles():
            raise PlanError(f"baselines: there is no baseline {baseline!r}; {near(baseline, baseline_titles())}")
    if not plan.seeds:
        raise PlanError("seeds: name at least one")
    if any(not 0 <= seed < 2**31 for seed in plan.seeds):
        raise PlanError(f"seeds: expected whole numbers from 0 to {2**31 - 1}")
    if not plan.methods and not plan.baselines:
        raise PlanError("methods: name at least one method or baseline")
    if not plan.metrics:
        raise PlanError("metrics: name at least one")
    comparing = [name for name in plan.metrics if "other models" in metrics()[name].needs]
    if len(plan.classifiers) < 2 and comparing:
        raise PlanError(f"metrics: {comparing[0]} compares models; name at least two classifiers")
