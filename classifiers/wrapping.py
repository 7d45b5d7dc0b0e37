"""Any torch network as a classifier that every method, score and page can use."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Sequence

import torch
from torch import nn

from classifiers.chest_classifier import ChestClassifier, ModelCard
from classifiers.preprocessing import Preprocessing
from classifiers.weights import WeightsError

UNMEASURED = "Nothing was measured: the program does not know how good it is. For research and teaching."
_QUIET = (
    *(nn.Identity, nn.Dropout, nn.Dropout2d, nn.Flatten, nn.MaxPool2d, nn.AvgPool2d),
    *(nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d),
)
_ATTENTION = ("MultiheadAttention", "Attention", "WindowAttention", "ShiftedWindowAttention")


class GreyToColour(nn.Module):
    """Gives a grey film to a network of three colours: repeated, then (x - mean) / std by colour.

    (N, 1, S, S) to what ``network`` makes of (N, 3, S, S). The step is a 1x1 convolution, so that every explanation
    method can pass through it.
    """

    def __init__(self, network: nn.Module, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.colours = nn.Conv2d(1, 3, kernel_size=1)
        spread, centre = torch.tensor(std, dtype=torch.float32), torch.tensor(mean, dtype=torch.float32)
        self.colours.weight.data = (1 / spread).reshape(3, 1, 1, 1)
        bias: nn.Parameter = nn.Parameter(-centre / spread)
        self.colours.bias = bias
        self.network = network

    def forward(self, films: torch.Tensor) -> torch.Tensor:
        """Map films to logits."""
        return self.network(self.colours(films))


def wrap(
    network: nn.Module,
    findings: Sequence[str],
    card: ModelCard | None = None,
    *,
    side: int = 224,
    fit: str = "pad",
    low: float = 0.0,
    high: float = 1.0,
    mean: float | Sequence[float] | None = None,
    std: float | Sequence[float] | None = None,
    cam_layer: str | None = None,
) -> ChestClassifier:
    """Put a network of one or three input channels behind the classifier's contract.

    Args:
        network: maps (N, 1 or 3, S, S) to one logit for each finding. findings: their names, in order.
        card: what is known of it; says that nothing is where None.
        side: S, the input's side in pixels. fit: "pad" or "crop", how a film becomes a square.
        low, high: input values of black and white.
        mean, std: normalisation of an input in [0, 1], one number or one a colour; instead of ``low`` and ``high``.
        cam_layer: dotted name of the layer CAM methods read; guessed where None.

    Raises:
        WeightsError: something does not fit; the message says what and what to do.
    """
    findings = tuple(findings)
    check_input(findings, side, fit)
    channels = _channels(network)
    means, stds = _normalisation(mean, std, channels)
    if mean is not None or std is not None:
        low, high = (0.0, 1.0) if channels == 3 else (-means[0] / stds[0], (1 - means[0]) / stds[0])
    if channels == 3:
        network = GreyToColour(network, means, stds)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise WeightsError("The input value of black lies below that of white, and both are numbers.")
    network.eval()
    known = card or ModelCard("own", "Your network", "A network of yours.", "not stated", "yours", "", UNMEASURED)
    _check_run(network, side, len(findings))
    layer = _checked_layer(network, cam_layer) if cam_layer else guess_cam_layer(network, side)
    preprocessing = Preprocessing(side, "pad" if fit == "pad" else "crop", float(low), float(high))
    return ChestClassifier(network, findings, known, layer, preprocessing)


def check_input(findings: tuple[str, ...], side: int, fit: str) -> None:
    """Check what does not hang on the network.

    Raises:
        WeightsError: a finding is named twice or not by a text, or side or fit make no sense.
    """
    if not findings or len(set(findings)) != len(findings) or not all(isinstance(f, str) and f for f in findings):
        raise WeightsError("Name at least one finding, and each once.")
    if fit not in ("pad", "crop") or not 32 <= side <= 2048:
        raise WeightsError("The fit is pad or crop, and the side lies between 32 and 2048 pixels.")


def _channels(network: nn.Module) -> int:
    """Colours of the input, by the first convolution; a network without one takes grey films."""
    if not any(isinstance(module, nn.Conv2d) for module in network.modules()):
        return 1
    channels = first_convolution(network)[1].in_channels
    if channels not in (1, 3):
        raise WeightsError(f"The network expects films of {channels} channels; it can be used with 1 or 3.")
    return channels


def guess_cam_layer(network: nn.Module, side: int) -> str:
    """Return the dotted name of the last convolutional stage: what comes just before the pooling.

    Raises:
        WeightsError: the network has none that can be told, as a transformer; name it then.
    """
    prefix = "network." if isinstance(network, GreyToColour) else ""
    names = dict(network.named_modules())
    for known in ("layer4", "features.norm5", "bn2"):
        if prefix + known in names:
            return prefix + known
    advice = "The layer for class-activation maps cannot be guessed; name it (cam_layer), for instance the last stage."
    if any(type(m).__name__ in _ATTENTION for m in names.values()):
        raise WeightsError(advice)
    finished: list[str] = []
    handles = [m.register_forward_hook(_note(finished, n)) for n, m in names.items() if n and not isinstance(m, _QUIET)]
    try:
        _probe(network, side)
    finally:
        for handle in handles:
            handle.remove()
    if not finished:
        raise WeightsError(advice)
    return _before_pooling(network, finished[-1])


def _note(finished: list[str], name: str) -> Callable[[nn.Module, object, object], None]:
    def hook(module: nn.Module, given: object, result: object) -> None:
        if isinstance(result, torch.Tensor) and result.ndim == 4 and min(result.shape[2:]) > 1:
            finished.append(name)

    return hook


def _before_pooling(network: nn.Module, name: str) -> str:
    """Step from a sequence that ends in a pooling (VGG) to the layer before it."""
    module = network.get_submodule(name)
    if not isinstance(module, nn.Sequential):
        return name
    children = [n for n, child in module.named_children() if not isinstance(child, _QUIET)]
    last = list(module.named_children())[-1]
    return f"{name}.{children[-1]}" if isinstance(last[1], _QUIET) and children else name


def _checked_layer(network: nn.Module, cam_layer: str) -> str:
    names = dict(network.named_modules())
    for name in (cam_layer, f"network.{cam_layer}"):
        if name in names:
            return name
    near = difflib.get_close_matches(cam_layer, names, n=3)
    raise WeightsError(f"The network has no layer {cam_layer!r}." + (f" Close: {', '.join(near)}." if near else ""))


def _probe(network: nn.Module, side: int) -> torch.Tensor:
    with torch.inference_mode():
        return network(torch.zeros(1, _channels(network), side, side))


def _check_run(network: nn.Module, side: int, n_findings: int) -> None:
    try:
        logits = _probe(network, side)
    except (RuntimeError, ValueError, AssertionError) as error:
        reason = str(error).splitlines()[0][:120]
        raise WeightsError(f"The network does not run on films of {side} x {side} pixels ({reason}).") from error
    if not isinstance(logits, torch.Tensor) or tuple(logits.shape) != (1, n_findings):
        raise WeightsError("The network does not give one logit for each finding; only classifiers can be used.")
    if not torch.isfinite(logits).all():
        raise WeightsError("With these weights, the logits of a black film are not finite numbers.")


def first_convolution(network: nn.Module) -> tuple[str, nn.Conv2d]:
    """The first convolution and the name of its weights.

    Raises:
        WeightsError: there is none.
    """
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            return f"{name}.weight", module
    raise WeightsError("The architecture has no convolution; only image classifiers can be used.")


def _normalisation(
    mean: float | Sequence[float] | None, std: float | Sequence[float] | None, channels: int
) -> tuple[list[float], list[float]]:
    """Return mean and std a channel; 0 and 1 where not given."""
    spread = []
    for given, default, what in ((mean, 0.0, "mean"), (std, 1.0, "std")):
        values = [default] if given is None else [given] if isinstance(given, int | float) else list(given)
        values = values * channels if len(values) == 1 else values
        if len(values) != channels or not all(math.isfinite(v) for v in values):
            raise WeightsError(f"The {what} is one number, or one for each of the {channels} channels.")
        spread.append([float(v) for v in values])
    if min(spread[1]) <= 0:
        raise WeightsError("The std is above 0.")
    return spread[0], spread[1]
