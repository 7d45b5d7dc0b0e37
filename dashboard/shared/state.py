"""What a person chose, to and from the page's address, so that a link opens the same view elsewhere.

An address is text from a stranger: what it names wrongly is left out, and a plain sentence says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dashboard.shared.display import MODES, PARTS, View
from radiographs.plain_text import neutral
from xai_methods import Method, ParameterError

UPLOAD = "upload"
"""Collection name under which a person's own film goes; only the start of its digest ever enters an address."""
SHARE = "shared"
"""In links and in the session: the secret word by which another person shares their film or regions."""
LARGEST_SEED = 2**31 - 1
MOST_FINDINGS = 4
_LONGEST = 200
_MOST_VALUES = 100


@dataclass(frozen=True)
class Choice:
    """What a person chose to see.

    Attributes:
        film: ``collection/film-id``, or ``upload/`` and the start of the film's digest; "" where nothing is chosen,
            ``upload/`` alone where that film is no longer held.
        model: registered name. second: another model to set beside it, "" for none.
        findings, methods: names; empty means the page's own choice.
        parameters: by method, its parameters that differ from the defaults.
        seed: of all methods. view: how maps are drawn. run: whether opening the link starts the run.
    """

    film: str = ""
    model: str = ""
    second: str = ""
    findings: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
    seed: int = 0
    view: View = field(default_factory=View)
    run: bool = False


@dataclass(frozen=True)
class Known:
    """What there is to choose from.

    Attributes:
        film_exists: says whether ``collection/film-id``, or this person's upload, can be opened.
        models: registered names.
        findings: findings that a model (by name) knows; None where that is not known before it is loaded.
        methods: the registry.
    """

    film_exists: Callable[[str], bool]
    models: Sequence[str]
    findings: Callable[[str], Sequence[str] | None]
    methods: Mapping[str, Method]


def to_query(choice: Choice) -> dict[str, list[str]]:
    """Write a choice as the address's query; what stands at its default is left out."""
    usual = View()
    query: dict[str, list[str]] = {
        "film": [choice.film],
        "model": [choice.model],
        "beside": [choice.second],
        "finding": list(choice.findings),
        "method": list(choice.methods),
        "set": [f"{m}.{name}:{value}" for m, given in choice.parameters.items() for name, value in given.items()],
        "seed": [str(choice.seed)] if choice.seed else [],
        "show": [choice.view.mode] if choice.view.mode != usual.mode else [],
        "part": [choice.view.part] if choice.view.part != usual.part else [],
        "opacity": [f"{choice.view.opacity:.2f}"] if choice.view.opacity != usual.opacity else [],
        "outline": ["0"] if not choice.view.outline else [],
        "run": ["1"] if choice.run else [],
    }
    return {key: [v for v in values if v] for key, values in query.items() if any(values)}


def from_query(query: Mapping[str, Sequence[str]], known: Known) -> tuple[Choice, list[str]]:
    """Read a choice from an address's query.

    Args:
        query: values by key, as they came. known: what there is to choose from.

    Returns:
        The choice, with everything unknown left at its default, and one sentence for each thing left out.
    """
    words: list[str] = []
    given = {key: [v for v in list(query[key])[:_MOST_VALUES] if len(v) <= _LONGEST] for key in query}
    if any(len(given[key]) < len(query[key]) for key in query):
        words.append("The link holds values that are too long or too many; they were left out.")
    model = _one_of("model", given, known.models, words)
    methods = _all_of("method", given.get("method", []), list(known.methods), words)
    film = _film(given, known, words)
    choice = Choice(
        film=film,
        model=model,
        second=_one_of("beside", given, known.models, words),
        findings=_findings(given, model, known, words),
        methods=methods,
        parameters=_parameters(given.get("set", []), known.methods, words),
        seed=int(_number("seed", given, 0, LARGEST_SEED, 0, words)),
        view=_view(given, words),
        run=given.get("run") == ["1"] and film != UPLOAD + "/",
    )
    return choice, words


