"""Measure the film check on films that it was not trained on: see ``--help``."""

from __future__ import annotations

import argparse
import csv
import json
import sys
import zipfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import stats

from classifiers.cards import load_card
from classifiers.chest_classifier import ModelCard
from classifiers.film_check import FilmCheck, doubts_of, load_check, look_at
from classifiers.film_check_network import QUESTIONS, hung
from classifiers.picture_quality import CODES as QUALITY_CODES
from classifiers.shipped import models_folder
from classifiers.training.film_check_data import CHILD, HungFilms, cropping, folded, read
from classifiers.training.foreign_images import cut, drawn_by_matplotlib, pictures
from radiographs import Radiograph
from radiographs.collections.adult_dicom import AdultDicom
from radiographs.reading import read_radiograph

SEED = 20261128
MOST = 60
"""Films of one kind that are turned, inverted and so on, where there are more."""
THIRD = 3
"""Of NIH's further test films every third is looked at."""
CROPS = 4
"""Parts taken of each foreign picture."""
HANGS = {"turned 90": 2, "turned 180": 4, "turned 270": 6, "upside down": 5, "mirrored": 1}


def share(count: int, number: int) -> dict[str, Any]:
    """A share with its 95 % interval (Wilson 1927, JASA 22:209)."""
    interval = stats.binomtest(count, number).proportion_ci(method="wilson")
    figures = {"share": count / number, "low": interval.low, "high": interval.high}
    return {"flagged": count, "of": number} | {name: round(float(value), 4) for name, value in figures.items()}


class DoubtCounts:
    """Doubts of many films under one model, by kind of film."""

    def __init__(self, check: FilmCheck, card: ModelCard) -> None:
        self.check, self.card = check, card

    def codes(self, pixels: np.ndarray) -> set[str]:
        """Codes of the network's doubts about one film, from its pixels alone."""
        film = Radiograph(np.ascontiguousarray(pixels, dtype=np.float32))
        return {note.code for note in doubts_of(film, self.card, check=self.check)} - {*QUALITY_CODES}

    def flagged(self, films: Iterable[np.ndarray], code: str) -> dict[str, Any]:
        """How many films are flagged with a code, and how many with any."""
        found = [self.codes(film) for film in films]
        right, anyhow = sum(code in codes for codes in found), sum(map(bool, found))
        return share(right, len(found)) | {"with_any_code": anyhow}

    def false_alarms(self, films: Iterable[np.ndarray]) -> dict[str, Any]:
        """How many films that hang as they should are flagged, and with what."""
        found = [self.codes(film) for film in films]
        counts = Counter(code for codes in found for code in codes)
        return share(sum(map(bool, found)), len(found)) | {"codes": dict(counts)}

    def oddities(self, films: list[np.ndarray]) -> dict[str, Any]:
        """The films hung in other ways, inverted, cropped and folded."""
        rng = np.random.default_rng(SEED)
        figures = {}
        for name, way in HANGS.items():
            code = "mirrored" if way == 1 else "rotated"
            figures[name] = self.flagged((_hung(film, way) for film in films), code)
        figures["inverted"] = self.flagged((1 - film for film in films), "inverted")
        figures["cropped"] = self.flagged((_cropped(film, rng) for film in films), "cropped")
        figures["folded"] = self.flagged((_folded(film, rng) for film in films), "lateral")
        return figures


def _hung(film: np.ndarray, way: int) -> np.ndarray:
    return hung(torch.from_numpy(np.ascontiguousarray(film)), way).numpy()


