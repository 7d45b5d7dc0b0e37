"""LIME and Kernel SHAP against their own libraries, to the same agreement between seeds, on the same superpixels.

How many films each side needs is counted by ``benchmarks.agreement``. Ours is timed in full; the rivals' loops are
timed over ``SLICE`` films, at the better of two batch sizes, and their time is scaled to the films needed, without
their regressions and lime's superpixels: in their favour.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr

from benchmarks.agreement import REGIONS, Count, agreement, counts, finding_of, question, the_film
from benchmarks.films import classifiers
from benchmarks.timing import TimingRow, compare, row_of, seconds
from classifiers import ChestClassifier
from classifiers.precision import settle_precision
from xai_methods import Explanation, Request
from xai_methods.passes import batch_size
from xai_methods.perturbation.game import forget_answers
from xai_methods.perturbation.lime import Lime, LimeParameters
from xai_methods.perturbation.masking import Regions
from xai_methods.perturbation.shap import KernelShap, KernelShapParameters

SLICE = 128
"""Films over which a rival is timed."""
ASKED, ASKED_OVERHEAD, ASKED_TOGETHER = 0.25, 1.2, 0.6
OVERHEAD_FILMS, PRECISION_FILMS = 320, 300


def rows(pairs: int) -> Iterator[TimingRow]:
    """LIME and Kernel SHAP on each model, what they cost beside the bare passes, and bfloat16 beside float32."""
    for title, classifier in classifiers().items():
        yield lime_row(title, classifier, pairs)
        yield shap_row(title, classifier, pairs)
        yield together_row(title, classifier, pairs)
        yield overhead_row(title, classifier, pairs)
        yield precision_row(title, classifier, pairs)


def lime_row(title: str, classifier: ChestClassifier, pairs: int) -> TimingRow:
    """LIME against the lime package."""
    request, regions = question(classifier)
    needed = counts(classifier, "lime")
    parameters = LimeParameters(n_superpixels=REGIONS, samples=needed.ours.films, stop_at=1.0)
    return _against(Lime(), parameters, lambda size: _lime_slice(request, regions, size), needed.theirs, title,
                    classifier, pairs)  # fmt: skip


def shap_row(title: str, classifier: ChestClassifier, pairs: int) -> TimingRow:
    """Kernel SHAP against shap's KernelExplainer."""
    request, regions = question(classifier)
    needed = counts(classifier, "shap")
    parameters = KernelShapParameters(n_superpixels=REGIONS, samples=needed.ours.films, stop_at=1.0)
    return _against(KernelShap(), parameters, lambda size: _shap_slice(request, regions, size), needed.theirs, title,
                    classifier, pairs)  # fmt: skip


def together_row(title: str, classifier: ChestClassifier, pairs: int) -> TimingRow:
    """Both maps of one film, with films enough for both, beside each by itself with those it needs."""
    needed = [counts(classifier, method).ours.films for method in ("lime", "shap")]
    film, finding, seeds = the_film(), finding_of(classifier), iter(range(2 * pairs + 2))

    def run(films: tuple[int, int], alone: bool) -> Any:
        seed = next(seeds)
        forget_answers(classifier)
        for method, samples in zip((Lime(), KernelShap()), films):
            if alone:
                forget_answers(classifier)
            parameters = method.parameters(n_superpixels=REGIONS, samples=samples, stop_at=1.0)  # type: ignore[call-arg]
            method.explain(classifier, film, finding, parameters=parameters, seed=seed)

    both = max(needed)
    what = f"LIME and SHAP together, {title}: {both} films for both"
    return compare(
        what, f"each by itself, {needed[0]} and {needed[1]} films", lambda: run((both, both), False),
        lambda: run((needed[0], needed[1]), True), pairs=pairs, target=ASKED_TOGETHER,
    )  # fmt: skip


def _against(
    method: Any,
    parameters: Any,
    slice_in: Callable[[int], Callable[[], Any]],
    theirs: Count,
    title: str,
    classifier: ChestClassifier,
    pairs: int,
) -> TimingRow:
    rival = _best_of(slice_in)
    film, finding, times, scaled, found = the_film(), finding_of(classifier), [], [], []
    method.explain(classifier, film, finding, parameters=method.parameters(samples=100, stop_at=1.0))
    for seed in range(pairs):
        forget_answers(classifier)
        found.append(method.explain(classifier, film, finding, parameters=parameters, seed=seed))
        times.append(found[-1].seconds)
        scaled.append(seconds(rival) * theirs.films / SLICE)
    agreed = f", seeds agree at {agreement([_by_region(one) for one in found]):.2f}" if pairs > 1 else ""
    most = "" if theirs.reached else " (not enough: more would cost more)"
    what = f"{method.title}, {title}: {parameters.samples} films{agreed}"
    return row_of(what, f"{method.name.split('-')[-1]}, {theirs.films} films at {theirs.agreement:.2f}{most}", times,
                  scaled, target=ASKED)  # fmt: skip


def precision_row(title: str, classifier: ChestClassifier, pairs: int) -> TimingRow:
    """Kernel SHAP in bfloat16 against itself in float32, and how alike the maps are."""

    def work(precision: str) -> Explanation:
        forget_answers(classifier)
        parameters = KernelShapParameters(samples=PRECISION_FILMS, stop_at=1.0, precision=precision)
        return KernelShap().explain(classifier, the_film(), finding_of(classifier), parameters=parameters)

    rough, exact = zip(*((work("bfloat16"), work("float32")) for _ in range(pairs)))
    alike = float(spearmanr(_by_region(rough[0]), _by_region(exact[0])).statistic)
    what = f"SHAP in bfloat16, {PRECISION_FILMS} films, {title}: rank correlation {alike:.3f}"
    return row_of(what, "SHAP in float32", [one.seconds for one in rough], [one.seconds for one in exact])


def overhead_row(title: str, classifier: ChestClassifier, pairs: int) -> TimingRow:
    """LIME against as many bare passes at the best batch size, in the same precision."""
    precision = settle_precision("auto", classifier.device)
    # Said outright: left to itself LIME takes float32 where rounding is large, as on a random network.
    film, parameters = the_film(), LimeParameters(samples=OVERHEAD_FILMS, stop_at=1.0, precision=precision)
    sizes = batch_size(classifier, precision)

    def ours() -> Any:
        forget_answers(classifier)
        return Lime().explain(classifier, film, finding_of(classifier), parameters=parameters)

    while sizes.best is None:
        ours()
    inputs = classifier.prepare(film).expand(OVERHEAD_FILMS, -1, -1, -1).contiguous(memory_format=torch.channels_last)

    def bare() -> None:
        classifier.predict_logits(inputs[:1])
        for part in inputs[1:].split(sizes.best or 1):
            classifier.predict_logits(part, precision)

    mine, others = zip(*((seconds(ours), seconds(bare)) for _ in range(pairs)))
    what = f"Overhead of LIME, {OVERHEAD_FILMS} films, {title}"
    return row_of(what, f"bare passes, batches of {sizes.best}", list(mine), list(others), target=ASKED_OVERHEAD)


def _by_region(explanation: Explanation) -> np.ndarray:
    _, first = np.unique(explanation.regions, return_index=True)
    return explanation.values.ravel()[first]


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
