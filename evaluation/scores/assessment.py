"""Scores that ask more than a map and an outline: the model, other maps of the same method, or the anatomy."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeVar, cast

import numpy as np
import torch

from classifiers import ChestClassifier
from evaluation.scores.named import Named
from evaluation.scores.score import Direction, Element, Score
from radiographs import Radiograph
from xai_methods import Explanation, get_method
from xai_methods.method import BATCH, Progress

Need = Literal["mask", "model", "repeats", "anatomy", "other models"]
"""What an assessment asks: an expert's outline, passes of the model, further maps of the method, lungs and heart, or
other models that know the finding."""
T = TypeVar("T")


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
        others: other classifiers, with which the map is compared where they know the finding.
    """

    classifier: ChestClassifier
    radiograph: Radiograph
    explanation: Explanation
    on_film: np.ndarray
    mask: np.ndarray | None = None
    seed: int = 0
    report: Progress = field(default=lambda share: None)
    shared: dict[str, object] = field(default_factory=dict)
    others: tuple[ChestClassifier, ...] = ()

    @cached_property
    def film(self) -> torch.Tensor:
        """(1, 1, S, S): the film as the classifier sees it, in its input range."""
        return self.classifier.prepare(self.radiograph)

    def ask(self, films: torch.Tensor) -> np.ndarray:
        """The explained logit of (N, 1, S, S) films in the classifier's range: (N,) float64."""
        column = self.classifier.column(self.explanation.finding)
        with torch.inference_mode():
            parts = [self.classifier(part)[:, column] for part in films.split(BATCH)]
        return torch.cat(parts).double().cpu().numpy()

    def keep(self, name: str, make: Callable[[], T], *, of: Literal["map", "finding", "film"] = "map") -> T:
        """Return what ``make`` gives, made once for this classifier and seed and this very map, finding or film."""
        key = "/".join((name, self.classifier.digest, self.radiograph.digest, str(self.seed)))
        if of != "film":
            key += "/" + self.explanation.finding
        if of == "map":
            key += "/" + self._map_digest
        if key not in self.shared:
            self.shared[key] = make()
        return cast(T, self.shared[key])

    @cached_property
    def _map_digest(self) -> str:
        asked = (self.explanation.method, self.explanation.parameters, self.explanation.seed)
        return hashlib.sha256(repr(asked).encode() + self.explanation.values.tobytes()).hexdigest()

    def again(
        self,
        *,
        classifier: ChestClassifier | None = None,
        radiograph: Radiograph | None = None,
        seed: int | None = None,
        progress: Progress | None = None,
    ) -> Explanation:
        """Ask the same method, with the same parameters, about another model, another film or under another seed.

        ``progress`` is told the share of this one question that is done; what it raises stops the work.
        """
        method = get_method(self.explanation.method)
        return method.explain(
            self.classifier if classifier is None else classifier,
            self.radiograph if radiograph is None else radiograph,
            self.explanation.finding,
            parameters=method.parameters.parse(self.explanation.parameters),
            seed=self.explanation.seed if seed is None else seed,
            progress=progress,
        )

    def part(self, number: int, count: int) -> Progress:
        """Progress of the ``number``-th of ``count`` equal parts of the work, handed on to :attr:`report`."""
        return lambda share: self.report((number + share) / count)


@dataclass(frozen=True)
class Assessment:
    """One score of a :class:`Case`; NaN where it is undefined, never a silent 0 or 1.

    Attributes:
        name: registered name. title: name for people. meaning: one line in plain words. formula: in plain Unicode text.
        compute: the number. needs: what it asks. unit: "" for a plain number.
        expected: what a map of independent random numbers gets in closed form or, measured in the same run, this very
            map moved over the film at random; NaN where there is neither.
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


_assessments: Named[Assessment] = Named("an assessment", "evaluation.scores")
register, assessments, get_assessment = _assessments.add, _assessments.all, _assessments.get
