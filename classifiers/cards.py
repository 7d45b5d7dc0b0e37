"""Model cards on disk: ``assets/models/<name>.json``."""

from __future__ import annotations

import json
import math
import re
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NoReturn

from classifiers.chest_classifier import ModelCard, Scope
from classifiers.preprocessing import Preprocessing
from radiographs.files import write_text


class CardError(ValueError):
    """A model card cannot be read. The message names the file and what is wrong."""


@dataclass(frozen=True)
class NetworkSpec:
    """What is needed to build a shipped network.

    Attributes:
        architecture: name of a builder ("chest_resnet18"). findings: names of its logits, in order.
        side, fit, low, high: see :class:`Preprocessing`. cam_layer: see :class:`ChestClassifier`.
        weights: file name of the safetensors file beside the card. sha256: that file's sum.
    """

    architecture: str
    findings: tuple[str, ...]
    side: int
    fit: Literal["pad", "crop"]
    low: float
    high: float
    cam_layer: str
    weights: str
    sha256: str

    def __post_init__(self) -> None:
        if not self.findings or len(set(self.findings)) != len(self.findings):
            raise ValueError("findings are at least one, each named once")
        if not all(isinstance(f, str) and f for f in self.findings):
            raise ValueError("findings are names")
        if self.fit not in ("pad", "crop"):
            raise ValueError(f"fit is pad or crop, not {self.fit!r}")
        if not 32 <= self.side <= 2048:
            raise ValueError(f"side lies between 32 and 2048, not {self.side}")
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError("low lies below high")
        if not re.fullmatch(r"[\w.-]+\.safetensors", self.weights):
            raise ValueError(f"weights is the name of a safetensors file beside the card, not {self.weights!r}")
        if not re.fullmatch(r"[0-9a-f]{64}", self.sha256):
            raise ValueError("sha256 has 64 hexadecimal digits")

    @property
    def preprocessing(self) -> Preprocessing:
        """How a film becomes this network's input."""
        return Preprocessing(self.side, self.fit, self.low, self.high)


_TEXT = ("name", "title", "summary", "trained_on", "licence", "citation", "limits")
_OPTIONAL = ("figures", "split", "scope")
_NETWORK_TYPES: dict[str, type | tuple[type, ...]] = {
    "architecture": str,
    "findings": list,
    "side": int,
    "fit": str,
    "low": (int, float),
    "high": (int, float),
    "cam_layer": str,
    "weights": str,
    "sha256": str,
}


def load_card(path: Path) -> tuple[ModelCard, NetworkSpec]:
    """Read and check a card.

    Raises:
        CardError: it is not there, not JSON, or a field is missing, unknown or wrong.
    """
    try:
        stamp = path.stat()
        return _loaded(path, stamp.st_mtime_ns, stamp.st_size)
    except (OSError, ValueError, RecursionError) as error:
        raise CardError(f"the model card {path.name} cannot be used: {error}") from error


@lru_cache(maxsize=64)
def _loaded(path: Path, _written: int, _size: int) -> tuple[ModelCard, NetworkSpec]:
    content = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    card, network = _checked_card(content), _checked_network(content["network"])
    if card.name != path.stem:
        raise ValueError(f"it calls its model {card.name!r}; file and name agree")
    return card, network


def save_card(folder: Path, card: ModelCard, network: NetworkSpec) -> Path:
    """Write ``<folder>/<card.name>.json`` and return its path.

    Raises:
        CardError: a figure is not a finite number (write null where it is undefined), or not JSON.
    """
    content = {**asdict(card), "network": asdict(network)}
    try:
        text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise CardError(f"the card of {card.name} cannot be written: {error}") from error
    path = folder / f"{card.name}.json"
    write_text(path, text + "\n")
    return path


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number; write null where a figure is undefined")


def _checked_card(content: Any) -> ModelCard:
    if not isinstance(content, dict):
        raise ValueError("it is not an object with named fields")
    _check_keys(content, {*_TEXT, "network"}, set(_OPTIONAL), "it")
    for key in _TEXT:
        if not isinstance(content[key], str):
            raise ValueError(f"{key} is text")
    if not isinstance(content.get("figures", {}), dict):
        raise ValueError("figures is an object")
    if not isinstance(content.get("split"), str | None):
        raise ValueError("split is the name of a table or null")
    given = {key: content[key] for key in (*_TEXT, *_OPTIONAL) if key in content}
    return ModelCard(**given | {"scope": _checked_scope(given.get("scope"))})


def _checked_scope(content: Any) -> Scope | None:
    if content is None:
        return None
    if not isinstance(content, dict):
        raise ValueError("scope is an object with named fields")
    _check_keys(content, {"ages", "projections"}, {"collections"}, "scope")
    if not all(isinstance(value, list) for value in content.values()):
        raise ValueError("scope holds lists")
    if not all(isinstance(age, int) for age in content["ages"]):
        raise ValueError("scope.ages are whole years")
    return Scope(**{key: tuple(value) for key, value in content.items()})


def _checked_network(content: Any) -> NetworkSpec:
    if not isinstance(content, dict):
        raise ValueError("network is an object with named fields")
    _check_keys(content, {f.name for f in fields(NetworkSpec)}, set(), "network")
    for key, kind in _NETWORK_TYPES.items():
        if not isinstance(content[key], kind) or isinstance(content[key], bool):
            raise ValueError(f"network.{key} is of the wrong type")
    return NetworkSpec(**{**content, "findings": tuple(content["findings"])})


def _check_keys(content: dict[str, Any], needed: set[str], optional: set[str], where: str) -> None:
    missing = sorted(needed - content.keys())
    unknown = sorted(content.keys() - needed - optional)
    if missing:
        raise ValueError(f"{where} lacks {', '.join(missing)}")
    if unknown:
        raise ValueError(f"{where} has unknown fields: {', '.join(unknown)}")
