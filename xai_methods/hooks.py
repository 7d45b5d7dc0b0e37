"""Reading one layer of a shared classifier without leaving a trace on it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import nn
from torch.overrides import TorchFunctionMode

from classifiers import ChestClassifier
from xai_methods.recording.calls import OUT_OF_PLACE

RELUS = frozenset((torch.relu, torch.Tensor.relu, F.relu))


@dataclass(eq=False)
class Watched:
    """What a watched layer put out: a leaf of the graph, so that gradients reach it although no weight wants them.

    Attributes:
        activation: the leaf; None before the layer ran. passed_on: what the network goes on with.
    """

    activation: torch.Tensor | None = None
    passed_on: torch.Tensor | None = None

    def keep(self, output: torch.Tensor) -> torch.Tensor:
        """Keep ``output`` and return the copy that the network goes on with: an in-place call must not overwrite it."""
        self.activation = output.detach().clone().requires_grad_(True)
        self.passed_on = self.activation.clone()
        return self.passed_on


class _BehindRelu(TorchFunctionMode):
    """Keeps, in this thread alone, what a ReLU that directly follows a watched layer lets through."""

    def __init__(self, seen: Watched) -> None:
        super().__init__()
        self.seen = seen

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run one call."""
        waiting = self.seen.passed_on
        if waiting is not None and args and args[0] is waiting and OUT_OF_PLACE.get(func, func) in RELUS:
            return self.seen.keep(torch.relu(waiting))
        return func(*args, **(kwargs or {}))


@contextmanager
def watched(classifier: ChestClassifier, layer: nn.Module) -> Iterator[Watched]:
    """Keep the output of ``layer`` during forward passes of this thread; the hook is gone afterwards, come what may.

    Where a ReLU is the first to read that output, as in dense networks, what it lets through is kept instead: the
    feature maps as the rest of the network sees them, which is what class-activation maps are defined on.

    The classifier's lock is held. Passes that other threads run meanwhile do not see the hook. The graph is cut at
    the layer: what lies below it costs no memory for gradients. Where a layer runs more than once, the last counts.
    """

    def keep(module: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> torch.Tensor | None:
        return seen.keep(output) if threading.get_ident() == owner else None

    seen, owner = Watched(), threading.get_ident()
    with classifier.lock:
        handle = layer.register_forward_hook(keep)
        try:
            with _BehindRelu(seen):
                yield seen
        finally:
            handle.remove()


def feature_maps(classifier: ChestClassifier, film: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Feature maps at ``classifier.cam_module``, as :func:`watched` reads them, and the logits on the way.

    Args:
        classifier: the model. film: (1, 1, S, S) input.

    Returns:
        (K, h, w) feature maps and (C,) logits.

    Raises:
        RuntimeError: the layer does not put out feature maps on this film.
    """
    with watched(classifier, classifier.cam_module) as seen, torch.inference_mode(False), torch.no_grad():
        logits = classifier(film.detach().clone())[0]
    return _maps(classifier, seen).detach()[0], logits


def _maps(classifier: ChestClassifier, seen: Watched) -> torch.Tensor:
    said = f"the layer {classifier.cam_layer!r} of {classifier.name} puts out no feature maps"
    if seen.activation is None:
        raise RuntimeError(said)
    try:
        return classifier.cam_layout.maps(seen.activation)
    except (ValueError, RuntimeError) as error:
        raise RuntimeError(f"{said}: {error}") from error


def features_and_gradients(
    classifier: ChestClassifier, film: torch.Tensor, column: int
) -> tuple[torch.Tensor, torch.Tensor, float]:
    """Feature maps at ``classifier.cam_module``, the gradient of one logit with respect to them, and that logit.

    Args:
        classifier: the model. film: (1, 1, S, S) input. column: index of the logit.

    Returns:
        Two (K, h, w) tensors, the layer's output as :func:`watched` reads it and d logit / d output; and the logit.

    Raises:
        RuntimeError: the layer does not put out feature maps on this film, or the logit does not depend on it.
    """
    with watched(classifier, classifier.cam_module) as seen, torch.inference_mode(False), torch.enable_grad():
        logit = classifier(film.detach().clone())[0, column]
        features, output = _maps(classifier, seen), cast(torch.Tensor, seen.activation)
        if not logit.requires_grad:
            raise RuntimeError(f"the logits of {classifier.name} do not depend on its layer {classifier.cam_layer!r}")
        (gradient,) = torch.autograd.grad(logit, output)
    return features.detach()[0], classifier.cam_layout.maps(gradient)[0], float(logit.detach())
