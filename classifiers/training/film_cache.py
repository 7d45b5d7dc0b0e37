"""All NIH films of the data folder as arrays, each film once and as sharp as it is at hand, decoded once.

Decoding takes minutes and an epoch should take none of them: the arrays lie in a cache folder between runs.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from classifiers.training.nih_data import FilmSet, decode, labels_of
from radiographs.files import replacing

SOFT, SHARP = 128, 320
"""Sides in pixels at which films are kept: those published at 128 pixels, and all larger ones."""
ARCHIVES = (
    ("nih_boxes", "images", SHARP),
    ("nih_512", "films_512.zip", SHARP),
    ("nih_train", "films_384.zip", SHARP),
    ("nih_train", "films_128.zip", SOFT),
)
"""Folder, archive and side at which its films are kept, the sharpest first."""


def read_films(data: Path, cache: Path) -> dict[int, FilmSet]:
    """Read ``nih_boxes``, ``nih_512`` and ``nih_train``: {128: soft films, 320: sharp films}.

    A film that lies in several archives is taken from the sharpest. Labels are the text-mined ones.

    Args:
        data: folder as ``docs/training.md`` says. cache: folder for the decoded films; made where it is not there.
    """
    taken: set[str] = set()
    sets: dict[int, list[FilmSet]] = {SOFT: [], SHARP: []}
    for folder, archive, side in ARCHIVES:
        if not (data / folder / archive).exists():
            continue
        table = pd.read_csv(data / folder / "films.csv")
        if "archive" in table:
            table = table[table.archive == archive]
        table = table.assign(image=[Path(name).stem for name in table.image])
        table = table[~table.image.isin(taken)].drop_duplicates("image").reset_index(drop=True)
        taken |= set(table.image)
        films = _decoded(data / folder / archive, table.image.tolist(), side, cache)
        patients = table.patient_id.to_numpy(np.int64)
        sets[side].append(FilmSet(films, labels_of(table.findings), patients, table.image.tolist()))
    return {side: _joined(parts) for side, parts in sets.items()}


def read_named(data: Path, names: Collection[str]) -> dict[str, tuple[int, bytes]]:
    """The patient and the sharpest file of each named film that is at hand."""
    found: dict[str, tuple[int, bytes]] = {}
    for folder, archive, _ in ARCHIVES:
        if not (data / folder / archive).exists():
            continue
        table = pd.read_csv(data / folder / "films.csv")
        with _opened(data / folder / archive) as read:
            for row in table[table.archive == archive].itertuples() if "archive" in table else table.itertuples():
                name = Path(row.image).stem
                if name in names and name not in found:
                    found[name] = int(row.patient_id), read(f"{name}.jpg")
    return found


def _joined(parts: list[FilmSet]) -> FilmSet:
    return FilmSet(
        np.concatenate([p.films for p in parts]),
        np.concatenate([p.labels for p in parts]),
        np.concatenate([p.patients for p in parts]),
        [name for p in parts for name in p.images],
    )


def _decoded(archive: Path, names: list[str], side: int, cache: Path) -> np.ndarray:
    """(N, side, side) uint8 of the named films of a folder or zip file, from ``cache`` where they lie there."""
    key = hashlib.sha256("\n".join([archive.name, str(side), *names]).encode()).hexdigest()[:16]
    path = cache / f"{archive.stem}-{side}-{key}.npy"
    if not path.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        with _opened(archive) as read:
            films = np.stack([decode(read(f"{name}.jpg"), side) for name in names])
        with replacing(path) as fresh, fresh.open("wb") as file:
            np.save(file, films)
    return np.load(path, mmap_mode="r")


@contextmanager
def _opened(archive: Path) -> Iterator[Callable[[str], bytes]]:
    """A function from a file's name to its bytes."""
    if archive.is_dir():
        yield lambda name: (archive / name).read_bytes()
        return
    with zipfile.ZipFile(archive) as opened:
        yield opened.read
