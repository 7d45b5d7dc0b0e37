"""Relevance propagated from a logit to the film, with what each step received, passed on and absorbed."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from xai_methods.method import Progress
from xai_methods.recording.steps import Addition, Affine, Elementwise, Joined, Pooling, Step
from xai_methods.recording.token_steps import reduced
from xai_methods.relevance.canonise import CanonicalNetwork
from xai_methods.relevance.composites import Composite
from xai_methods.relevance.rules import stabilised
from xai_methods.relevance.tokens import Split, through_token_step


@dataclass(frozen=True)
class StepBalance:
    """Relevance that one step received from above, passed on to its inputs, and absorbed in its bias."""

    step: str
    received: float
    passed_on: float
    absorbed: float

    @property
    def lost(self) -> float:
        """What was neither passed on nor absorbed: the stabilisers' part, and dead ends."""
        return self.received - self.passed_on - self.absorbed


@dataclass(frozen=True, eq=False)
class Flow:
    """Relevance (1, 1, S, S) of the film, and the balance of every step from the logit to the film."""

    relevance: torch.Tensor
    balances: tuple[StepBalance, ...]

    @property
    def absorbed(self) -> float:
        """Relevance that stayed in biases."""
        return sum(entry.absorbed for entry in self.balances)


def propagate(
    network: CanonicalNetwork,
    values: dict[int, torch.Tensor],
    column: int,
    composite: Composite,
    report: Progress | None = None,
) -> Flow:
    """Propagate the logit at ``column`` to the film.

    Args:
        network: the canonical network. values: what it computed (``network.run``).
        column: index of the logit in the network's output. composite: which rule where.
        report: called with the share done; what it raises stops the work.
    """
    logits = values[network.last]
    relevance = {network.last: torch.zeros_like(logits)}
    relevance[network.last][:, column] = logits[:, column]
    balances = []
    for done, step in enumerate(reversed(network.steps)):
        upper = relevance.pop(step.target, None)
        if upper is None:
            continue
        inputs = [values[source] for source in step.sources]
        lower, absorbed = _through(step, inputs, values[step.target], upper, composite)
        parts = [(source, part) for source, part in zip(step.sources, lower) if part is not None]
        passed_on = sum(float(part.sum()) for _, part in parts)
        balances.append(StepBalance(step.name, float(upper.sum()), passed_on, absorbed))
        for source, part in parts:
            relevance[source] = relevance[source] + part if source in relevance else part
        if report is not None and done % 16 == 0:
            report(done / len(network.steps))
    return Flow(relevance[0], tuple(balances))


def _through(
    step: Step, inputs: list[torch.Tensor], output: torch.Tensor, upper: torch.Tensor, composite: Composite
) -> Split:
    """Relevance of each of the step's inputs, and what its bias absorbed."""
    if isinstance(step, Affine):
        lower, absorbed = composite.rule(step).propagate(step, inputs[0], output, upper)
        return [lower], absorbed
    if isinstance(step, Elementwise):
        return [upper], 0.0
    if isinstance(step, Addition):
        share = upper / stabilised(output, composite.stabiliser)
        return [part * reduced(share, part.shape) for part in inputs], 0.0
    if isinstance(step, Pooling):
        share = upper / stabilised(output, composite.stabiliser)
        return [x * gradient for x, gradient in zip(inputs, _pull_back(step, inputs, share))], 0.0
    split = through_token_step(step, inputs, output, upper, composite.attention, composite.stabiliser)
    if split is not None:
        return split
    found = _pull_back(step, inputs, upper)
    stayed = float(upper.sum()) - sum(float(part.sum()) for part in found) if isinstance(step, Joined) else 0.0
    return [*found], stayed


def _pull_back(step: Step, inputs: list[torch.Tensor], upper: torch.Tensor) -> list[torch.Tensor]:
    """Transpose of the step's derivative, applied to what comes from above."""
    with torch.enable_grad():
        leaves = [x.detach().requires_grad_(True) for x in inputs]
        output = step.run(leaves)
    return list(torch.autograd.grad(output, leaves, upper))
