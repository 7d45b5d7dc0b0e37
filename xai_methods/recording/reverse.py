"""Gradients of many logits at once, handed down the recorded steps.

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

FEW_CHANNELS = 3
"""A convolution of so few input channels goes down faster as one matrix product and shifted sums."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Gradients (R, ...) of R logits with respect to one value.

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


def hand_down_rows(
    recording: Recording,
    directions: torch.Tensor,
    convolve_in: torch.dtype,
    report: Callable[[float], None] | None = None,
) -> torch.Tensor:
    """Gradients of weighted sums of the logits with respect to the film.

    Args:
        recording: one film's way through the network. directions: (R, C) weights of the logits in each sum.
        convolve_in: number format in which convolutions are computed.
        report: called with the share done; what it raises stops the work.

    Returns:
        (R, 1, S, S), in the format of the film.
    """
    values = recording.values
    pending = {recording.last: Rows(directions.to(recording.logits))}
    for done, step in enumerate(reversed(recording.steps)):
        upper = pending.pop(step.target)
        inputs = [values[source] for source in step.sources]
        if isinstance(step, Concatenation) and step.dim == 1:
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
        if step.kind == "scale":
            return [upper.times(along_channels(step.weight, output).to(upper.values.dtype))]
        if step.kind == "linear":
            return [Rows(upper.whole().to(step.weight.dtype) @ step.weight)]
        rows = upper.whole().to(convolve_in, memory_format=torch.channels_last)
        return [Rows(_back_through_convolution(step, inputs[0].shape, rows))]
    if isinstance(step, Addition) and all(x.shape == output.shape for x in inputs):
        whole = upper.whole()
        return [Rows(whole, shared=True) for _ in inputs]
    if isinstance(step, MaxPooling):
        return [Rows(_to_the_largest(step, inputs[0], upper.whole()))]
    # Some of these are one number seen many times.
    return [Rows(rows, shared=True) for rows in _pulled_back(step, inputs, upper.whole())]


def _slope(step: Step, x: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
    """Derivative of an activation at each entry of ``x``."""
    if step.name == "relu":
        return output > 0
    with torch.enable_grad():
        leaf = x.detach().requires_grad_(True)
        (slope,) = torch.autograd.grad(step.run([leaf]).sum(), leaf)
    return slope


def _laid_out_for(rows: torch.Tensor, slope: torch.Tensor) -> torch.Tensor:
    layout = torch.channels_last if rows.ndim == 4 else torch.contiguous_format
    return slope.to(rows.dtype, memory_format=layout)


def _back_through_convolution(step: Affine, shape: torch.Size, rows: torch.Tensor) -> torch.Tensor:
    """Transpose of a convolution that reads (1, ...) inputs of ``shape``, for (R, K, h, w) ``rows``."""
    options, weight = step.options, step.weight.to(rows.dtype)
    if weight.shape[1] <= FEW_CHANNELS and options["groups"] == 1 and options["dilation"] == (1, 1):
        return _by_shifted_sums(step, shape, rows)
    # The backward pass reads this tensor's shape and layout, not what is in it.
    like = torch.empty((len(rows), *shape[1:]), dtype=rows.dtype, device=rows.device, memory_format=torch.channels_last)
    return torch.ops.aten.convolution_backward(
        rows, like, weight, None, options["stride"], options["padding"], options["dilation"], False, [0, 0],
        options["groups"], [True, False, False],
    )[0]  # fmt: skip


def _by_shifted_sums(step: Affine, shape: torch.Size, rows: torch.Tensor) -> torch.Tensor:
    """The same for few input channels: what each weight sends down, summed over pixels of one phase of the stride."""
    (sh, sw), (top, left) = step.options["stride"], step.options["padding"]
    channels, kh, kw = step.weight.shape[1:]
    count, outputs, h, w = rows.shape
    sent = step.weight.to(rows.dtype).flatten(1).t() @ rows.permute(0, 2, 3, 1).reshape(-1, outputs).t()
    sent = sent.view(channels, kh, kw, count, h, w)
    height = max(-(-(shape[2] + top) // sh), h + (kh - 1) // sh)
    width = max(-(-(shape[3] + left) // sw), w + (kw - 1) // sw)
    phases = rows.new_zeros((sh, sw, channels, count, height, width), dtype=step.weight.dtype)
    for i in range(kh):
        for j in range(kw):
            phases[i % sh, j % sw, :, :, i // sh : i // sh + h, j // sw : j // sw + w] += sent[:, i, j]
    whole = phases.permute(3, 2, 4, 0, 5, 1).reshape(count, channels, height * sh, width * sw)
    return whole[:, :, top : top + shape[2], left : left + shape[3]]


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


def _pulled_back(step: Step, inputs: list[torch.Tensor], rows: torch.Tensor) -> list[torch.Tensor]:
    """Transpose of any other step's derivative, from automatic differentiation."""
    # What a rearrangement picks may hang on the inputs' last digits; a mean does not.
    exact = inputs[0].dtype if isinstance(step, Rearrangement) else rows.dtype
    with torch.enable_grad():
        leaves = [x.detach().to(exact).requires_grad_(True) for x in inputs]
        output = step.run(leaves)
        lower = torch.autograd.grad(output, leaves, rows.to(exact)[:, None], is_grads_batched=True)
    return [part[:, 0] for part in lower]


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
