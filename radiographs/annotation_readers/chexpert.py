"""CheXpert's label tables (Irvin et al., AAAI 2019), also the test split that lacks patient and view columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from radiographs.annotation_readers.rows import Row, read_rows
from radiographs.annotation_readers.table import film_key

CHEXPERT_LABELS = (
    "No Finding",
    "Enlarged Cardiomediastinum",
    "Cardiomegaly",
    "Lung Opacity",
    "Lung Lesion",
    "Edema",
    "Consolidation",
    "Pneumonia",
    "Atelectasis",
    "Pneumothorax",
    "Pleural Effusion",
    "Pleural Other",
    "Fracture",
    "Support Devices",
)
_ABOUT = ("Sex", "Age", "Frontal/Lateral", "AP/PA")
_COLUMNS: dict[str, tuple[str, ...]] = {
    **{name: (name,) for name in (*_ABOUT, *CHEXPERT_LABELS)},
    "Path": ("Path", "Study", "image"),
    "Lung Opacity": ("Lung Opacity", "Airspace Opacity"),
}


@dataclass(frozen=True)
class ChexpertFilm:
    """One line of a CheXpert table.

    Attributes:
        path: as the table gives it.
        image: the film's name in CheXlocalize, ``patient64741_study1_view1_frontal``.
        patient: CheXpert's public pseudonym, "patient64741"; empty where the path does not hold it.
        labels: CheXpert's finding -> 1 present, 0 absent, -1 uncertain; findings not mentioned are missing.
        view: "PA", "AP" or "LL" where the table or the path says so.
        sex, age: where the table says so.
    """

    path: str
    image: str
    patient: str
    labels: Mapping[str, float] = field(default_factory=dict)
    view: str | None = None
    sex: str | None = None
    age: int | None = None


def read_chexpert_labels(path: Path) -> list[ChexpertFilm]:
    """Read ``train.csv``, ``valid.csv`` or the test split's labels.

    Only ``Path`` is required. The test split lacks Sex, Age, Frontal/Lateral and AP/PA, and may lack labels; what the
    table does not say stays None or missing, and whether a film is lateral is read from its path.

    Raises:
        AnnotationError: a line or the file cannot be used.
    """
    rows = read_rows(path, _COLUMNS, optional=(*_ABOUT, *CHEXPERT_LABELS))
    return [_film(row) for row in rows]


def _film(row: Row) -> ChexpertFilm:
    from_folder = row.name("Path").replace("\\", "/").split("/")
    parts = [part for part in from_folder if part][-3:]
    patient = next((part for part in from_folder if part.startswith("patient")), "")
    image = "_".join((*parts[:-1], film_key(parts[-1]))) if patient else film_key(parts[-1])
    labels = {name: _label(row, name) for name in CHEXPERT_LABELS if row.text(name)}
    return ChexpertFilm(
        path=row.text("Path"),
        image=image,
        patient=patient.split("_")[0],
        labels=labels,
        view=_view(row, parts[-1]),
        sex=row.text("Sex") or None,
        age=int(row.number("Age")) if row.text("Age") else None,
    )


def _label(row: Row, name: str) -> float:
    value = row.number(name)
    if value not in (-1.0, 0.0, 1.0):
        raise row.fail(f"{name} should be 1, 0, -1 or empty, found {value:g}")
    return value


def _view(row: Row, file_name: str) -> str | None:
    side = row.text("Frontal/Lateral").lower()
    if side == "lateral" or (not side and "lateral" in file_name.lower()):
        return "LL"
    return row.text("AP/PA") if row.text("AP/PA") in ("AP", "PA") else None
