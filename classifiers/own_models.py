"""The user's own models that were added: ``models.json`` and copies of the weights, in the home folder."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from classifiers.cam_layers import CamLayer, CellLayout
from classifiers.chest_classifier import ChestClassifier, ModelCard
from classifiers.onnx_models import load_onnx
from classifiers.own_folders import FILES, load_folder
from classifiers.own_weights import load_own
from classifiers.weights import WeightsError, sha256_of
from classifiers.wrapping import own_card
from radiographs.files import read_json, replacing, write_text
from radiographs.nearness import near
from radiographs.places import home_folder

_KEPT = ("side", "fit", "low", "high", "mean", "std", "cam_layer", "softmax", "title")


def read_model(
    path: str | Path,
    architecture: str | None = None,
    findings: Sequence[str] = (),
    *,
    name: str = "own",
    **options: Any,
) -> ChestClassifier:
    """Build a user's own model without adding it, on the CPU.

    Args:
        path: weights for an architecture of torchvision or timm, an ONNX file, or a folder of Hugging Face or timm.
        architecture: needed for weights alone. findings: names of the outputs, in order; a folder may hold them.
        name: for lists. options: see :func:`classifiers.own_weights.load_own`.

    Raises:
        WeightsError: it cannot be used; the message says why and what to do.
    """
    path = Path(path).expanduser()
    given = {key: value for key, value in options.items() if value is not None}
    if path.is_dir():
        return load_folder(path, findings, name=name, **given)
    if path.suffix.lower() == ".onnx" and path.is_file():
        return load_onnx(path, findings, name=name, **given)
    if not architecture:
        raise WeightsError(
            f"{path.name} holds weights alone: name the architecture of torchvision or timm that they belong to."
        )
    return load_own(path, architecture, findings, name=name, **given)


def remember_model(
    name: str, path: str | Path, architecture: str | None = None, findings: Sequence[str] = (), **options: Any
) -> ChestClassifier:
    """Add a user's own model and return it.

    The weights are copied into the home folder under their checksum; the file's own name is not kept.

    Args:
        name: short name: letters, digits, "-", "_" and "."; an own model of the same name is replaced.
        path, architecture, findings, options: see :func:`read_model`.

    Raises:
        WeightsError: the name cannot be used, or the weights do not fit.
    """
    check_name(name)
    classifier = read_model(path, architecture, findings, name=name, **options)
    keep_model(classifier, path, architecture, **options)
    return classifier


def keep_model(classifier: ChestClassifier, path: str | Path, architecture: str | None = None, **options: Any) -> None:
    """Add a model that :func:`read_model` built from the same file with the same options, under its own name.

    Raises:
        WeightsError: its name cannot be used.
    """
    check_name(classifier.name)
    path = Path(path).expanduser()
    sha256 = _sum_of(path)
    copy = _own_weights() / f"{sha256[:16]}{path.suffix.lower() if path.is_file() else ''}"
    if not copy.exists() or _sum_of(copy) != sha256:
        _copy(path, copy)
    options["cam_layer"] = classifier.cam_layer and {"name": classifier.cam_layer, **asdict(classifier.cam_layout)}
    models = _read()
    models[classifier.name] = {
        **{key: value for key, value in options.items() if value is not None},
        "architecture": architecture,
        "findings": list(classifier.findings),
        "side": classifier.side,
        "title": classifier.card.title,
        "summary": classifier.card.summary,
        "trained_on": classifier.card.trained_on,
        "weights": copy.name,
        "sha256": sha256,
    }
    _write(models)


def check_name(name: str) -> None:
    """Check that a model of one's own can have this name.

    Raises:
        WeightsError: it cannot.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,40}", name) or name.startswith("xrv-"):
        raise WeightsError("A model's name has small letters, digits, '-', '_' and '.', and does not begin with xrv-.")


