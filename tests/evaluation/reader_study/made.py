"""A study of tiny films under a tiny model, for the tests of what is built on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evaluation.reader_study.study_file import Study, parse_study
from radiographs import Radiograph
from radiographs.annotation import Annotation
from radiographs.collection import Collection, CollectionCard, FilmEntry
from tests.dashboard.made import tiny_classifier


class ReaderFilms(Collection):
    """Thirty films, every second with an outlined nodule."""

    name = "reader-films"
    card = CollectionCard("Reader films", "Squares.", "Planted.", "CC0.", "Nobody.")

    def missing(self) -> str | None:
        return None

    def entries(self) -> list[FilmEntry]:
        return [
            FilmEntry(f"film-{n:02}", ("Nodule",) if n % 2 else (), ("Nodule",) if n % 2 else ()) for n in range(30)
        ]

    def _mask(self, film_id: str) -> np.ndarray:
        rng = np.random.default_rng(int(film_id[-2:]))
        mask = np.zeros((80, 64), dtype=bool)
        top, left = rng.integers(5, 50), rng.integers(5, 40)
        mask[top : top + 20, left : left + 18] = True
        return mask

    def read(self, film_id: str) -> Radiograph:
        number = int(film_id[-2:])
        noise = np.random.default_rng(number).standard_normal((80, 64))
        pixels = 0.3 + 0.4 * (number % 2) * self._mask(film_id) + 0.05 * noise
        return Radiograph(np.clip(pixels, 0, 1).astype(np.float32))

    def annotations(self, film_id: str) -> list[Annotation]:
        return (
            [Annotation("Nodule", self._mask(film_id), "mask", "planted", exact=True)] if int(film_id[-2:]) % 2 else []
        )


def study_text(cases: int = 12, *, further: str = "") -> str:
    """A study file of three arms: no map, Grad-CAM and the random control."""
    films = "\n".join(f'[[cases]]\nfilm = "reader-films/film-{n:02}"' for n in range(cases))
    return f"""
name = "Tiny study"
model = "tiny"
finding = "Nodule"
{further}
[[arms]]
kind = "none"
[[arms]]
method = "grad-cam"
[[arms]]
kind = "random"
[[practice]]
film = "reader-films/film-20"
[[checks]]
film = "reader-films/film-21"
present = true
{films}
"""


def made_study(cases: int = 12, *, further: str = "") -> Study:
    return parse_study(study_text(cases, further=further))


@pytest.fixture
def tiny_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, and the tiny films and model where the program looks for them; returns the home."""
    import radiographs.registry
    from evaluation.reader_study import material, store

    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path))
    monkeypatch.setattr(radiographs.registry, "collections", lambda: {"reader-films": ReaderFilms()})
    monkeypatch.setattr("classifiers.film_check.checked", lambda film, *cards, entry=None: film)
    monkeypatch.setattr(material, "_model", tiny_classifier)
    # Who reads what is the same in every run of a test.
    monkeypatch.setattr(store, "new_secret", lambda: b"s" * 32)
    # Slow scores of maps have tests of their own.
    monkeypatch.setattr(material, "LOCALISATION", ("pointing_game",))
    monkeypatch.setattr(material, "FAITHFULNESS", ())
    return tmp_path
