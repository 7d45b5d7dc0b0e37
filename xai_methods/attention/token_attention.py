"""Attention weights of a vision transformer on one film, and how the logit hangs on them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch

from classifiers import ChestClassifier
from xai_methods.recording.reverse import propagate_rows
from xai_methods.recording.steps import Step
from xai_methods.recording.tape import Recording, UnsupportedNetworkError, record
from xai_methods.recording.token_steps import Attention, MatrixProduct
from xai_methods.relevance.canonise import mark_gates

MOST_EXTRA = 16
"""Most tokens beside the cells (class, distillation, register) that a transformer is taken to have."""
_reasons: WeakKeyDictionary[ChestClassifier, list[str]] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class TokenAttention:
    """What one film's tokens take from each other, layer by layer.

    Attributes:
        weights: of each layer, (heads, T, T): row i is what token i takes from each. gradients: of the logit with
            respect to them. pooled, pooled_gradient: (heads, 1, T), where the network ends in a pooling attention.
        read: (T,) share of each token in what the network's head reads. logit: the explained one.
        first, grid: the first token that is a cell of the film, and (h, w) of the cells, row by row.
    """

    weights: list[torch.Tensor]
    gradients: list[torch.Tensor]
    pooled: torch.Tensor | None
    pooled_gradient: torch.Tensor | None
    read: torch.Tensor
    logit: float
    first: int
    grid: tuple[int, int]

    def on_cells(self, tokens: torch.Tensor) -> torch.Tensor:
        """The cells of a map over tokens (T,), as (h, w)."""
        return tokens[self.first : self.first + math.prod(self.grid)].reshape(self.grid)


def cells_among(classifier: ChestClassifier, tokens: int) -> tuple[int, tuple[int, int]]:
    """The first of ``tokens`` that is a cell of the film, and the cells' grid: as traced for class-activation maps.

    Where that layer holds no tokens, the cells are taken to be the last ones, and to make a square.
    """
    layout = classifier.cam_layout
    if layout.grid is not None and layout.first + math.prod(layout.grid) <= tokens:
        return layout.first, layout.grid
    side = math.isqrt(tokens)
    return tokens - side * side, (side, side)


def why_not(classifier: ChestClassifier) -> str | None:
    """None where the classifier attends over one set of tokens that covers the film; else a sentence."""
    if classifier not in _reasons:
        film = torch.zeros(1, 1, classifier.side, classifier.side, device=classifier.device)
        try:
            reason = _reason(_attentions(record(classifier.network, film)), classifier)
        except UnsupportedNetworkError as error:
            reason = str(error)
        _reasons[classifier] = [] if reason is None else [reason]
    found = _reasons[classifier]
    return found[0] if found else None


def _attentions(recording: Recording) -> list[tuple[Step, torch.Tensor, torch.Tensor]]:
    """Each attention of the network, its weights and its values, in order."""
    found: list[tuple[Step, torch.Tensor, torch.Tensor]] = []
    for step in mark_gates(recording.steps):
        inputs = [recording.values[source] for source in step.sources]
        if isinstance(step, Attention):
            found.append((step, step.weights(inputs), step.placed(inputs)[2]))
        elif isinstance(step, MatrixProduct) and step.gate == 0:
            found.append((step, inputs[0], inputs[1]))
    return found


def _reason(attentions: Sequence[tuple[Step, torch.Tensor, torch.Tensor]], classifier: ChestClassifier) -> str | None:
    if not attentions:
        return "this model has no attention between parts of the film, which this method reads; choose another method"
    shapes = [tuple(weights.shape) for _, weights, _ in attentions]
    tokens = shapes[0][-1]
    layers = shapes[:-1] if len(shapes) > 1 and shapes[-1][-2] == 1 else shapes
    extra = tokens - math.prod(cells_among(classifier, tokens)[1])
    if any(len(s) != 4 or s[0] != 1 for s in shapes) or any(s[-2:] != (tokens, tokens) for s in layers):
        return (
            "this model attends within windows or at several sizes, so that its layers cannot be multiplied; "
            "choose another method"
        )
    if shapes[-1][-1] != tokens or tokens < 4 or extra > MOST_EXTRA:
        return "this model's tokens cannot be told to be cells of the film; choose another method"
    return None


def attend(classifier: ChestClassifier, film: torch.Tensor, column: int) -> TokenAttention:
    """Run ``film`` (1, 1, S, S) once forward and once backward from the logit in ``column`` of the findings.

    Raises:
        UnsupportedNetworkError: the network cannot be followed, or its attention is of another kind.
    """
    with torch.inference_mode(False), torch.no_grad():
        recording = record(classifier.network, film)
        attentions = _attentions(recording)
        reason = _reason(attentions, classifier)
        if reason is not None:
            raise UnsupportedNetworkError(reason)
        arrived: dict[int, torch.Tensor] = {}
        place = classifier.columns[column]
        direction = torch.eye(recording.logits.shape[1], device=film.device)[place : place + 1]
        propagate_rows(recording, direction, film.dtype, watch=arrived.__setitem__)
    weights = [found[0] for _, found, _ in attentions]
    gradients = [(arrived[step.target] @ values.transpose(-2, -1))[0] for step, _, values in attentions]
    pooling = len(weights) > 1 and weights[-1].shape[-2] == 1
    reached = arrived[attentions[-1][0].target][0].abs().sum(dim=(0, 2)) > 0
    return TokenAttention(
        weights[:-1] if pooling else weights,
        gradients[:-1] if pooling else gradients,
        weights[-1] if pooling else None,
        gradients[-1] if pooling else None,
        weights[-1].mean(dim=0)[0] if pooling else reached / reached.sum().clamp(min=1),
        float(recording.logits[0, place]),
        *cells_among(classifier, weights[0].shape[-1]),
    )
