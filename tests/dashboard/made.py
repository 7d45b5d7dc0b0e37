"""A small film, collection, model and comparison for the tests of what pages share."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from classifiers import ChestClassifier, ModelCard, Preprocessing
from classifiers.registry import ModelEntry
from radiographs import Annotation, Radiograph
from radiographs.collection import Collection, CollectionCard, FilmEntry

CARD = ModelCard("tiny", "Tiny <model>", "A linear map, for tests.", "Nothing.", "MIT.", "Nobody.", "Good for nothing.")

SCRIPT = "<script>"


def marked(record: Any) -> Any:
    """A copy of a data class whose texts are all ``SCRIPT``."""
    return replace(record, **{f.name: SCRIPT for f in fields(record) if isinstance(getattr(record, f.name), str)})


class Linear(nn.Module):
    """Logit k is the sum of a fixed weight plane times the film; the first looks at the bright square."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Conv2d(1, 4, 3, padding=1)
        self.head = nn.Linear(4, 2)
        weights = torch.Generator().manual_seed(3)
        for tensor in self.parameters():
            tensor.data = torch.randn(tensor.shape, generator=weights)

    def forward(self, films: torch.Tensor) -> torch.Tensor:
        return self.head(torch.relu(self.features(films)).mean(dim=(2, 3)))


def tiny_classifier(name: str = "tiny") -> ChestClassifier:
    title = CARD.title if name == CARD.name else name.capitalize()
    card = ModelCard(
        name, title, *(getattr(CARD, f) for f in ("summary", "trained_on", "licence", "citation", "limits"))
    )
    return ChestClassifier(Linear(), ("Nodule", "Effusion"), card, "features", Preprocessing(side=48))


def tiny_film(seed: int = 0) -> tuple[Radiograph, np.ndarray]:
    rng = np.random.default_rng(seed)
    mask = np.zeros((80, 64), dtype=bool)
    mask[20:40, 10:30] = True
    pixels = np.clip(0.3 + 0.4 * mask + 0.05 * rng.standard_normal(mask.shape), 0, 1)
    return Radiograph(pixels.astype(np.float32)), mask


class TinyCollection(Collection):
    """Three films, the first two with an outlined nodule."""

    name = "tiny-films"
    card = CollectionCard("Tiny films", "Squares.", "Planted.", "CC0.", "Nobody & co.")

    def missing(self) -> str | None:
        return None

    def entries(self) -> list[FilmEntry]:
        outlined = FilmEntry("film-0", ("Nodule",), ("Nodule",), "p0", part="test")
        return [outlined, FilmEntry("film-1", ("Nodule",), ("Nodule",), "p1", part="train"), FilmEntry("film-2")]

    def read(self, film_id: str) -> Radiograph:
        return tiny_film(int(self.entry(film_id).film_id[-1]))[0]

    def annotations(self, film_id: str) -> list[Annotation]:
        if film_id == "film-2":
            return []
        return [Annotation("Nodule", tiny_film()[1], "mask", "planted", exact=True)]


def tiny_models() -> list[ModelEntry]:
    there = ModelEntry("tiny", CARD.title, tiny_classifier().card, True, None, "shipped")
    away = ModelEntry(
        "away", "Away", tiny_classifier("away").card, False, "Run: lightbox fetch away", "torchxrayvision"
    )
    other = ModelEntry("other", "Other", tiny_classifier("other").card, True, None, "shipped")
    return [there, other, away]
