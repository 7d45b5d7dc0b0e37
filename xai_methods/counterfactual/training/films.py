"""Films to train counterfactual explainers on, with the explained classifier's logits of each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from classifiers import ChestClassifier
from classifiers.anatomy import shipped_network
from classifiers.precision import training_precision
from classifiers.training import nih_data

BATCH = 16


@dataclass(frozen=True)
class ClassifiedFilms:
    """Films of patients on the training and validation sides of the split; no test patient is among them.

    Attributes:
        films: (N, S, S) uint8 on the classifier's input grid.
        labels: (N, C) float32, 1 where the report names the finding. logits: (N, C) float32 of the classifier.
        validation: (N,) bool, True for the patients of the validation side.
    """

    films: np.ndarray
    labels: np.ndarray
    logits: np.ndarray
    validation: np.ndarray


def resized(films: np.ndarray, side: int) -> np.ndarray:
    """Resize (N, h, h) uint8 films to (N, side, side) uint8, bilinearly with antialiasing."""
    made = np.empty((len(films), side, side), dtype=np.uint8)
    for start in range(0, len(films), 256):
        part = torch.from_numpy(films[start : start + 256]).float()[:, None]
        part = F.interpolate(part, (side, side), mode="bilinear", antialias=True, align_corners=False)
        made[start : start + 256] = part[:, 0].round().clamp(0, 255).byte().numpy()
    return made


@torch.inference_mode()
def classifier_logits(classifier: ChestClassifier, films: np.ndarray, side: int | None = None) -> np.ndarray:
    """Logits (N, C) float32 of (N, S, S) uint8 films, shown to the network at ``side`` pixels (by default S)."""
    low, high = classifier.preprocessing.low, classifier.preprocessing.high
    found = []
    for start in range(0, len(films), BATCH):
        shown = torch.from_numpy(films[start : start + BATCH]).float().div(255)[:, None]
        if side is not None and side != shown.shape[-1]:
            shown = F.interpolate(shown, (side, side), mode="bilinear", antialias=True, align_corners=False)
        shown = (low + (high - low) * shown).contiguous(memory_format=torch.channels_last)
        with training_precision():
            found.append(classifier(shown).float())
    return torch.cat(found).numpy()


def read_films(classifier: ChestClassifier, data: Path, cache: Path) -> ClassifiedFilms:
    """Read the NIH films of training and validation patients and the logits of each by ``classifier``.

    Args:
        classifier: the explained one; its findings are NIH's. data: folder as ``docs/training.md`` describes it.
        cache: folder that holds the logits between runs.

    Raises:
        ValueError: the classifier does not know NIH's findings in NIH's order.
    """
    if classifier.findings != tuple(nih_data.FINDINGS):
        raise ValueError(f"{classifier.name} does not tell NIH's 14 findings; such films cannot train its explainer")
    table = nih_data.make_split(data)
    side_of = dict(zip(table.patient_id.astype(int), table.split))
    labelled = nih_data.read_labelled(data)
    films, labels, validation = [], [], []
    for source in (labelled[128], labelled[nih_data.LARGE], nih_data.read_boxed(data).films):
        sides = np.array([side_of[int(patient)] for patient in source.patients])
        usable = source.take(sides != "test")
        films.append(resized(usable.films, classifier.side))
        labels.append(usable.labels)
        validation.append(sides[sides != "test"] == "val")
    together = np.concatenate(films)
    logits = _kept_logits(classifier, together, cache / f"logits-{classifier.digest[:16]}-{len(together)}.npy")
    return ClassifiedFilms(together, np.concatenate(labels), logits, np.concatenate(validation))


@torch.inference_mode()
def lungs_and_heart(films: torch.Tensor) -> torch.Tensor:
    """Shares (N, 3, s, s) in [0, 1] of right lung, left lung and heart on (N, 1, s, s) films in [0, 1]."""
    network, preprocessing = shipped_network()
    grid = (preprocessing.side, preprocessing.side)
    large = F.interpolate(films, grid, mode="bilinear", align_corners=False)
    shown = preprocessing.low + (preprocessing.high - preprocessing.low) * large
    with training_precision():
        shares = network(shown.contiguous(memory_format=torch.channels_last)).float().sigmoid()
    return F.interpolate(shares, films.shape[-2:], mode="bilinear", antialias=True, align_corners=False)


def _kept_logits(classifier: ChestClassifier, films: np.ndarray, path: Path) -> np.ndarray:
    if path.is_file():
        return np.load(path, allow_pickle=False)
    logits = classifier_logits(classifier, films)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, logits, allow_pickle=False)
    return logits


def channels_last(network: nn.Module) -> None:
    """Lay the network's convolutions out channels-last, which trains faster on CPUs."""
    for weight in network.parameters():
        if weight.ndim == 4:
            weight.data = weight.data.contiguous(memory_format=torch.channels_last)
