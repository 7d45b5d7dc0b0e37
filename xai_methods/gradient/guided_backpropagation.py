"""Guided backpropagation: the gradient with all falling signals stopped at each ReLU."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

from xai_methods.gradient.gradients import grey_range, logits_and_gradients
from xai_methods.method import Attribution, Method, Request
from xai_methods.recording.calls import OUT_OF_PLACE, out_of_place
from xai_methods.registry import register

RECTIFIERS = frozenset(
    (torch.relu, torch.Tensor.relu, F.relu, F.relu6, F.hardtanh, torch.clamp, torch.Tensor.clamp, torch.clamp_min)
)
OTHERS = frozenset(
    (F.gelu, F.silu, F.hardswish, F.mish, F.elu, F.selu, F.celu, F.leaky_relu, F.prelu, F.softplus, torch.prelu)
)
"""Activations that guidance is not defined for; they pass gradients of either sign, as they are."""
TOLERANCE = 1e-4
"""Relative difference of the logit under guidance from the network's own above which nothing is explained."""


class _RisingOnly(torch.autograd.Function):
    """Identity on the way up; on the way down what is negative becomes 0."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
        return gradients[0].clamp(min=0)


class GuidedRectifiers(TorchFunctionMode):
    """While active, in this thread alone, negative gradients do not pass ReLUs and ReLU6s, as modules or as functions.

    The network is neither hooked nor changed. ``met`` counts the ReLUs that were met, ``others`` further activations by
    their names.
    """

    def __init__(self) -> None:
        super().__init__()
        self.met, self.others = 0, Counter[str]()

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run one call; where it is a ReLU, put the guidance behind it."""
        given, plain = dict(kwargs or {}), OUT_OF_PLACE.get(func, func)
        if plain in OTHERS:
            self.others[plain.__name__] += 1
        if plain not in RECTIFIERS or not _from_zero(plain, args, given):
            return func(*args, **given)
        args, given = out_of_place(plain, args, given)
        self.met += 1
        return _RisingOnly.apply(plain(*args, **given))


def _from_zero(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a clamping call cuts at 0 from below."""
    if func is F.hardtanh:
        return (args[1] if len(args) > 1 else kwargs.get("min_val", -1.0)) == 0
    if func in (torch.clamp, torch.Tensor.clamp, torch.clamp_min):
        low = args[1] if len(args) > 1 else kwargs.get("min")
        return isinstance(low, (int, float)) and low == 0
    return True


@register
class GuidedBackpropagation(Method):
    """Guided backpropagation (Springenberg et al. 2015, arXiv 1412.6806), in units of logit per full grey range.

    It fails sanity checks: its picture hardly changes when the network's upper weights are drawn at random (Adebayo
    et al. 2018, arXiv 1810.03292). It is here to be compared, not to be trusted. Diagnostics: ``rectifiers``, how many
    ReLUs were guided; ``unguided_activations``, how many others were met, which it is not defined for (hardswish, GELU
    ...) and which pass gradients as they are; ``fails_sanity_checks``, always 1.
    """

    name = "guided-backpropagation"
    title = "Guided backpropagation"
    family = "gradient"
    question = (
        "Which pixels excite the units on the way to the logit, in a picture known to change little when the model "
        "forgets all it learned?"
    )
    reference = "Springenberg et al. 2015, arXiv 1412.6806; its failure: Adebayo et al. 2018, arXiv 1810.03292"
    signed = True
    unit = "logit per grey range"
    speed = "fast"
    order = 60

    def _explain(self, request: Request) -> Attribution:
        expected = float(request.logits(request.film)[0])
        request.report(0.3)
        with GuidedRectifiers() as guided:
            logits, gradients = logits_and_gradients(request, request.film)
        name = request.classifier.name
        if guided.met == 0:
            instead = f", but {', '.join(sorted(guided.others))}" if guided.others else ""
            raise RuntimeError(
                f"guided backpropagation needs ReLUs, and {name} has none{instead}; choose another method"
            )
        if not abs(float(logits[0]) - expected) <= TOLERANCE * max(abs(expected), 1.0):
            raise RuntimeError(f"guided backpropagation cannot follow the network of {name}; choose another method")
        values = gradients[0] * grey_range(request)
        diagnostics = {"rectifiers": float(guided.met), "fails_sanity_checks": 1.0}
        if guided.others:
            diagnostics["unguided_activations"] = float(guided.others.total())
        return Attribution(values.float().cpu().numpy(), diagnostics=diagnostics, logit=expected)
