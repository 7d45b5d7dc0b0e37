"""The Jacobian of all findings, and the stability page's numbers, against torch and against plain passes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
import torch.nn.functional as F
from scipy.stats import spearmanr

from benchmarks.films import classifiers
from benchmarks.timing import TimingRow, compare
from classifiers import ChestClassifier
from classifiers.precision import settle_precision
from evaluation.stability import study
from radiographs import Radiograph
from xai_methods.gradient.jacobian import jacobian

SIDE, FINDINGS, PASSES = 224, 14, 60


def a_film() -> Radiograph:
    """A smooth random film."""
    rough = np.random.default_rng(0).normal(size=(SIDE, SIDE)).cumsum(axis=0).cumsum(axis=1)
    return Radiograph(((rough - rough.min()) / np.ptp(rough)).astype(np.float32))


def forward_and_backward(classifier: ChestClassifier, films: torch.Tensor) -> torch.Tensor:
    """One forward and one backward pass of a batch, down to the pixels."""
    with torch.enable_grad():
        pixels = films.detach().clone().requires_grad_(True)
        (gradient,) = torch.autograd.grad(classifier(pixels)[:, 0].sum(), pixels)
    return gradient


def rank_correlation(classifier: ChestClassifier, film: torch.Tensor) -> float:
    """The smallest over the findings, between the map in bfloat16 and the one in float32."""
    pairs = zip(jacobian(classifier, film, precision="bfloat16"), jacobian(classifier, film))
    return min(float(spearmanr(rough.flatten(), exact.flatten()).statistic) for rough, exact in pairs)


def its_convolutions(classifier: ChestClassifier, film: torch.Tensor, precision: str) -> Callable[[], None]:
    """The Jacobian's convolutions alone, bare calls: one film up, all findings' rows down in ``precision``."""
    ups: list[tuple[torch.nn.Conv2d, torch.Tensor, torch.Tensor]] = []
    network = classifier.network
    convolutions = [module for module in network.modules() if isinstance(module, torch.nn.Conv2d)]
    handles = [one.register_forward_hook(lambda m, x, y: ups.append((m, x[0], y))) for one in convolutions]
    with torch.no_grad():
        network(film)
    for handle in handles:
        handle.remove()
    number = torch.bfloat16 if precision == "bfloat16" else film.dtype
    downs = []
    for module, x, y in ups:
        weight = module.weight.detach().to(number)
        below, above = (
            torch.ones(len(classifier.findings), *part.shape[1:]).to(number, memory_format=torch.channels_last)
            for part in (x, y)
        )
        downs.append((module, above, below, weight))

    def convolve() -> None:
        with torch.no_grad():
            for module, x, _ in ups:
                F.conv2d(x, module.weight, module.bias, module.stride, module.padding, module.dilation, module.groups)
            for module, above, below, weight in downs:
                torch.ops.aten.convolution_backward(
                    above, below, weight, None, module.stride, module.padding, module.dilation, False, [0, 0],
                    module.groups, [True, False, False],
                )  # fmt: skip

    return convolve


def rows(pairs: int) -> Iterator[TimingRow]:
    """Time both models, then the whole study of one film."""
    film = a_film()
    for title, classifier in classifiers().items():
        one = classifier.prepare(film)
        many = one.repeat(FINDINGS, 1, 1, 1)
        settled = settle_precision("auto", classifier.device)
        alike = f": rank correlation {rank_correlation(classifier, one):.4f}" if settled == "bfloat16" else ""
        for precision in dict.fromkeys((settled, "float32")):
            yield compare(
                f"Jacobian of {FINDINGS} findings in {precision}, {title}{alike if precision == settled else ''}",
                "torch.autograd.functional.jacobian",
                lambda c=classifier, x=one, p=precision: jacobian(c, x, precision=p),
                lambda c=classifier, x=one: torch.autograd.functional.jacobian(lambda film: c(film)[0], x),
                pairs=pairs,
            )
        yield compare(
            f"Jacobian of {FINDINGS} findings in {settled}, {title}",
            f"one forward and backward pass of {FINDINGS} films",
            lambda c=classifier, x=one, p=settled: jacobian(c, x, precision=p),
            lambda c=classifier, x=many: forward_and_backward(c, x),
            pairs=pairs,
            target=1.3,
        )
        yield compare(
            f"Jacobian of {FINDINGS} findings in {settled}, {title}",
            "its convolutions alone, in the same precision",
            lambda c=classifier, x=one, p=settled: jacobian(c, x, precision=p),
            its_convolutions(classifier, one, settled),
            pairs=pairs,
            target=1.15,
        )
    if "nih14-localised" not in classifiers():
        return
    classifier = classifiers()["nih14-localised"]
    one = classifier.prepare(film)
    yield compare(
        f"stability page, all numbers of one film, {classifier.card.title}",
        f"{PASSES} forward and backward passes of the film",
        lambda: study(classifier, film),
        lambda: [forward_and_backward(classifier, one) for _ in range(PASSES)],
        pairs=pairs,
        target=1.0,
    )
