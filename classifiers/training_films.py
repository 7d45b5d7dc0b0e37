"""Whether a model was trained on a film: by the recorded split of patients, and by the film's looks where none says it.

``assets/training_films`` holds the perceptual digests of the films by which the shipped models were trained or chosen;
``python -m classifiers.training.digest_films`` writes and measures them.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np

from classifiers.chest_classifier import ModelCard
from radiographs.collection import Collection, FilmEntry
from radiographs.perceptual_digest import distances, uncropped_digests
from radiographs.places import asset
from radiographs.radiograph import Radiograph

TrainedOn = Literal["yes", "no", "unknown"]
NEAR = 28
"""Bits of 255 in which a film's digest may differ from that of a training film to be the same picture."""
SPLITS = {"nih": ("nih",), "known_truth": ("known_truth", "nih")}
"""Files of digests by the split that a card names: ``known-truth`` began with weights that had learned NIH's films."""

_answers: dict[tuple[str, str], bool] = {}
"""By split and digest of the film: a page that is drawn again does not look again."""


def split_of(card: ModelCard) -> str:
    """The split table that a card names, without its ending; "" for none."""
    return str(card.split or "").removesuffix(".csv")


def trained_on(card: ModelCard, collection: Collection, entry: FilmEntry) -> TrainedOn:
    """Whether a model was trained on films of a film's patient, as far as it is recorded.

    Returns:
        "yes" or "no" where the split table that the card names records the collection's patients; "yes" also for films
        by which training was chosen ("val"). "unknown" where no table says it.
    """
    split = split_of(card)
    if not split or collection.split != split or entry.part is None:
        return "unknown"
    return "no" if entry.part == "test" else "yes"


def can_be_recognised(card: ModelCard) -> bool:
    """Whether the digests of a model's training films come with it."""
    return split_of(card) in SPLITS


def is_training_film(card: ModelCard, film: Radiograph) -> bool:
    """Whether a film shows the same picture as one of the model's training films, re-saved.

    It may be resized, compressed, of other depth, mildly windowed, or cropped by up to 4 % all round; a turned or
    mirrored film is not recognised. False where no digests come with the model.
    """
    if not can_be_recognised(card):
        return False
    key = split_of(card), film.digest
    if key not in _answers:
        nearest = distances(uncropped_digests(film.pixels), _digests(key[0])).min()
        _answers[key] = bool(nearest <= NEAR)
    return _answers[key]


def not_trained_on(card: ModelCard, collection: Collection, entries: list[FilmEntry]) -> list[FilmEntry]:
    """The films of patients that the model was not trained on, as far as the split or the films' looks say it.

    Raises:
        FilmError, CollectionError: a film of which no table says it cannot be read.
    """
    return [
        entry
        for entry in entries
        if entry.part in (None, "test")
        and (
            trained_on(card, collection, entry) == "no"
            or not can_be_recognised(card)
            or not is_training_film(card, collection.read(entry.film_id))
        )
    ]


@cache
def _digests(split: str) -> np.ndarray:
    """(N, WORDS) uint64 of the training films of a split."""
    return np.concatenate([np.load(asset("training_films", f"{name}.npy")) for name in SPLITS[split]])
