"""Finds a network's tensors among those of a file: under any prefix, beside a loss's, with a head of another form."""

from __future__ import annotations

import re
from collections import Counter

import torch
from torch import nn

from classifiers.weights import StateDict, WeightsError

_OLD_DENSENET = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12])\.")
_OF_TRAINING = re.compile(r"loss|criterion|metric|pos_weight|class_weight|auroc|(^|\.)(train|val|valid|test)_|ema")
_COUNTER = "num_batches_tracked"
_TRIED = 5


def fitted_state(network: nn.Module, state: StateDict, file: str) -> tuple[StateDict, tuple[str, ...]]:
    """Return the tensors of ``state`` under the names of ``network``, and what was done to find them, in words.

    What may differ: a prefix before all names; tensors of a loss, a metric or another network beside; names of old
    DenseNets; a head that is a sequence with one linear layer (and a dropout or a sigmoid, which hold no weights), or
    that stands beside the network. Whether shapes fit is not looked at.

    Raises:
        WeightsError: the head holds several layers, between which the file cannot say what stands.
    """
    own = network.state_dict()
    state = {_OLD_DENSENET.sub(r"\1\2.", name): tensor for name, tensor in state.items()}
    prefix = _prefix(list(own), state)
    inside = {name.removeprefix(prefix): t for name, t in state.items() if name.startswith(prefix)}
    beside = {name: t for name, t in state.items() if not name.startswith(prefix)}
    notes = [f"the names begin with {prefix!r}, which was taken off"] if prefix else []
    for head in [name for name in own if name.endswith(".weight") and name not in inside]:
        notes += _take_head(head, own, inside, beside, file)
    for name in [n for n in inside if n not in own and _OF_TRAINING.search(n)]:
        beside[name] = inside.pop(name)
    if beside:
        named = ", ".join(list(beside)[:3]) + (" ..." if len(beside) > 3 else "")
        notes.append(f"{len(beside)} tensors beside the network were left out ({named})")
    return inside, tuple(notes)


def _prefix(own: list[str], state: StateDict) -> str:
    """The prefix under which most of the network's names are found; the shortest where several are as good."""
    found = Counter(
        name.removesuffix(wanted)
        for wanted in [n for n in own if not n.endswith(_COUNTER)]
        for name in state
        if name == wanted or name.endswith("." + wanted)
    )
    return min(found, key=lambda prefix: (-found[prefix], len(prefix)), default="")


def _take_head(head: str, own: StateDict, inside: StateDict, beside: StateDict, file: str) -> list[str]:
    """Put a missing layer's weights and bias into ``inside``, from a sequence of its name, or from beside it."""
    layer = head.removesuffix(".weight")
    linear = [n for n in inside if n.startswith(layer + ".") and n.endswith(".weight") and inside[n].ndim == 2]
    if len(linear) > 1:
        raise WeightsError(
            f"{file} has a head of {len(linear)} layers ({', '.join(linear)}), and does not say what stands between "
            "them. Build the network in Python and hand it to classifiers.wrap; docs/extending.md shows how."
        )
    source, words = inside, f"the head is the sequence {layer!r}; its linear layer was taken"
    if not linear:
        width = own[head].shape[1:]
        linear = [n for n, t in beside.items() if t.ndim == 2 and t.shape[1:] == width and n.endswith(".weight")]
        linear = [n for n in linear if not _OF_TRAINING.search(n)]
        source, words = beside, "the head stood beside the network"
        if len(linear) != 1 or own[head].ndim != 2:
            return []
    for kind in ("weight", "bias"):
        name = f"{linear[0].removesuffix('.weight')}.{kind}"
        if name in source and f"{layer}.{kind}" in own:
            inside[f"{layer}.{kind}"] = source.pop(name)
    return [words]


def described(state: StateDict, size: int) -> tuple[str, ...]:
    """What tensors say of a file of ``size`` bytes: how many weights, and in which precision they lie."""
    count = sum(tensor.numel() for tensor in state.values() if tensor.is_floating_point())
    half = ", in half precision" if count > 10_000 and size < 3 * count else ""
    return (f"{count / 1e6:.1f} million weights{half}",)


def adapt_channels(network: nn.Module, name: str, convolution: nn.Conv2d, channels: int) -> None:
    """Let the convolution whose weights are called ``name`` take films of ``channels`` colours; weights come later."""
    if channels != convolution.in_channels:
        out, _, height, width = convolution.weight.shape
        convolution.in_channels = channels
        convolution.weight = nn.Parameter(torch.empty(out, channels, height, width))