def differing(method: Method, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of ``values`` that differ from the method's defaults."""
    usual = method.parameters().as_dict()
    return {name: value for name, value in values.items() if value != usual.get(name)}


def quoted(text: str, longest: int = 40) -> str:
    """Text from a stranger, safe to show: letters, digits and a few signs, cut short."""
    return "“" + neutral(re.sub(r"[^\w ./-]", "?", text)[:longest]) + "”"


def _one_of(key: str, given: Mapping[str, Sequence[str]], allowed: Sequence[str], words: list[str]) -> str:
    value = next(iter(given.get(key, [])), "")
    if value and value not in allowed:
        kind = "model" if key == "beside" else key
        words.append(f"The link names a {kind} that is not here, {quoted(value)}; the usual one is shown instead.")
        return ""
    return value


def _all_of(key: str, values: Sequence[str], allowed: Sequence[str], words: list[str]) -> tuple[str, ...]:
    words.extend(
        f"The link names a {key} that is not here, {quoted(v)}; it was left out." for v in values if v not in allowed
    )
    return tuple(dict.fromkeys(v for v in values if v in allowed))


def _film(given: Mapping[str, Sequence[str]], known: Known, words: list[str]) -> str:
    film = next(iter(given.get("film", [])), "")
    if film.startswith(UPLOAD + "/") and not known.film_exists(film):
        words.append(
            "This view is of an uploaded film, which is not held here (any more). Choose its file again to see it; "
            "no other film is shown in its place."
        )
        return UPLOAD + "/"
    if film and not known.film_exists(film):
        words.append(f"The link names a film that is not here, {quoted(film)}; another film is shown instead.")
        return ""
    return film


def _findings(given: Mapping[str, Sequence[str]], model: str, known: Known, words: list[str]) -> tuple[str, ...]:
    named = given.get("finding", [])
    allowed = known.findings(model) if model and named else None
    if allowed is None:
        return ()
    found = _all_of("finding", named, allowed, words)
    if len(found) > MOST_FINDINGS:
        words.append(f"At most {MOST_FINDINGS} findings are shown at once: the first {MOST_FINDINGS} of the link.")
    return found[:MOST_FINDINGS]


def _number(
    key: str, given: Mapping[str, Sequence[str]], low: float, high: float, usual: float, words: list[str]
) -> float:
    text = next(iter(given.get(key, [])), "")
    if not text:
        return usual
    if re.fullmatch(r"\d{1,10}(\.\d{1,4})?", text, re.ASCII) and low <= float(text) <= high:
        return float(text)
    words.append(f"The link's {key} is not a number from {low:g} to {high:g}; {usual:g} is used instead.")
    return usual


def _view(given: Mapping[str, Sequence[str]], words: list[str]) -> View:
    usual = View()
    mode = next((m for m in MODES if given.get("show") == [m]), usual.mode)
    part = next((p for p in PARTS if given.get("part") == [p]), usual.part)
    opacity = _number("opacity", given, 0, 1, usual.opacity, words)
    return View(mode, part, opacity, given.get("outline") != ["0"])


def _parameters(texts: Sequence[str], methods: Mapping[str, Method], words: list[str]) -> dict[str, dict[str, Any]]:
    chosen: dict[str, dict[str, Any]] = {}
    for text in texts:
        match = re.fullmatch(r"([\w-]+)\.(\w+):(.*)", text, re.ASCII)
        if match is None or match[1] not in methods:
            words.append(f"The link holds a setting that is not known, {quoted(text)}; it was left out.")
            continue
        name, parameter, value = match.groups()
        try:
            parsed = methods[name].parameters.parse({parameter: value})
        except ParameterError as error:
            # Only the value is a stranger's text; what goes before it names the parameter and its bounds.
            bounds, _, got = str(error).partition(", got ")
            words.append(f"A setting of the link was left out: {bounds}{f', got {quoted(value)}' if got else ''}.")
            continue
        changed = differing(methods[name], {parameter: getattr(parsed, parameter)})
        if changed:
            chosen.setdefault(name, {}).update(changed)
    return chosen
