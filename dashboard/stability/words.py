"""What the stability page and its report say beside each figure, in words for someone who never met a Jacobian."""

from __future__ import annotations

import math

from evaluation.stability.perturbations import USUAL
from evaluation.stability.study import Stability
from radiographs.findings import display_name

TITLE = "Stability to small image changes"
WHAT = (
    "How much does the model's answer move when the film changes a little? First a change that is made to move it the "
    "most, then changes that films meet every day."
)
MATHEMATICS = "The mathematics: the Jacobian, and how far it can be believed"
JACOBIAN = (
    "The Jacobian says, for every finding and every pixel, how much the model's score would move for a small change. "
    "It needs no training data and no sampling (Abe & Asai 2025, arXiv 2502.14001). Here it is put to the test: "
    "whether it can be computed reliably, and how far its forecast holds."
)
LEVEL = "A grey level is one of 256 steps from black to white; sizes of changes are root mean squares over all pixels."
SLIDER = (
    "The change of the film that moves all scores together the most, in either direction. The film hardly seems to "
    "change, which is the point: the model sees what the eye does not. Bars: probability now; "
    "grey ticks: on the film as it is; dashed: the decision threshold."
)
MAP = "Red pixels raise the score when they get whiter, blue ones lower it, black ones do nothing."
STAGES = "The same question inside the network, from its first stage to its last: where its features matter."
LINE = (
    "The straight line is the Jacobian's forecast, the curve what the model does. Where they part, the Jacobian no "
    "longer explains the model."
)
SPECTRUM = (
    "Each bar is one independent way in which a small change of the film can move the scores, and how strongly. One "
    "tall bar: all findings depend on the same change. Many equal bars: each finding answers to its own."
)
TOGETHER = "Red: a change that raises the one finding raises the other too. Blue: it lowers it. White: unrelated."
PERTURBED = (
    "How each finding's probability moves, in percentage points, when the film comes out a little differently. A cross "
    "marks a decision that flips."
)
FORECAST = (
    "Each point is one finding under one change of the film: across, what the Jacobian forecast; up, what the model "
    "did. On the diagonal the forecast is right."
)
CURVE = (
    "The Jacobian against differences measured on the model. To the left rounding spoils the differences, to the right "
    "the model's own bends; the lowest point says how well the two agree."
)
REACH = (
    "Distance: the smallest change, spread over all pixels, that would carry the finding over its threshold, by the "
    "forecast. Holds to: how far along that way the forecast is right to 10 %. Where that is less, the distance "
    "is a guess."
)


def levels(value: float) -> str:
    """A size in grey levels, for people."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "the end of the way that was followed"
    return f"{value:.2g} grey levels"


def reach_words(found: Stability) -> str:
    """How far the linear picture holds, in a sentence."""
    strongest = found.strongest.radius()
    held = sum(1 for done in found.perturbed if done.level == USUAL and done.holds)
    usual = sum(1 for done in found.perturbed if done.level == USUAL)
    size = (
        f"Along the most sensitive direction the forecast is right to 10 % up to {levels(strongest)}"
        if math.isfinite(strongest)
        else "Along the most sensitive direction the forecast is right to 10 % as far as was tried"
    )
    if held == usual:
        return f"{size}; it holds for all {usual} usual changes of a film."
    which, rest = (f"{held} of {usual}", "the others") if held else (f"none of {usual}", "these")
    return (
        f"{size}; it holds for {which} usual changes of a film. For {rest} the Jacobian "
        "explains little: the model bends before they are complete."
    )


def nearest(found: Stability) -> tuple[str, float] | None:
    """The finding nearest to its threshold and its distance in grey levels; None where there is none."""
    known = [reach for reach in found.distances if not math.isnan(reach.l2)]
    if not known:
        return None
    least = min(known, key=lambda reach: reach.l2)
    return display_name(least.finding), least.l2


def flip_words(found: Stability) -> list[str]:
    """One sentence for each finding whose decision some realistic perturbation flips, the mildest change first."""
    known = [(done.level, done.size, finding, done) for finding, done in found.first_flips().items() if done]
    words = []
    for _, _, finding, done in sorted(known, key=lambda one: one[:2]):
        column = found.findings.index(finding)
        change = "no longer positive" if found.distances[column].called else "positive"
        words.append(f"{display_name(finding)} is {change} on a film {done.words}.")
    return words


def precision_words(found: Stability) -> str:
    """What is known of precision and of switches, in sentences."""
    known = found.availability
    parts = []
    if not math.isnan(known.single):
        parts.append(f"In single precision the Jacobian is {known.single:.1g} (relative) off double precision.")
    if not math.isnan(known.half):
        parts.append(
            f"In bfloat16, the short numbers of fast hardware, it is {known.half:.0%} off"
            + (": do not compute it so." if known.half > 0.05 else ".")
        )
    for direction, shares in known.switches.items():
        if not math.isnan(shares[-1]):
            parts.append(
                f"Within {known.switch_steps[0]:g} grey levels along {direction}, {shares[0]:.2%} of the network's "
                f"ReLUs and max-pools switch; within {known.switch_steps[-1]:g}, {shares[-1]:.1%}. At a switch "
                "there is no derivative."
            )
    return " ".join(parts)
