"""Parameter randomisation: whether a map changes when the network forgets what it learnt.

Adebayo et al. 2018, arXiv 1810.03292: cascading randomisation replaces the weights from the logits down to the film,
independent randomisation those of one stage at a time. Pass rule of Arun et al. 2021, doi 10.1148/ryai.2021200267.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from classifiers import ChestClassifier
from evaluation.scores.similarity import spearman, ssim
from xai_methods.method import Progress

_log = logging.getLogger(__name__)

STAGES = 5
"""Stages of a network: its head, then its convolutions in equal parts."""
PAIRS = 50
"""Random pairs of maps of the trained model that the pass rule compares with; the paper's number."""
_NORMS = (nn.modules.batchnorm._BatchNorm, nn.GroupNorm, nn.LayerNorm)


def stages(network: nn.Module, count: int = STAGES) -> list[tuple[str, ...]]:
    """Cut a network into stages, from the logits to the film.

    Args:
        network: its modules are registered in the order in which they run.
        count: stages in all, at most; the first is what follows the last convolution, or the last linear layer.

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
    first_head = heads[0] if convolutions and heads else weighted[-1]
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


def forgetful(classifier: ChestClassifier, fresh: dict[str, torch.Tensor], modules: tuple[str, ...]) -> ChestClassifier:
    """A classifier of its own in which ``modules`` hold ``fresh`` values.

    The other tensors are shared with ``classifier``, which stays as it is: no weight is copied, so that all stages of
    a test together hold one more set of weights, whatever their number.
    """
    with classifier.lock, torch.inference_mode(False):
        kept = (*classifier.network.parameters(), *classifier.network.buffers())
        network = copy.deepcopy(classifier.network, {id(tensor): tensor for tensor in kept})
        for name in modules:
            module, prefix = network.get_submodule(name), f"{name}." if name else ""
            for own in [n for n, p in module._parameters.items() if p is not None]:
                setattr(module, own, nn.Parameter(fresh[prefix + own], requires_grad=False))
            for own in [n for n in module._buffers if prefix + n in fresh]:
                setattr(module, own, fresh[prefix + own])
        return ChestClassifier(
            network, classifier.findings, classifier.card, classifier.cam_layer, classifier.preprocessing,
            classifier.columns,
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class RandomisedModels:
    """Networks that forgot, for all methods and findings of a film.

    Attributes:
        titles: of the stages, from the logits to the film.
        cascading: the k-th forgot stages 0 ... k. independent: the k-th forgot stage k alone.
    """

    titles: tuple[str, ...]
    cascading: tuple[ChestClassifier, ...]
    independent: tuple[ChestClassifier, ...]


def randomised_models(classifier: ChestClassifier, seed: int, count: int = STAGES) -> RandomisedModels:
    """Make the networks of both tests; they share their tensors, and ``classifier`` stays as it is."""
    cut = stages(classifier.network, count)
    fresh = untrained(classifier.network, seed)
    cascading = [forgetful(classifier, fresh, sum(cut[: k + 1], ())) for k in range(len(cut))]
    # The head alone forgets first in either test, so its network, and what is asked of it, is one and the same.
    independent = [cascading[0], *(forgetful(classifier, fresh, stage) for stage in cut[1:])]
    titles = tuple(stage[0] if len(stage) == 1 else f"{stage[0]} to {stage[-1]}" for stage in cut)
    return RandomisedModels(titles, tuple(cascading), tuple(independent))


@dataclass(frozen=True, eq=False)
class RandomisationCurve:
    """How alike the maps of a trained and a randomised network are, stage by stage from the logits to the film.

    Attributes:
        titles: of the stages. ssim, spearman, spearman_absolute: (K,), NaN where undefined or the method failed.
    """

    titles: tuple[str, ...]
    ssim: np.ndarray
    spearman: np.ndarray
    spearman_absolute: np.ndarray


def _compared(titles: tuple[str, ...], original: np.ndarray, maps: list[np.ndarray | None]) -> RandomisationCurve:
    nothing = float("nan")
    return RandomisationCurve(
        titles,
        np.array([nothing if one is None else ssim(original, one) for one in maps]),
        np.array([nothing if one is None else spearman(original, one) for one in maps]),
        np.array([nothing if one is None else spearman(original, one, absolute=True) for one in maps]),
    )


def randomisation_curves(
    models: RandomisedModels,
    original: np.ndarray,
    explain: Callable[[ChestClassifier, Progress], np.ndarray],
    report: Progress = lambda share: None,
) -> tuple[RandomisationCurve, RandomisationCurve]:
    """Cascading and independent curve of one map.

    Args:
        models: as :func:`randomised_models` makes them. original: (S, S) map of the trained network.
        explain: puts the same question, seed and parameters to another network and tells the share of it done.
        report: told the share of all that is done; what it raises stops the work.
    """
    asked: dict[int, np.ndarray | None] = {}
    networks = (*models.cascading, *models.independent)
    distinct = len({id(network) for network in networks})
    for network in networks:
        if id(network) in asked:
            continue

        def told(share: float, done: int = len(asked)) -> None:
            report((done + share) / distinct)

        try:
            asked[id(network)] = explain(network, told)
        except (RuntimeError, ValueError, LookupError) as error:
            _log.info("no map of a randomised network: %s", error)
            asked[id(network)] = None
    return (
        _compared(models.titles, original, [asked[id(network)] for network in models.cascading]),
        _compared(models.titles, original, [asked[id(network)] for network in models.independent]),
    )


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
