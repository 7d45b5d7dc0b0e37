"""Bringing recorded steps into the form that rules are written for.

A normalisation behind a convolution is folded into it (its epsilon included). One that stands before a ReLU and a
convolution, as in dense networks, cannot be folded across the ReLU: it stays a step of its own, a 1 x 1 convolution
with one weight a channel and a bias, and gets the rule that the composite has for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import nn

from xai_methods.recording.steps import Affine, Elementwise, Rearrangement, Statistic, Step
from xai_methods.recording.tape import record
from xai_methods.recording.token_steps import Attention, MatrixProduct, Normalisation, Product, Softmax


@dataclass(frozen=True, eq=False)
class CanonicalNetwork:
    """The steps of a network in canonical form, in order. Value 0 is the film, value ``last`` the logits."""

    steps: tuple[Step, ...]
    last: int

    def run(self, film: torch.Tensor) -> dict[int, torch.Tensor]:
        """All values by number, for films (N, 1, S, S) of the size that was recorded."""
        values = {0: film}
        for step in self.steps:
            values[step.target] = step.run([values[source] for source in step.sources])
        return values


def canonise(network: nn.Module, film: torch.Tensor) -> CanonicalNetwork:
    """Record ``network`` on ``film`` (1, 1, S, S) and bring it into canonical form; the network stays as it is.

    Raises:
        UnsupportedNetworkError: the network holds an operation that relevance cannot pass.
    """
    recording = record(network, film)
    return CanonicalNetwork(tuple(mark_gates(_mark_first(_fold(recording.steps)))), recording.last)


def _fold(steps: Sequence[Step]) -> list[Step]:
    """Fold each normalisation by channel into the convolution or linear layer whose only reader it is."""
    readers = Counter(source for step in steps for source in step.sources)
    makers: dict[int, int] = {}
    folded: list[Step] = []
    for step in steps:
        place = makers.get(step.sources[0]) if step.sources else None
        before = folded[place] if place is not None else None
        if _is_scale(step) and isinstance(before, Affine) and readers[before.target] == 1:
            assert place is not None
            assert isinstance(step, Affine)
            assert step.bias is not None
            folded[place] = before.scaled(step.weight, step.bias, step.target)
            makers[step.target] = place
        else:
            makers[step.target] = len(folded)
            folded.append(step)
    return folded


def _is_scale(step: Step) -> bool:
    return isinstance(step, Affine) and step.kind == "scale"


def _mark_first(steps: list[Step]) -> list[Step]:
    """Mark the steps with weights that nothing with weights precedes."""
    weighted: set[int] = set()
    marked: list[Step] = []
    for step in steps:
        behind = any(source in weighted for source in step.sources)
        if isinstance(step, Affine):
            step = replace(step, first=not behind)
        if behind or isinstance(step, (Affine, Attention, Normalisation)):
            weighted.add(step.target)
        marked.append(step)
    return marked


def mark_gates(steps: Sequence[Step]) -> list[Step]:
    """Say of each product which factor is a gate: a softmax, or what a sigmoid or a root alone has made.

    Where both factors come from an activation, or neither, neither is the gate.
    """
    makers = {step.target: step for step in steps}
    marked: list[Step] = []
    for step in steps:
        if isinstance(step, (Product, MatrixProduct)) and step.gate is None:
            origins = [_origin(makers, source) for source in step.sources]
            wanted = Softmax if isinstance(step, MatrixProduct) else (Softmax, Elementwise)
            gates = [place for place, origin in enumerate(origins) if isinstance(origin, wanted)]
            if len(gates) == 1:
                step = replace(step, gate=gates[0])
                if isinstance(step, Product) and isinstance(origins[gates[0]], Statistic):
                    step = replace(step, held=True)
        marked.append(step)
    return marked


def _origin(makers: dict[int, Step], source: int) -> Step | None:
    """The step that made a value, behind whatever only moves entries or scales them."""
    step = makers.get(source)
    while isinstance(step, Rearrangement) or (isinstance(step, Elementwise) and step.name in ("dropout", "mul")):
        step = makers.get(step.sources[0])
    return step
