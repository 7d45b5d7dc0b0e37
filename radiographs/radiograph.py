"""One film."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from radiographs.film_readers.orientation import StoredFrame

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from radiographs.annotation import Annotation


@dataclass(frozen=True)
class Note:
    """Something the reader did to a film or is not sure of, in words for people.

    Attributes:
        code: a stable short name ("inverted", "lateral" ...), for programs.
        words: one plain sentence; it never quotes the file.
        doubt: True where the picture, or what the model makes of it, may be wrong; False where it is only said.
    """

    code: str
    words: str
    doubt: bool = False


@dataclass(frozen=True, eq=False)
class Radiograph:
    """One film as the rest of the program sees it; it never holds an identifier.

    Attributes:
        pixels: (H, W) float32 in [0, 1], read-only; 0 is black (air), 1 is white (bone), after the modality LUT
            and the inversion of MONOCHROME1, turned as one hangs a film, in true proportions.
        view: "PA", "AP", "LL" ... where known.
        age: the patient's age in whole years where the file says it, 90 for all who are older.
        pixel_spacing_mm: (row, column) distance between pixel centres in mm where known.
        bits: bits a pixel that the film makes use of (8 to 16).
        window: (low, high) display window in units of ``pixels`` that the file asks for (VOI LUT), where it does.
        orientation: where rows and columns run to on the patient as the film hangs, ("L", "F") on a frontal film, where
            the file says so.
        notes: what was turned, inverted, scaled, guessed or is doubted; shown wherever the film is shown.
        stored: how the film lay in its file, where it was turned or resampled; None where it lay as it is.
        digest: SHA-256 of shape and pixels, the film's identity everywhere.
    """

    pixels: np.ndarray
    view: str | None = None
    pixel_spacing_mm: tuple[float, float] | None = None
    bits: int = 8
    window: tuple[float, float] | None = None
    orientation: tuple[str, str] | None = None
    notes: tuple[Note, ...] = ()
    stored: StoredFrame | None = None
    age: int | None = None
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        pixels = np.array(self.pixels, dtype=np.float32, order="C")
        if pixels.ndim != 2 or pixels.size == 0:
            raise ValueError(f"a radiograph has two dimensions and is not empty, got shape {pixels.shape}")
        if not np.isfinite(pixels).all() or pixels.min() < 0 or pixels.max() > 1:
            raise ValueError("a radiograph's pixels are finite and lie in [0, 1]")
        pixels.setflags(write=False)
        object.__setattr__(self, "pixels", pixels)
        digest = hashlib.sha256(repr(pixels.shape).encode())
        digest.update(pixels.data)
        object.__setattr__(self, "digest", digest.hexdigest())

    def __repr__(self) -> str:
        """One line: size, view, digest, doubts."""
        facts = [f"{self.shape[0]} x {self.shape[1]}", self.view, f"digest {self.digest[:8]}"]
        return f"Radiograph({', '.join([*filter(None, facts), *(f'doubt: {n.code}' for n in self.doubts)])})"

    def _repr_html_(self) -> str:
        from radiographs.notebook import facts_html, thumbnail

        facts = {name: value for name, value in self._facts().items() if name != "doubts"}
        return facts_html("Radiograph", facts, thumbnail(self.pixels), [note.words for note in self.doubts])

    def to_frame(self) -> pd.DataFrame:
        """What is known of the film, as a table of one row: size, bits, view, age, spacing in mm, digest, doubts."""
        from radiographs.notebook import one_row

        return one_row(self._facts())

    def _facts(self) -> dict[str, object]:
        spacing = self.pixel_spacing_mm or (None, None)
        return {
            "height": self.shape[0], "width": self.shape[1], "bits": self.bits, "view": self.view, "age": self.age,
            "row_spacing_mm": spacing[0], "column_spacing_mm": spacing[1], "digest": self.digest,
            "doubts": ", ".join(self.doubt_codes),
        }  # fmt: skip

    def plot(self, annotations: Sequence[Annotation] = (), axes: Axes | None = None) -> Axes:
        """Draw the film, with outlines on it, by matplotlib.

        Args:
            annotations: outlines of this film. axes: where to draw; a new figure where None.

        Raises:
            ValueError: an outline has another shape than the film.
        """
        from radiographs.notebook import axes_or_new, draw_film

        for one in annotations:
            if one.mask.shape != self.shape:
                raise ValueError(f"the outline of {one.finding} has shape {one.mask.shape}, the film {self.shape}")
        drawn = axes_or_new(axes)
        draw_film(drawn, self.pixels, annotations)
        return drawn

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        return self.pixels.shape[0], self.pixels.shape[1]

    def with_notes(self, notes: tuple[Note, ...]) -> Radiograph:
        """The same film under other notes; the pixels are shared, for neither they nor the digest change."""
        noted = copy.copy(self)
        object.__setattr__(noted, "notes", notes)
        return noted

    @property
    def doubts(self) -> tuple[Note, ...]:
        """Those of the notes that cast doubt on the film or on what a model makes of it."""
        return tuple(note for note in self.notes if note.doubt)

    @property
    def doubt_codes(self) -> list[str]:
        """Short names of the doubts, for files that programs read."""
        return [note.code for note in self.doubts]
