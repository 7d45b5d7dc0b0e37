"""The generators and autoencoders that the project ships in ``assets/counterfactuals``, with their cards."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from classifiers import ChestClassifier
from classifiers.weights import WeightsError, load_into, read_state_dict, sha256_of
from radiographs.files import read_json, write_text
from radiographs.places import asset
from xai_methods.counterfactual.autoencoder import Autoencoder, AutoencoderShape
from xai_methods.counterfactual.calibration import BalancedPosterior
from xai_methods.counterfactual.networks import Generator, GeneratorShape

_lock = threading.Lock()


@dataclass(frozen=True)
class CounterfactualCard:
    """What a person should know of an explainer's weights before they trust them.

    Attributes:
        name: file name without its end. kind: "generator" or "autoencoder". title: for people.
        summary: what it is. trained_on: films. licence: of the weights. citation: source. limits: what it cannot do.
        weights: file beside the card. sha256: its sum. shape: sizes of the network.
        model: the classifier it explains, by name, and classifier: by digest; empty where it serves any.
        findings: that it can exaggerate. posteriors: their calibration, by finding.
        figures: measured figures.
    """

    name: str
    kind: str
    title: str
    summary: str
    trained_on: str
    licence: str
    citation: str
    limits: str
    weights: str
    sha256: str
    shape: dict[str, Any]
    model: str
    classifier: str
    findings: tuple[str, ...]
    posteriors: dict[str, BalancedPosterior]
    figures: dict[str, Any]


def counterfactuals_folder() -> Path:
    """Where the weights and their cards lie."""
    return asset("counterfactuals")


def load_counterfactual_card(path: Path) -> CounterfactualCard:
    """Read a card.

    Raises:
        WeightsError: it is not there, not JSON, or lacks a field.
    """
    try:
        content = read_json(path)
        posteriors = {f: BalancedPosterior(**p) for f, p in content.pop("posteriors").items()}
        return CounterfactualCard(**content | {"findings": tuple(content["findings"]), "posteriors": posteriors})
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise WeightsError(f"the card {path.name} cannot be used: {error}") from error


def counterfactual_cards(folder: Path | None = None) -> list[CounterfactualCard]:
    """Read all cards of ``folder`` (by default the shipped ones), sorted by name."""
    return [load_counterfactual_card(path) for path in sorted((folder or counterfactuals_folder()).glob("*.json"))]


def generator_card(classifier: ChestClassifier, folder: Path | None = None) -> CounterfactualCard | None:
    """The card of the generator trained for ``classifier``, found by its weights' digest; None where there is none."""
    cards = (card for card in counterfactual_cards(folder) if card.kind == "generator")
    return next((card for card in cards if card.classifier == classifier.digest), None)


def load_generator(card: CounterfactualCard, device: torch.device, folder: Path | None = None) -> Generator:
    """The generator of ``card`` on ``device``, in evaluation mode; loaded once.

    Raises:
        WeightsError: its weights are not there, not the ones the card names, or do not fit.
    """
    network = _loaded(folder or counterfactuals_folder(), card.weights, card.sha256, _key(card), str(device))
    if not isinstance(network, Generator):
        raise WeightsError(f"{card.name} is no generator of counterfactual films")
    return network


def load_autoencoder(card: CounterfactualCard, device: torch.device, folder: Path | None = None) -> Autoencoder:
    """The autoencoder of ``card`` on ``device``, in evaluation mode; loaded once.

    Raises:
        WeightsError: its weights are not there, not the ones the card names, or do not fit.
    """
    network = _loaded(folder or counterfactuals_folder(), card.weights, card.sha256, _key(card), str(device))
    if not isinstance(network, Autoencoder):
        raise WeightsError(f"{card.name} is no autoencoder of films")
    return network


def _key(card: CounterfactualCard) -> str:
    return json.dumps([card.kind, card.shape], sort_keys=True)


def _loaded(folder: Path, weights: str, sha256: str, key: str, device: str) -> nn.Module:
    with _lock:
        return _load(folder, weights, sha256, key, device)


@lru_cache(maxsize=8)
def _load(folder: Path, weights: str, sha256: str, key: str, device: str) -> nn.Module:
    path = folder / weights
    if not path.is_file():
        raise WeightsError(f"{weights} does not lie beside its card; install the project again")
    if sha256_of(path) != sha256:
        raise WeightsError(f"{weights} is not the file its card describes (SHA-256 differs); install the project again")
    kind, shape = json.loads(key)
    network = build(kind, shape)
    load_into(network, read_state_dict(path), weights)
    return network.to(device)


def build(kind: str, shape: dict[str, Any]) -> nn.Module:
    """An untrained network of a card's kind and sizes, in evaluation mode, without touching the global random state.

    Raises:
        WeightsError: the kind is unknown, or a size is.
    """
    sizes: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in shape.items()}
    try:
        with torch.random.fork_rng(devices=[]):
            made = Generator(GeneratorShape(**sizes)) if kind == "generator" else Autoencoder(AutoencoderShape(**sizes))
    except TypeError as error:
        raise WeightsError(f"a card asks for a network this program does not know: {error}") from error
    return made.eval().requires_grad_(False)


def save_counterfactual(network: nn.Module, card: dict[str, Any], folder: Path | None = None) -> Path:
    """Write ``<name>.safetensors`` (float16) and ``<name>.json`` and return the card's path.

    Args:
        network: trained. card: the fields of :class:`CounterfactualCard` but ``weights`` and ``sha256``; posteriors as
            objects with ``slope`` and ``intercept``.

    Raises:
        WeightsError: a weight does not fit into float16, or the card would not be readable.
    """
    folder = folder or counterfactuals_folder()
    folder.mkdir(parents=True, exist_ok=True)
    half = {k: v.detach().cpu().half().contiguous() for k, v in network.state_dict().items()}
    for key, tensor in half.items():
        if not torch.isfinite(tensor).all():
            raise WeightsError(f"{key} of {card['name']} does not fit into float16")
    weights = folder / f"{card['name']}.safetensors"
    save_file(half, weights)
    path = folder / f"{card['name']}.json"
    content = card | {"weights": weights.name, "sha256": sha256_of(weights)}
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    load_counterfactual_card(path)
    return path
