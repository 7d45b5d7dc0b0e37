"""Gradients of many logits at once, propagated through the recorded steps.

What a network multiplies gradients with on the way down is fixed by its forward pass: which ReLUs were open, which
entry of a window was the largest. That pass is in the network's own precision. Convolutions, nearly all of the work,
may take their weights and gradients in bfloat16, which rounds these by at most 2^-9 of themselves and moves no ReLU.
Slopes of activations and normalisations are the same for all rows: they meet each other first, and the rows once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from xai_methods.method import Progress
from xai_methods.recording.steps import (
    Addition,
    Affine,
    Concatenation,
    Elementwise,
    MaxPooling,
    Rearrangement,
    Step,
    along_channels,
)
from xai_methods.recording.tape import Recording
from xai_methods.recording.token_steps import Attention, MatrixProduct, Shift, TokenStep


@dataclass(frozen=True, eq=False)
class Rows:
    """Gradients of R logits with respect to one value: (R, ...) in place of (1, ...), else (R, *shape).

    Attributes:
        values: the gradients, but for ``slope``. slope: factor (1, ...) still to be multiplied in.
        shared: whether somebody else reads ``values`` too, so that they must not be changed in place.
    """

    values: torch.Tensor
    slope: torch.Tensor | None = None
    shared: bool = False

    def times(self, slope: torch.Tensor) -> Rows:
        """Behind one more factor."""
        return Rows(self.values, slope if self.slope is None else self.slope * slope, self.shared)

    def whole(self) -> torch.Tensor:
        """The gradients themselves."""
        return self.values if self.slope is None else self.values * self.slope

    def plus(self, other: Rows) -> Rows:
        """The sum of both; in this one's place where nobody else reads it."""
        mine = self.whole()
        if self.shared and self.slope is None:
            return Rows(mine + other.whole() if other.slope is None else torch.addcmul(mine, other.values, other.slope))
        return Rows(_added(mine, other))


def propagate_rows(
    recording: Recording,
    directions: torch.Tensor,
    convolve_in: torch.dtype,
    report: Progress | None = None,
    watch: Callable[[int, torch.Tensor], None] | None = None,
) -> torch.Tensor:
    """Gradients of weighted sums of the logits with respect to the film.

    Args:
        recording: one film's way through the network. directions: (R, C) weights of the logits in each sum.
        convolve_in: number format in which convolutions are computed.
        report: called with the share done; what it raises stops the work.
        watch: called with the number of each attention's output and the gradients (R, ...) with respect to it.

    Returns:
        (R, 1, S, S), in the format of the film.
    """
    values = recording.values
    pending = {recording.last: Rows(directions.to(recording.logits), shared=True)}
    for done, step in enumerate(reversed(recording.steps)):
        upper = pending.pop(step.target)
        if watch is not None and isinstance(step, (Attention, MatrixProduct)):
            watch(step.target, upper.whole())
        inputs = [values[source] for source in step.sources]
        alone = len(values[step.target]) == 1
        if isinstance(step, Concatenation) and step.dim == 1 and alone:
            _apart(pending, step.sources, upper, [x.shape[1] for x in inputs])
        else:
            lower = _through(step, inputs, values[step.target], upper, convolve_in)
            for source, rows in zip(step.sources, lower):
                _wait(pending, source, rows)
        if report is not None and done % 16 == 0:
            report(done / len(recording.steps))
    return pending[0].whole().to(values[0].dtype)


def _through(
    step: Step, inputs: list[torch.Tensor], output: torch.Tensor, upper: Rows, convolve_in: torch.dtype
) -> list[Rows]:
    """Gradients with respect to each of the step's inputs."""
    if isinstance(step, Elementwise):
        return [upper.times(_laid_out_for(upper.values, _slope(step, inputs[0], output)))]
    if isinstance(step, Affine):
        return _down_weights(step, inputs[0], output, upper, convolve_in)
    if isinstance(step, Addition) and all(x.shape == output.shape for x in inputs):
        whole = upper.whole()
        return [Rows(whole, shared=True) for _ in inputs]
    if isinstance(step, Shift) and inputs[0].shape == output.shape:
        return [upper]
    if isinstance(step, MaxPooling) and len(output) == 1:
        return [Rows(_to_the_largest(step, inputs[0], upper.whole()))]
    if isinstance(step, TokenStep) and step.shapes_agree(inputs, output):
        return [Rows(part) for part in step.pulled_back(inputs, output, upper.whole().to(output.dtype))]
    # Some of these are one number seen many times.
    return [Rows(rows, shared=True) for rows in _pulled_back(step, inputs, output, upper.whole())]


