"""Whether a map stays as it is when nothing that matters changes: noise on the film, the seed, the model."""

from __future__ import annotations

import math

import numpy as np

from evaluation.scores.base import Case, Metric, Need
from evaluation.scores.noise import RADIUS, mean_pairwise, noisy, on_grid, relative_change
from evaluation.scores.registry import register
from xai_methods.perturbation.masking import unit_pixels

NOISES = 5
"""Noisy films of max-sensitivity."""
SEEDS = 3
"""Seeds of repeatability, the map's own among them."""


def _max_sensitivity(case: Case) -> float:
    pixels = np.clip(unit_pixels(case.classifier, case.film), 0, 1)
    rng = np.random.default_rng(case.seed)
    changes = []
    for number in range(NOISES):
        other = case.explain_again(radiograph=noisy(pixels, rng), progress=case.part(number, NOISES))
        changes.append(relative_change(case.explanation.values, other.values))
    return float(np.max(changes))


register(
    Metric(
        name="max_sensitivity",
        title="Max-sensitivity",
        meaning="How much the map changes, at most, when noise that no eye sees is added to the film.",
        formula=f"max over {NOISES} draws of ‖map(x + noise) − map(x)‖₂ / ‖map(x)‖₂, noise uniform within "
        f"±{RADIUS:.0%} of the grey range on the model's input grid",
        compute=_max_sensitivity,
        source="Yeh et al. 2019, arXiv:1901.09392",
        caveat="A few draws give a lower bound of the maximum. 0 for a map that ignores the film. Superpixels are cut "
        "anew on each noisy film.",
        element="model transparency",
        direction="lower",
        needs=frozenset({"model", "repeats"}),
        unit="ratio",
        slow=True,
    )
)


def _repeats(case: Case) -> tuple[float, float]:
    def measure() -> tuple[float, float]:
        maps = [case.explanation.values]
        for number in range(1, SEEDS):
            seed = case.explanation.seed + number
            maps.append(case.explain_again(seed=seed, progress=case.part(number - 1, SEEDS - 1)).values)
        return mean_pairwise(maps)

    return case.cached("repeats", measure)


def _agreement(case: Case) -> tuple[float, float]:
    def measure() -> tuple[float, float]:
        known = [one for one in case.others if case.explanation.finding in one.findings]
        known = [one for one in known if one.digest != case.classifier.digest]
        if not known:
            return math.nan, math.nan
        side = min(one.side for one in (case.classifier, *known))
        own = on_grid(case.classifier, case.explanation.values, case.radiograph, side)
        found = []
        for number, other in enumerate(known):
            values = case.explain_again(classifier=other, progress=case.part(number, len(known))).values
            found.append(mean_pairwise([own, on_grid(other, values, case.radiograph, side)]))
        return float(np.mean([pair[0] for pair in found])), float(np.mean([pair[1] for pair in found]))

    return case.cached("agreement " + " ".join(one.digest for one in case.others), measure)


def _register_pair(name: str, title: str, meaning: str, formula: str, source: str, caveat: str, which: int) -> None:
    measure = _repeats if name.startswith("repeatability") else _agreement
    need: Need = "repeats" if measure is _repeats else "other models"
    register(
        Metric(
            name=name,
            title=title,
            meaning=meaning,
            formula=formula,
            compute=lambda case: measure(case)[which],
            source=source,
            caveat=caveat,
            element="model transparency",
            direction="higher",
            needs=frozenset({"model", need}),
            slow=True,
        )
    )


for _which, (_short, _words, _rule) in enumerate(
    [
        ("ssim", "SSIM", "SSIM(map, map′), each divided by the 99.5th percentile of its absolute values"),
        ("spearman", "rank correlation", "Spearman's ρ over the pixels of map and map′"),
    ]
):
    _register_pair(
        f"repeatability_{_short}",
        f"Repeatability over seeds ({_words})",
        "How alike the maps of different random seeds are.",
        f"mean over pairs of {SEEDS} seeds of {_rule}",
        "Visani et al. 2022, doi:10.1080/01605682.2020.1865846 (stability of LIME); SSIM: Wang et al. 2004, "
        "doi:10.1109/TIP.2003.819861",
        "1 for every method without chance in it, which says nothing in its favour. Not the repeatability over "
        "retrained models of Arun et al. 2021.",
        _which,
    )
    _register_pair(
        f"agreement_{_short}",
        f"Agreement over models ({_words})",
        "How alike the maps of other models that know the finding are.",
        f"mean over the other models of {_rule}, both carried into the film",
        "Arun et al. 2021, doi:10.1148/ryai.2021200267 (reproducibility)",
        "Models may rightly look at different signs. Undefined without another model that knows the finding.",
        _which,
    )
