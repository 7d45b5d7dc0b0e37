"""The API reference, written from the docstrings: ``python -m xai_lightbox.reference`` writes docs/reference.md."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from xai_lightbox.rooms import DOOR

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference.md"
CHAPTERS: dict[str, dict[str, tuple[str, ...]]] = {
    "Films": {
        "radiographs.registry": ("find_film", "get_collection", "collections"),
        "radiographs.reading": ("read_radiograph",),
        "radiographs": ("Radiograph", "Annotation"),
        "radiographs.collection": ("Collection", "FilmEntry"),
    },
    "Models": {
        "classifiers": ("load_classifier", "list_models", "wrap", "register_model", "ChestClassifier", "ModelCard"),
    },
    "Explanations": {
        "xai_methods": ("get_method", "methods", "Method", "Explanation", "Request", "Attribution", "register"),
    },
    "Scores": {
        "evaluation.scores": (
            "score_map", "chance_scores", "metrics", "get_metric", "localisation_metrics", "headline_metrics",
            "Score", "Scores", "Metric", "MapCase", "Case", "register",
        ),
    },
    "One film, many maps": {
        "evaluation.one_film.evaluate": ("ScoringContext", "evaluate_film", "evaluate_explanation", "MethodResult"),
        "evaluation.one_film.compare": ("compare", "Comparison", "FindingResult"),
        "evaluation.one_film.scorecard": ("scorecard", "Scorecard"),
    },
    "Whether scores mean anything": {
        "evaluation.validity.gate": ("gate", "Verdict"),
        "evaluation.validity.measure": ("measure_validity",),
        "evaluation.stability": ("study", "Stability"),
    },
    "Runs and their statistics": {
        "evaluation.runs.plan": ("read_plan", "parse_plan", "Plan"),
        "evaluation.runs.engine": ("run",),
        "evaluation.runs.run_progress": ("RunProgress",),
        "evaluation.runs.store": ("Store",),
        "evaluation.runs.report": ("make_report",),
        "evaluation.statistics.intervals": ("mean_interval", "auroc_interval"),
        "evaluation.statistics.paired_tests": ("friedman", "wilcoxon_holm", "patient_means"),
    },
}  # fmt: skip
"""What the page holds: by chapter, the module to import from, and names."""
_HEAD = f"""# Reference

What there is to call from Python, from the docstrings. Written by `python -m {DOOR}.reference`; change a docstring,
never this page. How it fits together: [from-python.md](from-python.md). Every score: [metrics.md](metrics.md).
"""


def reference_page() -> str:
    """The page as Markdown."""
    parts = [_HEAD]
    for chapter, homes in CHAPTERS.items():
        parts.append(f"## {chapter}\n")
        for home, names in homes.items():
            module = import_module(f"{DOOR}.{home}")
            parts.append(f"`from {DOOR}.{home} import {', '.join(names)}`\n")
            parts += [section(name, getattr(module, name)) for name in names]
    return "\n".join(parts)


def section(name: str, noun: Callable[..., Any] | type) -> str:
    """One name: how it is called, what its docstring says, and the public methods of a class by their first lines."""
    first, _, rest = (inspect.getdoc(noun) or "").partition("\n\n")
    lines = [f"### {name}", "", f"`{name}{signature(noun)}`", "", " ".join(first.split()), ""]
    if rest:
        lines += ["```text", rest.rstrip(), "```", ""]
    if inspect.isclass(noun):
        lines += [f"- `{call}`: {says}" for call, says in _members(noun)]
        lines.append("")
    return "\n".join(lines)


def signature(noun: Callable[..., Any] | type) -> str:
    """Parameters with their defaults, without types, which the docstring says in words; "" where there are none."""
    try:
        parameters = list(inspect.signature(noun).parameters.values())
    except (TypeError, ValueError):
        return ""
    shown: list[str] = []
    for place, one in enumerate(parameters):
        before = parameters[place - 1].kind if place else None
        if one.kind is one.KEYWORD_ONLY and before not in (one.KEYWORD_ONLY, one.VAR_POSITIONAL):
            shown.append("*")
        stars = "*" if one.kind is one.VAR_POSITIONAL else "**" if one.kind is one.VAR_KEYWORD else ""
        shown.append(f"{stars}{one.name}{_default(one.default)}")
    return f"({', '.join(name for name in shown if name != 'self')})"


def _default(value: object) -> str:
    if value is inspect.Parameter.empty:
        return ""
    return f"={value!r}" if isinstance(value, (str, int, float, bool, tuple, type(None))) else "=..."


def _members(noun: type) -> Iterator[tuple[str, str]]:
    """Public methods and properties that our own classes define, each with the first paragraph of its docstring."""
    for name, member in sorted(inspect.getmembers_static(noun)):
        home = next((one for one in noun.__mro__ if name in vars(one)), noun)
        plain = member.__func__ if isinstance(member, (classmethod, staticmethod)) else member
        described = inspect.getdoc(plain)
        ours = home.__module__.partition(".")[0] == noun.__module__.partition(".")[0]
        if name.startswith("_") or not ours or not described:
            continue
        is_value = not inspect.isfunction(plain)
        if is_value and not hasattr(plain, "__get__"):
            continue
        call = name if is_value else name + signature(plain).replace("(cls, ", "(").replace("(cls)", "()")
        yield call, " ".join(described.partition("\n\n")[0].split())


def main(argv: Sequence[str] | None = None) -> int:
    """Write the page; with ``--check``, say whether it is up to date instead."""
    given = list(sys.argv[1:] if argv is None else argv)
    if given not in ([], ["--check"]):
        sys.stderr.write(f"python -m {DOOR}.reference takes no arguments but --check\n")
        return 2
    page = reference_page()
    if given:
        same = PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page
        sys.stdout.write("up to date\n" if same else f"out of date: run python -m {DOOR}.reference\n")
        return 0 if same else 1
    PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
