"""Batches for the NIH classifiers: films with labels, films with outlines, films with planted findings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from classifiers.networks import CELL, ChestResNet18
from classifiers.training import augment, nih_data
from classifiers.training.film_cache import SHARP, SOFT, read_films
from classifiers.training.loop import Batch, Stage
from classifiers.training.nih_data import FINDINGS, FilmSet
from classifiers.training.outlines import MASK_SIDE, chestxdet_labels, read_outlines
from classifiers.training.planted_adults import PlantedFilms, adult_ages, read_planted
from classifiers.training.teachers import answers, taught

PLANTED_FILMS = 1600
HARD = ("Nodule", "Mass", "Pneumothorax", "Atelectasis")
"""Outlined findings that are drawn twice as often as their number says."""


class TrainingFilms:
    """Films of patients on the training side, with labels and outlines.

    ChestX-Det's findings join the text-mined labels of their films.

    Attributes:
        films: {128: soft films, 320: sharp films}.
        pairs: by finding, the outlined pairs as (side, row of ``films[side]``, row of ``masks``).
        masks: (M, 160, 160) bool. planted: films with planted findings, None where none are wanted.
        taught: as ``films``: what the teachers say of each film, (N, 14); empty without teachers.
    """

    def __init__(self, data: Path, cache: Path, planted: bool, teachers: Sequence[Path] = ()) -> None:
        table = nih_data.make_split(data)
        side_of = dict(zip(table.patient_id.astype(int), table.split))
        drawn = chestxdet_labels(data)
        self.films: dict[int, FilmSet] = {}
        for side, films in read_films(data, cache).items():
            chosen = films.take(np.array([side_of[int(p)] == "train" for p in films.patients]))
            for row, name in enumerate(chosen.images):
                for finding in drawn.get(name, ()):
                    chosen.labels[row, FINDINGS.index(finding)] = 1
            self.films[side] = chosen
        self.taught = {side: taught(teachers, some.films, cache) for side, some in self.films.items() if teachers}
        place = {name: (side, row) for side, films in self.films.items() for row, name in enumerate(films.images)}
        outlined = [pair for pair in read_outlines(data) if pair.image in place]
        self.masks = np.stack([pair.mask(MASK_SIDE) for pair in outlined])
        self.pairs: dict[str, list[tuple[int, int, int]]] = {}
        for row, pair in enumerate(outlined):
            self.pairs.setdefault(pair.finding, []).append((*place[pair.image], row))
        self.planted: PlantedFilms | None = None
        if planted:
            adults = adult_ages(data)
            sharp = self.films[SHARP]
            normal = [not lab.any() and name in adults for lab, name in zip(sharp.labels, sharp.images)]
            self.planted = read_planted(sharp.take(np.array(normal)), PLANTED_FILMS, 0, cache)


class Batches:
    """The batch of any step, always the same for the same step and seed.

    Of the labelled films some are drawn evenly over the findings, the others come in shuffled passes. Outlined pairs
    are drawn by finding with the root of the finding's number of pairs, twice that for ``HARD`` findings.

    Args:
        teachers: what look at each batch where the stage is consistent.
    """

    def __init__(self, films: TrainingFilms, stage: Stage, seed: int, teachers: Sequence[ChestResNet18] = ()) -> None:
        self.source, self.stage, self.seed, self.teachers = films, stage, seed, teachers
        self.findings = sorted(films.pairs)
        weights = np.array([len(films.pairs[f]) ** 0.5 * (2 if f in HARD else 1) for f in self.findings])
        self.shares = weights / weights.sum()

    def batch(self, step: int) -> Batch:
        """Films (N, 1, S, S) in network range, what to answer (N, 14), and of the last ``outlined`` films the drawn
        finding's index (B,) and the share of each cell of the class map inside its outline (B, S/16, S/16).
        """
        stage, rng = self.stage, np.random.default_rng([self.seed, step])
        noise = torch.Generator().manual_seed(self.seed * 1_000_003 + step)
        sharp = round(stage.labelled * stage.large_share)
        parts, labels = [], []
        for side, n in ((SOFT, stage.labelled - sharp), (SHARP, sharp)):
            rows = self._labelled(side, n, step, rng)
            parts.append(self._warped(self.source.films[side].films[rows], self._affine(n, rng, noise), rng))
            labels.append(self._wanted(side, rows))
        drawn, shares = [], []
        for films, found, masks, names in self._outlined(rng):
            theta = self._affine(len(films), rng, noise)
            parts.append(self._warped(films, theta, rng))
            labels.append(found)
            warped = augment.warp(torch.from_numpy(masks)[:, None].float(), theta, stage.side)
            shares.append(F.avg_pool2d(warped, CELL)[:, 0])
            drawn += [FINDINGS.index(name) for name in names]
        batch = augment.normalise(augment.vary_exposure(torch.cat(parts), noise))
        wanted = torch.from_numpy(np.concatenate(labels))
        if stage.consistent:
            batch, wanted = augment.blend(batch, wanted, stage.labelled, noise)
            wanted = wanted.lerp(answers(self.teachers, batch), stage.distil)
        return batch, wanted, torch.tensor(drawn), torch.cat(shares)

    def _labelled(self, side: int, n: int, step: int, rng: np.random.Generator) -> np.ndarray:
        """Rows of ``n`` films of one side."""
        films = self.source.films[side]
        even = int(n * self.stage.balanced)
        found = rng.choice(np.flatnonzero(films.labels.any(axis=0)), even)
        rows = [int(rng.choice(np.flatnonzero(films.labels[:, c]))) for c in found]
        for place in range(step * (n - even), (step + 1) * (n - even)):
            turn, at = divmod(place, len(films.films))
            rows.append(int(self._pass(side, turn)[at]))
        return np.array(rows, dtype=np.int64)

    def _pass(self, side: int, turn: int) -> np.ndarray:
        return np.random.default_rng([self.seed, 7, side, turn]).permutation(len(self.source.films[side].films))

    def _outlined(self, rng: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]]:
        """Films, labels, masks and findings of the outlined films: soft, sharp and planted ones apart."""
        names = rng.choice(self.findings, self.stage.boxed - self.stage.planted, p=self.shares)
        pairs = [(str(f), *self.source.pairs[f][rng.integers(len(self.source.pairs[f]))]) for f in names]
        groups = []
        for side, films in self.source.films.items():
            chosen = [p for p in pairs if p[1] == side]
            rows = [p[2] for p in chosen]
            if rows:
                masks = self.source.masks[[p[3] for p in chosen]]
                groups.append((films.films[rows], self._wanted(side, rows), masks, [p[0] for p in chosen]))
        planted = self.source.planted
        if planted is not None and self.stage.planted:
            rows = rng.choice(len(planted.films), self.stage.planted, replace=False).tolist()
            found = [planted.findings[row] for row in rows]
            labels = np.array([[float(f == name) for f in FINDINGS] for name in found], dtype=np.float32)
            groups.append((planted.films[rows], self._smoothed(labels), planted.masks[rows], found))
        return groups

    def _smoothed(self, labels: np.ndarray) -> np.ndarray:
        low, high = self.stage.smoothing
        return (low + (high - low) * labels).astype(np.float32)

    def _wanted(self, side: int, rows: list[int] | np.ndarray) -> np.ndarray:
        """Smoothed labels, mixed with what the teachers say where there are teachers."""
        smoothed = self._smoothed(self.source.films[side].labels[rows])
        if not self.source.taught:
            return smoothed
        return smoothed + np.float32(self.stage.distil) * (self.source.taught[side][rows] - smoothed)

    def _affine(self, n: int, rng: np.random.Generator, noise: torch.Generator) -> torch.Tensor:
        theta = augment.random_affine(n, noise)
        theta[torch.from_numpy(rng.random(n) < self.stage.flip), 0, :2] *= -1
        return theta

    def _warped(self, films: np.ndarray, theta: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        pixels = torch.from_numpy(np.ascontiguousarray(films)).float().div_(255)[:, None]
        if films.shape[-1] == SHARP:
            soft = torch.from_numpy(rng.random(len(films)) < self.stage.soften)
            small = F.interpolate(pixels[soft], (SOFT, SOFT), mode="bilinear", antialias=True, align_corners=False)
            pixels[soft] = F.interpolate(small, (SHARP, SHARP), mode="bilinear", align_corners=False)
        return augment.warp(pixels, theta, self.stage.side)
