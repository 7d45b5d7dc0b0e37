"""What every annotation reader returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np

from radiographs.annotation import Annotation, Kind
from radiographs.annotation_readers.geometry import Geometry, check_proportions, has_proportions
from radiographs.errors import AnnotationError
from radiographs.film_readers.orientation import Shape, StoredFrame
from radiographs.plain_text import name_in_words

Line = TypeVar("Line")
Pair = tuple[str, "Outline | None"]

_MOST_MASK_PIXELS = 2**30
_IMAGE_SUFFIXES = {"png", "jpg", "jpeg", "jfif", "jpe", "dcm", "dicom", "ima", "tif", "tiff", "bmp", "webp"}


def film_key(name: str) -> str:
    """A film's name without folders and without an image's suffix: how tables and films are matched."""
    last = name.strip().replace("\\", "/").rsplit("/", 1)[-1]
    stem, dot, suffix = last.rpartition(".")
    return stem if dot and suffix.lower() in _IMAGE_SUFFIXES else last


def path_key(name: str) -> str:
    """A film's name with its folders and without an image's suffix: "2024/jones"."""
    folders = [part for part in name.strip().replace("\\", "/").split("/")[:-1] if part not in ("", ".")]
    return "/".join((*folders, film_key(name)))


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

    def __post_init__(self) -> None:
        object.__setattr__(self, "reader", name_in_words(self.reader) or "expert")

    @property
    def kind(self) -> Kind:
        """How it was drawn: box, polygon or mask."""
        return self.geometry.kind

    def place(self, shape: Shape, stored: StoredFrame | None = None) -> np.ndarray:
        """Rasterise onto a film: (H, W) bool.

        Args:
            shape: (H, W) of the film.
            stored: how the film lay in its file, where it was turned or stretched; the outline is taken to be drawn on
                the stored picture, or on the film where only that fits the frame.

        Raises:
            AnnotationError: the frame has other proportions, or a mask image cannot be read.
        """
        frame = self.geometry.size or self.frame
        if self._drawn_on_film(frame, shape, stored):
            return self.geometry.mask(shape, frame)
        assert stored is not None
        return stored.to_film(self.geometry.mask(stored.shape, frame), shape)

    def check(self, shape: Shape, stored: StoredFrame | None = None) -> None:
        """Refuse, without rasterising, an outline that cannot be placed on the film.

        Raises:
            AnnotationError: it lies outside the film, its frame has other proportions, or its mask cannot be read.
        """
        frame, extent = self.geometry.size or self.frame, self.geometry.extent
        on_film = self._drawn_on_film(frame, shape, stored)
        if extent is None:
            return
        height, width = frame or (shape if on_film or stored is None else stored.shape)
        if extent[0] >= width or extent[1] >= height or extent[2] <= 0 or extent[3] <= 0:
            raise AnnotationError(f"{self._name} lies outside the film of {width} x {height} pixels")

    def _drawn_on_film(self, frame: Shape | None, shape: Shape, stored: StoredFrame | None) -> bool:
        """Whether the outline was drawn on the film as it hangs, and not on the stored picture."""
        if stored is None:
            if frame is not None:
                check_proportions(frame, shape, self._name)
            return True
        fits_stored = frame is None or has_proportions(frame, stored.shape)
        if (frame is None or has_proportions(frame, shape)) and (stored.shown_turned or not fits_stored):
            return True
        if frame is not None:
            check_proportions(frame, stored.shape, self._name)
        return False

    @property
    def _name(self) -> str:
        return self.where if self.kind == "mask" and self.where else f"{self.where}: the {self.kind}".removeprefix(": ")


@dataclass(frozen=True)
class AnnotationTable:
    """The outlines of one file or folder, by film.

    Attributes:
        source: the file's name, for messages.
        outlines: film name (see :func:`path_key`) -> outlines in the file's order; an empty tuple where readers looked
            at the film and outlined nothing.
        unmatched: names of mask files that belong to no film.
        problems: what is wrong with single lines or outlines, which are left out.
    """

    source: str
    outlines: Mapping[str, tuple[Outline, ...]]
    unmatched: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def __contains__(self, image: object) -> bool:
        return isinstance(image, str) and self._key(image) in self.outlines

    def __len__(self) -> int:
        return len(self.outlines)

    def images(self) -> tuple[str, ...]:
        """Names of the films in the file, in its order, without suffixes; with folders only where they share a name."""
        return tuple(key if len(self._by_name[film_key(key)]) > 1 else film_key(key) for key in self.outlines)

    def of(self, image: str) -> tuple[Outline, ...]:
        """Outlines on one film, found with or without folders and suffix; empty where there are none."""
        return self.outlines.get(self._key(image), ())

    def findings(self, image: str) -> tuple[str, ...]:
        """Findings outlined on one film, each once, in the file's order."""
        return tuple(dict.fromkeys(outline.finding for outline in self.of(image)))

    def annotations(self, image: str, shape: Shape, stored: StoredFrame | None = None) -> list[Annotation]:
        """Rasterise what was outlined on one film; outlines that cannot be placed are left out.

        See :meth:`read_film`.
        """
        return self.read_film(image, shape, stored)[0]

    def read_film(
        self, image: str, shape: Shape, stored: StoredFrame | None = None
    ) -> tuple[list[Annotation], tuple[str, ...]]:
        """Rasterise what was outlined on one film, and say what could not be.

        A pixel is inside when its centre is; an outline smaller than a pixel keeps the pixel that it lies in; parts
        outside the film are cut off. Outlines are scaled from the frame that they were drawn in, and turned with the
        film. A mask in which nothing is drawn gives no annotation.

        Args:
            image: the film's name, with or without its suffix.
            shape: (H, W) of the film in pixels.
            stored: how the film lay in its file, where it was turned or stretched.

        Returns:
            The annotations; and a sentence for each outline that lies outside the film, has other proportions or
            cannot be read.
        """
        drawn, problems = [], []
        outlines = self.of(image)
        most = most_outlines(shape)
        if len(outlines) > most:
            problems.append(f"{self.source}, {image}: only the first {most} of {len(outlines):,} outlines are read")
        for outline in outlines[:most]:
            try:
                outline.check(shape, stored)
                mask = outline.place(shape, stored)
            except AnnotationError as error:
                problems.append(f"{self.source}, {error}")
                continue
            if mask.any():
                drawn.append(Annotation(outline.finding, mask, outline.kind, outline.reader))
        return drawn, tuple(problems)

    def _key(self, image: str) -> str:
        key = path_key(image)
        keys = self._by_name.get(film_key(image), ())
        return key if key in self.outlines or len(keys) != 1 else keys[0]

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        keys: dict[str, list[str]] = {}
        for key in self.outlines:
            keys.setdefault(film_key(key), []).append(key)
        return keys


def most_outlines(shape: Shape) -> int:
    """How many outlines of one film of ``shape`` (H, W) are read: their masks must find room in memory."""
    return max(32, _MOST_MASK_PIXELS // (shape[0] * shape[1]))


def collect(source: str, lines: Iterable[Line], read: Callable[[Line], Iterable[Pair]]) -> AnnotationTable:
    """Build a table line by line; a line that cannot be used costs its outlines alone.

    Args:
        source: the file's name.
        lines: rows, keys or entries of the file.
        read: gives (film, outline) pairs of one of them; None for the outline says that readers looked at the film.

    Raises:
        AnnotationError: no line at all can be used.
    """
    outlines: dict[str, list[Outline]] = {}
    problems = []
    for line in lines:
        try:
            pairs = list(read(line))
        except AnnotationError as error:
            problems.append(str(error))
            continue
        for image, outline in pairs:
            found = outlines.setdefault(path_key(image), [])
            if outline is not None:
                found.append(outline)
    if problems and not outlines:
        raise AnnotationError(problems[0])
    return AnnotationTable(source, {image: tuple(found) for image, found in outlines.items()}, (), tuple(problems))
