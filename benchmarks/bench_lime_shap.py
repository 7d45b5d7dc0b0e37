"""LIME and Kernel SHAP against their own libraries, to the same agreement between seeds, on the same superpixels.

How many films each needs is worked out from a pilot: reliability r(n) = 1 / (1 + c / n), c from the standard errors
of the estimator with the rival's way of drawing (single coalitions for lime; shap draws pairs as we do, so it gets
our number). Ours is then timed in full; the rivals' loops are timed over ``SLICE`` films, at the better of two batch
sizes, and their time is scaled to the films needed, without lime's regression: in its favour.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from functools import cache
from itertools import combinations
from statistics import mean
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr

from benchmarks.films import classifiers
from benchmarks.timing import Row, row_of, seconds
from classifiers import ChestClassifier
from classifiers.precision import settle_precision
from radiographs import Radiograph
from radiographs.shelf import find_film
from xai_methods import Explanation, Request, get_method
from xai_methods.lime import Lime, LimeParameters, fit_surrogate, pairs_of, proximity, sample_coalitions
from xai_methods.masking import Regions, coalition_logits, regions_of
from xai_methods.passes import batch_size
from xai_methods.shap import KernelShap, KernelShapParameters, kernel_shap

FILM, FINDING = "adult-dicom/RG1", "Mass"
"""A real film; on a classifier that does not know the finding its second stands in."""
REGIONS = 50
PILOT = 300
"""Films of a pilot run."""
SLICE = 128
"""Films over which a rival is timed."""
AGREEMENT = 0.95
ASKED, ASKED_OVERHEAD = 0.25, 1.2
OVERHEAD_FILMS = 160


def rows(pairs: int) -> list[Row]:
    """LIME and Kernel SHAP on each model, and what they cost beside the bare passes."""
    found = []
    for title, classifier in classifiers().items():
        found += [part(title, classifier, pairs) for part in (lime_row, shap_row, overhead_row)]
    return found


def lime_row(title: str, classifier: ChestClassifier, pairs: int) -> Row:
    """LIME against the lime package."""
    request, regions = _question(classifier)
    single = np.random.default_rng(0).random((PILOT, regions.count)) < 0.5
    paired = sample_coalitions(PILOT, regions.count, np.random.default_rng(0))
    theirs = _films_needed(*_pilot(request, regions, single, None))
    ours = _films_needed(*_pilot(request, regions, paired, pairs_of(PILOT)))
    parameters = LimeParameters(n_superpixels=REGIONS, samples=_allowed(ours), stop_at=1.0)
    times, maps = _ours(Lime(), classifier, parameters, pairs)
    rival = _best_of(lambda size: _lime_slice(request, regions, size))
    scaled = [seconds(rival) * theirs / SLICE for _ in range(pairs)]
    return row_of(_what("LIME", title, parameters.samples, maps), f"lime, {theirs} films", times, scaled, asked=ASKED)


def shap_row(title: str, classifier: ChestClassifier, pairs: int) -> Row:
    """Kernel SHAP against shap's KernelExplainer."""
    request, regions = _question(classifier)

    def game(coalitions: np.ndarray) -> np.ndarray:
        return coalition_logits(request, regions, coalitions, "auto")

    pilot = kernel_shap(game, regions.count, PILOT, np.random.default_rng(0))
    films = _allowed(_films_needed(pilot.values, pilot.errors))
    parameters = KernelShapParameters(n_superpixels=REGIONS, samples=films, stop_at=1.0)
    times, maps = _ours(KernelShap(), classifier, parameters, pairs)
    rival = _best_of(lambda size: _shap_slice(request, regions, size))
    scaled = [seconds(rival) * films / SLICE for _ in range(pairs)]
    return row_of(_what("Kernel SHAP", title, films, maps), f"shap, {films} films", times, scaled, asked=ASKED)


def overhead_row(title: str, classifier: ChestClassifier, pairs: int) -> Row:
    """LIME against as many bare passes at the best batch size, in the same precision."""
    precision = settle_precision("auto", classifier.device)
    film, parameters = _film(), LimeParameters(samples=OVERHEAD_FILMS, stop_at=1.0)
    sizes = batch_size(classifier, precision)

    def ours() -> Any:
        return Lime().explain(classifier, film, _finding(classifier), parameters=parameters)

    while sizes.best is None:
        ours()
    inputs = classifier.prepare(film).expand(OVERHEAD_FILMS, -1, -1, -1).contiguous(memory_format=torch.channels_last)

    def bare() -> None:
        classifier.judge(inputs[:1])
        for part in inputs[1:].split(sizes.best or 1):
            classifier.judge(part, precision)

    mine, others = zip(*((seconds(ours), seconds(bare)) for _ in range(pairs)))
    what = f"Overhead of LIME, {OVERHEAD_FILMS} films, {title}"
    return row_of(what, f"bare passes, batches of {sizes.best}", list(mine), list(others), asked=ASKED_OVERHEAD)


