"""Measure the doubts about a picture's quality, and what poor pictures do to a model's answers: see ``--help``."""

from __future__ import annotations

import argparse
import io
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageFilter

from classifiers.chest_classifier import ChestClassifier
from classifiers.picture_quality import measure_quality
from classifiers.registry import load_classifier
from radiographs import Radiograph
from radiographs.collection import Collection
from radiographs.collections.chestx_det import ChestXDet
from radiographs.collections.nih_boxes import NihBoxes
from radiographs.collections.paediatric import PaediatricPneumonia
from radiographs.collections.radiologist_masks import RadiologistMasks
from radiographs.reading import read_radiograph

MODEL = "nih14-localised"
SEED = 20261130


def _levels(number: int) -> Callable[[Image.Image], Image.Image]:
    return lambda film: film.point(lambda grey: grey * number // 256 * 255 // (number - 1))


def _pixels(side: int) -> Callable[[Image.Image], Image.Image]:
    return lambda film: film.resize((side, side))


def _enlarged(side: int) -> Callable[[Image.Image], Image.Image]:
    return lambda film: film.resize((side, side)).resize(film.size, Image.Resampling.BILINEAR)


def _windowed(low: float, high: float) -> Callable[[Image.Image], Image.Image]:
    """The greys between two percentiles of the film stretched from black to white."""

    def change(film: Image.Image) -> Image.Image:
        darkest, brightest = np.percentile(np.asarray(film), [low, high])
        span = max(brightest - darkest, 1)
        return film.point(lambda grey: round(min(max((grey - darkest) / span, 0), 1) * 255))

    return change


def _blurred(radius: float) -> Callable[[Image.Image], Image.Image]:
    return lambda film: film.filter(ImageFilter.GaussianBlur(radius))


def _grainy(deviation: float) -> Callable[[Image.Image], Image.Image]:
    def change(film: Image.Image) -> Image.Image:
        grain = np.random.default_rng(SEED).normal(0, deviation, film.size[::-1])
        return Image.fromarray((np.asarray(film) + grain).clip(0, 255).astype(np.uint8))

    return change


def _compressed(quality: int) -> Callable[[Image.Image], Image.Image]:
    def change(film: Image.Image) -> Image.Image:
        file = io.BytesIO()
        film.save(file, "JPEG", quality=quality)
        return Image.open(file)

    return change


CHANGES: dict[str, tuple[str, Callable[[Image.Image], Image.Image]]] = {
    "64 pixels": ("few-pixels", _pixels(64)),
    "128 pixels": ("few-pixels", _pixels(128)),
    "black and white, dithered": ("few-grey-levels", lambda film: film.convert("1").convert("L")),
    "4 grey levels": ("few-grey-levels", _levels(4)),
    "8 grey levels": ("few-grey-levels", _levels(8)),
    "16 grey levels": ("few-grey-levels", _levels(16)),
    "32 grey levels": ("few-grey-levels", _levels(32)),
    "gamma 3": ("dark", lambda film: film.point(lambda grey: round(255 * (grey / 255) ** 3))),
    "gamma 1/3": ("", lambda film: film.point(lambda grey: round(255 * (grey / 255) ** (1 / 3)))),
    "a fifth as bright": ("low-contrast", lambda film: film.point(lambda grey: grey // 5)),
    "a quarter of the contrast": ("low-contrast", lambda film: film.point(lambda grey: 96 + grey // 4)),
    "window 5 to 95 %": ("clipped", _windowed(5, 95)),
    "window 20 to 80 %": ("clipped", _windowed(20, 80)),
    "window 35 to 65 %": ("clipped", _windowed(35, 65)),
    "JPEG, quality 20": ("compressed", _compressed(20)),
    "JPEG, quality 10": ("compressed", _compressed(10)),
    "JPEG, quality 3": ("compressed", _compressed(3)),
    "enlarged from 48 pixels": ("unsharp", _enlarged(48)),
    "blurred, 3 pixels": ("unsharp", _blurred(3)),
    "blurred, 6 pixels": ("unsharp", _blurred(6)),
    "noise, 20 of 256": ("noisy", _grainy(20)),
    "noise, 40 of 256": ("noisy", _grainy(40)),
    "sharpened threefold": ("", lambda film: film.filter(ImageFilter.UnsharpMask(8, 300, 0))),
}
"""By name: the doubt that is due ("" for what no doubt is made for), and what is done to a film of 8 bits."""


def as_film(picture: Image.Image) -> Radiograph:
    """The film that the reader makes of a grey picture."""
    file = io.BytesIO()
    picture.save(file, "PNG")
    return read_radiograph(file.getvalue())


def measure_changes(films: list[Radiograph], classifier: ChestClassifier) -> pd.DataFrame:
    """For each of :data:`CHANGES`: the doubt, share of films with it, and what became of the model's logits.

    ``shift`` is their mean change in standard deviations over the films, ``correlation`` that with the logits of the
    films as they were; both are means over findings.
    """
    before = np.stack([classifier.logits(film) for film in films])
    rows = []
    for name, (code, change) in CHANGES.items():
        changed = [as_film(change(Image.fromarray(np.rint(film.pixels * 255).astype(np.uint8)))) for film in films]
        after = np.stack([classifier.logits(film) for film in changed])
        codes = [{note.code for note in measure_quality(film.pixels).doubts} for film in changed]
        pairs = zip(before.T, after.T)
        rows.append(
            {
                "change": name,
                "doubt": code,
                "with it": float(np.mean([code in found for found in codes])),
                "with any": float(np.mean([bool(found) for found in codes])),
                "shift": float((np.abs(after - before) / before.std(0)).mean()),
                "correlation": float(np.mean([np.corrcoef(old, new)[0, 1] for old, new in pairs])),
            }
        )
    return pd.DataFrame(rows)


def false_alarms(data: Path) -> pd.DataFrame:
    """Doubts about films as they come, by where they come from."""
    sources = {collection.name: _all_of(collection) for collection in (NihBoxes(), ChestXDet(), RadiologistMasks())}
    sources["paediatric-pneumonia"] = _all_of(PaediatricPneumonia())
    for name, archive in {
        "NIH's of 128 pixels": data / "nih_train" / "films_128.zip",
        "hannover": data / "hannover" / "films.zip",
        "wingspan": data / "wingspan" / "films.zip",
    }.items():
        sources[name] = _archived(archive)
    rows = []
    for name, films in sources.items():
        found = [[note.code for note in measure_quality(film.pixels).doubts] for film in films]
        counts = Counter(code for codes in found for code in codes)
        rows.append({"films": name, "of": len(found), "doubted": sum(map(bool, found)), "by": dict(counts)})
    return pd.DataFrame(rows)


def _all_of(collection: Collection) -> Iterator[Radiograph]:
    return (collection.read(entry.film_id) for entry in collection.entries())


def _archived(path: Path) -> Iterator[Radiograph]:
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if name.lower().endswith((".jpg", ".jpeg", ".png")) and "mask" not in name.lower():
                yield read_radiograph(archive.read(name))


def main() -> None:
    """Print what poor pictures do to a model's answers, how many are doubted, and false alarms."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder that XAI_LIGHTBOX_DATA points at, too")
    arguments = parser.parse_args()
    boxes = NihBoxes()
    films = [boxes.read(entry.film_id) for entry in boxes.entries() if entry.part == "test"]
    tables = measure_changes(films, load_classifier(MODEL)), false_alarms(arguments.data)
    for table in tables:
        sys.stdout.write(table.to_string(index=False, float_format="{:.3f}".format) + "\n\n")


if __name__ == "__main__":
    main()
