"""Whether a map depends on what the network learnt: cascading and independent randomisation of its parameters.

Adebayo et al. 2018, arXiv 1810.03292: cascading randomisation replaces the weights from the logits down to the film,
independent randomisation those of one stage at a time. Pass rule of Arun et al. 2021, doi 10.1148/ryai.2021200267.
"""

from __future__ import annotations

import copy
import functools
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from torch import nn

from classifiers import ChestClassifier
from evaluation.scores.base import Case, Metric
from evaluation.scores.registry import register
from evaluation.scores.similarity import spearman, ssim
from xai_methods.method import Progress

_log = logging.getLogger(__name__)

STAGES = 5
"""Stages of a network: its head, then its convolutions in equal parts."""
PAIRS = 50
"""Random pairs of maps of the trained model that the pass rule compares with; the paper's number."""
Kind = Literal["cascading", "independent"]
Similarity = Callable[[np.ndarray, np.ndarray], float]
MEASURES: dict[str, tuple[Similarity, str, str]] = {
    "ssim": (ssim, "SSIM", "SSIM, each map divided by the 99.5th percentile of its absolute values"),
    "spearman": (spearman, "rank correlation", "Spearman's ρ over the pixels"),
    "spearman_absolute": (
        functools.partial(spearman, absolute=True),
        "rank correlation without sign",
        "Spearman's ρ over the pixels' absolute values",
    ),
}
"""How alike two maps are: the function, its name for people, and its rule."""
_NORMS = (nn.modules.batchnorm._BatchNorm, nn.GroupNorm, nn.LayerNorm)


def stages(network: nn.Module, count: int = STAGES) -> list[tuple[str, ...]]:
    """Cut a network into stages, from the logits to the film.

    Args:
        network: its modules are registered in the order in which they run.
        count: stages in all, at most; the first is what follows the last convolution, or the last linear layer where
            there is none or more than half of the layers follow it.

    Returns:
        Dotted names of the modules with weights of their own, stage by stage; a normalisation goes with the
        convolution before it.

    Raises:
        ValueError: the network has no weights.
    """
    owners = [(name, m) for name, m in network.named_modules() if any(True for _ in m.parameters(recurse=False))]
    weighted = [place for place, (_, module) in enumerate(owners) if not isinstance(module, _NORMS)]
    if not weighted:
        raise ValueError("the network has no weights to randomise")
    convolutions = [place for place in weighted if isinstance(owners[place][1], nn.modules.conv._ConvNd)]
    heads = [place for place in weighted if not convolutions or place > convolutions[-1]]
    # Behind a transformer's one convolution lies the whole network, not a head.
    first_head = heads[0] if convolutions and 0 < len(heads) <= len(weighted) / 2 else weighted[-1]
    body = [place for place in weighted if place < first_head]
    parts = [part for part in np.array_split(np.array(body, dtype=int), max(count - 1, 1)) if len(part)]
    starts = [0, *(int(part[0]) for part in parts[1:]), *([first_head] if parts else [])]
    ends = [*starts[1:], len(owners)]
    return [tuple(name for name, _ in owners[start:end]) for start, end in zip(starts, ends)][::-1]


def untrained(network: nn.Module, seed: int) -> dict[str, torch.Tensor]:
    """Fresh values of all parameters and running statistics, by dotted name.

    Weights are drawn as He et al. 2015 (arXiv 1502.01852) initialise them; biases are 0, normalisations do nothing.
    """
    generator = torch.Generator().manual_seed(seed)
    fresh: dict[str, torch.Tensor] = {}
    for name, tensor in network.named_parameters():
        if tensor.ndim >= 2:
            spread = (2 / tensor[0].numel()) ** 0.5
            drawn = torch.randn(tensor.shape, generator=generator) * spread
            fresh[name] = drawn.to(device=tensor.device, dtype=tensor.dtype)
        else:
            fresh[name] = torch.zeros_like(tensor) if name.endswith("bias") else torch.ones_like(tensor)
    for name, statistic in network.named_buffers():
        if name.endswith("running_mean"):
            fresh[name] = torch.zeros_like(statistic)
        elif name.endswith("running_var"):
            fresh[name] = torch.ones_like(statistic)
    return fresh


