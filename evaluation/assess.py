"""Assessments over the outlined films of a collection: ``python -m evaluation.assess --help``.

Faithfulness, robustness, sanity, complexity, anatomy and actionability of methods on films of patients that the model
was not trained on. Every mean stands with its n, its interval over patients and, where there is one, its chance level.
"""

from __future__ import annotations

import argparse
import logging
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from classifiers import ChestClassifier
from evaluation.baselines.location_prior import patient_of
from evaluation.scores import Case, Metric, Region, get_metric, metrics
from evaluation.scores.randomisation import pair_similarities, passes
from evaluation.statistics.intervals import mean_interval
from evaluation.survey import cases
from radiographs.annotation import union_mask
from radiographs.collection import Collection, FilmEntry
from xai_methods import Parameters, get_method, main_methods

_log = logging.getLogger(__name__)

MAPS = 40
"""Maps of one method and finding that are kept for the random pairs of Arun et al.'s pass rule."""


@dataclass(eq=False)
class Assessed:
    """What a run found.

    Attributes:
        rows: one row a film, finding, method and assessment: ``film``, ``patient``, ``finding``, ``method``, ``title``,
            ``score`` (the assessment's name), ``value``, ``chance``; NaN where undefined.
        maps: by method and finding, then patient: the (S, S) map of one film.
    """

    rows: pd.DataFrame
    maps: dict[tuple[str, str], dict[str, np.ndarray]] = field(default_factory=dict)

    def pairs(self, method: str, seed: int = 0) -> np.ndarray:
        """SSIM of random pairs of the method's maps of the same finding in different patients."""
        rng = np.random.default_rng(seed)
        found = [pair_similarities(list(maps.values()), rng) for (name, _), maps in self.maps.items() if name == method]
        return np.concatenate(found) if found else np.empty(0)


