"""Jacobian sensitivity: how much each logit would change for a small change of each pixel."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import nn

from classifiers import ChestClassifier
from classifiers.precision import settle_precision
from xai_methods.method import Attribution, Method, Progress, Request
from xai_methods.parameters import Parameters, parameter
from xai_methods.passes import precision_parameter
from xai_methods.recording.reverse import propagate_rows
from xai_methods.recording.tape import TOLERANCE, Recording, UnsupportedNetworkError, logits_apart, record
from xai_methods.registry import register

ROWS = {"cpu": 16, "cuda": 64}
"""Rows of the Jacobian that go down the recorded steps together."""
AUTOGRAD_ROWS = {"cpu": 4, "cuda": 64}
"""Rows in one pass of automatic differentiation: few stay in a CPU's cache, many fill a GPU."""
_followed: WeakKeyDictionary[ChestClassifier, bool] = WeakKeyDictionary()
"""Whether a classifier's network can be recorded and run again with the same logits."""


@dataclass(frozen=True)
class JacobianParameters(Parameters):
    """Parameters of Jacobian sensitivity."""

    reading: str = parameter(
        "signed",
        "signed: which way the logit would move; magnitude: how far, whichever way",
        choices=("signed", "magnitude"),
    )
    precision: str = precision_parameter("reverse passes' convolutions")


@dataclass(frozen=True, eq=False)
class StageJacobian:
    """Derivatives with respect to the feature maps of one stage.

    Attributes:
        name: dotted name of the module, inside the network, that puts the feature maps out.
        channels: K, the number of feature maps.
        maps: (C, h, w), for each logit the L2 norm over the channels of d logit / d feature.
    """

    name: str
    channels: int
    maps: torch.Tensor


def jacobian(
    classifier: ChestClassifier,
    film: torch.Tensor,
    report: Progress | None = None,
    precision: str = "float32",
) -> torch.Tensor:
    """Derivative of every logit with respect to every pixel (Abe & Asai 2025, arXiv 2502.14001).

    One forward pass, then one reverse pass for all findings: with far fewer findings than pixels, reverse mode is the
    cheap direction (the paper's forward algorithm gives the same matrix).

    Args:
        classifier: the model, which stays as it is. film: (1, 1, S, S) input in the classifier's range.
        report: called with the share done; what it raises stops the work.
        precision: one of ``PRECISIONS``: in what the reverse pass convolves. The forward pass is in the network's own,
            and so is all of a network that cannot be followed step by step.

    Returns:
        (C, S, S) in units of logit per input unit.
    """
    settled = settle_precision(precision, film.device)
    with torch.inference_mode(False):
        pixels = film.detach().clone()
        recording = _recorded(classifier, pixels)
        if recording is not None:
            convolve_in = torch.bfloat16 if settled == "bfloat16" else pixels.dtype
            return _down_the_steps(recording, classifier.columns, convolve_in, report)
        with torch.enable_grad():
            logits = classifier(pixels.requires_grad_(True))[0]
            blocks = [some[0][:, 0, 0] for some in _reverse(logits, [pixels], report)]
    return torch.cat(blocks)


def _recorded(classifier: ChestClassifier, film: torch.Tensor) -> Recording | None:
    """What the network does to ``film`` step by step; None where it cannot be followed."""
    if _followed.get(classifier) is False:
        return None
    try:
        recording = record(classifier.network, film)
    except UnsupportedNetworkError:
        _followed[classifier] = False
        return None
    if classifier not in _followed:
        with torch.no_grad():
            own = classifier.network(film)
        _followed[classifier] = logits_apart(recording.logits, own) <= TOLERANCE
    return recording if _followed[classifier] else None


def _down_the_steps(
    recording: Recording, columns: Sequence[int], convolve_in: torch.dtype, report: Progress | None
) -> torch.Tensor:
    """Gradients (C, S, S) of the logits at ``columns``, so many at a time."""
    eye = torch.eye(recording.logits.shape[1], device=recording.logits.device)[list(columns)]
    blocks, done = [], 0
    for some in eye.split(ROWS.get(eye.device.type, 16)):
        before, share = done / len(eye), len(some) / len(eye)

        def tell(within: float, before: float = before, share: float = share) -> None:
            if report is not None:
                report(before + share * within)

        with torch.no_grad():
            blocks.append(propagate_rows(recording, some, convolve_in, tell)[:, 0])
        done += len(some)
        tell(1.0)
    return torch.cat(blocks)


