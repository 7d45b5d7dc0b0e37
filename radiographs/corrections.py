"""What a person does to a film that does not hang as it should: turn, mirror, invert, each said in a note."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from radiographs.annotation import Annotation
from radiographs.film_readers.orientation import StoredFrame, Turn
from radiographs.radiograph import Note, Radiograph


@dataclass(frozen=True)
class Correction:
    """A turn by right angles, then perhaps an inversion.

    Attributes:
        turn: how the film is turned. inverted: whether black becomes white.
    """

    turn: Turn = field(default_factory=Turn)
    inverted: bool = False

    @property
    def words(self) -> str:
        """What is done, in words that go on from "the film was"."""
        return " and ".join([*([self.turn.words] if self.turn else []), *(["inverted"] if self.inverted else [])])

    def apply(self, film: Radiograph) -> Radiograph:
        """The corrected film, with a note that says what was done."""
        pixels = self.turn.apply(film.pixels)
        window, spacing = film.window, film.pixel_spacing_mm
        if self.inverted:
            pixels = 1.0 - pixels
            window = None if window is None else (1.0 - window[1], 1.0 - window[0])
        if self.turn.transposed and spacing is not None:
            spacing = spacing[::-1]
        stored = film.stored or StoredFrame(film.shape)
        return replace(
            film,
            pixels=pixels,
            window=window,
            pixel_spacing_mm=spacing,
            orientation=None if self.turn else film.orientation,
            stored=replace(stored, turn=stored.turn.then(self.turn)) if self.turn else film.stored,
            notes=(*film.notes, Note("by-hand", f"The film was {self.words} by hand, for it looked wrong.")),
        )

    def carry(self, annotation: Annotation) -> Annotation:
        """An outline of the film, on the corrected film."""
        if not self.turn:
            return annotation
        return replace(annotation, mask=np.ascontiguousarray(self.turn.apply(annotation.mask)))
