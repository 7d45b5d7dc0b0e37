"""Digests of the shipped models' training films: ``python -m classifiers.training.digest_films --help``.

Without ``--measure`` it writes ``assets/training_films``; with it, it says how many re-saved training films are
recognised, and how many films of other patients are taken for one, by bits and by the distance allowed.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from classifiers.training.film_cache import read_films
from classifiers.training_films import NEAR, SPLITS
from radiographs.errors import FilmError
from radiographs.perceptual_digest import FREQUENCIES, perceptual_digest, uncropped_digests
from radiographs.places import asset
from radiographs.planting import load, normal_films
from radiographs.reading import read_radiograph

SIDES = (8, 11, FREQUENCIES)
"""Frequencies a side that are measured: 63, 120 and 255 bits."""
Greys = np.ndarray
Digested = tuple[np.ndarray, np.ndarray]
"""Digests (N, WORDS) and the side of the split that each film is on (N,)."""


def nih_films(data: Path, cache: Path) -> Iterator[tuple[Greys, str]]:
    """All NIH films of the data folder, decoded (see ``film_cache``), with their side of the split."""
    table = pd.read_csv(asset("splits", "nih.csv"))
    sides = dict(zip(table.patient_id, table.split))
    for films in read_films(data, cache).values():
        for grey, patient in zip(films.films, films.patients):
            yield grey, str(sides.get(int(patient), "test"))


def children(every: int = 1) -> Iterator[tuple[Greys, str]]:
    """The normal films of children, or every so many of them, with their side of the split."""
    for film in normal_films()[::every]:
        yield np.round(load(film).pixels * 255).astype(np.uint8), film.part


def resaved() -> dict[str, Callable[[Greys], Greys]]:
    """Ways in which a film is saved anew: from (H, W) uint8 to what a reader makes of the new file."""
    ways: dict[str, Callable[[Greys], Greys]] = {
        "JPEG of quality 60": lambda grey: _jpeg(grey, 60),
        "512 pixels": lambda grey: _resized(grey, 512),
        "256 pixels": lambda grey: _resized(grey, 256),
        "2 % cropped all round": lambda grey: _cropped(grey, 0.02),
        "2 % cropped at a corner": lambda grey: grey[round(0.02 * len(grey)) :, : -round(0.02 * grey.shape[1])],
        "window of 5 to 95 %": lambda grey: _windowed(grey, 0.05, 0.95),
        "gamma 1.2": lambda grey: _windowed(grey, 0, 1, 1.2),
        "DICOM of 12 bits": _through_dicom,
    }
    both = ("2 % cropped all round", "window of 5 to 95 %", "256 pixels", "JPEG of quality 60")
    return ways | {"cropped, windowed, 256 pixels, JPEG": lambda grey: _in_turn(grey, [ways[name] for name in both])}


def _in_turn(grey: Greys, ways: Sequence[Callable[[Greys], Greys]]) -> Greys:
    for way in ways:
        grey = way(grey)
    return grey


def _jpeg(grey: Greys, quality: int) -> Greys:
    file = io.BytesIO()
    Image.fromarray(grey).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def _resized(grey: Greys, side: int) -> Greys:
    return np.asarray(Image.fromarray(grey).resize((side, side), Image.Resampling.BICUBIC))


def _cropped(grey: Greys, share: float) -> Greys:
    rows, columns = (round(share * side) for side in grey.shape)
    return grey[rows:-rows, columns:-columns]


def _windowed(grey: Greys, low: float, high: float, gamma: float = 1.0) -> Greys:
    return np.round(255 * np.clip((grey / 255 - low) / (high - low), 0, 1) ** gamma).astype(np.uint8)


def _through_dicom(grey: Greys) -> Greys:
    """Written as a MONOCHROME1 film of 12 bits, and read."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPInstanceUID = ExplicitVRLittleEndian, generate_uid()
    meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    film = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    film.SOPClassUID, film.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    film.Modality, film.PhotometricInterpretation, film.SamplesPerPixel = "DX", "MONOCHROME1", 1
    film.Rows, film.Columns = grey.shape
    film.BitsAllocated, film.BitsStored, film.HighBit, film.PixelRepresentation = 16, 12, 11, 0
    film.PixelData = (4095 - np.round(grey * (4095 / 255))).astype("<u2").tobytes()
    file = io.BytesIO()
    film.save_as(file)
    return np.round(read_radiograph(file.getvalue()).pixels * 255).astype(np.uint8)


