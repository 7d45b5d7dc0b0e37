"""A film with what is known of it: its list entry, its collection, and what readers outlined."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from classifiers import ChestClassifier, ModelCard
from classifiers.training_films import TrainedOn, is_training_film, trained_on
from evaluation.one_film.evaluate import ScoringContext
from radiographs import Annotation, Radiograph
from radiographs.annotation import union_mask
from radiographs.collection import Collection, CollectionCard, FilmEntry
from radiographs.findings import canonical, is_named


@dataclass(frozen=True, eq=False)
class FilmContext:
    """A film with what is known of it.

    Attributes:
        reference: ``collection/film-id``, or ``upload/`` and the start of its digest. radiograph: the film.
        annotations: what experts outlined, the film's reference. entry, collection: its line and its collection, where
            it has them.
        drawn: what the person at the page outlined. score_drawn: whether maps are scored by that where an expert has
            outlined the finding too.
        reference_hidden: whether the reference was left out, because the person does not want to see it yet.
    """

    reference: str
    radiograph: Radiograph
    annotations: tuple[Annotation, ...] = ()
    entry: FilmEntry | None = None
    collection: Collection | None = None
    drawn: tuple[Annotation, ...] = ()
    score_drawn: bool = False
    reference_hidden: bool = False

    @property
    def card(self) -> CollectionCard | None:
        """The card of the film's collection."""
        return self.collection.card if self.collection is not None else None

    @property
    def title(self) -> str:
        """The film's name in bold; none where it may tell what experts outlined, which is hidden."""
        return "Film" if self.reference_hidden else f"**{self.reference}**"

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the film and all outlines that its maps are scored by."""
        content = [self.radiograph.digest, self.reference, *(["hidden"] if self.reference_hidden else [])]
        content += [f"{a.finding} {a.reader} {a.exact} {mask_digest(a.mask)}" for a in self.scored_by]
        return hashlib.sha256("\n".join(content).encode()).hexdigest()

    @cached_property
    def scored_by(self) -> tuple[Annotation, ...]:
        """The outlines that maps are scored by: of each finding the experts', or those of the person at the page."""
        first, second = (self.drawn, self.annotations) if self.score_drawn else (self.annotations, self.drawn)
        named = {canonical(a.finding) for a in first}
        return (*first, *(a for a in second if canonical(a.finding) not in named))

    def outlines(self, finding: str) -> list[Annotation]:
        """What experts outlined for ``finding``, under any name for it."""
        return [a for a in self.annotations if is_named(finding, [a.finding])]

    def mask(self, finding: str) -> np.ndarray | None:
        """The outlines of ``finding`` that maps are scored by, joined: (H, W) bool; None where there is none."""
        return union_mask(list(self.scored_by), finding)

    def whose(self, finding: str) -> str:
        """Who drew what :meth:`mask` joins, in words."""
        return " and ".join(sorted({a.reader for a in self.scored_by if is_named(finding, [a.finding])}))

    def scoring_context(self, classifier: ChestClassifier) -> ScoringContext:
        """The film under ``classifier``, with what all its maps are scored with."""
        return ScoringContext(
            classifier, self.radiograph, self.scored_by, self.collection, self.entry,
            reference_hidden=self.reference_hidden,
        )  # fmt: skip

    def seen_in_training(self, card: ModelCard) -> bool:
        """Whether a model was trained on films of this film's patient, by the split or by the film's looks."""
        state: TrainedOn = "unknown"
        if self.collection is not None and self.entry is not None:
            state = trained_on(card, self.collection, self.entry)
        return state == "yes" or (state == "unknown" and is_training_film(card, self.radiograph))

    def description(self) -> str:
        """The film in a line: its collection, size, view, age and pixel spacing."""
        height, width = self.radiograph.shape
        parts = [self.card.title if self.card else "Uploaded film", f"{width} × {height} pixels"]
        view = self.radiograph.view or (self.entry.view if self.entry else None)
        if view:
            parts.append(f"{view} view")
        if self.entry is not None and self.entry.age is not None:
            parts.append(f"age {self.entry.age}")
        if self.radiograph.pixel_spacing_mm:
            parts.append(f"{self.radiograph.pixel_spacing_mm[0]:.2f} mm a pixel")
        return " · ".join(parts)


def mask_digest(mask: np.ndarray | None) -> str:
    """SHA-256 of a mask's shape and pixels; "" for None."""
    return "" if mask is None else hashlib.sha256(repr(mask.shape).encode() + np.packbits(mask).tobytes()).hexdigest()


def short_digest(digest: str) -> str:
    """The start of a digest, enough to tell films or models apart on a page."""
    return digest[:12]