def _cropped(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    wanted = 0.0
    while wanted != 1.0:
        window, wanted = cropping(rng)
    top, left, height, width = (round(part * side) for part, side in zip(window, film.shape * 2))
    return film[top : top + height, left : left + width]


def _folded(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    half = folded((film * 255).astype(np.uint8), rng) / np.float32(255)
    return half[:, ::-1] if rng.random() < 0.5 else half


def foreign(measured: DoubtCounts) -> dict[str, Any]:
    """Pictures that are no films, whole and in parts, of sources that were not trained on."""
    rng = np.random.default_rng(SEED)
    whole = list(pictures("test").values())
    parts = [cut(picture, rng, 256) for picture in whole for _ in range(CROPS)]
    return {
        "pictures": measured.flagged(whole, "not-a-chest-film"),
        "parts of pictures": measured.flagged(parts, "not-a-chest-film"),
        "plots and pages": measured.flagged(drawn_by_matplotlib(100), "not-a-chest-film"),
    }


def _stored(data: Path, films: HungFilms, chosen: np.ndarray) -> list[np.ndarray]:
    """Films of NIH's list of boxes as they lie in the data folder, in [0, 1]."""
    names = films.table.film[chosen]
    return [read_radiograph(data / "nih_boxes" / "images" / f"{name}.jpg").pixels for name in names]


def _archived(path: Path) -> list[np.ndarray]:
    with zipfile.ZipFile(path) as archive:
        return [read_radiograph(archive.read(name)).pixels for name in sorted(archive.namelist()) if "." in name]


def measure(check: FilmCheck, data: Path, films: HungFilms) -> dict[str, Any]:
    """All figures, by code and kind of film: films of patients on the test side, or from a place never trained on."""
    adults, children = (
        DoubtCounts(check, load_card(models_folder() / f"{name}.json")[0]) for name in ("nih14", "known-truth")
    )
    table = films.table
    tested = (table.part == "test").to_numpy()
    boxed = _stored(data, films, tested & (table.source == "nih-boxes").to_numpy())
    hannover = _archived(data / "hannover" / "films.zip")
    young = tested & (table.source == "paediatric").to_numpy()
    shown = [films.small[i] / np.float32(255) for i in np.flatnonzero(young)[:MOST]]
    wide = tested & (table.source == "nih").to_numpy() & (table.age >= 18).to_numpy()
    others = [films.small[i] / np.float32(255) for i in np.flatnonzero(wide)[::THIRD]]
    figures: dict[str, Any] = {
        "false alarms": {
            "nih-boxes": adults.false_alarms(boxed),
            "nih, 128 pixels": adults.false_alarms(others),
            "hannover": adults.false_alarms(hannover),
            "paediatric": children.false_alarms(shown),
        },
        "nih-boxes": adults.oddities(boxed),
        "hannover": adults.oddities(hannover[::2]),
        "paediatric": children.oddities(shown),
        "foreign": foreign(adults),
        "age": {
            "children, model for adults": adults.flagged(shown, "age"),
            "NIH's children to 10 years, model for adults": adults.flagged(_young(films, tested), "age"),
            "adults, model for children": children.flagged(boxed, "age"),
        },
        "auroc": aurocs(check, films, tested),
    }
    collection = AdultDicom()
    if collection.missing() is None:
        figures["adult-dicom"] = sorted(adults.codes(collection.read("RG1").pixels))
    figures["hannover"]["projection, AUROC"] = _projection(check, data, hannover)
    return figures


def _young(films: HungFilms, tested: np.ndarray) -> list[np.ndarray]:
    young = tested & films.table.source.isin(["nih", "nih-boxes"]).to_numpy() & (films.table.age <= CHILD).to_numpy()
    return [films.small[i] / np.float32(255) for i in np.flatnonzero(young)]


def aurocs(check: FilmCheck, films: HungFilms, tested: np.ndarray) -> dict[str, Any]:
    """AUROC of child and of AP over NIH's test films, whose ages and views are published."""
    chosen = tested & films.table.source.isin(["nih", "nih-boxes"]).to_numpy()
    chosen &= (np.arange(len(chosen)) % THIRD == 0) | (films.table.age <= CHILD).to_numpy()
    nih = films.take(chosen)
    looks = [look_at(Radiograph(film / np.float32(255)), check).answers for film in nih.small]
    truths = {"ap": nih.table.view == "AP", "child": nih.table.age <= CHILD}
    return {
        name: {"auroc": round(_auroc([look[name] for look in looks], truth.to_numpy()), 4), "films": len(looks),
               "positives": int(truth.sum())}
        for name, truth in truths.items() if name in QUESTIONS
    }  # fmt: skip


def _projection(check: FilmCheck, data: Path, films: list[np.ndarray]) -> float:
    with (data / "hannover" / "films.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["film"]: row["projection"].lower() for row in csv.DictReader(file)}
    names = sorted(rows)
    looks = [look_at(Radiograph(film), check).answers["ap"] for film in films]
    return round(_auroc(looks, np.array([rows[name] == "ap" for name in names])), 4)


def _auroc(values: list[float], truth: np.ndarray) -> float:
    given = np.asarray(values)
    found = stats.mannwhitneyu(given[truth], given[~truth])
    return float(found.statistic / (truth.sum() * (~truth).sum()))


def main() -> None:
    """Print the figures of the shipped film check as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder that XAI_LIGHTBOX_DATA points at, too")
    parser.add_argument("--cache", type=Path, required=True, help="a folder for decoded films")
    arguments = parser.parse_args()
    figures = measure(load_check(), arguments.data, read(arguments.data, arguments.cache))
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