def reinitialised(
    classifier: ChestClassifier, fresh: dict[str, torch.Tensor], modules: tuple[str, ...]
) -> ChestClassifier:
    """A classifier of its own in which ``modules`` hold ``fresh`` values.

    The other tensors are shared with ``classifier``, which stays as it is: no weight is copied, so that all stages of
    a test together hold one more set of weights, whatever their number.
    """
    with classifier.lock, torch.inference_mode(False):
        shared = (*classifier.network.parameters(), *classifier.network.buffers())
        network = copy.deepcopy(classifier.network, {id(tensor): tensor for tensor in shared})
        for name in modules:
            module, prefix = network.get_submodule(name), f"{name}." if name else ""
            for own in [n for n, p in module._parameters.items() if p is not None]:
                setattr(module, own, nn.Parameter(fresh[prefix + own], requires_grad=False))
            for own in [n for n in module._buffers if prefix + n in fresh]:
                setattr(module, own, fresh[prefix + own])
        return ChestClassifier(
            network, classifier.findings, classifier.card, classifier.cam_layer, classifier.preprocessing,
            classifier.columns, cam_layout=classifier.cam_layout, no_cam=classifier.no_cam,
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class RandomisedModels:
    """Networks with weights drawn anew, for all methods and findings of a film.

    Attributes:
        cascading: the k-th has stages 0 ... k drawn anew. independent: the k-th has stage k alone.
    """

    cascading: tuple[ChestClassifier, ...]
    independent: tuple[ChestClassifier, ...]


def randomised_models(classifier: ChestClassifier, seed: int, count: int = STAGES) -> RandomisedModels:
    """Make the networks of both tests; they share their tensors, and ``classifier`` stays as it is."""
    cut = stages(classifier.network, count)
    fresh = untrained(classifier.network, seed)
    cascading = [reinitialised(classifier, fresh, sum(cut[: k + 1], ())) for k in range(len(cut))]
    # Either test starts with the head alone, so its network, and its maps, are one and the same.
    independent = [cascading[0], *(reinitialised(classifier, fresh, stage) for stage in cut[1:])]
    return RandomisedModels(tuple(cascading), tuple(independent))


def randomisation_curves(
    models: RandomisedModels,
    original: np.ndarray,
    explain: Callable[[ChestClassifier, Progress], np.ndarray],
    report: Progress = lambda share: None,
) -> dict[Kind, dict[str, np.ndarray]]:
    """How alike the maps of a trained and a randomised network are, stage by stage from the logits to the film.

    Args:
        models: as :func:`randomised_models` makes them. original: (S, S) map of the trained network.
        explain: explains another network with the same method, parameters and seed, and tells the share of it done.
        report: told the share of all that is done; what it raises stops the work.

    Returns:
        By kind and measure (see ``MEASURES``) one number a stage: (K,), NaN where undefined or the method failed.
    """
    by_kind: dict[Kind, tuple[ChestClassifier, ...]] = {
        "cascading": models.cascading,
        "independent": models.independent,
    }
    networks = {id(network): network for networks in by_kind.values() for network in networks}
    maps: dict[int, np.ndarray | None] = {}
    for key, network in networks.items():

        def part_done(share: float, done: int = len(maps)) -> None:
            report((done + share) / len(networks))

        try:
            maps[key] = explain(network, part_done)
        except (RuntimeError, ValueError, LookupError) as error:
            _log.info("no map of a randomised network: %s", error)
            maps[key] = None
    return {
        kind: {
            name: np.array([_similarity(alike, original, maps[id(network)]) for network in networks])
            for name, (alike, _, _) in MEASURES.items()
        }
        for kind, networks in by_kind.items()
    }


def _similarity(alike: Similarity, original: np.ndarray, other: np.ndarray | None) -> float:
    return math.nan if other is None else alike(original, other)


def pair_similarities(maps: list[np.ndarray], rng: np.random.Generator, count: int = PAIRS) -> np.ndarray:
    """SSIM of random pairs of maps of the trained model on different films: (at most ``count``,).

    Args:
        maps: (S, S) maps of one method and one finding, each of another film.
    """
    pairs = [(first, second) for first in range(len(maps)) for second in range(first)]
    chosen = rng.permutation(len(pairs))[:count]
    return np.array([ssim(maps[pairs[k][0]], maps[pairs[k][1]]) for k in chosen])


def passes(randomised: np.ndarray, pairs: np.ndarray) -> bool | None:
    """Pass rule of Arun et al. 2021: a wholly randomised network's maps are less alike than maps of two films are.

    Args:
        randomised: SSIM of each film's map with that of the wholly randomised network. pairs: SSIM of random pairs of
            maps of the trained model. NaN is left out of both.

    Returns:
        Whether the mean of the first lies below that of the second; None where either has no number.
    """
    first, second = randomised[~np.isnan(randomised)], pairs[~np.isnan(pairs)]
    if len(first) == 0 or len(second) == 0:
        return None
    return bool(first.mean() < second.mean())


def curves(case: Case) -> dict[Kind, dict[str, np.ndarray]]:
    """The curves of a case's map, measured once; the classifier stays as it is."""

    def explain(classifier: ChestClassifier, progress: Progress) -> np.ndarray:
        return case.explain_again(classifier=classifier, progress=progress).values

    def measured() -> dict[Kind, dict[str, np.ndarray]]:
        name, seed = f"randomised models {case.seed}", case.seed
        models = case.cached(name, lambda: randomised_models(case.classifier, seed), of="film")
        return randomisation_curves(models, case.values, explain, case.report)

    return case.cached("randomisation", measured)


def _register(kind: Kind, measure: str) -> None:
    _, words, rule = MEASURES[measure]
    which = "from the logits down to the film" if kind == "cascading" else "one stage at a time"

    def mean(case: Case) -> float:
        values = curves(case)[kind][measure]
        return math.nan if np.isnan(values).any() else float(values.mean())

    register(
        Metric(
            name=f"{kind}_{measure}",
            title=f"{kind.capitalize()} randomisation ({words})",
            meaning=f"How alike the map stays when the network's weights are drawn anew, {which}.",
            formula=f"mean over {STAGES} stages of {rule}",
            compute=mean,
            source="Adebayo et al. 2018, arXiv:1810.03292",
            caveat="A map of edges stays as it is and fails, however good it looks. Smooth maps and flat borders raise "
            "SSIM whatever the network knows: compare it with the SSIM of maps of two films (Arun et al. 2021).",
            element="model transparency",
            direction="lower",
            needs=frozenset({"model", "repeats"}),
            low=-1.0,
            slow=True,
        )
    )


for _kind in get_args(Kind):
    for _measure in MEASURES:
        _register(_kind, _measure)

register(
    Metric(
        name="randomised_ssim",
        title="Wholly randomised network (SSIM)",
        meaning="How alike the map is to that of a network that has learnt nothing.",
        formula="SSIM(map, map of the network with all weights drawn anew)",
        compute=lambda case: float(curves(case)["cascading"]["ssim"][-1]),
        source="Adebayo et al. 2018, arXiv:1810.03292; Arun et al. 2021, doi:10.1148/ryai.2021200267",
        caveat="Arun et al. pass a method where this lies below the mean SSIM of random pairs of maps of the trained "
        "model on different films; the report of a run that saves its maps tells.",
        element="model transparency",
        direction="lower",
        needs=frozenset({"model", "repeats"}),
        low=-1.0,
        scorecard=True,
        rival=False,
        slow=True,
    )
)
