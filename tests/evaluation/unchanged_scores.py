"""A table of scores that no rearrangement of the code may change: how it is computed, written and looked at.

``python -m tests.evaluation.unchanged_scores`` lists what moved by more than ``EXACT``: the right comparison on the
machine that wrote the table. ``--write`` writes it anew, with a tolerance for each number, measured over instruction
sets of this processor and numbers of threads: that is what the test allows, as it must pass on other machines too.
``--write METHOD ...`` writes the rows of these methods alone.
"""

from __future__ import annotations

import csv
import json
import math
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import nn

from classifiers import ChestClassifier, ModelCard, Preprocessing
from classifiers.registry import load_classifier
from evaluation.one_film.evaluate import ScoringContext, evaluate_method
from evaluation.scores import Score, metrics
from radiographs import Radiograph
from radiographs.annotation import annotations_of
from radiographs.registry import find_film
from xai_methods import Parameters, get_method, methods
from xai_methods.passes import batch_size

TABLE = Path(__file__).with_suffix(".csv")
EXACT = 1e-6
"""Share of a number that it may move on one and the same machine."""
ZERO = 1e-9
"""What a number that was 0 may be."""
MARGIN = 10
"""How many times the largest difference between ``MACHINES`` a number may move: others may differ more than these."""
MOST = 1e-3
"""Share of a number that it may move because another method's number moved."""
MACHINES: tuple[dict[str, str], ...] = (
    {"OMP_NUM_THREADS": "2"},
    {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"},
    {"ONEDNN_MAX_CPU_ISA": "SSE41", "ATEN_CPU_CAPABILITY": "default", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2"},
)
"""Environments in which torch rounds otherwise."""
SMALL: dict[str, dict[str, object]] = {
    "lime": {"n_superpixels": 16, "samples": 50},
    "kernel-shap": {"n_superpixels": 16, "samples": 50},
    "owen-values": {"n_superpixels": 16, "samples": 20},
    "score-cam": {"masks": 16},
    "integrated-gradients": {"steps": 4},
    "smoothgrad": {"samples": 4},
    "expected-gradients": {"films": 4, "samples": 16},
    "occlusion": {"patch": 0.5},
    "rise": {"masks": 50},
}
"""Parameters of slow methods that make them quick; all others are the defaults."""
ONCE = ("expert_blur_drop", "stability_")
"""Metrics whose answer is the same for all maps of a film and finding, so that one asking is enough."""
Key = tuple[str, str, str, str, str]
"""Film, model, finding, method, metric."""


@dataclass(frozen=True)
class Question:
    """One film and finding under one model.

    Attributes:
        film, model, finding: their names. box: rows and columns outlined where the film has no outline of its own.
        thin: every so many pixels are taken, of ``spacing`` mm. methods: who answers.
        thorough: of these, whose maps get the metrics ``slow``; all get those that cost nearly nothing.
    """

    film: str
    model: str
    finding: str
    methods: tuple[str, ...]
    box: tuple[slice, slice] | None = None
    thin: int = 1
    spacing: tuple[float, float] | None = None
    thorough: tuple[str, ...] = ()
    slow: tuple[str, ...] = ()


COUNTERFACTUAL = tuple(name for name, method in methods().items() if method.family == "counterfactual")
DIRECT = tuple(n for n, m in methods().items() if m.family not in ("counterfactual", "attention"))
"""No model here is a transformer, so methods that read attention have nothing to read."""
FAST = tuple(name for name in DIRECT if methods()[name].speed == "fast")
SLOW = tuple(name for name, metric in metrics().items() if metric.slow)
CURVES = ("deletion_", "insertion_", "infidelity", "sensitivity_n")
"""What takes more than 2 s on a network of usual size."""
QUESTIONS = (
    Question(
        "known-truth/nodule-01", "known-truth", "Nodule", DIRECT, thorough=("grad-cam",),
        slow=("insertion_blur", *(name for name in SLOW if not name.startswith(CURVES))),
    ),
    Question("known-truth/effusion-01", "known-truth", "Effusion", FAST),
    Question(
        "adult-dicom/RG1", "nih14-localised", "Effusion", (*FAST, "progressive-exaggeration"),
        box=np.s_[300:420, 60:190], thin=4, spacing=(0.7, 0.6),
    ),
    Question(
        "known-truth/effusion-02", "small", "Effusion", (*DIRECT, "latent-shift"), thorough=DIRECT, slow=SLOW
    ),
)  # fmt: skip
"""The shipped known-truth films are refused by counterfactual methods; latent-shift-xrv has no weights of ours."""


class _Small(nn.Module):
    """Two convolutions and a mean; drawn weights. Its answers come so fast that every metric can be had."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        rng = np.random.default_rng(seed)
        self.features = nn.Sequential(
            nn.Conv2d(1, 6, 5, stride=2, padding=2), nn.BatchNorm2d(6), nn.ReLU(),
            nn.Conv2d(6, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.ReLU(),
        )  # fmt: skip
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.classifier = nn.Linear(8, 2)
        for parameter in self.parameters():
            drawn = rng.normal(0.05, 0.4, tuple(parameter.shape)).astype(np.float32)
            parameter.data = torch.from_numpy(drawn)

    def forward(self, films: torch.Tensor) -> torch.Tensor:
        """(N, 1, S, S) to (N, 2) logits."""
        return self.classifier(self.flatten(self.pool(self.features(films))))


@cache
def _classifier(name: str) -> ChestClassifier:
    if name.startswith("small"):
        card = ModelCard(name, "Small", "Drawn weights.", "nothing", "none", "none", "For tests.")
        network = _Small(len(name)).eval()
        made = ChestClassifier(network, ("Nodule", "Effusion"), card, "features", Preprocessing(48, "pad", -2.0, 2.0))
    else:
        made = load_classifier(name, device="cpu")
    # Batch sizes are chosen by the clock otherwise, and sums of other batches round otherwise.
    batch_size(made, "float32").limit(1)
    return made


def _context(question: Question) -> ScoringContext:
    classifier = _classifier(question.model)
    others = (_classifier("small-other" if question.model == "small" else "nih14-localised"),)
    film, entry, collection = find_film(question.film)
    if question.box is not None:
        film = Radiograph(film.pixels[:: question.thin, :: question.thin], pixel_spacing_mm=question.spacing)
        mask = np.zeros(film.shape, dtype=bool)
        mask[question.box] = True
        return ScoringContext(classifier, film, annotations_of({question.finding: mask}), others=others)
    assert collection is not None
    assert entry is not None
    return ScoringContext(classifier, film, collection.annotations(entry.film_id), collection, entry, others)


def parameters_of(name: str) -> Parameters:
    """Parameters of a method: quick, and in float32, which rounds alike nearly everywhere."""
    kind = get_method(name).parameters
    known = {field_name for field_name, _, _ in kind().described()}
    return kind.parse(SMALL.get(name, {}) | ({"precision": "float32"} if "precision" in known else {}))


def metrics_of(question: Question, method: str) -> list[str]:
    """Names of the metrics that a method's map gets."""
    slow = question.slow if method in question.thorough else ()
    first = method in question.thorough[:1]
    return [
        name
        for name, metric in metrics().items()
        if not metric.slow or (name in slow and (first or not name.startswith(ONCE)))
    ]


def computed_scores(question: Question, only: Collection[str] = ()) -> Iterator[tuple[Key, Score]]:
    """Answer a question: each baseline by each metric of localisation, then each method by :func:`metrics_of`.

    With ``only``, it is these methods alone.
    """
    context, finding = _context(question), question.finding
    where = (question.film, question.model, finding)
    for name, found in context.all_baseline_scores(finding).items() if not only else ():
        yield from (((*where, f"baseline {name}", metric), score) for metric, score in found.items())
    for name in [name for name in question.methods if not only or name in only]:
        chosen = metrics_of(question, name)
        done = evaluate_method(context, finding, name, parameters_of(name), metrics=chosen)
        assert not done.error, done.error
        assert not done.failures, done.failures
        yield from (((*where, name, metric), score) for metric, score in done.scores.items())


def scores(only: Collection[str] = ()) -> dict[Key, tuple[float, float]]:
    """Value and chance of all answers to ``QUESTIONS``, or of ``only`` these methods'."""
    return {
        key: (one.value, one.chance)
        for question in QUESTIONS
        if not only or set(only) & set(question.methods)
        for key, one in computed_scores(question, only)
    }


def recorded() -> dict[Key, tuple[float, float, float, float]]:
    """The table: value, chance, and how far each may move, by film, model, finding, method and metric."""
    with TABLE.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    return {
        (film, model, finding, method, metric): tuple(float(text or "nan") for text in numbers)  # type: ignore[misc]
        for film, model, finding, method, metric, *numbers in rows
    }


def moved(was: float, now: float, tolerance: float = 0.0) -> bool:
    """Whether a number is another one; NaN equals NaN."""
    if math.isnan(was) or math.isnan(now):
        return math.isnan(was) != math.isnan(now)
    return abs(now - was) > max(EXACT * abs(was), tolerance, ZERO)


def _elsewhere(environment: dict[str, str], only: Collection[str]) -> dict[Key, tuple[float, float]]:
    """The scores as a process with another environment computes them."""
    command = [sys.executable, "-m", __spec__.name, "--json", *only]
    made = subprocess.run(command, env={**os.environ, **environment}, check=True, capture_output=True, text=True)
    return {tuple(key): tuple(numbers) for key, numbers in json.loads(made.stdout)}  # type: ignore[misc]


def _spreads(here: dict[Key, tuple[float, float]], there: list[dict[Key, tuple[float, float]]]) -> Counter[tuple]:
    """By question, metric and column: the largest difference between machines, of any method's number.

    A pixel at a threshold that changes sides for one method here may do so for another elsewhere.
    """
    spreads: Counter[tuple] = Counter()
    for film, model, finding, method, metric in here:
        for other in there:
            pairs = zip(here[film, model, finding, method, metric], other[film, model, finding, method, metric])
            for column, (mine, theirs) in enumerate(pairs):
                place = film, model, metric, column
                spreads[place] = max(spreads[place], 0.0 if math.isnan(mine) else abs(theirs - mine))
    return spreads


def write(only: Collection[str] = ()) -> None:
    """Write the table anew, or the rows of ``only`` these methods."""
    here, there = scores(only), [_elsewhere(environment, only) for environment in MACHINES]
    spreads = _spreads(here, there)
    with TABLE.open(newline="", encoding="utf-8") as file:
        head, *before = csv.reader(file)
    rows = {tuple(row[:5]): row for row in before} if only else {}
    for key, numbers in here.items():
        film, model, _, _, metric = key
        allowed = []
        for column, number in enumerate(numbers):
            own = max((abs(other[key][column] - number) for other in there), default=0.0)
            like_others = min(MARGIN * spreads[film, model, metric, column], MOST * abs(number))
            allowed.append(max(EXACT * abs(number), MARGIN * own, like_others))
        tolerances = ("" if math.isnan(number) else f"{share:.2g}" for number, share in zip(numbers, allowed))
        rows[key] = [*key, *("" if math.isnan(number) else repr(number) for number in numbers), *tolerances]
    with TABLE.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *rows.values()])


def main(arguments: list[str]) -> int:
    """List what moved (status 1 where anything did), or with ``--write`` write the table."""
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    if arguments[:1] == ["--json"]:
        print(json.dumps(list(scores(arguments[1:]).items())))
        return 0
    if arguments[:1] == ["--write"]:
        write(arguments[1:])
        return 0
    now, was = scores(), recorded()
    for key in sorted(was.keys() ^ now.keys()):
        print(*key, "has gone" if key in was else "is new", sep=", ")
    both = [key for key in was if key in now]
    changed = [key for key in both if moved(was[key][0], now[key][0]) or moved(was[key][1], now[key][1])]
    for key in changed:
        print(*key, f"was {was[key][:2]}, is {now[key]}", sep=", ")
    return int(bool(changed) or was.keys() != now.keys())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
