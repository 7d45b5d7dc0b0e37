"""The classifiers that the project trained and ships in ``assets/models``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from classifiers.cards import CardError, NetworkSpec, load_card, save_card
from classifiers.chest_classifier import ChestClassifier, ModelCard
from classifiers.networks import ChestResNet18, narrow_resnet18
from classifiers.preprocessing import Preprocessing
from classifiers.vision_transformer import ChestVit
from classifiers.weights import WeightsError, load_into, read_state_dict, sha256_of
from radiographs.places import asset

ARCHITECTURES: dict[str, Callable[[int], nn.Module]] = {
    "chest_resnet18": ChestResNet18,
    "narrow_resnet18": narrow_resnet18,
    "chest_vit": ChestVit,
}


def models_folder() -> Path:
    """Where shipped weights and their cards lie."""
    return asset("models")


def shipped_cards(folder: Path | None = None) -> list[tuple[ModelCard, NetworkSpec]]:
    """Read all cards of ``folder`` (by default the shipped ones), sorted by name.

    Raises:
        CardError: a card is wrong.
    """
    return [load_card(path) for path in sorted((folder or models_folder()).glob("*.json"))]


def load_shipped(name: str, folder: Path | None = None) -> ChestClassifier:
    """Build the classifier ``name`` from its card and weights in ``folder``, on the CPU, in float32.

    Raises:
        CardError: the card is not there or wrong.
        WeightsError: the weights are not there, are not the ones the card names, or do not fit.
    """
    folder = folder or models_folder()
    card, spec = load_card(folder / f"{name}.json")
    if spec.architecture not in ARCHITECTURES:
        raise CardError(f"the model card of {name} names an unknown architecture, {spec.architecture!r}")
    path = folder / spec.weights
    if not path.is_file():
        raise WeightsError(f"the weights of {name} are missing: {spec.weights} does not lie beside its card")
    if sha256_of(path) != spec.sha256:
        raise WeightsError(
            f"{spec.weights} is not the file its card describes (SHA-256 differs); install the project again"
        )
    state = read_state_dict(path)
    with torch.random.fork_rng(devices=[]):
        network = ARCHITECTURES[spec.architecture](len(spec.findings))
    load_into(network, state, spec.weights)
    return ChestClassifier(network, spec.findings, card, spec.cam_layer, spec.preprocessing)


def save_shipped(
    network: nn.Module,
    findings: tuple[str, ...],
    card: ModelCard,
    preprocessing: Preprocessing,
    *,
    architecture: str = "chest_resnet18",
    cam_layer: str = "layer4",
    folder: Path | None = None,
) -> Path:
    """Write ``<card.name>.safetensors`` (float16) and ``<card.name>.json`` in the form :func:`load_shipped` reads.

    Returns:
        The path of the card.

    Raises:
        WeightsError: a weight does not fit into float16.
        CardError: the card cannot be written.
    """
    folder = folder or models_folder()
    half = {k: v.detach().cpu().half() if v.is_floating_point() else v.cpu() for k, v in network.state_dict().items()}
    for key, tensor in half.items():
        if not torch.isfinite(tensor).all():
            raise WeightsError(f"{key} of {card.name} does not fit into float16")
    path = folder / f"{card.name}.safetensors"
    save_file({k: v.contiguous() for k, v in half.items()}, path)
    spec = NetworkSpec(
        architecture=architecture,
        findings=findings,
        side=preprocessing.side,
        fit=preprocessing.fit,
        low=preprocessing.low,
        high=preprocessing.high,
        cam_layer=cam_layer,
        weights=path.name,
        sha256=sha256_of(path),
    )
    return save_card(folder, card, spec)
