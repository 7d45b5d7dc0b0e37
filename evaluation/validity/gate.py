"""The validity gate: whether scores of a classifier and a finding say anything about explanation methods.

A localisation score speaks of the classifier before it speaks of the method (Baniecki et al. 2023, arXiv:2311.04813).
So a pair of classifier and finding is tested first, on the films that are scored: whether the classifier detects the
finding, and whether it answers to what is in the outlined place. ``lightbox gate`` measures a model on a collection.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from evaluation.validity.figures import EFFECT
from radiographs.findings import display_name

AUROC_FLOOR = 0.6
"""The lower end of the AUROC's interval must lie above this."""
FEWEST = 10
"""Patients with an outline below which nothing is shown."""
Status = Literal["shown", "shown not to", "not shown", "measured on other films", "not measured"]
STATUSES: tuple[Status, ...] = get_args(Status)
CAUTIONS: dict[Status, str] = {
    "shown not to": "on these films the score was shown not to depend on the annotated region, or the finding not to "
    "be detected",
    "not shown": "these films do not show that the model detects the finding by the annotated region",
    "measured on other films": "whether the model detects the finding by the annotated region was measured on other "
    "films only",
    "not measured": "whether the model detects the finding by the annotated region was not measured",
}
"""What each verdict but "shown" leaves open, for a sentence."""
_PLACE = {
    "elsewhere": "than blurring alike places elsewhere on the film",
    "without": "than blurring the same place on films without the finding",
    "others": "than it lowers the other findings' logits",
}


@dataclass(frozen=True)
class Verdict:
    """What the gate says of one pair of classifier and finding, with the reason in plain words.

    Attributes:
        status: "shown" (detects it and looks there), "shown not to" (the interval excludes it), "not shown" (too few
            films to say), "measured on other films" than those that are scored, "not measured".
        reason: a few sentences that name the films. power: chance of being shown with these films if the model did
            look there as the gate asks; NaN where not measured.
    """

    status: Status
    reason: str
    power: float = math.nan

    @property
    def passed(self) -> bool:
        """True where scores may be read as scores of the method."""
        return self.status == "shown"

    @property
    def caution(self) -> str:
        """What the verdict leaves open, for a sentence; "" where it is shown."""
        return CAUTIONS.get(self.status, "")

    @property
    def words(self) -> str:
        """What is said above scores: the reason, after a caution where the pair did not pass."""
        return self.reason if self.passed else f"Read these scores with care: {self.reason}"


def by_status(verdicts: Mapping[str, Verdict]) -> str:
    """What the gate says of several findings, in words: "shown for mass; not measured for edema, nodule"."""
    parts = []
    for status in STATUSES:
        names = [display_name(finding).lower() for finding, one in verdicts.items() if one.status == status]
        if names:
            parts.append(f"{status} for {', '.join(names)}")
    return "; ".join(parts) or "not measured"


def gate(figures: Mapping[str, Any], finding: str, collection: str | None = None, digest: str = "") -> Verdict:
    """Decide on one pair of classifier and finding.

    Args:
        figures: ``figures["validity"][collection][finding]`` as ``measure_validity`` returns it. finding: the finding.
        collection: where the film is from; None for a single file. digest: of the classifier; figures that name
            another do not count, "" takes any.

    Returns:
        The verdict, by what was measured on films of this collection only.
    """
    measured = {
        name: by_finding[finding]
        for name, by_finding in figures.get("validity", {}).items()
        if isinstance(by_finding.get(finding), Mapping) and _fits(by_finding[finding], digest)
    }
    if collection in measured:
        return _decide(measured[collection], str(collection))
    if measured:
        name, other = max(measured.items(), key=lambda item: (item[1].get("looks") or {}).get("patients") or 0)
        found = _decide(other, name)
        shown = display_name(finding).lower()
        reason = (
            f"On these films nobody has measured whether the score depends on the annotated region of {shown}. "
            f"On others: {found.reason}"
        )
        return Verdict("measured on other films", reason)
    shown = display_name(finding).lower()
    return Verdict(
        "not measured", f"nobody has measured whether this model detects {shown} and depends on the annotated region."
    )


def _fits(figures: Mapping[str, Any], digest: str) -> bool:
    return "looks" in figures and figures.get("model") in (digest, figures.get("model") if not digest else digest)


def _decide(figures: Mapping[str, Any], collection: str) -> Verdict:
    look = figures["looks"]
    detects, words = _detection(figures, collection)
    there, reason = _looking(look)
    power = look["power"] if look["power"] is not None else math.nan
    if detects == there == "shown":
        return Verdict("shown", f"{words} {reason}", power)
    status: Status = "shown not to" if "shown not to" in (detects, there) else "not shown"
    return Verdict(status, f"{words} {reason}", power)


def _detection(figures: Mapping[str, Any], collection: str) -> tuple[Status, str]:
    films = f"on {collection}, where {figures['positives']} of {figures['films']} films have it"
    if figures.get("auroc") is None or figures.get("auroc_low") is None:
        return "not shown", f"Whether it detects the finding cannot be said {films}."
    low, high = figures["auroc_low"], figures["auroc_high"]
    words = f"AUROC {figures['auroc']:.2f} (95 % interval {low:.2f} to {high:.2f}) {films}"
    if low > AUROC_FLOOR:
        return "shown", f"It detects the finding: {words}."
    status: Status = "shown not to" if high < AUROC_FLOOR else "not shown"
    return status, f"That it detects the finding is {status}: {words}."


def _looking(look: Mapping[str, Any]) -> tuple[Status, str]:
    part = look["parts"][look["part"]]
    if look["patients"] < FEWEST or part["low"] is None:
        return (
            "not shown",
            f"{look['patients']} patients with a comparable annotation are too few to say so.",
        )
    p = "p < 0.001" if look["p_holm"] < 0.001 else f"p = {look['p_holm']:.3f}"
    more = (
        f"blurring the outline lowers the logit by {part['mean']:.2f} standard deviations more {_PLACE[look['part']]} "
        f"({part['low']:.2f} to {part['high']:.2f}; {p} after Holm; {look['films']} films, {look['patients']} patients)"
    )
    if look["p"] < look["level"]:
        return "shown", f"The score depends on the annotated region: {more}."
    # That other logits drop as well makes a network unspecific; only the comparisons of places say where it looks.
    places = [look["parts"][name]["high"] for name in ("elsewhere", "without")]
    if any(high is not None and high < EFFECT for high in places):
        return "shown not to", f"The score does not depend on the annotated region: {more}; {EFFECT} would be enough."
    power = f"with so few films {EFFECT} would be found with a chance of {look['power']:.0%}"
    return "not shown", f"That the score depends on the annotated region is not shown: {more}; {power}."
