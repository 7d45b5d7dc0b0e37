"""Whether a map stays as it is when nothing that matters changes: noise on the film, the seed, the model."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import torch
import torch.nn.functional as F

from classifiers import ChestClassifier
from evaluation.scores.base import Case, Metric
from evaluation.scores.registry import register
from evaluation.scores.similarity import spearman, ssim
from radiographs import Radiograph
from xai_methods import get_method
from xai_methods.perturbation.masking import unit_pixels

NOISES = 5
"""Noisy films of max-sensitivity."""
SEEDS = 3
"""Seeds of repeatability, the map's own among them."""
RADIUS = 0.02
"""Most that noise changes a pixel, as a share of the grey range: five of 256 greys."""


def noisy(pixels: np.ndarray, rng: np.random.Generator, radius: float = RADIUS) -> Radiograph:
    """Add noise, uniform within ``radius``, to (S, S) pixels in [0, 1]; what leaves [0, 1] is clipped."""
    return Radiograph(np.clip(pixels + rng.uniform(-radius, radius, pixels.shape), 0, 1))


def relative_change(original: np.ndarray, other: np.ndarray) -> float:
    """‖other - original‖₂ / ‖original‖₂ of two (S, S) maps; NaN where the original is zero everywhere."""
    length = float(np.linalg.norm(original.astype(np.float64)))
    return float(np.linalg.norm(other.astype(np.float64) - original)) / length if length else float("nan")


def mean_pairwise(maps: list[np.ndarray]) -> tuple[float, float]:
    """Mean SSIM and mean Spearman correlation over all pairs of (S, S) maps; NaN where a pair has none."""
    pairs = list(combinations(maps, 2))
    return float(np.mean([ssim(*pair) for pair in pairs])), float(np.mean([spearman(*pair) for pair in pairs]))


def on_grid(classifier: ChestClassifier, values: np.ndarray, radiograph: Radiograph, side: int) -> np.ndarray:
    """Carry an (S, S) map into the film, then onto a grid common to all models: (h, w), the longer one ``side``.

    Models see films through different squares and sizes, so their maps can only be compared by way of the film.
    """
    film = torch.tensor(classifier.to_film(values, radiograph))[None, None]
    height, width = radiograph.shape
    scale = min(side / max(height, width), 1.0)
    size = (max(round(height * scale), 1), max(round(width * scale), 1))
    return F.interpolate(film, size, mode="bilinear", antialias=True, align_corners=False)[0, 0].numpy()


def _max_sensitivity(case: Case) -> float:
    pixels = np.clip(unit_pixels(case.classifier, case.film), 0, 1)
    rng = np.random.default_rng(case.seed)
    changes = []
    for number in range(NOISES):
        other = case.explain_again(radiograph=noisy(pixels, rng), progress=case.part(number, NOISES))
        changes.append(relative_change(case.values, other.values))
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
        high=math.inf,
        needs=frozenset({"model", "repeats"}),
        unit="ratio",
        slow=True,
    )
)


def _repeats(case: Case) -> tuple[float, float]:
    def measure() -> tuple[float, float]:
        maps = [case.values]
        if not get_method(case.explanation.method).stochastic:
            return mean_pairwise(maps * SEEDS)
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
        own = on_grid(case.classifier, case.values, case.radiograph, side)
        found = []
        for number, other in enumerate(known):
            values = case.explain_again(classifier=other, progress=case.part(number, len(known))).values
            found.append(mean_pairwise([own, on_grid(other, values, case.radiograph, side)]))
        return float(np.mean([pair[0] for pair in found])), float(np.mean([pair[1] for pair in found]))

    return case.cached("agreement " + " ".join(one.digest for one in case.others), measure)


_PAIRS: tuple[tuple[str, str, str], ...] = (
    ("ssim", "SSIM", "SSIM(map, map′), each divided by the 99.5th percentile of its absolute values"),
    ("spearman", "rank correlation", "Spearman's ρ over the pixels of map and map′"),
)


def _register_repeatability(which: int, short: str, words: str, rule: str) -> None:
    register(
        Metric(
            name=f"repeatability_{short}",
            title=f"Repeatability over seeds ({words})",
            meaning="How alike the maps of different random seeds are.",
            formula=f"mean over pairs of {SEEDS} seeds of {rule}",
            compute=lambda case: _repeats(case)[which],
            source="Visani et al. 2022, doi:10.1080/01605682.2020.1865846 (stability of LIME); SSIM: Wang et al. 2004, "
            "doi:10.1109/TIP.2003.819861",
            caveat="1 for every method without chance in it, which says nothing in its favour. Not the repeatability "
            "over retrained models of Arun et al. 2021.",
            element="model transparency",
            needs=frozenset({"model", "repeats"}),
            low=-1.0,
            slow=True,
        )
    )


def _register_agreement(which: int, short: str, words: str, rule: str) -> None:
    register(
        Metric(
            name=f"agreement_{short}",
            title=f"Agreement over models ({words})",
            meaning="How alike the maps of other models that know the finding are.",
            formula=f"mean over the other models of {rule}, both carried into the film",
            compute=lambda case: _agreement(case)[which],
            source="Arun et al. 2021, doi:10.1148/ryai.2021200267 (reproducibility)",
            caveat="Models may rightly look at different signs. Undefined without another model that knows it.",
            element="model transparency",
            needs=frozenset({"model", "other models"}),
            low=-1.0,
            slow=True,
        )
    )


for _which, _pair in enumerate(_PAIRS):
    _register_repeatability(_which, *_pair)
    _register_agreement(_which, *_pair)
