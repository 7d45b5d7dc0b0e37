"""Any torch network as a classifier that every method, score and page can use."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import torch
from torch import nn

from classifiers.cam_layers import CamLayer, NoCamLayerError, find_cam_layer
from classifiers.chest_classifier import ChestClassifier, ModelCard
from classifiers.memory import OutOfMemoryError, saying_out_of_memory
from classifiers.preprocessing import Preprocessing
from classifiers.weights import WeightsError
from radiographs.nearness import near

UNMEASURED = "Nothing was measured: the program does not know how good it is. For research and teaching."
_SHAPES = (
    *("View", "Reshape", "UnsafeView", "Squeeze", "Unsqueeze", "Permute", "Transpose", "Slice", "Select", "Index"),
    *("Cat", "Stack", "Clone", "Alias", "ToCopy"),
)
"""What autograd calls steps that change no numbers."""
_INNER = re.compile(r"^(network\.)+")
"""What the program itself puts before the names of a network's modules."""


def own_card(name: str, title: str | None, summary: str, notes: tuple[str, ...] = ()) -> ModelCard:
    """The card of a model of which nothing is known but what its file says, ``notes``."""
    trained_on = f"not stated. The file: {'; '.join(notes)}." if notes else "not stated"
    return ModelCard(name, title or name, summary, trained_on, "yours", "", UNMEASURED)


def outputs_in_words(softmax: bool) -> str:
    """How the outputs of a model are read."""
    return "findings exclude each other (softmax)" if softmax else "each finding stands for itself (sigmoid)"


class AgainstTheRest(nn.Module):
    """Turns the outputs of findings that exclude each other (softmax) into one logit each, of it against all others.

    Its sigmoid is the softmax: z_c - log Σ exp z_j over j ≠ c.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, films: torch.Tensor) -> torch.Tensor:
        """Map films to logits."""
        scores = self.network(films)
        count = scores.shape[1]
        own = torch.eye(count, dtype=torch.bool, device=scores.device)
        others = scores[:, None, :].expand(-1, count, -1).masked_fill(own, float("-inf"))
        return scores - others.logsumexp(dim=2)


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
    cam_layer: str | CamLayer | None = None,
    softmax: bool = False,
    channels: int | None = None,
) -> ChestClassifier:
    """Put a network of one or three input channels behind the classifier's contract.

    Args:
        network: maps (N, 1 or 3, S, S) to one logit for each finding. findings: their names, in order.
        card: what is known of it; says that nothing is where None.
        side: S, the input's side in pixels. fit: "pad" or "crop", how a film becomes a square.
        low, high: input values of black and white.
        mean, std: normalisation of an input in [0, 1], one number or one a colour; instead of ``low`` and ``high``.
        cam_layer: dotted name of the layer CAM methods read, or one that was found before; found by tracing where None.
            A network in which none is found has no class-activation maps, and they say why.
        softmax: whether the findings exclude each other; the logits are then those of each against all others.
        channels: colours of the input; told by the first convolution where None.

    Raises:
        WeightsError: something does not fit; the message says what and what to do.
    """
    findings = tuple(findings)
    check_input(findings, side, fit)
    channels = _channels(network) if channels is None else channels
    means, stds = _normalisation(mean, std, channels)
    if mean is not None or std is not None:
        low, high = (0.0, 1.0) if channels == 3 else (-means[0] / stds[0], (1 - means[0]) / stds[0])
    if channels == 3:
        network = GreyToColour(network, means, stds)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise WeightsError("The input value of black lies below that of white, and both are numbers.")
    if softmax:
        if len(findings) < 2:
            raise WeightsError("Findings that exclude each other are at least two.")
        network = AgainstTheRest(network)
    network.eval()
    known = card or own_card("own", "Your network", "A network of yours.")
    _check_run(network, side, len(findings), (low, high))
    layer, why = _cam_layer(network, cam_layer, side, (low, high))
    preprocessing = Preprocessing(side, "pad" if fit == "pad" else "crop", float(low), float(high))
    name, layout = (layer.name, layer.layout) if layer is not None else (None, None)
    differentiable = not _answers_only(network)
    return ChestClassifier(
        network, findings, known, name, preprocessing, cam_layout=layout, no_cam=why, differentiable=differentiable
    )


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


def _cam_layer(
    network: nn.Module, wanted: str | CamLayer | None, side: int, span: tuple[float, float]
) -> tuple[CamLayer | None, str]:
    """The layer that class-activation maps read; or None, and why there is none.

    Raises:
        WeightsError: the layer that was named is not there, or cannot be read.
    """
    if _answers_only(network):
        return None, "the file gives answers alone, and none of its layers can be read"
    names = dict(network.named_modules())
    if isinstance(wanted, CamLayer) and wanted.name in names:
        return wanted, ""
    named = wanted.name if isinstance(wanted, CamLayer) else wanted
    if named:
        inside = [name for name in names if name == named or _INNER.sub("", name) == named]
        if not inside:
            meant = near(named, names, otherwise="")
            raise WeightsError(f"The network has no layer {named!r}{f'; {meant}' if meant else '.'}")
        named = inside[-1]
    try:
        return find_cam_layer(network, side, span, named or ""), ""
    except NoCamLayerError as error:
        if named:
            raise WeightsError(f"{str(error)[0].upper()}{str(error)[1:]}.") from error
        return None, str(error)
    except RuntimeError as error:
        return None, f"its layers could not be traced ({first_line(error)})"


def _answers_only(network: nn.Module) -> bool:
    """Whether a part of the network says of itself that no gradients pass it."""
    return any(getattr(module, "answers_only", False) for module in network.modules())


def first_line(error: Exception) -> str:
    """The first line of an error's message, cut."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:120]