def _down_weights(
    step: Affine, x: torch.Tensor, output: torch.Tensor, upper: Rows, convolve_in: torch.dtype
) -> list[Rows]:
    """Gradients with respect to the input of a step with weights."""
    if step.kind == "scale":
        return [upper.times(along_channels(step.weight, output).to(upper.values.dtype))]
    if step.kind == "linear":
        # The head's few rows stay exact.
        among = step.weight.dtype if x.ndim == 2 else convolve_in
        return [Rows(upper.whole().to(among) @ step.weight.to(among))]
    if len(output) > 1:
        return [Rows(rows) for rows in _pulled_back(step, [x], output, upper.whole())]
    rows = upper.whole().to(convolve_in, memory_format=torch.channels_last)
    shape = torch.Size((len(rows), *x.shape[1:]))
    return [Rows(step.transposed(shape, step.weight.to(convolve_in), rows))]


def _slope(step: Step, x: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
    """Derivative of an activation at each entry of ``x``."""
    if step.name == "relu":
        return output > 0
    with torch.enable_grad():
        leaf = x.detach().requires_grad_(True)
        (slope,) = torch.autograd.grad(step.run([leaf]).sum(), leaf)
    return slope


def _laid_out_for(rows: torch.Tensor, slope: torch.Tensor) -> torch.Tensor:
    layout = torch.channels_last if slope.ndim == rows.ndim == 4 else torch.contiguous_format
    return slope.to(rows.dtype, memory_format=layout)


def _to_the_largest(step: MaxPooling, x: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """Each window's gradient, at the entry of ``x`` (1, K, H, W) that was the window's largest."""
    options = step.options
    _, places = F.max_pool2d(x, **options, return_indices=True)
    layout = torch.channels_last
    places = places.expand(len(rows), -1, -1, -1).contiguous(memory_format=layout)
    like = torch.empty((len(rows), *x.shape[1:]), dtype=rows.dtype, device=rows.device, memory_format=layout)
    return torch.ops.aten.max_pool2d_with_indices_backward(
        rows.contiguous(memory_format=layout), like, *options.values(), places
    )


def _pulled_back(
    step: Step, inputs: list[torch.Tensor], output: torch.Tensor, rows: torch.Tensor
) -> list[torch.Tensor]:
    """Transpose of any other step's derivative, from automatic differentiation."""
    # What a rearrangement picks may hang on the inputs' last digits; a mean does not.
    exact = inputs[0].dtype if isinstance(step, Rearrangement) else rows.dtype
    with torch.enable_grad():
        leaves = [x.detach().to(exact).requires_grad_(True) for x in inputs]
        again = step.run(leaves)
        upper = rows.to(exact).reshape(len(rows), *output.shape)
        lower = torch.autograd.grad(again, leaves, upper, is_grads_batched=True)
    return [part[:, 0] if len(x) == 1 else part for part, x in zip(lower, inputs)]


def _wait(pending: dict[int, Rows], source: int, rows: Rows) -> None:
    """Add to what waits for the step that made value ``source``."""
    pending[source] = pending[source].plus(rows) if source in pending else rows


def _apart(pending: dict[int, Rows], sources: Sequence[int], upper: Rows, sizes: list[int]) -> None:
    """Hand what arrived for a concatenation to its sources.

    Dense networks concatenate the same feature maps again and again. What waits for them then lies side by side in one
    tensor already, and is added to in one go.
    """
    block = _side_by_side([pending.get(source) for source in sources])
    if block is not None:
        _added(block, upper)
        return
    fresh = upper.whole()
    if upper.shared and upper.slope is None:
        fresh = fresh.clone()
    for source, part in zip(sources, fresh.split(sizes, dim=1)):
        _wait(pending, source, Rows(part))


def _side_by_side(waiting: Sequence[Rows | None]) -> torch.Tensor | None:
    """The part of one tensor that consists of these, channel behind channel; None where they do not lie so."""
    parts = [rows.values for rows in waiting if rows is not None and rows.slope is None and not rows.shared]
    base = parts[0]._base if parts else None
    if base is None or len(parts) < len(waiting):
        return None
    step = base.stride(1)
    first = place = parts[0].storage_offset() - base.storage_offset()
    for part in parts:
        if part._base is not base or part.stride() != base.stride() or part.shape[2:] != base.shape[2:]:
            return None
        if part.storage_offset() - base.storage_offset() != place:
            return None
        place += part.shape[1] * step
    return base.narrow(1, first // step, (place - first) // step)


def _added(target: torch.Tensor, rows: Rows) -> torch.Tensor:
    return target.add_(rows.values) if rows.slope is None else target.addcmul_(rows.values, rows.slope)
