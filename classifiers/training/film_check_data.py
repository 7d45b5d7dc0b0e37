"""Films for the film check's network, on their sides of the recorded splits, and batches of them hung in every way."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from PIL import Image

from classifiers.film_check_network import HANGS, QUESTIONS, SIDE, hung
from classifiers.training.anatomy_data import recorded_split
from classifiers.training.film_cache import read_films
from classifiers.training.foreign_images import cut, drawn, pictures
from radiographs.collections.paediatric import PaediatricPneumonia
from radiographs.collections.radiologist_masks import RadiologistMasks
from radiographs.places import asset
from radiographs.reading import read_radiograph

LARGE = 256
"""Side in pixels at which films are kept that are cut; the others are kept at ``SIDE``."""
CHILD, ADULT = 10, 18
"""Oldest child and youngest adult in years; of films in between the age is not asked."""
IGNORED = -1.0
"""Answer that does not count."""


@dataclass(frozen=True, eq=False)
class HungFilms:
    """Films, all hung as they should.

    Attributes:
        small: (N, 128, 128) uint8. large: (M, 256, 256) uint8. of_large: for each film, its row in ``large``, or -1.
        table: one row a film: source, film, patient, part (train, val, test), age in years or NaN, view or "".
    """

    small: np.ndarray
    large: np.ndarray
    of_large: np.ndarray
    table: pd.DataFrame

    def take(self, chosen: np.ndarray) -> HungFilms:
        """The films where ``chosen`` (N,) bool holds."""
        return HungFilms(
            self.small[chosen], self.large, self.of_large[chosen], self.table[chosen].reset_index(drop=True)
        )


def fitted(pixels: np.ndarray, side: int) -> np.ndarray:
    """A film (H, W) uint8 or in [0, 1], fitted to (side, side) uint8 without regard to its proportions."""
    if pixels.dtype != np.uint8:
        pixels = np.rint(pixels * 255).astype(np.uint8)
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BILINEAR))


def read(data: Path, cache: Path) -> HungFilms:
    """Read NIH's films, the children's, ``wingspan``'s and ``radiologist_masks``'s with the sides of their patients.

    Args:
        data: folder as ``docs/training.md`` says. cache: folder for decoded films.
    """
    rows, small = list[dict[str, object]](), list[np.ndarray]()
    large, of_large = list[np.ndarray](), list[int]()
    for row, pixels in (*_nih(data, cache), *_children(), *_wingspan(data), *_adults()):
        rows.append(row)
        small.append(fitted(pixels, SIDE))
        of_large.append(len(large) if min(pixels.shape) > SIDE else -1)
        if of_large[-1] >= 0:
            large.append(fitted(pixels, LARGE))
    return HungFilms(np.stack(small), np.stack(large), np.array(of_large), pd.DataFrame(rows))


def _row(
    source: str, film: str, patient: str, part: str, age: float = float("nan"), view: str = ""
) -> dict[str, object]:
    return {"source": source, "film": film, "patient": patient, "part": part, "age": age, "view": view}


def _nih(data: Path, cache: Path) -> Iterator[tuple[dict[str, object], np.ndarray]]:
    """A patient with any entry that is not for training is not trained on, whatever the other entries say."""
    split = pd.read_csv(asset("splits", "nih.csv"))
    parts: dict[int, str] = {}
    for part in ("train", "val", "test"):
        parts |= dict.fromkeys(split[split.split == part].patient_id.astype(int), part)
    tables = [pd.read_csv(data / folder / "films.csv") for folder in ("nih_train", "nih_512", "nih_boxes")]
    facts = {Path(r.image).stem: (float(r.age), str(r.view)) for table in tables for r in table.itertuples()}
    boxed = {Path(name).stem for name in tables[-1].image}
    for films in read_films(data, cache).values():
        for pixels, patient, image in zip(films.films, films.patients, films.images):
            source = "nih-boxes" if image in boxed else "nih"
            yield _row(source, image, f"nih-{patient}", parts.get(int(patient), "test"), *facts[image]), pixels


def _children() -> Iterator[tuple[dict[str, object], np.ndarray]]:
    collection = PaediatricPneumonia()
    outlined = recorded_split()
    held_out = {e.patient for e in collection.entries() if outlined.get(("paediatric", e.film_id)) == "test"}
    for entry in collection.entries():
        part = "test" if entry.patient in held_out else str(entry.part)
        pixels = collection.read(entry.film_id).pixels
        yield _row("paediatric", entry.film_id, entry.patient, part, 3.0), pixels


def _wingspan(data: Path) -> Iterator[tuple[dict[str, object], np.ndarray]]:
    parts = recorded_split()
    with zipfile.ZipFile(data / "wingspan" / "films.zip") as archive:
        for name in sorted(n for n in archive.namelist() if n.startswith("images/") and n.endswith(".jpg")):
            film = Path(name).stem
            pixels = read_radiograph(archive.read(name)).pixels
            yield _row("wingspan", film, f"wingspan-{film}", parts.get(("wingspan", film), "test"), 40.0), pixels


def _adults() -> Iterator[tuple[dict[str, object], np.ndarray]]:
    collection, parts = RadiologistMasks(), recorded_split()
    for entry in collection.entries():
        part = parts.get(("radiologist-masks", entry.film_id), "test")
        row = _row("radiologist-masks", entry.film_id, entry.patient, part, 50.0, entry.view or "")
        yield row, collection.read(entry.film_id).pixels


def folded(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What stands in for a lateral film: a frontal one (S, S) folded at its midline, both lungs over each other.

    The spine lies at one edge and one lung field fills the middle, as on a film from the side; the shoulder's and the
    breast's soft tissue is squeezed to the other edge.
    """
    side = film.shape[1]
    middle = side // 2 + int(rng.integers(-side // 16, side // 16 + 1))
    share = rng.uniform(0.3, 0.7)
    halves = [Image.fromarray(np.ascontiguousarray(h)) for h in (film[:, :middle][:, ::-1], film[:, middle:])]
    wide = int(side * rng.uniform(0.75, 1.0))
    first, second = (np.asarray(h.resize((wide, side), Image.Resampling.BILINEAR), dtype=np.float32) for h in halves)
    joint = share * first + (1 - share) * second
    spine = np.exp(-(((np.arange(wide) - wide * rng.uniform(0.02, 0.2)) / (wide * 0.09)) ** 2))
    joint = joint + (255 - joint) * spine * rng.uniform(0, 0.5)
    left = int(rng.integers(0, side - wide + 1))
    return np.pad(joint, ((0, 0), (left, side - wide - left))).astype(np.uint8)


