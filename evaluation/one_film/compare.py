"""Explanations of one film side by side, each scored: what the page, the report and the command line show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evaluation.one_film.evaluate import MethodResult, ScoringContext, evaluate_film
from evaluation.scores import Polarity, Score, headline_metrics
from evaluation.validity.gate import Verdict
from evaluation.validity.measured import verdict
from radiographs import Annotation, Radiograph
from radiographs.findings import display_name
from radiographs.nearness import near
from xai_methods import Parameters

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class FindingResult:
    """All that is said of one finding.

    Attributes:
        finding: its name. logit, probability: what the classifier says of the film.
        mask: (H, W) bool, the outline that maps are scored by, or None. verdict: whether scores of this pair mean
            anything.
        methods: by method, in the order given. baselines: by baseline, then metric; empty without a mask.
        chance: by metric; empty without a mask.
        readers: who drew ``mask``. reference_hidden: whether what experts outlined was left out on purpose.
    """

    finding: str
    logit: float
    probability: float
    mask: np.ndarray | None
    verdict: Verdict
    methods: dict[str, MethodResult]
    baselines: dict[str, dict[str, Score]]
    chance: dict[str, Score]
    readers: tuple[str, ...] = ()
    reference_hidden: bool = False

    @property
    def whose(self) -> str:
        """Who drew the outline that the maps are scored by, in words; "" where nobody did."""
        return " and ".join(self.readers)

    def rows(self) -> Iterator[dict[str, object]]:
        """Each score as one row: map, kind (method, baseline, chance), metric, value, chance level."""
        maps = [(name, "method", done.scores) for name, done in self.methods.items()]
        maps += [(name, "baseline", scores) for name, scores in self.baselines.items()]
        for name, kind, scores in [*maps, ("chance", "chance", self.chance)]:
            for metric, score in scores.items():
                yield {"map": name, "kind": kind, "metric": metric, "value": score.value, "chance": score.chance}

    @property
    def unscored(self) -> str:
        """Why there are no scores, in a sentence; "" where there is an outline."""
        if self.mask is not None:
            return ""
        if self.reference_hidden:
            return "Reference annotations are hidden."
        return f"No reference annotation for {display_name(self.finding).lower()} on this film."


@dataclass(frozen=True, eq=False)
class Comparison:
    """Explanations of one film side by side: by finding, with what is needed to do it again; a notebook shows it."""

    radiograph: Radiograph
    classifier: str
    classifier_digest: str
    seed: int
    polarity: Polarity
    findings: dict[str, FindingResult]

    def to_frame(self) -> pd.DataFrame:
        """One row a score: finding, map, kind (method, baseline, chance), metric, value, chance level."""
        import pandas as pd

        rows = [{"finding": name, **row} for name, result in self.findings.items() for row in result.rows()]
        return pd.DataFrame(rows, columns=["finding", "map", "kind", "metric", "value", "chance"])

    def _repr_html_(self) -> str:
        from radiographs.notebook import frame_html

        shown = self.to_frame()
        shown = shown[shown["metric"].isin(list(headline_metrics()))]
        wide = shown.pivot_table(index=["finding", "kind", "map"], columns="metric", values="value", sort=False)
        return frame_html(wide, f"{self.classifier}, film {self.radiograph.digest[:8]}")

    def plot(self, finding: str) -> Figure:
        """Draw the maps of one finding side by side on the film, with its outline, by matplotlib.

        Raises:
            LookupError: the finding was not compared.
        """
        from matplotlib import pyplot

        from xai_methods.display import plot_map

        if finding not in self.findings:
            raise LookupError(f"{finding!r} was not compared; {near(finding, self.findings)}")
        result = self.findings[finding]
        maps = [(done, done.on_film) for done in result.methods.values() if done.on_film is not None]
        outlined = [] if result.mask is None else [Annotation(finding, result.mask, "mask", result.whose)]
        figure, axes = pyplot.subplots(
            1, 1 + len(maps), figsize=(3.2 * (1 + len(maps)), 3.4), squeeze=False, layout="constrained"
        )
        self.radiograph.plot(outlined, axes[0, 0]).set_title(f"{finding} {result.probability:.0%}", fontsize=9)
        for place, (done, on_film) in zip(axes[0, 1:], maps):
            signed = done.explanation is not None and done.explanation.signed
            plot_map(on_film, signed, done.title, self.radiograph, outlined, place)
        return figure


def compare(
    context: ScoringContext,
    findings: Sequence[str],
    methods: Mapping[str, Parameters | None],
    *,
    seed: int = 0,
    progress: Callable[[str, str, float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Comparison:
    """Explain each finding with each method, score every map, and set the baselines beside them.

    For the arguments and what is raised see :func:`evaluation.one_film.evaluate.evaluate_film`.
    """
    steps = evaluate_film(context, findings, methods, seed=seed, progress=progress, cancelled=cancelled)
    done = {(result.finding, result.method): result for result in steps}
    results = {
        finding: finding_result(context, finding, {name: done[finding, name] for name in methods})
        for finding in findings
    }
    classifier = context.classifier
    return Comparison(context.radiograph, classifier.name, classifier.digest, seed, context.polarity, results)


def finding_result(context: ScoringContext, finding: str, methods: dict[str, MethodResult]) -> FindingResult:
    """Set the results of methods beside the baselines, chance and the validity gate's verdict."""
    classifier, collection, region = context.classifier, context.collection, context.region(finding)
    logit = float(context.logits[classifier.column(finding)])
    return FindingResult(
        finding,
        logit,
        probability=float(1 / (1 + np.exp(-np.float64(logit)))),
        mask=None if region is None else region.mask,
        verdict=verdict(classifier.card.figures, classifier.digest, finding, collection),
        methods=methods,
        baselines=context.all_baseline_scores(finding),
        chance=context.chance(finding),
        readers=() if region is None else context.readers(finding),
        reference_hidden=context.reference_hidden,
    )