def jacobian_and_stages(
    classifier: ChestClassifier, film: torch.Tensor, report: Progress | None = None
) -> tuple[torch.Tensor, list[StageJacobian], torch.Tensor]:
    """The Jacobian of the whole model and, from the same reverse passes, those of its partial models.

    A stage is the last feature map at one resolution; what follows it is a partial model in the sense of
    Abe & Asai 2025 (arXiv 2502.14001), whose Jacobian is d logit / d feature map.

    Args:
        classifier: the model, which is left as it was found. film: (1, 1, S, S) input in the classifier's range.
        report: called with the share done; what it raises stops the work.

    Returns:
        (C, S, S) as :func:`jacobian`; the stages, from the film inwards; logits (C,).
    """
    with torch.inference_mode(False), torch.enable_grad():
        pixels = film.detach().clone().requires_grad_(True)
        with _feature_maps(classifier) as seen:
            logits = classifier(pixels)[0]
        stages = _last_at_each_size(seen)
        blocks: list[torch.Tensor] = []
        maps: list[list[torch.Tensor]] = [[] for _ in stages]
        for some in _reverse(logits, [pixels, *(features for _, features in stages)], report):
            blocks.append(some[0][:, 0, 0])
            for norms, gradient in zip(maps, some[1:]):
                norms.append(torch.linalg.vector_norm(gradient[:, 0], dim=1))
    found = [StageJacobian(name, x.shape[1], torch.cat(norms)) for (name, x), norms in zip(stages, maps)]
    return torch.cat(blocks), found, logits.detach()


def _reverse(
    logits: torch.Tensor, inputs: list[torch.Tensor], report: Progress | None
) -> Iterator[tuple[torch.Tensor, ...]]:
    """Gradients of up to ``ROWS`` logits at a time with respect to each input, the logits leading."""
    rows = AUTOGRAD_ROWS.get(logits.device.type, 16)
    directions = torch.eye(len(logits), dtype=logits.dtype, device=logits.device)
    for start in range(0, len(logits), rows):
        last = start + rows >= len(logits)
        some = directions[start : start + rows]
        yield torch.autograd.grad(logits, inputs, some, retain_graph=not last, is_grads_batched=True)
        if report is not None:
            report(min(start + rows, len(logits)) / len(logits))


@contextmanager
def _feature_maps(classifier: ChestClassifier) -> Iterator[list[tuple[str, torch.Tensor]]]:
    """Keep every feature map (1, K, h, w) that a module puts out in this thread's forward pass, in order."""
    seen: list[tuple[str, torch.Tensor]] = []
    owner = threading.get_ident()

    def keeper(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def keep(module: nn.Module, inputs: Any, output: Any) -> None:
            if threading.get_ident() == owner and isinstance(output, torch.Tensor) and output.ndim == 4:
                seen.append((name, output))

        return keep

    with classifier.lock:
        handles = [m.register_forward_hook(keeper(name)) for name, m in classifier.network.named_modules() if name]
        try:
            yield seen
        finally:
            for handle in handles:
                handle.remove()


def _last_at_each_size(seen: list[tuple[str, torch.Tensor]]) -> list[tuple[str, torch.Tensor]]:
    """The last feature map at each resolution above one cell, from the film inwards."""
    last: dict[tuple[int, int], tuple[str, torch.Tensor]] = {}
    for name, features in seen:
        if features.requires_grad and features.shape[2] * features.shape[3] > 1:
            last[features.shape[2], features.shape[3]] = (name, features)
    return list(last.values())


@register
class JacobianSensitivity(Method):
    """The finding's row of the Jacobian, in units of logit per full grey range of one pixel.

    Diagnostics: ``l1``, ``l2``, ``linf`` are norms of the row; ``spectral_norm`` is the largest singular value of the
    whole Jacobian, the most that any small change of the film can move all logits together.
    """

    name = "jacobian"
    title = "Jacobian sensitivity"
    family = "gradient"
    question = "How far would the logit move for a small change of each pixel?"
    reference = "Abe & Asai 2025, arXiv 2502.14001"
    signed = True
    unit = "logit per grey range"
    speed = "fast"
    role = "main"
    order = 50
    parameters = JacobianParameters

    def _explain(self, request: Request) -> Attribution:
        classifier = request.classifier
        range_of_greys = classifier.preprocessing.high - classifier.preprocessing.low
        request.count(1)
        # Input units become shares of the full grey range, so that models of different input ranges can be compared.
        assert isinstance(request.parameters, JacobianParameters)
        found = jacobian(classifier, request.film, request.report, request.parameters.precision)
        matrix = found.double() * range_of_greys
        request.count(len(matrix))
        row = matrix[request.column]
        flat = matrix.flatten(1)
        diagnostics = {
            "l1": float(row.abs().sum()),
            "l2": float(row.norm()),
            "linf": float(row.abs().max()),
            "spectral_norm": float(torch.linalg.eigvalsh(flat @ flat.T)[-1].clamp(min=0).sqrt()),
        }
        values = row.abs() if request.parameters.reading == "magnitude" else row
        return Attribution(values.float().cpu().numpy(), diagnostics=diagnostics)
