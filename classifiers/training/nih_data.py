"""NIH ChestX-ray14 films for training: the patient split, and films, labels and boxes as arrays in memory.

Wang et al. 2017 (arXiv 1705.02315). The data folder is laid out as ``docs/training.md`` says.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from radiographs.annotation_readers import bundled_table, read_nih_boxes
from radiographs.findings import NIH_FINDINGS

FINDINGS = NIH_FINDINGS
BOXED_FINDINGS = (
    "Atelectasis",
    "Cardiomegaly",
    "Effusion",
    "Infiltration",
    "Mass",
    "Nodule",
    "Pneumonia",
    "Pneumothorax",
)
SPLIT_SEED = 20170705
LARGE = 256
"""Side in pixels at which films larger than 128 pixels are kept in memory."""


@dataclass(frozen=True)
class FilmSet:
    """Films of one side length with their labels.

    Attributes:
        films: (N, S, S) uint8 grey levels.
        labels: (N, 14) float32, 1 where the text-mined report names the finding.
        patients: (N,) int64 patient numbers of the public release.
        images: the N file names of the public release.
    """

    films: np.ndarray
    labels: np.ndarray
    patients: np.ndarray
    images: list[str]

    def take(self, chosen: np.ndarray) -> FilmSet:
        """Return the films at the indices (or True places of a mask) ``chosen``."""
        index = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
        return FilmSet(self.films[index], self.labels[index], self.patients[index], [self.images[i] for i in index])


@dataclass(frozen=True)
class BoxSet:
    """Films with radiologists' boxes: ``boxes`` has film (row of ``films``), finding, x0, y0, x1, y1 in [0, 1]."""

    films: FilmSet
    boxes: pd.DataFrame


def labels_of(findings: pd.Series) -> np.ndarray:
    """Turn ``|``-separated finding names into an (N, 14) float32 matrix."""
    sets = [set(text.split("|")) for text in findings]
    return np.array([[float(f in names) for f in FINDINGS] for names in sets], dtype=np.float32)


def make_split(data: Path) -> pd.DataFrame:
    """Draw the patient split: columns patient_id, part (labels, boxes or sharp), split (train, val, test).

    Patients with text-mined labels only go 83 : 5 : 12 to train, val and test; patients with radiologists' boxes
    2 : 1 to train and test. The published box list has more films; their patients are test patients too. Patients
    who are in the archive ``nih_512`` only (part sharp) go 70 : 5 : 25 by the digest of their number, so that more
    such patients change no other's side.
    """
    rng = np.random.default_rng(SPLIT_SEED)
    rows = []
    labelled = np.sort(pd.read_csv(data / "nih_train" / "films.csv").patient_id.unique())
    draw = rng.random(len(labelled))
    rows += [(p, "labels", "test" if d < 0.12 else "val" if d < 0.17 else "train") for p, d in zip(labelled, draw)]
    boxed = np.sort(pd.read_csv(data / "nih_boxes" / "films.csv").patient_id.unique())
    draw = rng.random(len(boxed))
    rows += [(p, "boxes", "test" if d < 1 / 3 else "train") for p, d in zip(boxed, draw)]
    sharp = data / "nih_512" / "films.csv"
    if sharp.is_file():
        known = {int(row[0]) for row in rows}
        new = sorted(set(pd.read_csv(sharp).patient_id.astype(int)) - known)
        rows += [(p, "sharp", side_by_digest(p)) for p in new]
    return pd.DataFrame(rows, columns=["patient_id", "part", "split"])


def side_by_digest(patient: int) -> str:
    """The side of the split of a patient met after the first drawing: test, val or train, 25 : 5 : 70."""
    if patient in _published_boxed_patients():
        return "test"
    share = int.from_bytes(hashlib.sha256(f"nih-{patient}".encode()).digest()[:8], "big") / 2**64
    return "test" if share < 0.25 else "val" if share < 0.3 else "train"


@cache
def _published_boxed_patients() -> frozenset[int]:
    """Patients of NIH's list of boxes, all 880 films."""
    return frozenset(int(name.split("_")[0]) for name in read_nih_boxes(bundled_table("nih-boxes")).images())


def decode(raw: bytes, side: int) -> np.ndarray:
    """A film's file as (side, side) uint8 grey levels."""
    with Image.open(io.BytesIO(raw)) as image:
        grey = image.convert("L")
        if grey.size != (side, side):
            grey = grey.resize(
                (side, side), Image.Resampling.BOX if grey.size[0] % side == 0 else Image.Resampling.LANCZOS
            )
        return np.asarray(grey, dtype=np.uint8)


def read_labelled(data: Path) -> dict[int, FilmSet]:
    """Read the films with text-mined labels: {128: films_128, 256: films_384 reduced to 256}."""
    table = pd.read_csv(data / "nih_train" / "films.csv")
    sets = {}
    for archive, side in (("films_128.zip", 128), ("films_384.zip", LARGE)):
        part = table[table.archive == archive].reset_index(drop=True)
        with zipfile.ZipFile(data / "nih_train" / archive) as opened:
            films = np.stack([decode(opened.read(name), side) for name in part.image])
        sets[side] = FilmSet(films, labels_of(part.findings), part.patient_id.to_numpy(np.int64), part.image.tolist())
    return sets


def read_boxed(data: Path) -> BoxSet:
    """Read the films with radiologists' boxes, reduced to 256 pixels, and the boxes as fractions of the film."""
    folder = data / "nih_boxes"
    table = pd.read_csv(folder / "films.csv")
    films = np.stack([decode((folder / "images" / name).read_bytes(), LARGE) for name in table.image])
    read = FilmSet(films, labels_of(table.findings), table.patient_id.to_numpy(np.int64), table.image.tolist())
    raw = pd.read_csv(folder / "boxes.csv")
    row_of = {name: i for i, name in enumerate(read.images)}
    boxes = pd.DataFrame(
        {
            "film": raw.image.map(row_of),
            "finding": raw.finding,
            "x0": raw.x / 512,
            "y0": raw.y / 512,
            "x1": (raw.x + raw.width) / 512,
            "y1": (raw.y + raw.height) / 512,
        }
    )
    return BoxSet(read, boxes)
