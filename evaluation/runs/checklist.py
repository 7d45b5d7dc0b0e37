"""A reproducibility checklist of a run: what is known is filled in, what only its authors know is left to them."""

from __future__ import annotations

from collections.abc import Iterator

from evaluation.runs.doubts import doubts_in_words
from evaluation.runs.plan import Plan
from evaluation.runs.report import RunReport
from evaluation.runs.store import Store
from evaluation.runs.tables import Pair
from evaluation.scores import get_metric
from evaluation.statistics.intervals import FEWEST
from evaluation.validity.gate import by_status

AUTHORS = "*to be answered by the authors*"


def checklist(store: Store, report: RunReport, plan: Plan) -> str:
    """The checklist as Markdown, after the questions of Pineau et al. 2021 (arXiv 2003.12206)."""
    lines = ["# Reproducibility checklist", ""]
    for title, answers in (
        ("Data", _data(report, plan)),
        ("Models and maps", _models(store, report, plan)),
        ("Scores and statistics", _statistics(report)),
        ("What is left to say", _open()),
    ):
        lines += [f"## {title}", "", *(f"- **{question}** {answer}" for question, answer in answers), ""]
    return "\n".join(lines)


def _data(report: RunReport, plan: Plan) -> Iterator[tuple[str, str]]:
    drawn = f"at most {plan.per_finding} a finding, drawn with seed {plan.draw_seed}" if plan.per_finding else "all"
    yield "Which films?", f"{report.films}, {drawn} of those that fit `films = {plan.films}`; see films.csv."
    yield "By what are films known?", "By the SHA-256 of their pixels as read (films.csv)."
    for section in report.sections:
        yield f"Trained on? Patients known? ({_named(section.pair)})", " ".join(section.provenance) or "Unknown."
    yield "Doubtful films?", doubts_in_words(report.doubts)
    yield "Licence and consent of the films?", AUTHORS


def _models(store: Store, report: RunReport, plan: Plan) -> Iterator[tuple[str, str]]:
    yield "Which weights?", "By SHA-256 in models.csv; where they can be had: " + AUTHORS
    yield "Parameters and seeds of the methods?", f"parameters.csv; seeds {', '.join(map(str, plan.seeds))}."
    external = [variant.method for variant in plan.methods if variant.maps]
    if external:
        yield f"How were the maps of {', '.join(external)} made?", AUTHORS
    yield "How were parameters chosen?", "By the rule in the report." if report.sweeps else AUTHORS
    total = report.costs.total_seconds.sum() if len(report.costs) else 0
    yield "Cost?", f"{total:.0f} seconds of one worker for the maps; the hardware: {AUTHORS}"
    yield "Software?", "; ".join(report.versions)
    state = report.unfinished or f"The run is finished; {len(report.failures)} maps or scores could not be had."
    yield "Is the run whole?", state


def _statistics(report: RunReport) -> Iterator[tuple[str, str]]:
    for name in report.metrics:
        score = get_metric(name)
        yield f"{score.title}?", f"{score.direction} is better; {score.source}. {score.caveat}"
    yield "Intervals?", f"95 %, bootstrap-t over {report.units}, none below {FEWEST}."
    yield "Tests?", "Friedman, then Wilcoxon over patients' means of all pairs of maps, Holm's correction a score."
    silent = sum(int(section.board.silent.fillna(0).gt(0).any()) for section in report.sections)
    yield "Undefined scores?", "Each mean has its own n; both ways in the report." if silent else "None of a method."
    for section in report.sections:
        yield f"Validity gate ({_named(section.pair)})?", f"{by_status(section.verdicts).capitalize()}."


def _named(pair: Pair) -> str:
    return f"{pair.classifier}, {pair.collection}"


def _open() -> Iterator[tuple[str, str]]:
    yield "Was the analysis written down before the run?", AUTHORS
    yield "Who drew the outlines, and how far do readers agree?", AUTHORS
    yield "Which comparisons were looked at and are not reported?", AUTHORS