def assess(
    classifier: ChestClassifier,
    collection: Collection,
    methods: Mapping[str, Parameters | None],
    names: Sequence[str] | None = None,
    *,
    findings: Sequence[str] | None = None,
    others: Sequence[ChestClassifier] = (),
    per_finding: int | None = None,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Assessed:
    """Assess methods on the outlined films of ``collection``.

    Args:
        methods: registered method name to its parameters (None: its defaults). names: assessments, all by default.
        findings: those to take, all that the model knows by default.
        others: further models, for agreement. per_finding: films drawn for each finding; None takes all.
        seed: of the draw of films, the methods and the assessments. progress: told the share done; what it raises
            stops the work.

    Raises:
        LookupError: there is no such method or assessment.
    """
    chosen = [get_metric(name) for name in (_judged() if names is None else names)]
    drawn = cases(classifier, collection, per_finding, np.random.default_rng(seed))
    asked = [(entry, finding) for entry, finding in drawn if findings is None or finding in findings]
    rows: list[dict[str, object]] = []
    done = Assessed(pd.DataFrame())
    for number, (entry, finding) in enumerate(asked):
        for place, case in enumerate(_cases_of(classifier, collection, entry, finding, methods, others, seed)):
            share = (number + place / max(len(methods), 1)) / len(asked)
            _keep_map(done, case, patient_of(entry))
            rows += _rows_of(case, chosen, entry, share, 1 / (len(asked) * len(methods)), progress)
        if progress is not None:
            progress((number + 1) / len(asked))
    columns = ["film", "patient", "finding", "method", "title", "score", "value", "chance"]
    done.rows = pd.DataFrame(rows, columns=columns)
    return done


def _judged() -> dict[str, Metric]:
    """The metrics that need more than an outline."""
    return {name: metric for name, metric in metrics().items() if metric.needs != {"mask"}}


def _cases_of(
    classifier: ChestClassifier,
    collection: Collection,
    entry: FilmEntry,
    finding: str,
    methods: Mapping[str, Parameters | None],
    others: Sequence[ChestClassifier],
    seed: int,
) -> list[Case]:
    radiograph = collection.read(entry.film_id)
    mask = union_mask(collection.annotations(entry.film_id), finding)
    shared: dict[str, object] = {}
    found = []
    for name, parameters in methods.items():
        try:
            explanation = get_method(name).explain(classifier, radiograph, finding, parameters=parameters, seed=seed)
        except (RuntimeError, ValueError) as error:
            _log.warning("%s gave no map of %s: %s", name, finding, error)
            continue
        on_film = classifier.to_film(explanation, radiograph)
        region = None if mask is None else Region(mask, radiograph.pixel_spacing_mm)
        found.append(
            Case(
                classifier=classifier,
                radiograph=radiograph,
                explanation=explanation,
                on_film=on_film,
                region=region,
                seed=seed,
                shared=shared,
                others=(*others,),
            )
        )
    return found


def _keep_map(done: Assessed, case: Case, patient: str) -> None:
    kept = done.maps.setdefault((case.explanation.method, case.explanation.finding), {})
    if len(kept) < MAPS:
        kept.setdefault(patient, case.explanation.values)


def _rows_of(
    case: Case,
    chosen: Sequence[Metric],
    entry: FilmEntry,
    start: float,
    share: float,
    progress: Callable[[float], None] | None,
) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    method = case.explanation.method
    for place, one in enumerate(chosen):

        def told(done: float, place: int = place) -> None:
            if progress is not None:
                progress(start + share * (place + done) / len(chosen))

        case.report = told
        score = one(case)
        rows.append(
            {
                "film": entry.film_id, "patient": patient_of(entry), "finding": case.explanation.finding,
                "method": method, "title": get_method(method).title,
                "score": one.name, "value": score.value, "chance": score.chance,
            }
        )  # fmt: skip
    return rows


def summary(rows: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Mean of each assessment by method, with its 95 % interval over patients and n.

    Returns:
        One row a method and assessment, in the order of ``rows``: ``method``, ``title``, ``score``, ``value``, ``low``,
        ``high``, ``n`` (maps with a value), ``chance`` and, paired over films and positive where the map does better
        than chance, ``gain`` with ``gain_low`` and ``gain_high``.
    """
    found = []
    for (method, score), part in rows.groupby(["method", "score"], sort=False):
        patients = part.patient.to_numpy()
        mean = mean_interval(part.value.to_numpy(), patients, np.random.default_rng(seed))
        sign = 1 if get_metric(str(score)).direction == "higher" else -1
        gains = (sign * (part.value - part.chance)).to_numpy()
        gain = mean_interval(gains, patients, np.random.default_rng(seed))
        both = part.dropna(subset=["value", "chance"])
        found.append(
            {
                "method": method, "title": part.title.iloc[0], "score": score,
                "value": mean.value, "low": mean.low, "high": mean.high, "n": mean.films,
                "chance": float(both.chance.mean()) if len(both) else math.nan,
                "gain": gain.value, "gain_low": gain.low, "gain_high": gain.high,
            }
        )  # fmt: skip
    return pd.DataFrame(found)


def as_markdown(table: pd.DataFrame) -> str:
    """The table of :func:`summary` in Markdown: a row an assessment, a column a method; chance in brackets."""
    titles = dict(zip(table.method, table.title))
    lines = ["| | better | " + " | ".join(titles.values()) + " | n |", "|---" * (len(titles) + 3) + "|"]
    for score, part in table.groupby("score", sort=False):
        one = get_metric(str(score))
        by_method = {row["method"]: row for row in part.to_dict("records")}
        cells = [_cell(by_method.get(method)) for method in titles]
        counts = sorted({int(row["n"]) for row in by_method.values()})
        number = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        lines.append(f"| {one.title} | {one.direction} | " + " | ".join(cells) + f" | {number} |")
    return "\n".join(lines)


def _cell(row: Mapping[str, float] | None) -> str:
    if row is None or math.isnan(row["value"]):
        return "–"
    cell = f"{row['value']:.2f} ({row['low']:.2f} to {row['high']:.2f})"
    return cell if math.isnan(row["chance"]) else f"{cell} [{row['chance']:.2f}]"


def pass_rule(done: Assessed, seed: int = 0) -> str:
    """Arun et al.'s pass rule in Markdown, a row a method; empty where nothing was randomised."""
    randomised = done.rows[done.rows.score == "randomised_ssim"]
    if randomised.empty:
        return ""
    lines = ["| | randomised network | maps of two patients | pairs | passes |", "|---|---|---|---|---|"]
    for method, part in randomised.groupby("method", sort=False):
        pairs = done.pairs(str(method), seed)
        verdict = {True: "yes", False: "no", None: "undefined"}[passes(part.value.to_numpy(), pairs)]
        level = float(np.nanmean(pairs)) if len(pairs) and not np.isnan(pairs).all() else math.nan
        lines.append(f"| {part.title.iloc[0]} | {part.value.mean():.2f} | {level:.2f} | {len(pairs)} | {verdict} |")
    return "\n".join(lines)


def _show(share: float) -> None:
    sys.stderr.write(f"\r{share:6.1%}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m evaluation.assess", description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--other", action="append", default=[], help="a further model, for agreement over models")
    parser.add_argument("--collection", required=True)
    parser.add_argument("--method", action="append", help="a method's name; the five main ones by default")
    parser.add_argument("--score", action="append", help="an assessment's name; all by default")
    parser.add_argument("--without-repeats", action="store_true", help="leave out what asks the method again")
    parser.add_argument("--finding", action="append", help="a finding; all that the model knows by default")
    parser.add_argument("--samples", type=int, default=500, help="films a perturbation method judges")
    parser.add_argument("--per-finding", type=int, help="films drawn for each finding; all by default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True, help="CSV file for the single scores")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Assess methods of one model on one collection; print the tables, write the rows as CSV."""
    from classifiers.registry import load_classifier
    from radiographs.registry import get_collection

    asked = _parser().parse_args(argv)
    chosen: dict[str, Parameters | None] = {}
    for name in asked.method or main_methods():
        kind = get_method(name).parameters
        fields = {one for one, _, _ in kind().described()}
        chosen[name] = kind.parse({"samples": asked.samples}) if "samples" in fields else None
    names = asked.score or [
        name
        for name, one in _judged().items()
        if not (asked.without_repeats and one.needs & {"repeats", "other models"})
    ]
    done = assess(
        load_classifier(asked.model),
        get_collection(asked.collection),
        chosen,
        names,
        findings=asked.finding,
        others=[load_classifier(name) for name in asked.other],
        per_finding=asked.per_finding,
        seed=asked.seed,
        progress=_show,
    )
    done.rows.to_csv(asked.out, index=False)
    sys.stdout.write("\n" + as_markdown(summary(done.rows)) + "\n\n" + pass_rule(done) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
