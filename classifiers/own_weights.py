"""A user's own classifier: a state dict, a torchvision or timm architecture name and a list of findings."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import nn

from classifiers.chest_classifier import ChestClassifier, ModelCard
from classifiers.torchvision_guard import ensure_torchvision
from classifiers.weights import StateDict, WeightsError, load_into, misfit, read_state_dict
from classifiers.wrapping import UNMEASURED, check_input, first_convolution, wrap


def load_own(
    path: str | Path,
    architecture: str,
    findings: Sequence[str],
    *,
    side: int = 224,
    fit: str = "pad",
    low: float = 0.0,
    high: float = 1.0,
    mean: float | Sequence[float] | None = None,
    std: float | Sequence[float] | None = None,
    cam_layer: str | None = None,
    name: str = "own",
    title: str | None = None,
) -> ChestClassifier:
    """Build a classifier from a user's weights, on the CPU, in float32.

    Args:
        path: safetensors, or ``.pt`` with a state dict. architecture: name in torchvision or timm; "timm:NAME" or
            "torchvision:NAME" where both know it.
        findings: names of the logits, in order. side: input side in pixels. fit: "pad" or "crop".
        low, high: input values of black and white.
        mean, std: normalisation of an input in [0, 1], one number or one a colour; instead of ``low`` and ``high``.
        cam_layer: dotted name of the layer CAM methods read; guessed where None.
        name, title: for lists.

    Raises:
        WeightsError: something does not fit; the message says what and what to do.
    """
    path, findings = Path(path), tuple(findings)
    check_input(findings, side, fit)
    builders = _builders(architecture)
    state = read_state_dict(path)
    network = _fitted(builders, state, len(findings), architecture, path.name)
    card = ModelCard(
        name=name,
        title=title or name,
        summary=f"Your own weights in the architecture {architecture}, {side} pixels.",
        trained_on="not stated",
        licence="yours",
        citation="",
        limits=UNMEASURED,
    )
    return wrap(
        network, findings, card, side=side, fit=fit, low=low, high=high, mean=mean, std=std, cam_layer=cam_layer
    )


def _builders(architecture: str) -> list[Callable[[int], nn.Module]]:
    """Return how torchvision and timm, whichever know the name, build it for a number of outputs."""
    # Both are slow to import, and most people never need them.
    ensure_torchvision()
    import timm
    import torchvision

    library, _, bare = architecture.rpartition(":")
    in_torchvision = torchvision.models.list_models(module=torchvision.models)
    in_timm = timm.list_models()
    builders: list[Callable[[int], nn.Module]] = []
    if library in ("", "torchvision") and bare in in_torchvision:
        builders.append(lambda n: torchvision.models.get_model(bare, weights=None, num_classes=n))
    if library in ("", "timm") and bare in in_timm:
        builders.append(lambda n: timm.create_model(bare, pretrained=False, num_classes=n))
    if not builders:
        near = difflib.get_close_matches(bare.lower(), sorted({*in_torchvision, *in_timm}), n=4)
        hint = f" Close: {', '.join(near)}." if near else ""
        raise WeightsError(f"Neither torchvision nor timm has an architecture {architecture!r}.{hint}")
    return builders


def _fitted(
    builders: list[Callable[[int], nn.Module]], state: StateDict, n_findings: int, architecture: str, file: str
) -> nn.Module:
    """Build the first network that ``state`` fits."""
    complaints = []
    for build in builders:
        with torch.random.fork_rng(devices=[]):
            network = build(n_findings)
        key, convolution = first_convolution(network)
        channels = state[key].shape[1] if key in state and state[key].ndim == 4 else convolution.in_channels
        if channels not in (1, 3):
            raise WeightsError(f"{file} expects films of {channels} channels; it can be used with 1 or 3.")
        if channels != convolution.in_channels:
            out, _, height, width = convolution.weight.shape
            convolution.in_channels = channels
            convolution.weight = nn.Parameter(torch.empty(out, channels, height, width))
        if misfit(network, state) is None:
            load_into(network, state, file)
            return network
        complaints.append(_head_complaint(network, state, n_findings) or "")
        last = network
    told = next((c for c in complaints if c), None)
    if told:
        raise WeightsError(f"{file} {told}")
    raise WeightsError(f"{file} does not fit {architecture}: {misfit(last, state)}.")


def _head_complaint(network: nn.Module, state: StateDict, n_findings: int) -> str | None:
    """Say that only the number of outputs differs, where that is all."""
    own = network.state_dict()
    wrong = [k for k in own if k in state and own[k].shape != state[k].shape]
    heads = {
        state[k].shape[0] for k in wrong if own[k].shape[:1] == (n_findings,) and own[k].shape[1:] == state[k].shape[1:]
    }
    if not wrong or len(heads) != 1 or set(own) - set(state) - {k for k in own if re.search("num_batches", k)}:
        return None
    return f"gives {heads.pop()} outputs, but {n_findings} findings were named. Name one finding for each output."
