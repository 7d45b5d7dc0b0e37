"""Models in a folder as Hugging Face and timm lay it out: config.json and model.safetensors. No code of it is run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from classifiers.chest_classifier import ChestClassifier
from classifiers.own_weights import load_own
from classifiers.weights import WeightsError
from classifiers.wrapping import check_input, first_line, outputs_in_words, own_card, wrap
from radiographs.files import read_json

FILES = ("config.json", "model.safetensors", "preprocessor_config.json")
"""What is read of such a folder; the last may be missing."""
_RANGE = {"mean", "std", "low", "high"}
"""Options that say how films enter."""


class HuggingFaceNetwork(nn.Module):
    """A ``transformers`` image classifier: (N, C, S, S) to its logits."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, films: torch.Tensor) -> torch.Tensor:
        """Map films to logits."""
        return self.model(pixel_values=films).logits


def load_folder(
    folder: Path,
    findings: Sequence[str] = (),
    *,
    side: int | None = None,
    softmax: bool | None = None,
    name: str = "own",
    title: str | None = None,
    **options: Any,
) -> ChestClassifier:
    """Build a classifier from a folder; labels, size and normalisation are read from it where they are not given.

    Args:
        folder: with config.json and model.safetensors. findings: names of the labels, in order, instead of its own.
        softmax: whether the labels exclude each other; told by a folder of transformers where None, False of timm.
        side, name, title, options: see :func:`classifiers.own_weights.load_own`.

    Raises:
        WeightsError: transformers is not installed, or the folder cannot be used; the message says why.
    """
    config = _json(folder / "config.json")
    if not (folder / "model.safetensors").is_file():
        raise WeightsError(f"The folder {folder.name} holds no model.safetensors; other weight files are not read.")
    if "architecture" in config:
        return _timm(folder, config, findings, side=side, softmax=bool(softmax), name=name, title=title, **options)
    if "auto_map" in config:
        raise WeightsError(f"The model in {folder.name} needs code that lies beside it (auto_map), which is not run.")
    network, known = _transformers(folder)
    labels = getattr(known, "id2label", None) or {}
    findings = tuple(findings) or tuple(str(labels[i]) for i in sorted(labels))
    fitting = _preparation(folder, options)
    size = side or fitting.get("side") or getattr(known, "image_size", None) or 224
    fitting.pop("side", None)
    size = max(size) if isinstance(size, (list, tuple)) else int(size)
    check_input(findings, size, fitting.get("fit", "pad"))
    exclusive = known.problem_type != "multi_label_classification" and len(findings) > 1
    chosen = exclusive if softmax is None else softmax
    squared = () if fitting.get("fit") == "crop" else ("films are padded to a square, which transformers stretches",)
    summary = f"Your own model, {known.model_type} of transformers, {size} pixels."
    unsaid = ("how films enter is not said, so black is 0 and white is 1",) if _RANGE.isdisjoint(fitting) else ()
    card = own_card(name, title, summary, (f"{len(labels)} labels", outputs_in_words(chosen), *squared, *unsaid))
    return wrap(network, findings, card, side=size, softmax=chosen, **fitting)


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise WeightsError(f"The folder {path.parent.name} holds no {path.name}, so it is no model's.")
    try:
        content = read_json(path)
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path.name} cannot be read ({first_line(error)}).") from error
    if not isinstance(content, dict):
        raise WeightsError(f"{path.name} does not hold settings of a model.")
    return content


def _timm(folder: Path, config: dict[str, Any], findings: Sequence[str], **options: Any) -> ChestClassifier:
    """Timm's own form: the architecture's name, its input and its normalisation."""
    stated = config.get("pretrained_cfg")
    stated = stated if isinstance(stated, dict) else {}
    given = {key: stated[key] for key in ("mean", "std") if stated.get(key)} if _RANGE.isdisjoint(options) else {}
    sides = stated.get("input_size") or (None,)
    names = tuple(findings) or tuple(map(str, stated.get("label_names") or config.get("label_names") or ()))
    if options.get("side") is None:
        options["side"] = sides[-1]
    return load_own(folder / "model.safetensors", f"timm:{config['architecture']}", names, **{**given, **options})


def _transformers(folder: Path) -> tuple[nn.Module, Any]:
    """The network and its configuration, without code of the folder's own and without a network."""
    try:
        import transformers
    except ImportError as error:
        raise WeightsError(
            f"{folder.name} is a Hugging Face folder; for these, install the optional extra: "
            "pip install 'xai-lightbox[transformers]'."
        ) from error
    safe: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        config = transformers.AutoConfig.from_pretrained(folder, **safe)
        model, found = transformers.AutoModelForImageClassification.from_pretrained(
            folder, config=config, use_safetensors=True, output_loading_info=True, dtype=torch.float32, **safe
        )
    except Exception as error:  # transformers raises by kind of model
        raise WeightsError(f"transformers cannot read the folder {folder.name} ({first_line(error)}).") from error
    missing = sorted(found.get("missing_keys") or ())
    if missing or found.get("mismatched_keys"):
        named = ", ".join(missing[:3]) or "weights of another shape"
        raise WeightsError(
            f"The folder {folder.name} holds no whole classifier: {named} missing. A network without a trained head "
            "gives no answers that could be explained."
        )
    return HuggingFaceNetwork(model), config


def _preparation(folder: Path, options: dict[str, Any]) -> dict[str, Any]:
    """How films enter, from preprocessor_config.json where nothing else is said."""
    path = folder / FILES[2]
    if not path.is_file():
        return dict(options)
    stated = _json(path)
    found: dict[str, Any] = {}
    try:
        # From a film in [0, 1] to what the network was given: (scale x - offset - mean) / std.
        scale = 255.0 * float(stated.get("rescale_factor", 1 / 255)) if stated.get("do_rescale", True) else 255.0
        offset = 1.0 if stated.get("rescale_offset") else 0.0
        if stated.get("do_normalize", True) and stated.get("image_mean") and stated.get("image_std"):
            means, stds = (np.atleast_1d(stated[key]).astype(float) for key in ("image_mean", "image_std"))
            found |= {"mean": ((means + offset) / scale).tolist(), "std": (stds / scale).tolist()}
        elif not stated.get("do_normalize", True) or abs(scale - 1) > 1e-6:
            found |= {"low": -offset, "high": scale - offset}
    except (TypeError, ValueError, ArithmeticError) as error:
        raise WeightsError(f"{FILES[2]} does not say in numbers how films enter ({first_line(error)}).") from error
    if stated.get("do_center_crop"):
        found["fit"] = "crop"
    size = stated.get("crop_size") if stated.get("do_center_crop") else stated.get("size")
    if isinstance(size, dict):
        size = size.get("height") or size.get("shortest_edge")
    if isinstance(size, int) and (stated.get("do_resize", True) or stated.get("do_center_crop")):
        found["side"] = size
    if not _RANGE.isdisjoint(options):
        found = {key: value for key, value in found.items() if key not in _RANGE}
    return found | options
