"""Whether a map is true to the model: what happens to the logit when what the map names goes, or comes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
import torch

from evaluation.scores.base import Case, Metric
from evaluation.scores.faithfulness.completeness import promised_total, relative_residual, total
from evaluation.scores.faithfulness.deletion import STEPS, exchange_curve, moved, ranks
from evaluation.scores.faithfulness.fidelity import (
    SIZES,
    SQUARES,
    SUBSETS,
    cell_subsets,
    claimed,
    claims,
    correlation,
    falls,
    infidelity,
    squares,
)
from evaluation.scores.faithfulness.imputation import NOISE, SHARES, road
from evaluation.scores.registry import register
from xai_methods.perturbation.masking import make_regions

MOVES = 1
"""Times a map is moved over the film at random to see what chance gives on this film."""
_FREE_MOVES = 8
"""The same, where it costs no pass of the model."""
_PETSIUK = "Petsiuk et al. 2018, arXiv:1806.07421"
_HIDES = {
    "black": ("black", "Black makes shapes of its own that no film has."),
    "mean": ("the film's mean grey", "Grey makes shapes of its own, though softer ones than black."),
    "blur": (
        "the blurred film",
        "A blur of a sixteenth of the side leaves large findings, such as a large heart, there.",
    ),
}


def hidden_film(case: Case, hide: str) -> torch.Tensor:
    """(1, 1, S, S) in the classifier's range: what stands where the film is hidden ("black", "mean", "blur")."""
    whole = np.zeros((case.classifier.side, case.classifier.side), dtype=np.int32)
    return make_regions(case.classifier, case.film, whole, hide).hidden[None, None]


def _areas(case: Case, kind: Literal["deletion", "insertion"], hide: str) -> tuple[float, float]:
    """Area under the curve of the map, and the mean area of the same map moved; NaN where the map is flat."""
    values = case.explanation.values
    if np.ptp(values) == 0:
        return math.nan, math.nan

    def measure() -> tuple[float, float]:
        rng = np.random.default_rng(case.seed)
        hidden = hidden_film(case, hide)
        start, end = (case.film, hidden) if kind == "deletion" else (hidden, case.film)
        found = []
        for number in range(1 + MOVES):
            shown = values if number == 0 else moved(values, rng)
            curve = exchange_curve(case.logits, start, end, ranks(shown, rng), report=case.part(number, 1 + MOVES))
            found.append(curve.area())
        return found[0], float(np.mean(found[1:]))

    return case.cached(f"{kind}-{hide}", measure)


def _area(kind: Literal["deletion", "insertion"], hide: str, which: int) -> Callable[[Case], float]:
    return lambda case: _areas(case, kind, hide)[which]


def _register_curves() -> None:
    for hide, (words, caveat) in _HIDES.items():
        register(
            Metric(
                name=f"deletion_{hide}",
                title=f"Deletion ({hide})",
                meaning=f"Mean logit while the map's strongest pixels are replaced first by {words}.",
                formula=f"∫₀¹ f(x with the top share t of pixels replaced) dt, trapezoid rule, {STEPS} steps",
                compute=_area("deletion", hide, 0),
                expected=_area("deletion", hide, 1),
                source=_PETSIUK,
                caveat=f"Of logits, where the paper takes probabilities: read it against chance, which is the same map "
                f"moved over the same film. {caveat}",
                element="model transparency",
                direction="lower",
                needs=frozenset({"model"}),
                unit="logits",
                slow=True,
            )
        )
        register(
            Metric(
                name=f"insertion_{hide}",
                title=f"Insertion ({hide})",
                meaning=f"Mean logit while the map's strongest pixels come back first, starting from {words}.",
                formula=f"∫₀¹ f(hidden film with the top share t of pixels shown) dt, trapezoid rule, {STEPS} steps",
                compute=_area("insertion", hide, 0),
                expected=_area("insertion", hide, 1),
                source=_PETSIUK,
                caveat=f"Of logits, where the paper takes probabilities: read it against chance, which is the same map "
                f"moved over the same film. {caveat}",
                element="model transparency",
                direction="higher",
                needs=frozenset({"model"}),
                unit="logits",
                slow=True,
            )
        )


_register_curves()


def _road(case: Case) -> float:
    preprocessing = case.classifier.preprocessing
    noise = NOISE * (preprocessing.high - preprocessing.low)
    rng = np.random.default_rng(case.seed)
    return road(case.logits, case.film, case.explanation.values, rng, noise=noise, report=case.report)


