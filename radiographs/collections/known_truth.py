"""Real normal films of children with planted findings, whose truth is known to the pixel."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from radiographs.annotation import Annotation
from radiographs.collection import Collection, CollectionCard, FilmEntry
from radiographs.errors import CollectionError
from radiographs.places import asset
from radiographs.planting.films import MISSING, NormalFilm, films_at_hand, load, normal_films
from radiographs.planting.plant import plant
from radiographs.planting.recorded import record, recorded_lungs
from radiographs.radiograph import Radiograph
from radiographs.registry import register


@dataclass(frozen=True)
class _Recipe:
    """How one film of the collection is made: the normal film, what is planted in turn, and the seed."""

    source: NormalFilm
    findings: tuple[str, ...]
    seed: int


@cache
def _recipes() -> dict[str, _Recipe]:
    sources = {film.film_id: film for film in normal_films()}
    with asset("splits", "known_truth_films.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {
        row["film_id"]: _Recipe(
            sources[row["source"]], tuple(filter(None, row["findings"].split("|"))), int(row["seed"])
        )
        for row in rows
    }


def sources() -> dict[str, Radiograph]:
    """The normal films into which something is planted, by the name of the film that it makes."""
    return {film_id: load(recipe.source) for film_id, recipe in _recipes().items() if recipe.findings}


@lru_cache(maxsize=8)
def _made(film_id: str) -> tuple[Radiograph, tuple[np.ndarray, ...]]:
    recipe = _recipes()[film_id]
    film = load(recipe.source)
    if not recipe.findings:
        return film, ()
    lungs = recorded_lungs(film_id)
    rng = np.random.default_rng(recipe.seed)
    masks = []
    for finding in recipe.findings:
        film, mask = plant(film, finding, lungs, rng)
        masks.append(mask)
    return film, tuple(masks)


@register
class KnownTruth(Collection):
    """48 films, 224x224, of persons on the test side of the recorded split; made anew from their seeds."""

    name = "known-truth"
    order = 10
    split = "known_truth"
    card = CollectionCard(
        title="Synthetic findings",
        summary="Normal frontal films of children aged 1 to 5, into which a nodule, a mass, a consolidation or a "
        "pleural effusion was planted by computation; a few carry two, a few none. The outlines are exact.",
        annotators="Nobody: the mask is where the planted attenuation exceeds 12 % of its peak.",
        licence="CC BY 4.0 (the normal films); the planted findings are this project's own.",
        citation="Normal films: Kermany D, Zhang K, Goldbaum M. Labeled optical coherence tomography and chest X-ray "
        "images for classification. Mendeley Data, 2018, doi 10.17632/rscbjbr9sj.",
        url="https://data.mendeley.com/datasets/rscbjbr9sj",
    )

    def missing(self) -> str | None:
        """None where the normal films are at hand; else one sentence that says how to have them."""
        return None if films_at_hand() else MISSING

    def entries(self) -> list[FilmEntry]:
        """All films in the recorded order; empty where the normal films are not at hand."""
        if self.missing():
            return []
        return [
            FilmEntry(
                film_id=film_id,
                labels=recipe.findings,
                annotated=recipe.findings,
                patient=recipe.source.patient,
                part=recipe.source.part,
            )
            for film_id, recipe in _recipes().items()
        ]

    def read(self, film_id: str) -> Radiograph:
        """Read one film; (224, 224).

        Raises:
            CollectionError: the collection has no such film, or the normal films are not at hand.
        """
        return self._film(film_id)[0]

    def annotations(self, film_id: str) -> list[Annotation]:
        """The exact mask of each planted finding; nothing on a normal film.

        Raises:
            CollectionError: the collection has no such film, or the normal films are not at hand.
        """
        masks = self._film(film_id)[1]
        findings = _recipes()[film_id].findings
        return [Annotation(finding, mask, "mask", "planted", exact=True) for finding, mask in zip(findings, masks)]

    def _film(self, film_id: str) -> tuple[Radiograph, tuple[np.ndarray, ...]]:
        if film_id not in _recipes():
            raise CollectionError(f"the collection {self.name} has no film {film_id!r}")
        missing = self.missing()
        if missing:
            raise CollectionError(missing)
        return _made(film_id)


if __name__ == "__main__":
    record(sources())
