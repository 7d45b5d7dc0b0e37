"""Model registry: every classifier that can be used here, and how to have those that are not available."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from classifiers.chest_classifier import ChestClassifier, ModelCard
from classifiers.own_models import load_remembered, own_cards
from classifiers.shipped import load_shipped, models_folder, shipped_cards
from classifiers.weights import WeightsError
from classifiers.xrv import load_xrv
from classifiers.xrv_weights import XRV_NAMES, missing_xrv, xrv_card
from radiographs import extensions
from radiographs.nearness import near

_log = logging.getLogger(__name__)


class UnknownModelError(LookupError):
    """There is no such model. The message names close ones."""


Origin = Literal["shipped", "torchxrayvision", "yours", "extension"]


@dataclass(frozen=True)
class ModelEntry:
    """One registered model.

    Attributes:
        name, title: its name, and its name for people. card: what is known of it.
        available: whether it can be loaded now. missing: where it cannot, one sentence that says how to have it.
        origin: shipped with the project, torchxrayvision's, the user's own weights, or code from outside the project.
    """

    name: str
    title: str
    card: ModelCard
    available: bool
    missing: str | None
    origin: Origin


_registered: dict[str, tuple[ModelCard, Callable[[], ChestClassifier]]] = {}


def register_model(card: ModelCard, build: Callable[[], ChestClassifier]) -> None:
    """Add a model that code builds, under ``card.name``.

    Args:
        card: what is known of it. build: gives the classifier, on the CPU; called when a person first wants it.

    Raises:
        ValueError: the name is taken, or cannot stand in links.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", card.name):
        raise ValueError(f"a model's name has letters, digits, '-', '_' and '.', unlike {card.name!r}")
    if card.name in {entry.name for entry in list_models()}:
        raise ValueError(f"a model named {card.name!r} is registered already")
    _registered[card.name] = card, build


def list_models(folder: Path | None = None) -> list[ModelEntry]:
    """List all models: shipped, the user's own, those that extensions register, torchxrayvision's. No weights are read.

    Args:
        folder: where the shipped models lie; by default the project's own.

    Raises:
        CardError: a shipped card is wrong.
    """
    entries = []
    for card, spec in shipped_cards(folder):
        there = ((folder or models_folder()) / spec.weights).is_file()
        missing = None if there else f"{spec.weights} does not lie beside its card; install the project again"
        entries.append(_entry(card, missing, "shipped"))
    entries.sort(key=lambda entry: _ORDER.index(entry.name) if entry.name in _ORDER else len(_ORDER))
    try:
        entries.extend(_entry(card, None, "yours") for card in own_cards())
    except WeightsError as error:
        _log.warning("your own models are left out: %s", error)
    extensions.load("models")
    entries.extend(_entry(card, None, "extension") for card, _ in _registered.values())
    entries.extend(_entry(xrv_card(name), missing_xrv(name), "torchxrayvision") for name in XRV_NAMES)
    return entries


_ORDER = ("nih14-localised", "nih14-localised-320", "nih14", "known-truth", "known-truth-vit", "shortcut-hunt")


def _entry(card: ModelCard, missing: str | None, origin: Origin) -> ModelEntry:
    return ModelEntry(card.name, card.title, card, missing is None, missing, origin)


def card_of(name: str) -> ModelCard:
    """The card of a registered model, whose weights need not be there.

    Raises:
        UnknownModelError: there is no such model.
    """
    return _found(name, {entry.name: entry for entry in list_models()}).card


def _found(name: str, entries: dict[str, ModelEntry]) -> ModelEntry:
    if name not in entries:
        raise UnknownModelError(f"no model is called {name!r}; {near(name, entries)}")
    return entries[name]


def load_classifier(name: str, device: str | torch.device | None = None, folder: Path | None = None) -> ChestClassifier:
    """Load a registered model. Keep it: loading takes seconds, and nothing is cached here.

    Args:
        name: its registered name. device: where to put it; by default the best there is.
        folder: where the shipped models lie; by default the project's own.

    Raises:
        UnknownModelError: there is no such model.
        WeightsError: its weights are not there, not the right ones or damaged.
        CardError: its card is wrong.
    """
    origin = _found(name, {entry.name: entry for entry in list_models(folder)}).origin
    if origin == "shipped":
        classifier = load_shipped(name, folder)
    else:
        load_other = {"yours": load_remembered, "torchxrayvision": load_xrv, "extension": _built}
        classifier = load_other[origin](name)
    return classifier.to(torch.device(device) if device is not None else best_device())


def _built(name: str) -> ChestClassifier:
    """The model that an extension builds."""
    try:
        classifier = _registered[name][1]()
    except WeightsError:
        raise
    except Exception as error:  # another's code; what it raises is a sentence about that model
        reason = " ".join(str(error).split()) or type(error).__name__
        raise WeightsError(f"the extension that builds {name} failed: {reason}") from error
    if not isinstance(classifier, ChestClassifier) or classifier.name != name:
        raise WeightsError(f"the extension that builds {name} gives no classifier of that name; see classifiers.wrap")
    return classifier


def best_device() -> torch.device:
    """Return the fastest device there is: CUDA, else Apple's, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
