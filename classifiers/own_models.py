"""The user's own models that were added: ``models.json`` and copies of the weights, in the home folder."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from classifiers.chest_classifier import ChestClassifier, ModelCard
from classifiers.own_weights import load_own
from classifiers.weights import WeightsError, sha256_of
from radiographs.files import replacing, write_text
from radiographs.places import home_folder

_KEPT = ("architecture", "findings", "side", "fit", "low", "high", "mean", "std", "cam_layer", "title")


def remember_model(
    name: str,
    path: str | Path,
    architecture: str,
    findings: Sequence[str],
    *,
    title: str | None = None,
    **options: Any,
) -> ChestClassifier:
    """Add a user's own model and return it.

    The weights are copied into the home folder under their checksum; the file's own name is not kept.

    Args:
        name: short name: letters, digits, "-", "_" and "."; an own model of the same name is replaced.
        title: name for people. path, architecture, findings, options: see :func:`load_own`.

    Raises:
        WeightsError: the name cannot be used, or the weights do not fit.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,40}", name) or name.startswith("xrv-"):
        raise WeightsError("A model's name has small letters, digits, '-', '_' and '.', and does not begin with xrv-.")
    path = Path(path)
    classifier = load_own(path, architecture, findings, name=name, title=title, **options)
    sha256 = sha256_of(path)
    copy = home_folder() / "weights" / "own" / f"{sha256[:16]}{path.suffix.lower()}"
    if not copy.is_file() or sha256_of(copy) != sha256:
        with replacing(copy) as fresh:
            shutil.copyfile(path, fresh)
    chosen = {"architecture": architecture, "findings": list(findings), "title": title or name, **options}
    models = _read()
    models[name] = {**chosen, "weights": copy.name, "sha256": sha256}
    _write(models)
    return classifier


def forget_model(name: str) -> None:
    """Remove a user's own model; its copy of the weights goes where no other model uses it.

    Raises:
        LookupError: there is no such model.
    """
    models = _read()
    if name not in models:
        raise LookupError(f"there is no model of yours called {name!r}")
    weights = str(models.pop(name)["weights"])
    _write(models)
    if all(entry["weights"] != weights for entry in models.values()):
        (home_folder() / "weights" / "own" / Path(weights).name).unlink(missing_ok=True)


def own_cards() -> list[ModelCard]:
    """Return a card for each remembered model.

    Raises:
        WeightsError: ``models.json`` is damaged.
    """
    return [
        ModelCard(
            name=name,
            title=str(entry["title"]),
            summary=f"Your own weights in the architecture {entry['architecture']}.",
            trained_on="not stated",
            licence="yours",
            citation="",
            limits="Nothing was measured: the program does not know how good it is. For research and teaching.",
        )
        for name, entry in _read().items()
    ]


def load_remembered(name: str) -> ChestClassifier:
    """Build a remembered model on the CPU.

    Raises:
        LookupError: there is no such model. WeightsError: its weights are gone or have changed.
    """
    models = _read()
    if name not in models:
        raise LookupError(f"there is no model of yours called {name!r}")
    entry = models[name]
    path = home_folder() / "weights" / "own" / Path(str(entry["weights"])).name
    if not path.is_file() or sha256_of(path) != entry["sha256"]:
        raise WeightsError(f"The weights of {name} are gone or have changed; add the model again.")
    options = {key: entry[key] for key in _KEPT if key in entry}
    return load_own(path, options.pop("architecture"), options.pop("findings"), name=name, **options)


def _path() -> Path:
    return home_folder() / "models.json"


def _read() -> dict[str, dict[str, Any]]:
    path = _path()
    if not path.is_file():
        return {}
    try:
        models = json.loads(path.read_text(encoding="utf-8"))
        whole = all({"architecture", "findings", "title", "weights", "sha256"} <= set(e) for e in models.values())
    except (OSError, ValueError, AttributeError, TypeError, RecursionError) as error:
        raise WeightsError(f"{path} is damaged ({error}); remove it and add your models again.") from error
    if not whole:
        raise WeightsError(f"{path} lacks fields; remove it and add your models again.")
    return models


def _write(models: dict[str, dict[str, Any]]) -> None:
    write_text(_path(), json.dumps(models, indent=1, ensure_ascii=False))
