"""How many films LIME and Kernel SHAP need until two seeds agree: ours, and the libraries' own way of drawing.

Counted by the rank correlation over superpixels between whole runs under different seeds, not from standard errors. For
Kernel SHAP that is the first number at which they agree. LIME needs so few films that a line can be laid through many
numbers (log of what is missing to 1 over log of the number), which chance moves less. Counts take long and do not hang
on how busy the machine is, so they are kept in the home folder and made anew only when the code, the model or the film
changes. ``python -m benchmarks.agreement MODEL`` makes them ahead of the timing.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from itertools import combinations
from statistics import mean

import numpy as np
from scipy.stats import spearmanr

from benchmarks.films import classifiers, limit_to
from classifiers import ChestClassifier
from radiographs import Radiograph
from radiographs.places import home_folder
from radiographs.registry import find_film
from xai_methods import Request
from xai_methods.perturbation import emulator, game, lime, masking, sampling_plan, shap
from xai_methods.perturbation.game import Game
from xai_methods.perturbation.lime import LimeParameters, fit_surrogate, planned_surrogate, proximity
from xai_methods.perturbation.masking import Regions, regions_of
from xai_methods.perturbation.sampling_plan import SamplingPlan, plan_coalitions
from xai_methods.perturbation.shap import shapley_values

FILM, FINDING = "adult-dicom/RG1", "Mass"
"""A real film; on a classifier that does not know the finding its second stands in."""
REGIONS = 50
AGREEMENT = 0.95
SEEDS, RIVAL_SEEDS = 3, 2
FILMS = (60, 80, 100, 120, 150, 200, 250, 300, 400, 500, 600, 700, 850, 1000, 1250, 1500, 2000, 2500, 3000)
"""Numbers of films at which ours are compared."""
TIMES = (1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0)
"""How many times our films a rival gets before its counting stops."""

LIME_FILMS = (100, 150, 200, 250, 350, 500, 700, 1000, 1400)
"""Numbers of films through which LIME's line goes ..."""
LIME_MISSING = (0.01, 0.25)
"""... where so much of the agreement is missing: near what is asked for, where the line is straight."""
LIME_DRAWS = {"ours": 700, "theirs": 2800}
"""Films drawn: by each run of ours, and by the rival in all, to be cut into runs."""

Runs = Callable[[int], Sequence[np.ndarray]]
"""Number of films to the superpixels' weights of each seed."""


@dataclass(frozen=True)
class Count:
    """Films at which seeds agreed, and how well; ``reached`` is False where they did not by then."""

    films: int
    agreement: float
    reached: bool


@dataclass(frozen=True)
class Counts:
    """Counts of one method, ours and the library's."""

    ours: Count
    theirs: Count


@cache
def the_film() -> Radiograph:
    """The film on which LIME and Kernel SHAP are timed."""
    return find_film(FILM)[0]


def finding_of(classifier: ChestClassifier) -> str:
    """The finding asked for."""
    return FINDING if FINDING in classifier.findings else classifier.findings[1]


def question(classifier: ChestClassifier) -> tuple[Request, Regions]:
    """The question put to both sides, and its superpixels."""
    parameters, finding = LimeParameters(n_superpixels=REGIONS), finding_of(classifier)
    request = Request(
        classifier, classifier.prepare(the_film()), classifier.column(finding), finding, parameters, 0,
        np.random.default_rng(0), lambda share: None, lambda: False,
    )  # fmt: skip
    return request, regions_of(request, parameters)


def agreement(weights: Sequence[np.ndarray]) -> float:
    """Mean rank correlation over all pairs of runs."""
    return mean(float(spearmanr(one, other).statistic) for one, other in combinations(weights, 2))


def counts(classifier: ChestClassifier, method: str) -> Counts:
    """Counts of "lime" or "shap" on one classifier, kept ones where there are any."""
    place = home_folder() / "benchmarks" / f"agreement-{method}-{_key(classifier)}.json"
    if place.is_file():
        kept = json.loads(place.read_text(encoding="utf-8"))
        return Counts(*(Count(**one) for one in kept.values()))
    found = {"lime": _lime, "shap": _shap}[method](*question(classifier))
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(asdict(found)), encoding="utf-8")
    return found


