"""The scorecard of one film and finding: five elements of interpretability, each method between chance and baselines.

The elements are those of Wang et al. 2024 (doi 10.1109/ACCESS.2024.3387702, arXiv 2310.01685).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import pandas as pd

from evaluation.baselines.model_independent import baseline_titles, film_baselines
from evaluation.one_film.agreement import MARGIN
from evaluation.one_film.compare import FindingResult
from evaluation.one_film.evaluate import ScoringContext, evaluate_explanation, evaluate_method, part_of
from evaluation.scores import Element, Metric, Score, localisation_metrics, metrics
from xai_methods import get_method
from xai_methods.method import Progress

ELEMENTS: tuple[Element, ...] = get_args(Element)
QUESTIONS: dict[Element, str] = {
    "localizability": "Does the map lie where an expert outlined the finding?",
    "visual recognizability": "Does it show few clear places that a person can name, rather than a haze?",
    "physical attribution": "Does its evidence lie in the organ that the finding belongs to?",
    "model transparency": "Does it follow what the model really computes?",
    "actionability": "Does removing what it marks change the model's answer?",
}
MARKS = {"best": "▲", "between": "△", "chance": "▽", "plain": "", "undefined": ""}
LEGEND = (
    "▲ better than every baseline by 0.05 or more (or than chance, where no baseline has the score) · △ better than "
    "chance, not clearly than the best baseline · ▽ no better than chance · –: undefined here. Baselines are "
    "model-independent."
)
Rank = Literal["undefined", "chance", "between", "best", "plain"]


@dataclass(frozen=True)
class Cell:
    """One score of one method.

    Attributes:
        method, element: whose, and what it speaks for. name, title, meaning: the score's. score: the number.
        rival, rival_value: title and value of the best baseline, "" and NaN where there is none.
    """

    method: str
    element: Element
    name: str
    title: str
    meaning: str
    score: Score
    rival: str = ""
    rival_value: float = math.nan

    @property
    def rank(self) -> Rank:
        """No better than chance, between chance and the best baseline, or better than both; plain: neither is known."""
        score = self.score
        if not score.defined:
            return "undefined"
        if score.direction == "neither":
            return "plain"
        sign = 1 if score.direction == "higher" else -1
        if not math.isnan(score.chance) and sign * (score.value - score.chance) <= 0:
            return "chance"
        if self.rival:
            margin = MARGIN * max(1.0, abs(self.rival_value))
            return "best" if sign * (score.value - self.rival_value) >= margin else "between"
        return "plain" if math.isnan(score.chance) else "best"

    @property
    def place(self) -> float:
        """0 at chance, 1 at the best baseline, more beyond it; NaN where either is unknown or they are equal."""
        span = self.rival_value - self.score.chance
        return (self.score.value - self.score.chance) / span if span else math.nan

    @property
    def words(self) -> str:
        """What the score says, in a few plain words."""
        return {
            "undefined": "undefined here",
            "chance": "no better than chance",
            "between": f"not clearly better than the {self.rival.lower()}",
            "best": "better than every baseline" if self.rival else "better than chance",
            "plain": "no chance level or baseline to hold it against",
        }[self.rank]


@dataclass(frozen=True)
class Scorecard:
    """All scores of the explanations of one finding.

    Attributes:
        finding: its name. trusted: whether model and finding passed the validity gate. reason: the gate's words.
        cells: in the order of methods, elements and scores.
    """

    finding: str
    trusted: bool
    reason: str
    cells: tuple[Cell, ...] = field(default=())

    def to_frame(self) -> pd.DataFrame:
        """One row a score, as :func:`unfolded` gives them."""
        return unfolded(self)

    def _repr_html_(self) -> str:
        from radiographs.notebook import frame_html

        return frame_html(folded(self), self.finding)

    def of(self, method: str, element: Element) -> tuple[Cell, ...]:
        """The scores of one method for one element."""
        return tuple(c for c in self.cells if c.method == method and c.element == element)

    def headline(self, method: str, element: Element) -> Cell | None:
        """The score shown folded: the first that is defined, else the first; None where there is none."""
        found = self.of(method, element)
        return next((c for c in found if c.score.defined), found[0] if found else None)


def scorecard_metrics() -> list[Metric]:
    """The metrics of the scorecard, by element; of an element the first that is defined is the one shown folded."""
    return [metric for metric in metrics().values() if metric.scorecard]


def scorecard(
    context: ScoringContext,
    result: FindingResult,
    *,
    seed: int = 0,
    thorough: bool = False,
    progress: Progress = lambda share: None,
) -> Scorecard:
    """Compute the scorecard of the methods of ``result``.

    Args:
        context: model and film that ``result`` is of. seed: of the baselines' maps, and of what is drawn for them.
        thorough: whether scores that ask for further maps are computed for slow methods too.
        progress: told the share done; it may raise ``Cancelled``, which stops the work.
    """
    wanted = {m.name: m for m in scorecard_metrics() if m.name not in localisation_metrics()}
    explained = {name: done for name, done in result.methods.items() if done.explanation is not None}
    rivals = [name for name in film_baselines() if name not in result.methods]
    steps = len(explained) + len(rivals)
    rival_scores = {}
    for place, name in enumerate(rivals):
        part = part_of(progress, place, 1, steps)
        done = evaluate_method(context, result.finding, name, metrics=[*wanted], seed=seed, progress=part)
        rival_scores[name] = done.scores
        part(1.0)
    cells: list[Cell] = []
    for place, (name, done) in enumerate(explained.items(), start=len(rivals)):
        assert done.explanation is not None
        part = part_of(progress, place, 1, steps)
        again = thorough or get_method(name).speed == "fast"
        names = [one for one, metric in wanted.items() if again or "repeats" not in metric.needs]
        scores = done.scores | evaluate_explanation(context, done.explanation, names, part).scores
        scores |= {
            one: Score(one, math.nan, direction=metric.direction, element=metric.element)
            for one, metric in wanted.items()
            if one not in scores
        }
        cells += _cells(name, scores, result, rival_scores)
        part(1.0)
    return Scorecard(result.finding, result.verdict.passed, result.verdict.reason, tuple(cells))


def _cells(
    method: str, scores: Mapping[str, Score], result: FindingResult, rivals: Mapping[str, Mapping[str, Score]]
) -> list[Cell]:
    found = []
    for metric in scorecard_metrics():
        if metric.name in scores:
            title, value = _best_rival(metric, scores[metric.name], result, rivals)
            cell = Cell(
                method, metric.element, metric.name, metric.title, metric.meaning, scores[metric.name], title, value
            )
            found.append(cell)
    return found


def _best_rival(
    metric: Metric, score: Score, result: FindingResult, rivals: Mapping[str, Mapping[str, Score]]
) -> tuple[str, float]:
    """Title and value of the baseline that does best; "" and NaN where none has the score."""
    if metric.name in localisation_metrics():
        values = {baseline_titles()[b]: s[metric.name].value for b, s in result.baselines.items() if metric.name in s}
    else:
        values = {get_method(b).title: s[metric.name].value for b, s in rivals.items() if metric.name in s}
    defined = {title: value for title, value in values.items() if not np.isnan(value)}
    if not defined or score.direction == "neither" or not metric.rival:
        return "", math.nan
    best = (max if score.direction == "higher" else min)(defined, key=lambda title: defined[title])
    return best, defined[best]


def folded(card: Scorecard) -> pd.DataFrame:
    """One row a method, one column an element: the score shown folded, with its mark."""
    methods = list(dict.fromkeys(cell.method for cell in card.cells))
    rows = []
    for method in methods:
        shown = {element: card.headline(method, element) for element in ELEMENTS}
        rows.append({"Map": get_method(method).title} | {e.capitalize(): _short(cell) for e, cell in shown.items()})
    return pd.DataFrame(rows)


def unfolded(card: Scorecard) -> pd.DataFrame:
    """One row a score: method, element, score, value, chance, best baseline and its value, and what it means."""
    return pd.DataFrame(
        [
            {
                "Map": get_method(cell.method).title,
                "Element": cell.element.capitalize(),
                "Score": cell.title,
                "Value": cell.score.value,
                "Chance": cell.score.chance,
                "Best baseline": f"{cell.rival} {cell.rival_value:.2f}" if cell.rival else "",
                "In words": cell.words,
                "What it is": cell.meaning,
            }
            for cell in card.cells
        ]
    )


def _short(cell: Cell | None) -> str:
    if cell is None or math.isnan(cell.score.value):
        return "–"
    return f"{cell.score.value:.2f} {MARKS[cell.rank]}".strip()
