"""Films with outlined lungs and hearts, split by patient, and batches of them for training."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from scipy import ndimage

from classifiers.anatomy_network import STRUCTURES
from classifiers.preprocessing import Preprocessing
from classifiers.training import augment, nih_data
from classifiers.training.film_cache import read_named
from classifiers.training.outlines import read_outlines
from radiographs import Radiograph
from radiographs.collections.paediatric import PaediatricPneumonia, person_of, separate_lungs
from radiographs.collections.radiologist_masks import RadiologistMasks
from radiographs.places import asset
from radiographs.reading import read_radiograph

CHILDREN, ADULTS, WINGSPAN, ENLARGED = "paediatric", "radiologist-masks", "wingspan", "chestxdet"
ARCHIVE = Path("paediatric", "train_with_lung_masks.zip")
STORED = 256
"""Side in pixels at which films are kept in memory."""
ADULT_TEST = 15
"""Adult films, or a few more, whose patients are held out."""
_ADULT_STRUCTURES = ("right_lung", "left_lung", "cardiomediastinum")
WINGSPAN_TEST = 0.25
"""Share of ``wingspan``'s films, one a patient, that is held out."""


@dataclass(frozen=True, eq=False)
class Outlined:
    """One film and what was outlined on it.

    Attributes:
        film_id, patient: as published, and the pseudonym by which films are split.
        source: ``CHILDREN``, ``ADULTS``, ``WINGSPAN`` or ``ENLARGED``.
        film: the film. masks: by structure (H, W) bool, None where nobody outlined it.
        unknown: by structure (H, W) bool, where the mask says nothing; None where it is known everywhere.
        ratio: heart-to-thorax width ratio as the collection published it, None where it did not.
        part: "train" or "test".
    """

    film_id: str
    patient: str
    source: str
    film: Radiograph
    masks: tuple[np.ndarray | None, ...]
    unknown: tuple[np.ndarray | None, ...] = (None, None, None)
    ratio: float | None = None
    part: str = ""


def _archived(data: Path) -> Iterator[Outlined]:
    with zipfile.ZipFile(data / ARCHIVE) as archive:
        for name in sorted(n for n in archive.namelist() if n.startswith("images/")):
            stem = Path(name).stem
            film = read_radiograph(io.BytesIO(archive.read(name)))
            both = read_radiograph(io.BytesIO(archive.read(f"masks/{stem}.png"))).pixels > 0.5
            if ndimage.label(both)[1] >= 2:
                masks = (*separate_lungs(both), None)
                yield Outlined(stem, f"paediatric-{person_of(stem)}", CHILDREN, film, masks)


def _packaged() -> Iterator[Outlined]:
    collection = PaediatricPneumonia()
    for entry in collection.entries():
        if entry.annotated:
            masks = {a.finding: a.mask for a in collection.annotations(entry.film_id)}
            film = collection.read(entry.film_id)
            yield Outlined(entry.film_id, entry.patient, CHILDREN, film, tuple(masks.get(s) for s in STRUCTURES))


def _adults(data: Path) -> Iterator[Outlined]:
    with (data / "radiologist_masks" / "films.csv").open(encoding="utf-8", newline="") as file:
        ratios = {
            Path(row["image"]).stem: row["cardiomediastinum_to_thorax_width_ratio"] for row in csv.DictReader(file)
        }
    collection = RadiologistMasks()
    for entry in collection.entries():
        drawn = {a.finding: a.mask for a in collection.annotations(entry.film_id)}
        masks = tuple(drawn.get(name) for name in _ADULT_STRUCTURES)
        ratio = float(ratios[entry.film_id]) if ratios.get(entry.film_id) else None
        film = collection.read(entry.film_id)
        # Heart and great vessels were outlined as one: the heart is somewhere inside, and nowhere else.
        both = masks[2]
        outside = None if both is None else np.zeros_like(both)
        film = collection.read(entry.film_id)
        known = (masks[0], masks[1], outside)
        yield Outlined(entry.film_id, entry.patient, ADULTS, film, known, (None, None, both), ratio)


def wingspan(data: Path) -> Iterator[Outlined]:
    """Adults' films with the heart alone; their lungs end at the heart, what is behind it is unknown."""
    folder = data / "wingspan"
    if not folder.is_dir():
        return
    with (folder / "films.csv").open(encoding="utf-8", newline="") as file:
        ratios = {row["film"]: row["ctr"] for row in csv.DictReader(file)}
    with zipfile.ZipFile(folder / "films.zip") as archive:
        for name, ratio in sorted(ratios.items()):
            film = read_radiograph(io.BytesIO(archive.read(f"images/{name}.jpg")))
            right, left, heart = (_png(archive.read(f"masks/{name}_{s}.png")) for s in STRUCTURES)
            yield Outlined(
                name,
                f"wingspan-{name}",
                WINGSPAN,
                film,
                (right, left, heart),
                (heart & ~right, heart & ~left, None),
                float(ratio) if ratio else None,
            )


