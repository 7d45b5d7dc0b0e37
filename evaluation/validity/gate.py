"""The validity gate: whether scores of a classifier and a finding say anything about explanation methods.

A localisation score speaks of the classifier before it speaks of the method (Baniecki et al. 2023, arXiv:2311.04813).
So a pair of classifier and finding is tested first: whether the classifier detects the finding, and whether it looks at
the place that the expert outlined. ``python -m evaluation.validity.gate`` measures a model on a collection.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from evaluation.validity.blur_test import measure_validity
from radiographs.files import write_text
from radiographs.places import asset

__all__ = ["AUROC_FLOOR", "LEVEL", "Verdict", "gate", "measure_validity", "record"]

AUROC_FLOOR = 0.6
"""The lower end of the AUROC's interval must lie above this."""
LEVEL = 0.05
"""The blur test's p value must lie below this."""


@dataclass(frozen=True)
class Verdict:
    """What the gate says of one pair of classifier and finding, with the reason in plain words."""

    status: Literal["passed", "failed", "not tested"]
    reason: str

    @property
    def passed(self) -> bool:
        """True where scores may be read as scores of the method."""
        return self.status == "passed"

    @property
    def words(self) -> str:
        """What is said above scores: the reason, after a caution where the pair did not pass."""
        return self.reason if self.passed else f"Read these scores with care: {self.reason}"


def gate(figures: Mapping[str, Any], finding: str, collection: str | None = None) -> Verdict:
    """Decide on one pair of classifier and finding by the figures of the model card.

    Args:
        figures: ``figures["validity"][collection][finding]`` as ``measure_validity`` returns it, and
            ``figures["findings"][finding]`` with ``auroc``, ``auroc_low``, ``auroc_high``, ``positives``, ``films`` and
            perhaps ``blur``. finding: the finding. collection: where the film is from, if from a collection.

    Returns:
        The verdict. Of two measured AUROCs, the one that rests on more films with the finding counts. The blur test of
        the film's own collection counts; without one, that of the card's own entry of the finding, or of another
        collection.
    """
    validity = figures.get("validity", {})
    own = validity.get(collection or "", {}).get(finding, {})
    general = figures.get("findings", {}).get(finding, {})
    others = [by_finding[finding] for by_finding in validity.values() if finding in by_finding]
    detection = _best_detection([general, own, *others])
    blur = next((f["blur"] for f in (own, general, *others) if _number(f.get("blur"), "p") is not None), None)
    if detection is None:
        return Verdict("not tested", f"nobody has measured how well this model detects {finding}.")
    if detection["auroc_low"] <= AUROC_FLOOR:
        return Verdict("failed", f"{_detects(detection)} That is too little to ask where it looks.")
    if blur is None:
        reason = f"{_detects(detection)} Whether it looks where experts outline {finding} has not been measured."
        return Verdict("not tested", reason)
    looks = blur["p"] < LEVEL and blur["mean_drop"] > blur["mean_drop_elsewhere"]
    reason = f"{_detects(detection)} {_looks(blur, looks)}"
    return Verdict("passed" if looks else "failed", reason)


def _number(figures: Any, name: str) -> float | None:
    value = figures.get(name) if isinstance(figures, Mapping) else None
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None


def _best_detection(candidates: list[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    measured = [c for c in candidates if _number(c, "auroc") is not None and _number(c, "auroc_low") is not None]
    return max(measured, key=lambda c: _number(c, "positives") or 0, default=None)


def _detects(figures: Mapping[str, Any]) -> str:
    interval = (
        f"95 % interval {figures['auroc_low']:.2f} to {figures['auroc_high']:.2f}" if "auroc_high" in figures else ""
    )
    films = f"{figures['positives']} of {figures['films']} films have it" if "films" in figures else ""
    details = "; ".join(part for part in (interval, films) if part)
    return f"It detects the finding with an AUROC of {figures['auroc']:.2f}{f' ({details})' if details else ''}."


def _looks(blur: Mapping[str, Any], looks: bool) -> str:
    share = (
        f"on {100 * blur['share']:.0f} % of {blur['films']} films, blurring the outlined region lowered the logit more "
    )
    tail = "than blurring the same shape elsewhere"
    p = "p < 0.001" if blur["p"] < 0.001 else f"p = {blur['p']:.3f}"
    if looks:
        return f"It looks there: {share}{tail} ({p})."
    return f"It does not seem to look there: {share}{tail}, which chance explains as well ({p})."


def record(card: Path, collection: str, figures: Mapping[str, Any]) -> None:
    """Write what ``measure_validity`` returned for ``collection`` into the JSON file of a model card."""
    content = json.loads(card.read_text(encoding="utf-8"))
    content.setdefault("figures", {}).setdefault("validity", {}).setdefault(collection, {}).update(figures)
    write_text(card, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Measure a registered model on a collection, from the command line."""
    from classifiers.registry import load_classifier
    from radiographs.registry import get_collection

    parser = argparse.ArgumentParser(
        prog="python -m evaluation.validity.gate", description="Measure the validity gate."
    )
    parser.add_argument("--model", required=True, help="a registered model")
    parser.add_argument("--collection", required=True, help="a collection with labels and outlines")
    parser.add_argument("--seed", type=int, default=0, help="of the places elsewhere and of the bootstrap")
    parser.add_argument("--write", action="store_true", help="record the figures in the model's card")
    arguments = parser.parse_args(argv)
    figures = measure_validity(
        load_classifier(arguments.model), get_collection(arguments.collection), seed=arguments.seed
    )
    if arguments.write:
        record(asset("models", f"{arguments.model}.json"), arguments.collection, figures)
    sys.stdout.write(json.dumps(figures, indent=2, allow_nan=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