def digested(films: Iterator[tuple[Greys, str]]) -> Digested:
    """The digests of films as they are, with their sides."""
    found = [(perceptual_digest(grey), side) for grey, side in films]
    return np.stack([one for one, _ in found]), np.array([side for _, side in found])


def _mask(side: int) -> np.ndarray:
    """The bits of a digest that frequencies below ``side`` hold: (WORDS,) uint64."""
    bits = np.zeros((FREQUENCIES, FREQUENCIES), dtype=bool)
    bits[:side, :side] = True
    return np.packbits(bits).view(np.uint64)


def nearest(grey: Greys, known: np.ndarray) -> list[int]:
    """Bits between a film, as it is or uncropped, and the nearest of ``known`` (N, WORDS): one for each of SIDES."""
    differing = [one ^ known for one in uncropped_digests(grey)]
    return [min(int(np.bitwise_count(d & _mask(s)).sum(axis=1).min()) for d in differing) for s in SIDES]


def measure(name: str, films: list[tuple[Greys, str]], side: str, most: int, rng: np.random.Generator) -> None:
    """Print how near films of one side come to the training films, and re-saved training films to themselves.

    Args:
        name: of the films. films: all. side: "val" to choose by, "test" to report by. most: films re-saved.
    """
    digests, sides = digested(iter(films))
    known = digests[sides != "test"] if side == "test" else digests[sides == "train"]
    others = np.array([nearest(films[i][0], known) for i in np.flatnonzero(sides == side)])
    _print_distances(f"{name}: {len(others)} {side} films beside the nearest of {len(known)}", others, far=True)
    own = np.flatnonzero(sides == ("train" if side == "test" else side))
    own = rng.choice(own, min(most, len(own)), replace=False)
    for words, way in resaved().items():
        found = np.array([nearest(way(films[i][0]), digests[i : i + 1]) for i in own])
        _print_distances(f"{name}: {len(own)} films, {words}, beside themselves", found, far=False)


def strangers(place: Path) -> Iterator[Greys]:
    """The films of a folder or a zip file, as they are read; what is no film is passed over."""
    if place.is_dir():
        contents = (path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file())
    else:
        opened = zipfile.ZipFile(place)
        contents = (opened.read(name) for name in opened.namelist())
    for content in contents:
        with contextlib.suppress(FilmError):
            yield np.round(read_radiograph(content).pixels * 255).astype(np.uint8)


def _print_distances(words: str, found: np.ndarray, far: bool) -> None:
    parts = []
    for place, side in enumerate(SIDES):
        column = found[:, place]
        end = f"nearest {column.min()}, 0.1 % below {np.quantile(column, 0.001):.0f}" if far else ""
        parts.append(
            f"{side * side - 1} bits: {end or f'98 % within {np.quantile(column, 0.98):.0f}, all {column.max()}'}"
        )
    last = found[:, -1] <= NEAR
    sys.stdout.write(f"{words}: {'; '.join(parts)}; within {NEAR}: {100 * last.mean():.1f} %\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Write the digests, or measure them."""
    parser = argparse.ArgumentParser(prog="python -m classifiers.training.digest_films", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder as docs/training.md says")
    parser.add_argument("--cache", type=Path, required=True, help="folder for decoded films")
    parser.add_argument("--measure", choices=("val", "test"), help="measure on films of this side; writes nothing")
    parser.add_argument("--films", type=int, default=400, help="films that are re-saved in each way (default 400)")
    parser.add_argument("--strangers", type=Path, help="a folder or zip file of films from elsewhere to measure on")
    given = parser.parse_args(argv)
    if given.strangers is not None:
        for name in SPLITS["known_truth"]:
            known = np.load(asset("training_films", f"{name}.npy"))
            found = np.array([nearest(grey, known) for grey in strangers(given.strangers)])
            _print_distances(
                f"{given.strangers.name}: {len(found)} films beside the nearest of {name}", found, far=True
            )
        return 0
    for name, films in (("nih", nih_films(given.data, given.cache)), ("known_truth", children())):
        if given.measure:
            measure(name, list(films), given.measure, given.films, np.random.default_rng(0))
            continue
        digests, sides = digested(films)
        path = asset("training_films", f"{name}.npy")
        path.parent.mkdir(exist_ok=True)
        np.save(path, np.unique(digests[sides != "test"], axis=0).astype("<u8"))
        sys.stdout.write(f"{path}: {(sides != 'test').sum()} films, {path.stat().st_size} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