def _check_run(network: nn.Module, side: int, n_findings: int, span: tuple[float, float]) -> None:
    """Run three films of noise.

    Raises:
        WeightsError: the network does not run, or what it gives is no logit for each finding that hangs on the film.
    """
    noise = torch.rand(2, 1, side, side, generator=torch.Generator().manual_seed(0))
    films = span[0] + (span[1] - span[0]) * torch.cat([torch.zeros(1, 1, side, side), noise])
    bare = network.network if isinstance(network, AgainstTheRest) else network
    try:
        with saying_out_of_memory("this network", side):
            with torch.inference_mode():
                logits = network(films)
            with torch.inference_mode(False), torch.enable_grad():
                # Not the leaf itself, which networks that normalise in place could not change.
                ending = _last_step(bare(films[1:2].clone().requires_grad_() * 1))
    except OutOfMemoryError as error:
        raise WeightsError(f"{str(error)[0].upper()}{str(error)[1:]}.") from error
    except (RuntimeError, ValueError, AssertionError, TypeError, LookupError) as error:
        size = f"{side} x {side} pixels"
        raise WeightsError(f"The network does not run on films of {size} ({first_line(error)}).") from error
    if not isinstance(logits, torch.Tensor) or tuple(logits.shape) != (3, n_findings):
        gives = f" It gives {tuple(logits.shape[1:])} a film." if isinstance(logits, torch.Tensor) else ""
        raise WeightsError(
            f"The network does not give one logit for each finding; only classifiers can be used.{gives}"
        )
    if not torch.isfinite(logits).all():
        raise WeightsError("With these weights, the logits of a film are not finite numbers.")
    if torch.equal(logits[0], logits[1]) and torch.equal(logits[1], logits[2]):
        raise WeightsError("The outputs do not move with the film: three different films give the same numbers.")
    _check_logits(logits, ending, bare is not network)


def _last_step(outputs: object) -> str:
    """What autograd calls the last step of a network that changes numbers; "" where no gradients pass."""
    step = getattr(outputs, "grad_fn", None)
    while step is not None and step.name().startswith(_SHAPES):
        step = step.next_functions[0][0]
    return step.name() if step is not None else ""


def _check_logits(outputs: torch.Tensor, ending: str, exclusive: bool) -> None:
    """Refuse outputs that are probabilities, or their logarithms where findings are not said to exclude each other."""
    added = outputs.sum(dim=1)
    if ending.startswith("Softmax") or (
        outputs.shape[1] > 1 and outputs.min() >= 0 and torch.allclose(added, torch.ones_like(added), atol=1e-4)
    ):
        raise WeightsError(
            "The network ends in a softmax, and explanations are of logits: hand it over without, with softmax=True."
        )
    if ending.startswith("LogSoftmax") and not exclusive:
        raise WeightsError("The network ends in a log-softmax: its findings exclude each other, so say softmax=True.")
    if ending.startswith("Sigmoid"):
        raise WeightsError("The network ends in a sigmoid, and explanations are of logits: hand it over without it.")


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
