"""The contract of all metrics: what a metric is, and the case that it scores."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeVar, cast

import numpy as np
import torch

from classifiers import ChestClassifier
from evaluation.scores.ranked_map import Polarity, RankedMap, Region, with_polarity
from evaluation.scores.score import Direction, Element, Score
from radiographs import Radiograph
from xai_methods import Explanation, get_method
from xai_methods.method import BATCH, Progress

Need = Literal["mask", "model", "repeats", "anatomy", "other models"]
"""What a metric needs beside the map: an expert's outline, the model and its answers, further maps of the method, lungs
and heart, or other models that know the finding."""
T = TypeVar("T")


@dataclass(eq=False, kw_only=True)
class MapCase:
    """A map and an outline, as arrays: enough for metrics that need no more than a mask.

    Attributes:
        on_film: (H, W) the map in the film's own pixels, raw units, finite.
        region: what experts outlined there, or None.
        polarity: which part of a signed map is set against the outline.
        seed: of whatever a metric draws at random.
    """

    on_film: np.ndarray
    region: Region | None = None
    polarity: Polarity = "positive"
    seed: int = 0

    @classmethod
    def of(cls, values: np.ndarray, mask: np.ndarray | Region, polarity: Polarity = "positive") -> MapCase:
        """The case of (H, W) ``values`` and an (H, W) bool ``mask``."""
        return MapCase(on_film=np.asarray(values), region=Region.of(mask), polarity=polarity)

    @property
    def mask(self) -> np.ndarray | None:
        """(H, W) bool, what experts outlined, or None."""
        return None if self.region is None else self.region.mask

    @property
    def values(self) -> np.ndarray:
        """The map on the grid on which it was made."""
        return self.on_film

    @cached_property
    def ranked(self) -> RankedMap:
        """The map, by its polarity, ranked against the outline.

        Raises:
            ValueError: there is no outline, shapes differ, a value is not finite, or the polarity is unknown.
        """
        if self.region is None:
            raise ValueError("the film has no reference annotation of the finding to set the map against")
        return RankedMap(with_polarity(self.on_film, self.polarity), self.region, raw=self.on_film)

    def offers(self, needs: frozenset[Need]) -> bool:
        """Whether the case has what a metric needs."""
        return needs <= {"mask"} and ("mask" not in needs or (self.region is not None and self.region.area > 0))


@dataclass(eq=False, kw_only=True)
class Case(MapCase):
    """One explanation with all that metrics may need.

    Attributes:
        classifier, radiograph, explanation: what was explained, and the map on the classifier's input grid.
        report: called with the share done; it may raise ``Cancelled``.
        shared: what metrics of the same film store for each other, such as its anatomy.
        others: other classifiers, with which the map is compared where they know the finding.
    """

    classifier: ChestClassifier
    radiograph: Radiograph
    explanation: Explanation
    report: Progress = field(default=lambda share: None)
    shared: dict[str, object] = field(default_factory=dict)
    others: tuple[ChestClassifier, ...] = ()

    @property
    def values(self) -> np.ndarray:
        """(S, S) float32: the map on the classifier's input grid."""
        return self.explanation.values

    @cached_property
    def film(self) -> torch.Tensor:
        """(1, 1, S, S): the film as the classifier sees it, in its input range."""
        return self.classifier.prepare(self.radiograph)

    def offers(self, needs: frozenset[Need]) -> bool:
        """Whether the case has what a metric needs; it can make all but an outline."""
        return super().offers(needs & {"mask"})

    def logits(self, films: torch.Tensor) -> np.ndarray:
        """The explained logit of (N, 1, S, S) films in the classifier's range: (N,) float64."""
        column = self.classifier.column(self.explanation.finding)
        with torch.inference_mode():
            parts = [self.classifier(part)[:, column] for part in films.split(BATCH)]
        return torch.cat(parts).double().cpu().numpy()

    def cached(self, name: str, make: Callable[[], T], *, of: Literal["map", "finding", "film"] = "map") -> T:
        """Return what ``make`` gives, made once for this classifier and this film, finding and seed, or very map."""
        key = "/".join((name, self.classifier.digest, self.radiograph.digest))
        if of != "film":
            key += f"/{self.explanation.finding}/{self.seed}"
        if of == "map":
            key += "/" + self._map_digest
        if key not in self.shared:
            self.shared[key] = make()
        return cast(T, self.shared[key])

    @cached_property
    def _map_digest(self) -> str:
        made_by = (self.explanation.method, self.explanation.parameters, self.explanation.seed)
        return hashlib.sha256(repr(made_by).encode() + self.explanation.values.tobytes()).hexdigest()

    def explain_again(
        self,
        *,
        classifier: ChestClassifier | None = None,
        radiograph: Radiograph | None = None,
        seed: int | None = None,
        progress: Progress | None = None,
    ) -> Explanation:
        """Run the same method, with the same parameters, on another model, another film or under another seed.

        ``progress`` is told the share of this one map that is done; what it raises stops the work.
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


def no_closed_form(case: Case) -> float:
    """The chance level of a metric that has none: NaN."""
    return math.nan


@dataclass(frozen=True)
class Metric:
    """One metric: calling it with a case gives its score.

    Attributes:
        name: registered name. title: name for people. meaning: one line in plain words.
        formula: in plain Unicode text, in the notation of ``evaluation.scores.document``.
        compute: the number of a case that offers all that the metric ``needs``; NaN where it is undefined.
        source: author, year, DOI or arXiv id. caveat: when it misleads, in one line.
        element: what kind of question it answers. direction: which way is better. needs: beside the map.
        expected: what a map of independent random numbers gets in closed form or, measured in the same run, this very
            map moved over the film at random; NaN where there is neither.
        chance_formula: the closed form in plain Unicode text; "" where there is none.
        low, high: the bounds of the number. unit: "" for a plain number.
        headline: whether tables for people show it. scorecard: whether the scorecard shows it under its element.
        rival: False where a map that says nothing wins by design, so that baselines are no measure of it.
        coverage: for a number that rests on a threshold, the metric that says which share of the film was marked.
        slow: whether it runs the model more than about ten times.
    """

    name: str
    title: str
    meaning: str
    formula: str
    compute: Callable[[Case], float]
    source: str
    caveat: str
    element: Element
    direction: Direction = "higher"
    needs: frozenset[Need] = frozenset()
    expected: Callable[[Case], float] = no_closed_form
    chance_formula: str = ""
    low: float = 0.0
    high: float = 1.0
    unit: str = ""
    headline: bool = False
    scorecard: bool = False
    rival: bool = True
    coverage: str | None = None
    slow: bool = False

    def __repr__(self) -> str:
        """One line: name, element, direction, what it needs."""
        needs = f", needs {', '.join(sorted(self.needs))}" if self.needs else ""
        return f"Metric({self.name}, {self.element}, {self.direction}{needs})"

    def __call__(self, case: MapCase) -> Score:
        """Score one case; NaN where it lacks what the metric needs.

        Raises:
            ValueError: the map's shape differs from the outline's, or a value is not finite.
        """
        if not case.offers(self.needs):
            return Score(self.name, math.nan, math.nan, self.direction, self.element)
        # A case of arrays offers no more than a mask, which is all that these metrics then read of it.
        full = cast(Case, case)
        return Score(self.name, float(self.compute(full)), self.chance(full), self.direction, self.element)

    def of_map(self, values: np.ndarray, mask: np.ndarray | Region, polarity: Polarity = "raw") -> float:
        """The number of (H, W) values against an (H, W) bool mask, for a metric that needs no more."""
        return self(MapCase.of(values, mask, polarity)).value

    def chance(self, case: MapCase) -> float:
        """What a map that knows nothing gets in expectation; NaN where that is unknown or the outline is empty."""
        return float(self.expected(cast(Case, case))) if case.offers(self.needs) else math.nan
