"""The reference page of all scores, written from the registries: ``python -m evaluation.scores.document``."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from evaluation.scores.base import Metric, no_closed_form
from evaluation.scores.registry import metrics
from evaluation.scores.score import Element

PAGE = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"
_MEANS = {
    "higher": "higher is better",
    "lower": "lower is better",
    "neither": "neither way is better; it helps to read another number",
}
_NEEDS = {
    "mask": "an expert's outline",
    "model": "the model",
    "repeats": "further maps of the method",
    "anatomy": "lungs and heart of the film",
    "other models": "other models that know the finding",
}
_HEAD = """# Scores

Every score of the program: what it is, which way is better, what chance gives, where it is from, and when it
misleads. This page is written from the registries by `python -m evaluation.scores.document`; change a score there,
never here.

**Polarity.** A score against an outline is computed in the film's own pixels, of the map's positive part,
unless another polarity is chosen: "abs" (absolute values) or "raw" (as they are). **Undefined is NaN**, shown as a
dash and written as null: an empty outline, a map without positive evidence where its shares are needed. It is never
a silent 0 or 1. **Ties are averaged over:** where several pixels have the deciding value, the score is its mean over
all ways to choose among them, so that a map of superpixels gains nothing from the order of its pixels. **Chance** is
what a map of independent random numbers gets in expectation; where no closed form is known, read the score beside the
baselines (uniform map, centre prior, mean annotation, edge map).

**Notation.** a: the map by its polarity; a⁺ = max(a, 0); G: the outlined pixels; n: pixels of the film; p = |G| / n; H,
W: the film's height and width; |·| of a set: its number of pixels; Σ_G: sum over the pixels of G; f: the logit of the
finding; x: the film.

## Thresholds, and what they do to signed maps

The CheXlocalize protocol (Saporta et al. 2022) enlarges the map bilinearly to the film, stretches it from its least
to its greatest value to [0, 1], cuts it at Otsu's threshold, and fills the contours.
The published mIoU is the mean of the CheXlocalize IoU over films with the finding outlined; the published hit rate is
the pointing game.

**On a signed map this fails.** Zero lies somewhere in the middle of the stretched scale, so a threshold cuts the
map's noise in two; the half above it is a net that encloses the rest, and filling the net marks the whole film. A map
of independent normal numbers on 1024 x 1024 pixels is marked to more than 95 %. The overlap is then the size of the
outline divided by that of the film, whatever the map shows. SHAMSUL (Ul Alam et al. 2023) scored LRP so. The
CheXlocalize IoU of this program takes the positive part first; the SHAMSUL IoU takes the map as it is, for comparison
with that paper; **each has its coverage beside it.** Here the polarity "raw" makes the first equal to the second.

The ChestX-ray14 protocol (Wang et al. 2017) stretches the map to [0, 255], cuts it at 60 and at 180, and puts a box
around each isolated part.

## Where Quantus counts otherwise

Tests compare these scores with Quantus 0.6.0 where both have them. They agree on positive maps without ties. They
differ where Quantus counts an empty outline as a hit of the pointing game, counts a hit where one of many equal peaks
lies inside, divides by a sum that negative values have lowered (relevance mass above 1, or below 0), and breaks ties
by the order of the pixels (relevance rank, top-k).

## Statistics

`evaluation.statistics`: intervals are bootstrap-t intervals (Efron and Tibshirani 1993), expanded percentiles where a
draw has no spread (Hesterberg 2015, arXiv:1411.5279); **patients** are drawn, with all their films; below 10 patients
there is none.
Methods are compared on the same films: Friedman's test whether they differ at all, Wilcoxon's signed-rank test for
each pair with Holm's correction, the matched-pairs rank-biserial correlation as effect size, the median difference,
and n. `patient_means` gives these tests one row a patient. `evaluation.statistics.critical_difference` draws the
diagram of mean ranks; its bars join methods of which Wilcoxon-Holm tells no pair apart.
"""


def reference_page() -> str:
    """The page as Markdown: the head, then every metric by element of interpretability."""
    parts = [_HEAD]
    for element in get_args(Element):
        of_element = [metric for metric in metrics().values() if metric.element == element]
        if of_element:
            parts.append(f"## {element.capitalize()}\n")
            parts += [_section(metric) for metric in of_element]
    return "\n".join(parts)


def _section(metric: Metric) -> str:
    lines = [f"### {metric.title}", "", f"`{metric.name}`. {metric.meaning}", ""]
    facts = {"Formula": metric.formula, "Direction": _MEANS[metric.direction], "Chance": _chance(metric)}
    facts["Range"] = f"{_bound(metric.low)} to {_bound(metric.high)}" + (f" {metric.unit}" if metric.unit else "")
    if metric.coverage:
        facts["Read with"] = f"`{metric.coverage}`"
    needs = ", ".join(words for need, words in _NEEDS.items() if need in metric.needs)
    facts["Needs"] = (needs or "the map alone") + (" (slow)" if metric.slow else "")
    facts |= {"Source": metric.source, "Pitfall": metric.caveat}
    lines += [f"- {name}: {_escaped(text)}" for name, text in facts.items()]
    return "\n".join(lines) + "\n"


def _chance(metric: Metric) -> str:
    unknown = "no closed form" if metric.expected is no_closed_form else "given beside each score"
    return metric.chance_formula or unknown


def _bound(number: float) -> str:
    return f"{number:g}" if math.isfinite(number) else ("∞" if number > 0 else "−∞")


def _escaped(text: str) -> str:
    return text.replace("*", "\\*").replace("_", "\\_").replace("<", "\\<")


def main(argv: Sequence[str] | None = None) -> int:
    """Write the page; with ``--check``, say whether it is up to date instead."""
    given = list(sys.argv[1:] if argv is None else argv)
    if given not in ([], ["--check"]):
        sys.stderr.write("python -m evaluation.scores.document takes no arguments but --check\n")
        return 2
    page = reference_page()
    if given:
        same = PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page
        sys.stdout.write("up to date\n" if same else "out of date: run python -m evaluation.scores.document\n")
        return 0 if same else 1
    PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
