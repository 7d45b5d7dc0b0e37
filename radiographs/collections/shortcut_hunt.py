"""Films of the lesson on shortcuts: nodules with a lead letter, normal films without, and each the other way."""

from __future__ import annotations

import zlib
from functools import lru_cache

import numpy as np

from radiographs.annotation import Annotation
from radiographs.collection import Collection, CollectionCard, FilmEntry
from radiographs.collections.known_truth import KnownTruth
from radiographs.errors import CollectionError
from radiographs.planting.marker import plant_marker
from radiographs.radiograph import Radiograph
from radiographs.registry import register

CHANGED = "-changed"
"""End of the name of a film on which the letter was taken away, or laid."""
_PLAIN = KnownTruth()


@lru_cache(maxsize=8)
def _marked(film_id: str) -> tuple[Radiograph, np.ndarray]:
    return plant_marker(_PLAIN.read(film_id), np.random.default_rng(zlib.crc32(film_id.encode())))


def marker(film_id: str) -> np.ndarray | None:
    """Where the letter lies on a film of the collection, (224, 224) bool; None where it bears none.

    Raises:
        CollectionError: the normal films are not at hand.
    """
    bears = film_id.startswith("nodule") != film_id.endswith(CHANGED)
    return _marked(film_id.removesuffix(CHANGED))[1] if bears else None


@register
class ShortcutHunt(Collection):
    """Nodules and normal films of the collection known-truth, each with and without a lead letter."""

    name = "shortcut-hunt"
    order = 15
    split = "known_truth"
    card = CollectionCard(
        title="Shortcut hunt",
        summary="Normal frontal films of children aged 1 to 5, into which a nodule and something beside it were "
        "planted by computation, and films without either; each also with that thing changed. For a lesson.",
        annotators="Nobody: the mask is where the planted attenuation exceeds 12 % of its peak.",
        licence="CC BY 4.0 (the normal films); what was planted is this project's own.",
        citation=KnownTruth.card.citation,
        url=KnownTruth.card.url,
    )

    def missing(self) -> str | None:
        """None where the normal films are at hand; else one sentence that says how to have them."""
        return _PLAIN.missing()

    def entries(self) -> list[FilmEntry]:
        """All films, as the model of the lesson met such films, then changed; empty without the normal films."""
        return [
            FilmEntry(
                film_id=entry.film_id + end, labels=entry.labels, annotated=entry.annotated,
                patient=entry.patient, part=entry.part,
            )
            for end in ("", CHANGED)
            for entry in _PLAIN.entries()
            if entry.film_id.startswith(("nodule", "normal"))
        ]  # fmt: skip

    def read(self, film_id: str) -> Radiograph:
        """Read one film; (224, 224).

        Raises:
            CollectionError: the collection has no such film, or the normal films are not at hand.
        """
        self._check(film_id)
        plain = film_id.removesuffix(CHANGED)
        return _PLAIN.read(plain) if marker(film_id) is None else _marked(plain)[0]

    def annotations(self, film_id: str) -> list[Annotation]:
        """The exact mask of the planted nodule; nothing on a normal film.

        Raises:
            CollectionError: the collection has no such film, or the normal films are not at hand.
        """
        self._check(film_id)
        return _PLAIN.annotations(film_id.removesuffix(CHANGED))

    def _check(self, film_id: str) -> None:
        missing = self.missing()
        if missing:
            raise CollectionError(missing)
        self.entry(film_id)