def _enlarged(data: Path) -> Iterator[Outlined]:
    """Adults' hearts that ChestX-Det's readers outlined because they were enlarged; no lungs were drawn there.

    The side is that of the classifiers' split.
    """
    pairs = {p.image: p for p in read_outlines(data) if p.source == "chestxdet" and p.finding == "Cardiomegaly"}
    if not pairs:
        return
    split = nih_data.make_split(data)
    sides = dict(zip(split.patient_id.astype(int), split.split))
    for name, (patient, raw) in sorted(read_named(data, pairs).items()):
        side = sides.get(patient, "test")
        if side != "val":
            film = read_radiograph(io.BytesIO(raw))
            drawn = pairs[name].mask(max(film.shape))
            masks, unknown = (None, None, drawn), (None, None, _above(drawn))
            yield Outlined(name, f"nih-{patient}", ENLARGED, film, masks, unknown, part=side)


def _above(heart: np.ndarray) -> np.ndarray:
    """All rows above a heart and its uppermost tenth: where it ends upwards these readers saw otherwise."""
    rows = np.flatnonzero(heart.any(axis=1))
    unknown = np.zeros_like(heart)
    unknown[: rows[0] + len(rows) // 10] = True
    return unknown


def _png(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("L")) > 0


def read_outlined(data: Path) -> list[Outlined]:
    """Read all films with outlines: the children's of the archive and of the package, the adults' of three sources.

    A child's film whose two lungs were drawn as one is left out. Parts come from ``assets/splits/anatomy.csv`` where
    that table has the film.
    """
    found: dict[tuple[str, str], Outlined] = {}
    for outlined in (*_archived(data), *_packaged(), *_adults(data), *wingspan(data), *_enlarged(data)):
        found.setdefault((outlined.source, outlined.film_id), outlined)
    parts = recorded_split()
    return [replace(o, part=parts.get(key, o.part)) for key, o in found.items()]


def make_split(films: list[Outlined], seed: int) -> list[Outlined]:
    """Give every film without a part one, by patient.

    A child is on the test side where ``PaediatricPneumonia`` has it there; so no classifier that the project ships
    learned from a test child. Adults are drawn until ``ADULT_TEST`` films are held out. A quarter of ``wingspan`` is
    held out, by the digest of a film's name.
    """
    children = {e.patient: e.part for e in PaediatricPneumonia().entries() if e.part == "test"}
    adults = sorted({o.patient for o in films if o.source == ADULTS})
    held_out: set[str] = set()
    for patient in np.random.default_rng(seed).permutation(adults):
        if sum(o.patient in held_out for o in films) < ADULT_TEST:
            held_out.add(str(patient))
    tested = held_out | set(children) | {o.patient for o in films if o.source == WINGSPAN and _held_out(o.patient)}
    return [o if o.part else replace(o, part="test" if o.patient in tested else "train") for o in films]


def _held_out(patient: str) -> bool:
    return int.from_bytes(hashlib.sha256(patient.encode()).digest()[:8], "big") / 2**64 < WINGSPAN_TEST


def recorded_split() -> dict[tuple[str, str], str]:
    """(source, film id) -> part, as ``assets/splits/anatomy.csv`` records it; empty where there is no such table."""
    path = asset("splits", "anatomy.csv")
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {(row["source"], row["film_id"]): row["part"] for row in csv.DictReader(file)}


def write_split(films: list[Outlined]) -> None:
    """Write ``assets/splits/anatomy.csv``."""
    with asset("splits", "anatomy.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["source", "film_id", "patient", "part"])
        writer.writerows([o.source, o.film_id, o.patient, o.part] for o in films)


@dataclass(frozen=True)
class Mix:
    """How many films of each kind a batch has; ``none`` of them show no chest as it should hang."""

    children: int
    adults: int
    none: int
    wingspan: int = 0
    enlarged: int = 0


Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""Films (N, 1, S, S) in network range, masks (N, 3, S, S) in [0, 1], and where masks are known (N, 3, S, S) bool."""


class AnatomyBatches:
    """Batches of outlined films, changed at random; the same for the same step and seed.

    Films that show no chest as it should hang (turned by a quarter or a half, or noise) have empty masks: on those the
    network learns to outline nothing.
    """

    def __init__(self, films: list[Outlined], mix: Mix, side: int, seed: int) -> None:
        self.mix, self.side, self.seed = mix, side, seed
        stored = Preprocessing(STORED)
        self.pixels = torch.cat([_bytes(stored.prepare(o.film)) for o in films])
        self.masks = torch.stack([torch.stack([_stored_mask(m, stored) for m in o.masks]) for o in films])
        self.known = torch.stack([torch.stack([_stored_known(o, c, stored) for c in range(3)]) for o in films])
        sources = (CHILDREN, ADULTS, WINGSPAN, ENLARGED)
        self.of = {s: [i for i, o in enumerate(films) if o.source == s] for s in sources}

    def batch(self, step: int) -> Batch:
        """The batch of one step."""
        self.numpy = np.random.default_rng([self.seed, step])
        self.torch = torch.Generator().manual_seed(self.seed * 1_000_003 + step)
        mix = self.mix
        wanted = (
            (CHILDREN, mix.children), (ADULTS, mix.adults), (WINGSPAN, mix.wingspan), (ENLARGED, mix.enlarged)
        )  # fmt: skip
        drawn = [int(i) for source, n in wanted if n for i in self.numpy.choice(self.of[source], n)]
        drawn += [int(i) for i in self.numpy.integers(len(self.pixels), size=self.mix.none)]
        films, masks, known = (some[drawn] / 255 for some in (self.pixels, self.masks, self.known))
        for index in range(len(drawn) - self.mix.none, len(drawn)):
            films[index] = self._no_chest(films[index])
            masks[index], known[index] = 0, 1
        grid = bent_grid(len(drawn), self.side, self.torch)
        joint = F.grid_sample(torch.cat([films, masks], 1), grid, mode="bilinear", align_corners=False)
        known = F.grid_sample(known, grid, mode="bilinear", padding_mode="border", align_corners=False) > 0.5
        films = disturb(joint[:, :1], self.torch)
        return augment.normalise(films), joint[:, 1:], known

    def _no_chest(self, film: torch.Tensor) -> torch.Tensor:
        """A film (1, S, S) turned so that it hangs wrong, or noise of some coarseness, or one grey."""
        kind = self.numpy.random()
        if kind < 0.7:
            return torch.rot90(film, int(self.numpy.integers(1, 4)), (1, 2))
        if kind < 0.8:
            return torch.full_like(film, self.numpy.random())
        cells = int(self.numpy.choice([4, 16, 64, film.shape[-1]]))
        noise = torch.rand((1, 1, cells, cells), generator=self.torch)
        return F.interpolate(noise, film.shape[-2:], mode="bilinear", align_corners=False)[0]


def _bytes(shares: torch.Tensor) -> torch.Tensor:
    """Shares in [0, 1] as uint8, for a thousand films in memory."""
    return (shares * 255).round().to(torch.uint8)


def _stored_mask(mask: np.ndarray | None, stored: Preprocessing) -> torch.Tensor:
    if mask is None:
        return torch.zeros((STORED, STORED), dtype=torch.uint8)
    return _bytes(torch.from_numpy(stored.prepare_mask(mask)))


def _stored_known(film: Outlined, channel: int, stored: Preprocessing) -> torch.Tensor:
    """255 where the mask of one structure says something, 0 where it does not."""
    if film.masks[channel] is None:
        return torch.zeros((STORED, STORED), dtype=torch.uint8)
    return 255 - _stored_mask(film.unknown[channel], stored)


def bent_grid(n: int, side: int, generator: torch.Generator) -> torch.Tensor:
    """Draw (n, side, side, 2) sampling grids: +-15 degrees, zoom 0.7 to 1.35, shift +-12 %, stretched and bent."""

    def uniform(low: float, high: float) -> torch.Tensor:
        return low + (high - low) * torch.rand(n, generator=generator)

    angle, zoom, stretch = uniform(-15, 15) * torch.pi / 180, uniform(0.7, 1.35), uniform(0.85, 1.15)
    cos, sin = torch.cos(angle) * zoom, torch.sin(angle) * zoom
    rows = ([cos * stretch, -sin, uniform(-0.24, 0.24)], [sin, cos / stretch, uniform(-0.24, 0.24)])
    theta = torch.stack([torch.stack(row, dim=1) for row in rows], dim=1)
    grid = F.affine_grid(theta, [n, 1, side, side], align_corners=False)
    bend = 0.04 * torch.randn((n, 2, 5, 5), generator=generator)
    return grid + F.interpolate(bend, (side, side), mode="bicubic", align_corners=False).permute(0, 2, 3, 1)


def disturb(films: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Change films (N, 1, S, S) in [0, 1]: exposure, uneven shading, blur, noise and a covered patch."""
    n, side = len(films), films.shape[-1]
    shading = 0.12 * torch.randn((n, 1, 2, 2), generator=generator)
    films = films * (1 + F.interpolate(shading, (side, side), mode="bilinear", align_corners=True))
    changed = augment.vary_exposure(films.clamp(0, 1), generator)
    for film in changed:
        chance, where, size, grey = (torch.rand(2, generator=generator) for _ in range(4))
        if chance[0] < 0.3:
            film.copy_(F.avg_pool2d(film, 3, 1, 1))
        if chance[1] < 0.4:
            height, width = (4 + size * 0.25 * side).int().tolist()
            top, left = (where * (side - 20)).int().tolist()
            film[:, top : top + height, left : left + width] = grey[0]
    return changed