@cache
def _film() -> Radiograph:
    return find_film(FILM)[0]


def _finding(classifier: ChestClassifier) -> str:
    return FINDING if FINDING in classifier.findings else classifier.findings[1]


def _question(classifier: ChestClassifier) -> tuple[Request, Regions]:
    parameters, finding = LimeParameters(n_superpixels=REGIONS), _finding(classifier)
    request = Request(
        classifier, classifier.prepare(_film()), classifier.column(finding), finding, parameters, 0,
        np.random.default_rng(0), lambda share: None, lambda: False,
    )  # fmt: skip
    return request, regions_of(request, parameters)


def _pilot(
    request: Request, regions: Regions, coalitions: np.ndarray, pairs: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    logits = coalition_logits(request, regions, coalitions, "auto")
    surrogate = fit_surrogate(coalitions, logits, proximity(coalitions, 0.25), 1.0, pairs)
    return surrogate.weights, surrogate.errors


def _films_needed(weights: np.ndarray, errors: np.ndarray) -> int:
    """Films at which two seeds are expected to agree, from a pilot's weights and their standard errors."""
    noise = float(np.mean(errors**2))
    signal = max(float(np.var(weights, ddof=1)) - noise, 1e-12)
    return max(round(PILOT * noise / signal * AGREEMENT / (1 - AGREEMENT)), 4 * REGIONS)


def _allowed(films: int) -> int:
    """The number of samples that the parameters' steps allow, rounded up."""
    return -(-films // 50) * 50


def _ours(
    method: Any, classifier: ChestClassifier, parameters: Any, pairs: int
) -> tuple[list[float], list[np.ndarray]]:
    """Seconds and superpixels' values of whole explanations, another seed each time."""
    film, finding, found = _film(), _finding(classifier), []
    get_method(method.name).explain(classifier, film, finding, parameters=method.parameters(samples=50))
    for seed in range(max(pairs, 2)):
        found.append(method.explain(classifier, film, finding, parameters=parameters, seed=seed))
    return [one.seconds for one in found][:pairs], [_by_region(one) for one in found]


def _by_region(explanation: Explanation) -> np.ndarray:
    _, first = np.unique(explanation.regions, return_index=True)
    return explanation.values.ravel()[first]


def _what(method: str, title: str, films: int, maps: list[np.ndarray]) -> str:
    agreement = mean(float(spearmanr(one, other).statistic) for one, other in combinations(maps, 2))
    return f"{method}, {title}: {films} films, agreement {agreement:.2f}"


def _best_of(slice_in: Callable[[int], Callable[[], Any]], sizes: tuple[int, int] = (10, 32)) -> Callable[[], Any]:
    """The rival's loop at the batch size at which it is faster."""
    loops = [slice_in(size) for size in sizes]
    times = [seconds(loop) for loop in loops]
    return loops[int(np.argmin(times))]


def _lime_slice(request: Request, regions: Regions, size: int) -> Callable[[], Any]:
    from lime.lime_image import LimeImageExplainer

    film, hidden = regions.film.numpy()[..., None], regions.hidden.numpy()[..., None]

    def classify(images: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return request.classifier(torch.as_tensor(images).permute(0, 3, 1, 2)).numpy()

    def work() -> Any:
        # lime draws a progress bar there.
        with contextlib.redirect_stderr(io.StringIO()):
            explainer = LimeImageExplainer(random_state=0, verbose=False)
            return explainer.data_labels(film, hidden, regions.labels, classify, SLICE, batch_size=size)

    return work


def _shap_slice(request: Request, regions: Regions, size: int) -> Callable[[], Any]:
    import shap

    film, hidden = regions.film.numpy(), regions.hidden.numpy()

    def judge(rows: np.ndarray) -> np.ndarray:
        logits = []
        for part in np.array_split(rows, -(-len(rows) // size)):
            images = np.where((part > 0.5)[:, regions.labels], film, hidden)[:, None]
            with torch.inference_mode():
                logits.append(request.classifier(torch.as_tensor(images))[:, request.column].numpy())
        return np.concatenate(logits)

    explainer = shap.KernelExplainer(judge, np.zeros((1, regions.count)))
    return lambda: explainer.shap_values(np.ones((1, regions.count)), nsamples=SLICE, l1_reg=False, silent=True)
