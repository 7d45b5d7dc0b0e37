"""The adult chest film, as DICOM, that the ``pydicom-data`` package carries."""

from __future__ import annotations

from radiographs.annotation import Annotation
from radiographs.collection import Collection, CollectionCard, FilmEntry
from radiographs.collections.wheels import wheel_path
from radiographs.errors import CollectionError
from radiographs.radiograph import Radiograph
from radiographs.reading import read_radiograph
from radiographs.registry import register

_DISTRIBUTION = "pydicom-data"
_FILES = {"RG1": "data_store/data/RG1_UNCR.dcm"}


@register
class AdultDicom(Collection):
    """One adult frontal film with several round masses, 1955x1841, 15 bits; nobody outlined them."""

    name = "adult-dicom"
    order = 30
    card = CollectionCard(
        title="Adult chest DICOM",
        summary="One frontal film of an adult with several round masses, as computed radiography stored it: "
        "1955x1841, 15 bits, MONOCHROME1.",
        annotators="Nobody outlined anything. That the film shows masses was seen by looking at it.",
        licence="MIT (pydicom-data)",
        citation="NEMA WG-04 compressed samples; distributed with pydicom-data by D. Mason and contributors.",
        url="https://github.com/pydicom/pydicom-data",
    )

    def missing(self) -> str | None:
        """None where the film is at hand; else one sentence that says how to have it."""
        if wheel_path(_DISTRIBUTION, _FILES["RG1"]) is not None:
            return None
        return "The adult DICOM comes with the package pydicom-data; install it with: pip install pydicom-data==1.0.0"

    def entries(self) -> list[FilmEntry]:
        """The one film; empty where the package is not installed."""
        if self.missing() is not None:
            return []
        return [FilmEntry(film_id="RG1", labels=("Mass",), patient="pydicom-RG1", view="PA", sex="F", part="test")]

    def read(self, film_id: str) -> Radiograph:
        """Read one film.

        Raises:
            CollectionError: the collection has no such film, or the package is not installed.
            FilmError: the file cannot be read.
        """
        if film_id not in _FILES:
            raise CollectionError(f"the collection {self.name} has no film {film_id!r}")
        path = wheel_path(_DISTRIBUTION, _FILES[film_id])
        if path is None:
            raise CollectionError(str(self.missing()))
        return read_radiograph(path)

    def annotations(self, film_id: str) -> list[Annotation]:
        """Empty: nobody outlined anything on this film.

        Raises:
            CollectionError: the collection has no such film.
        """
        self.entry(film_id)
        return []
