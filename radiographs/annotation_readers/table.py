"""What every annotation reader returns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from radiographs.annotation import Annotation, Kind
from radiographs.annotation_readers.geometry import Geometry, Shape, check_proportions
from radiographs.errors import AnnotationError

_IMAGE_SUFFIXES = {"png", "jpg", "jpeg", "dcm", "dicom", "tif", "tiff", "bmp", "webp"}


def film_key(name: str) -> str:
    """A film's name without folders and without an image's suffix: how tables and films are matched."""
    last = name.strip().replace("\\", "/").rsplit("/", 1)[-1]
    stem, dot, suffix = last.rpartition(".")
    return stem if dot and suffix.lower() in _IMAGE_SUFFIXES else last


@dataclass(frozen=True)
class Outline:
    """One outline as it is stored: nothing is rasterised yet.

    Attributes:
        finding: its canonical name (see ``radiographs.findings``), or the file's own where there is none.
        reader: who drew it.
        geometry: box, polygon or mask.
        frame: (H, W) of the image that it was drawn on; None: the film's own pixels.
        where: the line or key of the file, for messages.
    """

    finding: str
    reader: str
    geometry: Geometry
    frame: Shape | None = None
    where: str = ""

    @property
    def kind(self) -> Kind:
        """How it was drawn: box, polygon or mask."""
        return self.geometry.kind


@dataclass(frozen=True)
class AnnotationTable:
    """The outlines of one file or folder, by film.

    Attributes:
        source: the file's name, for messages.
        outlines: film name (see :func:`film_key`) -> outlines in the file's order; an empty tuple where readers looked
            at the film and outlined nothing.
        unmatched: names of mask files that belong to no film.
    """

    source: str
    outlines: Mapping[str, tuple[Outline, ...]]
    unmatched: tuple[str, ...] = ()

    def __contains__(self, image: object) -> bool:
        return isinstance(image, str) and film_key(image) in self.outlines

    def __len__(self) -> int:
        return len(self.outlines)

    def images(self) -> tuple[str, ...]:
        """Names of the films in the file, without suffixes, in its order."""
        return tuple(self.outlines)

    def of(self, image: str) -> tuple[Outline, ...]:
        """Outlines on one film, found with or without its suffix; empty where there are none."""
        return self.outlines.get(film_key(image), ())

    def findings(self, image: str) -> tuple[str, ...]:
        """Findings outlined on one film, each once, in the file's order."""
        return tuple(dict.fromkeys(outline.finding for outline in self.of(image)))

    def annotations(self, image: str, shape: Shape) -> list[Annotation]:
        """Rasterise what was outlined on one film.

        A pixel is inside when its centre is; an outline smaller than a pixel keeps the pixel that it lies in; parts
        outside the film are cut off. Outlines are scaled from the frame that they were drawn in. A mask file in
        which nothing is drawn gives no annotation.

        Args:
            image: the film's name, with or without its suffix.
            shape: (H, W) of the film in pixels.

        Raises:
            AnnotationError: an outline lies outside the film, or its frame has other proportions.
        """
        drawn = []
        for outline in self.of(image):
            what = f"{self.source}, {outline.where}" if outline.where else self.source
            if outline.frame is not None:
                check_proportions(outline.frame, shape, what)
            mask = outline.geometry.mask(shape, outline.frame)
            if mask.any():
                drawn.append(Annotation(outline.finding, mask, outline.kind, outline.reader))
            elif outline.kind != "mask":
                raise AnnotationError(f"{what}: the {outline.kind} lies outside the film")
        return drawn


def collect(
    source: str, pairs: Iterable[tuple[str, Outline | None]], unmatched: tuple[str, ...] = ()
) -> AnnotationTable:
    """Build a table from (film, outline) pairs; None says that the film was read and nothing outlined."""
    outlines: dict[str, list[Outline]] = {}
    for image, outline in pairs:
        found = outlines.setdefault(film_key(image), [])
        if outline is not None:
            found.append(outline)
    return AnnotationTable(source, {image: tuple(found) for image, found in outlines.items()}, unmatched)
