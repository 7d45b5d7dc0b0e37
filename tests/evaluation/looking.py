"""Tiny classifiers and a collection with known behaviour: one looks at the bright spot, one at its mirror image."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from classifiers import ChestClassifier, ModelCard, Preprocessing
from radiographs import Annotation, Radiograph
from radiographs.collection import Collection, CollectionCard, FilmEntry

SIDE = 48
CARD = ModelCard("looking", "Looking", "A test.", "Nothing.", "none", "none", "For tests only.")


class Looker(nn.Module):
    """Its logit is the mean brightness of the left half (or, mirrored, of the right half) above the film's ground."""

    def __init__(self, mirrored: bool = False) -> None:
        super().__init__()
        self.cells = nn.Identity()
        weight = torch.zeros(1, 1, SIDE, SIDE)
        weight[..., SIDE // 2 :] = 1.0
        self.weight = nn.Parameter(weight if mirrored else weight.flip(-1))

    def forward(self, films: torch.Tensor) -> torch.Tensor:
        """(N, 1, S, S) to logits (N, 1)."""
        return (torch.relu(self.cells(films) - 0.5) * self.weight).sum(dim=(1, 2, 3))[:, None]


def looker(mirrored: bool = False, finding: str = "Spot") -> ChestClassifier:
    """Build it for one finding."""
    return ChestClassifier(Looker(mirrored), (finding,), CARD, "cells", Preprocessing(side=SIDE))


class Spots(Collection):
    """Films with a bright spot in the left half (labelled, outlined) and films without one; all carry clutter."""

    name = "spots"
    card = CollectionCard("Spots", "Made for tests.", "nobody", "none", "none")
    films: ClassVar[int] = 24

    def missing(self) -> str | None:
        """Always at hand."""
        return None

    def entries(self) -> list[FilmEntry]:
        """Every second film has a spot; two films a patient."""
        rows = []
        for number in range(self.films):
            found = ("Spot",) if number % 2 == 0 else ()
            rows.append(FilmEntry(f"{number:02d}", found, found, f"p{number // 4}-{number % 2}", part="test"))
        return rows

    def _spot(self, film_id: str) -> tuple[slice, slice]:
        rng = np.random.default_rng(int(film_id))
        top, left = int(rng.integers(4, 30)), int(rng.integers(2, 10))
        return slice(top, top + 9), slice(left, left + 9)

    def read(self, film_id: str) -> Radiograph:
        """A (48, 48) film."""
        rng = np.random.default_rng(100 + int(film_id))
        pixels = 0.4 + 0.05 * rng.standard_normal((SIDE, SIDE))
        pixels[4:20, 40:43] = 0.9
        if int(film_id) % 2 == 0:
            pixels[self._spot(film_id)] = 0.95
        return Radiograph(np.clip(pixels, 0, 1))

    def annotations(self, film_id: str) -> list[Annotation]:
        """The spot, exactly."""
        if int(film_id) % 2:
            return []
        mask = np.zeros((SIDE, SIDE), dtype=bool)
        mask[self._spot(film_id)] = True
        return [Annotation("Spot", mask, "mask", "planted", exact=True)]


class Effusions(Spots):
    """The same films, whose spots are labelled and outlined under other spellings than "Effusion"."""

    name = "effusions"

    def entries(self) -> list[FilmEntry]:
        """Labels by one synonym, outlines by another."""
        return [
            replace(e, labels=("Pleural Effusion",), annotated=("pleural_effusion",)) if e.labels else e
            for e in super().entries()
        ]

    def annotations(self, film_id: str) -> list[Annotation]:
        """The spot, by a synonym."""
        return [replace(one, finding="PLEURAL EFFUSION") for one in super().annotations(film_id)]