@dataclass(frozen=True)
class FilmCheckMix:
    """How many films of each kind a batch has."""

    adults: int = 34
    young: int = 3
    children: int = 9
    others: int = 4
    lateral: int = 4
    foreign: int = 10


class FilmCheckBatches:
    """Batches of films hung, inverted and cut at random, of folded ones and foreign pictures; the same for a step."""

    def __init__(self, films: HungFilms, seed: int, mix: FilmCheckMix | None = None) -> None:
        self.films, self.seed, self.mix = films, seed, mix or FilmCheckMix()
        source, age = films.table.source, films.table.age
        nih = source.isin(["nih", "nih-boxes"])
        self.of = {
            "adults": np.flatnonzero(nih & (age > CHILD)),
            "young": np.flatnonzero(nih & (age <= CHILD)),
            "children": np.flatnonzero(source == "paediatric"),
            "others": np.flatnonzero(source.isin(["wingspan", "radiologist-masks"])),
        }
        self.pictures = list(pictures("train").values())

    def batch(self, step: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Films (N, 1, 128, 128) in [0, 1], how they hang (N,), -1 where it does not count, and answers (N, 6)."""
        rng = np.random.default_rng([self.seed, step])
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + step)
        made = [
            self._film(int(i), rng) for kind, of in self.of.items() for i in rng.choice(of, getattr(self.mix, kind))
        ]
        made += [self._lateral(rng) for _ in range(self.mix.lateral)]
        made += [self._foreign(rng) for _ in range(self.mix.foreign)]
        films = torch.from_numpy(np.stack([film for film, _, _ in made]))[:, None]
        hangs = torch.tensor([way for _, way, _ in made])
        answers = torch.tensor([[told.get(name, IGNORED) for name in QUESTIONS] for _, _, told in made])
        films = disturbed(films, generator)
        turned = torch.stack([hung(film, max(int(way), 0)) for film, way in zip(films, hangs)])
        inverted = answers[:, QUESTIONS.index("inverted")] == 1
        turned[inverted] = 1 - turned[inverted]
        return turned, hangs, answers

    def _film(self, index: int, rng: np.random.Generator) -> tuple[np.ndarray, int, dict[str, float]]:
        row, large = self.films.table.iloc[index], self.films.of_large[index]
        told = {"chest": 1.0, "lateral": 0.0, "inverted": float(rng.random() < 0.2)}
        age, view = float(row.age), row.view
        told["child"] = 1.0 if age <= CHILD else 0.0 if age >= ADULT else IGNORED
        if row.source != "paediatric" and view in ("PA", "AP"):
            told["ap"] = float(view == "AP")
        way = int(rng.integers(HANGS)) if rng.random() < 0.75 else 0
        if large >= 0 and rng.random() < 0.25:
            window, told["cropped"] = cropping(rng)
            if window[2:].min() < 0.45:
                way, told["chest"], told["child"], told["ap"] = -1, IGNORED, IGNORED, IGNORED
            return _windowed(self.films.large[large], window, rng), way, told
        told["cropped"] = 0.0
        shape = rng.uniform(0.9, 1.18) * np.exp(rng.normal(0, [0.06, 0.06]))
        window = np.concatenate([0.5 - shape / 2 + rng.uniform(-0.04, 0.04, 2), shape])
        return _windowed(self.films.small[index], window, rng, rng.uniform(-7, 7)), way, told

    def _lateral(self, rng: np.random.Generator) -> tuple[np.ndarray, int, dict[str, float]]:
        kinds = np.concatenate([self.of["adults"], self.of["children"]])
        film = folded(self.films.small[rng.choice(kinds)], rng)
        if rng.random() < 0.5:
            film = film[:, ::-1]
        window = np.array([-0.03, -0.03, 1.06, 1.06])
        return _windowed(film, window, rng), -1, {"chest": IGNORED, "lateral": 1.0, "inverted": IGNORED}

    def _foreign(self, rng: np.random.Generator) -> tuple[np.ndarray, int, dict[str, float]]:
        kind = rng.random()
        if kind < 0.6:
            film = cut(self.pictures[int(rng.integers(len(self.pictures)))], rng, SIDE)
        elif kind < 0.92:
            film = drawn(rng, SIDE)
        else:
            film = self._shuffled(rng)
        film = film[:, ::-1] if rng.random() < 0.5 else film
        film = np.rot90(film, int(rng.integers(4))) if rng.random() < 0.4 else film
        film = 1 - film if rng.random() < 0.3 else film
        return np.ascontiguousarray(film, dtype=np.float32), -1, {"chest": 0.0}

    def _shuffled(self, rng: np.random.Generator) -> np.ndarray:
        """A film cut into squares that change places."""
        film = self.films.small[int(rng.integers(len(self.films.small)))] / np.float32(255)
        cells = int(rng.choice([2, 4, 8]))
        size = SIDE // cells
        tiles = film.reshape(cells, size, cells, size).swapaxes(1, 2).reshape(-1, size, size)
        tiles = tiles[np.roll(rng.permutation(len(tiles)), 1)]
        return tiles.reshape(cells, cells, size, size).swapaxes(1, 2).reshape(SIDE, SIDE)


def cropping(rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Top, left, height, width of a part of a film in shares of its sides; and 1, or -1 where little is cut off."""
    kind = rng.random()
    if kind < 0.55:
        shape = rng.uniform(0.2, 0.68, 2)
    elif kind < 0.85:
        shape = np.array([1.0, rng.uniform(0.35, 0.62)])[:: int(rng.choice([1, -1]))]
    else:
        shape = rng.uniform(0.7, 0.9, 2)
    start = rng.uniform(0, 1, 2) * (1 - shape)
    return np.concatenate([start, shape]), IGNORED if kind >= 0.85 else 1.0


def _windowed(film: np.ndarray, window: np.ndarray, rng: np.random.Generator, degrees: float = 0.0) -> np.ndarray:
    """The part ``window`` (top, left, height, width in shares) of a film: (128, 128) in [0, 1], beyond it one grey."""
    top, left, height, width = window.tolist()
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    centre = [2 * left + width - 1, 2 * top + height - 1]
    theta = torch.tensor([[[width * cos, -width * sin, centre[0]], [height * sin, height * cos, centre[1]]]])
    grid = F.affine_grid(theta.float(), [1, 1, SIDE, SIDE], align_corners=False)
    beyond = 0.0 if rng.random() < 0.8 else rng.random()
    pixels = torch.from_numpy(np.ascontiguousarray(film)).float()[None, None] / 255 - beyond
    moved = F.grid_sample(pixels, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    return (moved[0, 0] + beyond).numpy()


def disturbed(films: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Change films (N, 1, S, S) in [0, 1]: exposure, shading, sharpness, noise, and a covered patch."""

    def uniform(low: float, high: float) -> torch.Tensor:
        return (low + (high - low) * torch.rand(len(films), generator=generator)).view(-1, 1, 1, 1)

    changed = films.clamp(1e-4, 1) ** torch.exp(uniform(-0.5, 0.5))
    shading = 0.12 * torch.randn((len(films), 1, 2, 2), generator=generator)
    changed = changed * (1 + F.interpolate(shading, films.shape[-2:], mode="bilinear", align_corners=True))
    changed = (changed - 0.5) * uniform(0.7, 1.3) + 0.5 + uniform(-0.12, 0.12)
    changed = changed + torch.randn(films.shape, generator=generator) * uniform(0.0, 0.04)
    soft = F.interpolate(F.avg_pool2d(changed, 2), films.shape[-2:], mode="bilinear", align_corners=False)
    changed = torch.lerp(changed, soft, uniform(-0.2, 1.0).clamp(0, 1)).clamp(0, 1)
    for film in changed:
        chance, where, size, grey = (torch.rand(2, generator=generator) for _ in range(4))
        if chance[0] < 0.25:
            height, width = (3 + size * 0.2 * SIDE).int().tolist()
            top, left = (where * (SIDE - 12)).int().tolist()
            film[:, top : top + height, left : left + width] = grey[0]
    return changed
