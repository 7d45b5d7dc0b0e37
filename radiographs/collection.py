"""Films, annotations and labels behind one reader."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, ClassVar, Literal

from radiographs.annotation import Annotation
from radiographs.errors import CollectionError
from radiographs.radiograph import Radiograph

if TYPE_CHECKING:
    import pandas as pd

Part = Literal["train", "val", "test"]


@dataclass(frozen=True)
class CollectionCard:
    """What a person should know of a collection before they use it.

    Attributes:
        title: its name for people. summary: what the films show, in a sentence or two.
        annotators: who outlined what. licence: terms of use. citation: how to cite it. url: where it lives.
    """

    title: str
    summary: str
    annotators: str
    licence: str
    citation: str
    url: str = ""


@dataclass(frozen=True)
class FilmEntry:
    """One line of a collection's list, known without opening the film.

    Attributes:
        film_id: name inside the collection, safe in a URL.
        labels: findings that the collection says are present (empty: none, or unknown).
        annotated: findings that somebody outlined.
        patient: pseudonym by which films are grouped; never a real identifier.
        view, age, sex: where the collection publishes them.
        part: the side of the recorded split that the film's patient is on, where one was recorded.
    """

    film_id: str
    labels: tuple[str, ...] = ()
    annotated: tuple[str, ...] = ()
    patient: str = ""
    view: str | None = None
    age: int | None = None
    sex: str | None = None
    part: Part | None = None


class Collection(ABC):
    """Films, annotations and labels behind one reader. Subclasses read lazily and hold no pixels."""

    name: ClassVar[str]
    card: ClassVar[CollectionCard]
    order: ClassVar[int] = 100
    """Where it stands in lists, the least first."""
    split: ClassVar[str] = ""
    """The split table in ``assets/splits`` that records ``FilmEntry.part``; "" for none."""

    def __repr__(self) -> str:
        """One line: the name; what there is to count may be a large folder."""
        return f"Collection({self.name})"

    def _repr_html_(self) -> str:
        from radiographs.notebook import facts_html

        card = self.card
        facts = {"name": self.name, "films": len(self.entries()), "outlines": card.annotators, "licence": card.licence}
        return facts_html(card.title, facts | {"about": card.summary}, remarks=[self.missing() or ""])

    def to_frame(self) -> pd.DataFrame:
        """The list of films as a table: one row a film, the columns those of :class:`FilmEntry`."""
        import pandas as pd

        return pd.DataFrame([vars(entry) for entry in self.entries()], columns=[one.name for one in fields(FilmEntry)])

    @abstractmethod
    def missing(self) -> str | None:
        """None where the films are at hand; else one sentence that says how to have them."""

    @abstractmethod
    def entries(self) -> list[FilmEntry]:
        """All films, in a stable order; empty where the films are not at hand."""

    @abstractmethod
    def read(self, film_id: str) -> Radiograph:
        """Read one film.

        Raises:
            CollectionError: the collection has no such film, or its file is not at hand.
            FilmError: the file cannot be read.
        """

    @abstractmethod
    def annotations(self, film_id: str) -> list[Annotation]:
        """What readers outlined on the film, in the film's own pixels; empty where nobody did."""

    def further_readings(self, film_id: str) -> list[Annotation]:
        """What readers of other collections outlined on the same film; never part of :meth:`annotations`.

        Raises:
            CollectionError: the collection has no such film, or its file is not at hand.
        """
        return []

    def entry(self, film_id: str) -> FilmEntry:
        """The list's line for one film.

        Raises:
            CollectionError: the collection has no such film.
        """
        for entry in self.entries():
            if entry.film_id == film_id:
                return entry
        raise CollectionError(f"the collection {self.name} has no film {film_id!r}")
