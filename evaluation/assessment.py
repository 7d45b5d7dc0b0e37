"""Scores that ask more than a map and an outline: the model, other maps of the same method, or the anatomy."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from classifiers import ChestClassifier
from evaluation.score import Direction, Element, Score
from radiographs import Radiograph
from xai_methods import Explanation, get_method

Need = Literal["mask", "model", "repeats", "anatomy"]
"""What an assessment asks: an expert's outline, passes of the model, further maps of the method, lungs and heart."""


@dataclass(eq=False)
class Case:
    """One explanation with all that may be asked of it.

    Attributes:
        classifier, radiograph, explanation: what was explained, and the map.
        on_film: (H, W) float32, the map in the film's own pixels, raw units.
        mask: (H, W) bool, what experts outlined, or None.
        seed: of whatever the assessment draws at random.
        report: called with the share done; it may raise ``Cancelled``.
        shared: what assessments of the same film keep for each other, such as its anatomy.
    """

    classifier: ChestClassifier
    radiograph: Radiograph
    explanation: Explanation
    on_film: np.ndarray
    mask: np.ndarray | None = None
    seed: int = 0
    report: Callable[[float], None] = field(default=lambda share: None)
    shared: dict[str, object] = field(default_factory=dict)

    def again(
        self,
        *,
        classifier: ChestClassifier | None = None,
        radiograph: Radiograph | None = None,
        seed: int | None = None,
    ) -> Explanation:
        """Ask the same method, with the same parameters, about another model, another film or under another seed."""
        method = get_method(self.explanation.method)
        return method.explain(
            self.classifier if classifier is None else classifier,
            self.radiograph if radiograph is None else radiograph,
            self.explanation.finding,
            parameters=method.parameters.parse(self.explanation.parameters),
            seed=self.explanation.seed if seed is None else seed,
        )


@dataclass(frozen=True)
class Assessment:
    """One score of a :class:`Case`; NaN where it is undefined, never a silent 0 or 1.

    Attributes:
        name: registered name. title: name for people. meaning: one line in plain words. formula: in plain Unicode text.
        compute: the number. needs: what it asks. unit: "" for a plain number.
        expected: what a map of independent random numbers gets, NaN where there is no closed form.
        direction, element: as of ``Score``. source: author, year, DOI or arXiv id. caveat: when it misleads.
        slow: whether it asks the model more than about ten times. order: place in lists.
    """

    name: str
    title: str
    meaning: str
    formula: str
    compute: Callable[[Case], float]
    source: str
    caveat: str
    element: Element
    direction: Direction
    order: int
    needs: frozenset[Need] = frozenset()
    unit: str = ""
    expected: Callable[[Case], float] = lambda case: float("nan")
    slow: bool = False

    def __call__(self, case: Case) -> Score:
        """Assess one case."""
        undefined = "mask" in self.needs and (case.mask is None or not case.mask.any())
        value = float("nan") if undefined else float(self.compute(case))
        chance = float("nan") if undefined else float(self.expected(case))
        return Score(self.name, value, chance, self.direction, self.element)


_ASSESSMENTS: dict[str, Assessment] = {}


def register(assessment: Assessment) -> Assessment:
    """Add an assessment under its name.

    Raises:
        ValueError: the name is taken.
    """
    if assessment.name in _ASSESSMENTS:
        raise ValueError(f"an assessment named {assessment.name!r} is registered already")
    _ASSESSMENTS[assessment.name] = assessment
    return assessment


def _load() -> None:
    package = importlib.import_module("evaluation.assessments")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"evaluation.assessments.{module.name}")


def assessments() -> dict[str, Assessment]:
    """All assessments by name, in the order in which people read them."""
    _load()
    return dict(sorted(_ASSESSMENTS.items(), key=lambda item: (item[1].order, item[0])))


def get_assessment(name: str) -> Assessment:
    """Return the assessment called ``name``.

    Raises:
        LookupError: there is none; the message lists those there are.
    """
    known = assessments()
    if name not in known:
        raise LookupError(f"there is no assessment {name!r}; there are: {', '.join(known)}")
    return known[name]
