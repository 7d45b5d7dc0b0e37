"""A user's own classifier: what its file holds, an architecture of torchvision or timm, and a list of findings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import nn

from classifiers.cam_layers import CamLayer
from classifiers.chest_classifier import ChestClassifier
from classifiers.fitting import adapt_channels, described, fitted_state
from classifiers.safe_unpickling import read_network_tensors
from classifiers.torchvision_guard import ensure_torchvision
from classifiers.weights import PickledCodeError, StateDict, WeightsError, load_into, misfit, read_state_dict
from classifiers.wrapping import check_input, first_convolution, outputs_in_words, own_card, wrap
from radiographs.nearness import near

Builder = Callable[[int, int | None], nn.Module]
"""Builds an architecture for a number of outputs and an input side (None: the one it was made for)."""


def load_own(
    path: str | Path,
    architecture: str,
    findings: Sequence[str],
    *,
    side: int | None = None,
    fit: str = "pad",
    low: float = 0.0,
    high: float = 1.0,
    mean: float | Sequence[float] | None = None,
    std: float | Sequence[float] | None = None,
    cam_layer: str | CamLayer | None = None,
    softmax: bool = False,
    name: str = "own",
    title: str | None = None,
) -> ChestClassifier:
    """Build a classifier from a user's weights, on the CPU, in float32.

    Args:
        path: safetensors, or a PyTorch file with a state dict, a training program's checkpoint or a whole network, of
            which the tensors are read and nothing is run. architecture: name in torchvision or timm; "timm:NAME" or
            "torchvision:NAME" where both know it.
        findings: names of the logits, in order. side: input side in pixels, by default the architecture's own.
        fit: "pad" or "crop". low, high: input values of black and white.
        mean, std: normalisation of an input in [0, 1], one number or one a colour; instead of ``low`` and ``high``.
        cam_layer: layer that class-activation maps read; found by tracing where None.
        softmax: whether it was trained with findings that exclude each other.
        name, title: for lists.

    Raises:
        WeightsError: something does not fit; the message says what and what to do.
    """
    path, findings = Path(path), tuple(findings)
    check_input(findings, side or 224, fit)
    builders = _builders(architecture)
    state, notes = read_own(path)
    network, more = _fitted(builders, state, len(findings), side, architecture, path.name)
    side = side or _usual_side(network)
    notes += (*more, outputs_in_words(softmax))
    card = own_card(name, title, f"Your own weights in the architecture {architecture}, {side} pixels.", notes)
    return wrap(
        network, findings, card, side=side, fit=fit, low=low, high=high, mean=mean, std=std, cam_layer=cam_layer,
        softmax=softmax,
    )  # fmt: skip


def read_own(path: Path) -> tuple[StateDict, tuple[str, ...]]:
    """The tensors of a weight file, and what it says of itself, in words. Nothing in it is run.

    Raises:
        WeightsError: it cannot be read.
    """
    try:
        state, more = read_state_dict(path), ""
    except PickledCodeError:
        state = read_network_tensors(path)
        more = "it holds pickled code besides the weights, which were read without running it"
    return state, (*described(state, path.stat().st_size), *filter(None, [more]))


def architectures() -> list[str]:
    """Names of all architectures of torchvision and timm, sorted."""
    in_torchvision, in_timm = _known()
    return sorted({*in_torchvision, *in_timm})


def _known() -> tuple[list[str], list[str]]:
    # Both are slow to import, and most people never need them.
    ensure_torchvision()
    import timm
    import torchvision

    return torchvision.models.list_models(module=torchvision.models), timm.list_models()


def _builders(architecture: str) -> list[Builder]:
    """Return how torchvision and timm, whichever know the name, build it."""
    in_torchvision, in_timm = _known()
    import timm
    import torchvision

    library, _, bare = architecture.rpartition(":")
    builders: list[Builder] = []
    if library in ("", "torchvision") and bare in in_torchvision:
        build = torchvision.models.get_model
        builders.append(_sized(lambda **given: build(bare, weights=None, **given), "image_size"))
    if library in ("", "timm") and bare in in_timm:
        builders.append(_sized(lambda **given: timm.create_model(bare, pretrained=False, **given), "img_size"))
    if not builders:
        meant = near(bare, sorted({*in_torchvision, *in_timm}), otherwise="")
        ending = f"; {meant}" if meant else "."
        raise WeightsError(f"Neither torchvision nor timm has an architecture {architecture!r}{ending}")
    return builders


def _sized(build: Callable[..., nn.Module], size: str) -> Builder:
    """Give the side to architectures whose weights hang on it; the others do not take it."""

    def made(outputs: int, side: int | None) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            if side is not None:
                try:
                    return build(num_classes=outputs, **{size: side})
                except TypeError:  # most architectures take films of any size
                    return build(num_classes=outputs)
                except (AssertionError, ValueError, RuntimeError) as error:
                    raise WeightsError(f"It cannot be built for films of {side} x {side} pixels ({error}).") from error
            return build(num_classes=outputs)

    return made


def _usual_side(network: nn.Module) -> int:
    """The input side of an architecture, as timm or torchvision state it; 224 where they do not."""
    stated = getattr(network, "default_cfg", None) or {}
    sides = stated.get("input_size") or (getattr(network, "image_size", 224),)
    return int(sides[-1])


def _fitted(
    builders: list[Builder], state: StateDict, n_findings: int, side: int | None, architecture: str, file: str
) -> tuple[nn.Module, tuple[str, ...]]:
    """Build the first network that ``state`` fits, and say what was done to fit it."""
    complaints, wrong = [], ""
    for build in builders:
        network = build(n_findings, side)
        own, notes = fitted_state(network, state, file)
        key, convolution = first_convolution(network)
        channels = own[key].shape[1] if key in own and own[key].ndim == 4 else convolution.in_channels
        if channels not in (1, 3):
            raise WeightsError(f"{file} expects films of {channels} channels; it can be used with 1 or 3.")
        adapt_channels(network, key, convolution, channels)
        if misfit(network, own) is None:
            load_into(network, own, file)
            return network, (f"{n_findings} outputs, {'grey' if channels == 1 else 'colour'} films", *notes)
        complaints.append(_head_complaint(network, own, n_findings) or "")
        wrong = misfit(network, own) or ""
    told = next((c for c in complaints if c), None)
    if told:
        raise WeightsError(f"{file} {told}")
    raise WeightsError(f"{file} does not fit {architecture}: {wrong}.")


def _head_complaint(network: nn.Module, state: StateDict, n_findings: int) -> str | None:
    """Say that only the number of outputs differs, where that is all."""
    own = network.state_dict()
    wrong = [k for k in own if k in state and own[k].shape != state[k].shape]
    heads = {
        state[k].shape[0] for k in wrong if own[k].shape[:1] == (n_findings,) and own[k].shape[1:] == state[k].shape[1:]
    }
    if not wrong or len(heads) != 1 or {k for k in own if "num_batches" not in k} - set(state):
        return None
    return f"gives {heads.pop()} outputs, but {n_findings} findings were named. Name one finding for each output."
