"""Reading one layer of a shared classifier without leaving a trace on it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn

from classifiers import ChestClassifier


@dataclass(eq=False)
class Watched:
    """What a watched layer put out: a leaf of the graph, so that gradients reach it although no weight wants them."""

    activation: torch.Tensor | None = None


@contextmanager
def watched(classifier: ChestClassifier, layer: nn.Module) -> Iterator[Watched]:
    """Keep the output of ``layer`` during forward passes of this thread; the hook is gone afterwards, come what may.

    The classifier's lock is held. Passes that other threads run meanwhile do not see the hook. The graph is cut at
    the layer: what lies below it costs no memory for gradients. Where a layer runs more than once, the last counts.
    """

    def keep(module: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> torch.Tensor | None:
        if threading.get_ident() != owner:
            return None
        seen.activation = output.detach().clone().requires_grad_(True)
        # The network goes on with a copy: an in-place ReLU behind the layer must not overwrite what was kept.
        return seen.activation.clone()

    seen, owner = Watched(), threading.get_ident()
    with classifier.lock:
        handle = layer.register_forward_hook(keep)
        try:
            yield seen
        finally:
            handle.remove()


def feature_maps(classifier: ChestClassifier, film: torch.Tensor) -> torch.Tensor:
    """Feature maps (K, h, w) at ``classifier.cam_module`` of a (1, 1, S, S) film, before whatever follows the layer.

    Raises:
        RuntimeError: the layer does not put out feature maps on this film.
    """
    with watched(classifier, classifier.cam_module) as seen, torch.inference_mode(False), torch.no_grad():
        classifier(film.detach().clone())
    return _maps(classifier, seen).detach()[0]


def _maps(classifier: ChestClassifier, seen: Watched) -> torch.Tensor:
    if seen.activation is None or seen.activation.ndim != 4:
        raise RuntimeError(f"the layer {classifier.cam_layer!r} of {classifier.name} puts out no feature maps")
    return seen.activation


def features_and_gradients(
    classifier: ChestClassifier, film: torch.Tensor, column: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Feature maps at ``classifier.cam_module`` and the gradient of one logit with respect to them.

    Args:
        classifier: the model. film: (1, 1, S, S) input. column: index of the logit.

    Returns:
        Two (K, h, w) tensors: the layer's output, before whatever follows it, and d logit / d output.

    Raises:
        RuntimeError: the layer does not put out feature maps on this film, or the logit does not depend on it.
    """
    with watched(classifier, classifier.cam_module) as seen, torch.inference_mode(False), torch.enable_grad():
        logit = classifier(film.detach().clone())[0, column]
        features = _maps(classifier, seen)
        if not logit.requires_grad:
            raise RuntimeError(f"the logits of {classifier.name} do not depend on its layer {classifier.cam_layer!r}")
        (gradient,) = torch.autograd.grad(logit, features)
    return features.detach()[0], gradient[0]