def _key(classifier: ChestClassifier) -> str:
    parts = [inspect.getsource(module) for module in (lime, shap, sampling_plan, emulator, game, masking)]
    return hashlib.sha256("\n".join([*parts, classifier.digest, the_film().digest]).encode()).hexdigest()[:16]


def _until_agreed(runs: Runs, films: Sequence[int]) -> Count:
    for number in films:
        found = agreement(runs(number))
        if found >= AGREEMENT:
            return Count(number, found, True)
    return Count(films[-1], found, False)


def _estimated(request: Request, regions: Regions, plan: SamplingPlan, method: str) -> np.ndarray:
    """Weights that "lime" or "shap" gives the superpixels from a plan; films known already cost nothing."""
    logits = Game(request, regions, "auto", len(plan.chosen))(plan.chosen)
    return (
        shapley_values(plan, logits).weights if method == "shap" else planned_surrogate(plan, logits, 0.25, 1.0).weights
    )


def _ours(request: Request, regions: Regions, method: str, most: int) -> Runs:
    """Our runs with so many films, ``most`` at most, under each seed."""
    players = regions.count
    plans = [plan_coalitions(players, most, np.random.default_rng(seed)) for seed in range(SEEDS)]

    def runs(number: int) -> list[np.ndarray]:
        # So few are not the beginning of a long run, which enumerates first.
        short = number < 2 * (plans[0].whole + players)
        chosen = [
            plan_coalitions(players, number, np.random.default_rng(seed)) if short else plan.first(number // 2)
            for seed, plan in enumerate(plans)
        ]
        return [_estimated(request, regions, plan, method) for plan in chosen]

    return runs


def _lime(request: Request, regions: Regions) -> Counts:
    def weights(coalitions: np.ndarray, logits: np.ndarray) -> np.ndarray:
        return fit_surrogate(coalitions, logits, proximity(coalitions, 0.25), 1.0).weights

    most, total = LIME_DRAWS["ours"], LIME_DRAWS["theirs"]
    runs = _ours(request, regions, "lime", most)
    ours = {films: agreement(runs(films)) for films in LIME_FILMS if films <= most}
    single = np.random.default_rng(100).random((total, regions.count)) < 0.5
    answers = Game(request, regions, "auto", total)(single)
    cuts = {films: [slice(run * films, (run + 1) * films) for run in range(total // films)] for films in LIME_FILMS}
    theirs = {films: agreement([weights(single[cut], answers[cut]) for cut in found]) for films, found in cuts.items()}
    return Counts(_on_a_line(ours), _on_a_line(theirs))


def _on_a_line(found: dict[int, float]) -> Count:
    """The number of films at which the line through agreements by number reaches what is asked for."""
    missing = {films: 1 - one for films, one in found.items()}
    near = {films: one for films, one in missing.items() if LIME_MISSING[0] <= one <= LIME_MISSING[1]}
    through = near if len(near) > 1 else missing
    slope, level = np.polyfit(np.log(list(through)), np.log(list(through.values())), 1)
    films = round(float(np.exp((np.log(1 - AGREEMENT) - level) / slope)))
    return Count(min(films, 2 * max(found)), AGREEMENT, films <= 2 * max(found))


def _shap(request: Request, regions: Regions) -> Counts:
    import shap as library

    def theirs(number: int) -> list[np.ndarray]:
        found = []
        for _ in range(RIVAL_SEEDS):
            game = Game(request, regions, "auto", number)
            explainer = library.KernelExplainer(lambda rows, g=game: g(rows > 0.5), np.zeros((1, regions.count)))
            shares = explainer.shap_values(np.ones((1, regions.count)), nsamples=number, l1_reg=False, silent=True)
            found.append(np.ravel(shares))
        return found

    ours = _until_agreed(_ours(request, regions, "shap", FILMS[-1]), FILMS)
    # Its runs cannot be carried on, so the most that it is allowed is tried first.
    most = round(TIMES[-1] * ours.films)
    at_most = _until_agreed(theirs, [most])
    if not at_most.reached:
        return Counts(ours, at_most)
    return Counts(ours, _until_agreed(theirs, [round(times * ours.films) for times in TIMES]))


if __name__ == "__main__":
    limit_to(sys.argv[1:])
    for title, classifier in classifiers().items():
        for method in ("lime", "shap"):
            sys.stdout.write(f"{title}, {method}: {counts(classifier, method)}\n")
            sys.stdout.flush()