register(
    Metric(
        name="road",
        title="ROAD",
        meaning="How much more the logit falls when the map's strongest pixels are smoothed away than its weakest.",
        formula=f"mean over t in {', '.join(f'{s:.0%}' for s in SHARES)} of "
        "½ · (f(least relevant t imputed) − f(most relevant t imputed))",
        compute=_road,
        expected=lambda case: 0.0,
        source="Rong et al. 2022, arXiv:2202.00449; least minus most as in pytorch-grad-cam",
        caveat="Of one film's logit, where the paper takes a data set's accuracy. A large removed area is imputed as a "
        "smooth field, which may still look like a finding.",
        element="model transparency",
        direction="higher",
        needs=frozenset({"model"}),
        unit="logits",
        slow=True,
    )
)


def _claims(case: Case, hidden: torch.Tensor) -> np.ndarray:
    return claims(case.explanation, (case.film - hidden)[0, 0].double().cpu().numpy())


def _infidelity(case: Case) -> tuple[float, float]:
    def measure() -> tuple[float, float]:
        hidden = hidden_film(case, "mean")
        rng = np.random.default_rng(case.seed)
        masks = squares(case.classifier.side, SQUARES, rng)
        drops = case.cached("squares", lambda: falls(case.logits, case.film, hidden, masks, case.report), of="finding")
        said = _claims(case, hidden)
        elsewhere = [infidelity(claimed(moved(said, rng), masks), drops) for _ in range(_FREE_MOVES)]
        return infidelity(claimed(said, masks), drops), float(np.mean(elsewhere))

    return case.cached("infidelity", measure)


register(
    Metric(
        name="infidelity",
        title="Infidelity",
        meaning="Share of the logit's falls, when random squares turn grey, that the map does not foretell.",
        formula="min over β ≥ 0 of E[(β · Σ(map in square) − (f(x) − f(x with the square grey)))²] "
        f"/ E[(f(x) − f(x with the square grey))²], {SQUARES} squares of ⅛ to ½ of the side",
        compute=lambda case: _infidelity(case)[0],
        expected=lambda case: _infidelity(case)[1],
        source="Yeh et al. 2019, arXiv:1901.09392; the factor β as in the authors' code",
        caveat="Divided by the mean square of the falls, so that films can be compared: 1 is a map that foretells "
        "nothing. A gradient is multiplied by what a pixel loses, a superpixel's weight is spread over its pixels.",
        element="model transparency",
        direction="lower",
        needs=frozenset({"model"}),
        unit="share",
        slow=True,
    )
)


def _sensitivity_n(case: Case) -> float:
    hidden = hidden_film(case, "mean")
    rng = np.random.default_rng(case.seed)
    masks = [cell_subsets(case.classifier.side, size, SUBSETS, rng) for size in SIZES]
    drops = case.cached(
        "cell subsets", lambda: falls(case.logits, case.film, hidden, np.concatenate(masks), case.report), of="finding"
    )
    said = _claims(case, hidden)
    pairs = zip(masks, np.split(drops, len(SIZES)))
    return float(np.mean([correlation(claimed(said, some), found) for some, found in pairs]))


register(
    Metric(
        name="sensitivity_n",
        title="Sensitivity-n",
        meaning="Correlation of what the map claims for random sets of cells and the logit's fall when they turn grey.",
        formula="mean over n of Pearson's r(Σ(map in n cells), f(x) − f(x with the n cells grey)); "
        f"{SUBSETS} sets each of {', '.join(f'{s:.0%}' for s in SIZES)} of 14 × 14 cells",
        compute=_sensitivity_n,
        expected=lambda case: 0.0,
        source="Ancona et al. 2018, arXiv:1711.06104",
        caveat="On cells, where the paper takes single pixels: sets of single pixels of a film are all alike.",
        element="model transparency",
        direction="higher",
        needs=frozenset({"model"}),
        slow=True,
    )
)


def _completeness(case: Case) -> float:
    promised = promised_total(case.explanation)
    return math.nan if promised is None else relative_residual(total(case.explanation), promised)


register(
    Metric(
        name="completeness_residual",
        title="Completeness residual",
        meaning="How far the map's sum is from the logit that the method promises to share out.",
        formula="|Σ map − promised| / |promised|; promised is f(x) − base value, for LRP f(x)",
        compute=_completeness,
        source="Sundararajan et al. 2017, arXiv:1703.01365; Bach et al. 2015, doi:10.1371/journal.pone.0130140",
        caveat="Only for methods that name a base value (Shapley values, gradients times a difference) and LRP, where "
        "what biases keep counts as missing. Input times gradient promises it for linear models only. Says nothing of "
        "where the evidence lies.",
        element="model transparency",
        direction="lower",
        unit="share",
    )
)