def rename_model(name: str, new: str, title: str | None = None) -> None:
    """Give a user's own model another name, and another title where one is given.

    Raises:
        LookupError: there is no such model. WeightsError: the new name cannot be used or is taken.
    """
    models = _read()
    entry = _entry_of(models, name)
    check_name(new)
    if new != name and new in models:
        raise WeightsError(f"A model of yours is called {new} already; remove it or take another name.")
    usual = new if entry["title"] == name else entry["title"]
    _write({(new if known == name else known): kept for known, kept in models.items()} | {
        new: {**entry, "title": title or usual}
    })  # fmt: skip


def forget_model(name: str) -> None:
    """Remove a user's own model; its copy of the weights goes where no other model uses it.

    Raises:
        LookupError: there is no such model.
    """
    models = _read()
    _entry_of(models, name)
    weights = str(models.pop(name)["weights"])
    _write(models)
    if all(entry["weights"] != weights for entry in models.values()):
        copy = _own_weights() / Path(weights).name
        if copy.is_dir():
            shutil.rmtree(copy)
        else:
            copy.unlink(missing_ok=True)


def own_cards() -> list[ModelCard]:
    """Return a card for each remembered model.

    Raises:
        WeightsError: ``models.json`` is damaged.
    """
    cards = []
    for name, entry in _read().items():
        summary = entry.get("summary") or f"Your own weights in the architecture {entry['architecture']}."
        card = own_card(name, str(entry["title"]), str(summary))
        cards.append(replace(card, trained_on=str(entry.get("trained_on") or card.trained_on)))
    return cards


def load_remembered(name: str) -> ChestClassifier:
    """Build a remembered model on the CPU.

    Raises:
        LookupError: there is no such model. WeightsError: its weights are gone or have changed.
    """
    entry = _entry_of(_read(), name)
    path = _own_weights() / Path(str(entry["weights"])).name
    if not path.exists() or _sum_of(path) != entry["sha256"]:
        raise WeightsError(f"The weights of {name} are gone or have changed; add the model again.")
    options = {key: entry[key] for key in _KEPT if key in entry}
    options.setdefault("side", 224)  # models added by an earlier version, which took this where nothing was said
    stored = options.get("cam_layer")
    if isinstance(stored, dict):
        grid = stored.get("grid")
        layout = CellLayout(**{k: v for k, v in stored.items() if k not in ("name", "grid")}, grid=grid and tuple(grid))
        options["cam_layer"] = CamLayer(stored["name"], layout)
    return read_model(path, entry["architecture"], entry["findings"], name=name, **options)


def _sum_of(path: Path) -> str:
    """The checksum of a file, or of what is read of a folder."""
    if path.is_file():
        return sha256_of(path)
    parts = [f"{name} {sha256_of(path / name)}" for name in FILES if (path / name).is_file()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _copy(path: Path, copy: Path) -> None:
    if path.is_file():
        with replacing(copy) as fresh:
            shutil.copyfile(path, fresh)
        return
    for name in [name for name in FILES if (path / name).is_file()]:
        with replacing(copy / name) as fresh:
            shutil.copyfile(path / name, fresh)


def _own_weights() -> Path:
    return home_folder() / "weights" / "own"


def _entry_of(models: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
    if name not in models:
        raise LookupError(f"there is no model of yours called {name!r}; {near(name, models)}")
    return models[name]


def _path() -> Path:
    return home_folder() / "models.json"


def _read() -> dict[str, dict[str, Any]]:
    path = _path()
    if not path.is_file():
        return {}
    try:
        models = read_json(path)
        whole = all({"architecture", "findings", "title", "weights", "sha256"} <= set(e) for e in models.values())
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise WeightsError(f"{path} is damaged ({error}); remove it and add your models again.") from error
    if not whole:
        raise WeightsError(f"{path} lacks fields; remove it and add your models again.")
    return models


def _write(models: dict[str, dict[str, Any]]) -> None:
    write_text(_path(), json.dumps(models, indent=1, ensure_ascii=False))
