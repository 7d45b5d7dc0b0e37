"""A verdict of the gate counts for the films that it was measured on: not without them, and not on a part of them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from evaluation.runs import verdicts
from evaluation.runs.store import Store
from evaluation.runs.verdicts import run_verdicts, write_lists
from evaluation.validity.measured import measurable_digest
from radiographs.collection import Collection, FilmEntry
from radiographs.places import HOME_VARIABLE
from tests.evaluation.runs.made import FILMS, made_store

OTHER = "measured on other films"


class TinyFilms(Collection):
    """The films of ``made_store``, and ``more`` of them; ``none``: they are not at hand."""

    name = "tiny-films"

    def __init__(self, more: int = 0, none: bool = False) -> None:
        self.number = 0 if none else FILMS + more

    def entries(self) -> list[FilmEntry]:
        findings = [("Nodule",) if i % 2 else ("Effusion",) for i in range(self.number)]
        return [FilmEntry(f"film-{i % 3}-{i}", annotated=one, patient=f"p{i // 2}") for i, one in enumerate(findings)]

    def missing(self) -> str | None:
        return None

    def read(self, film_id: str) -> Any:
        raise AssertionError("no film is read for a verdict")

    annotations = read


def figures(films: Collection) -> dict[str, Any]:
    """What a gate that was passed by Nodule on these films measured."""
    part = {"mean": 1.0, "low": 0.5, "high": 1.5}
    looks = {"films": 12, "patients": 12, "p": 1e-4, "p_holm": 1e-4, "level": 0.025, "power": 0.9, "part": "elsewhere"}
    looks |= {"parts": {"elsewhere": part, "without": part}}
    found = {"model": "d", "positives": 12, "films": len(films.entries()), "auroc": 0.9, "auroc_low": 0.8}
    found |= {"auroc_high": 0.95, "looks": looks, "films_digest": measurable_digest(films)}
    return {"validity": {"tiny-films": {"Nodule": found}}}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    return made_store(tmp_path / "run")


def given(monkeypatch: pytest.MonkeyPatch, measured_on: Collection, at_hand: Collection | None) -> None:
    card = SimpleNamespace(figures=figures(measured_on))
    monkeypatch.setattr(verdicts, "list_models", lambda: [SimpleNamespace(name="tiny", card=card)])
    monkeypatch.setattr(verdicts, "collections", lambda: {} if at_hand is None else {"tiny-films": at_hand})


def test_the_films_that_the_gate_was_measured_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, TinyFilms(), TinyFilms())
    found = run_verdicts(store, "tiny-films", "tiny")
    assert {finding: one.status for finding, one in found.items()} == {"Nodule": "shown", "Effusion": "not measured"}


@pytest.mark.parametrize("at_hand", [None, TinyFilms(none=True)])
def test_a_run_without_its_films_is_of_other_films_unless_it_noted_them(
    store: Store, monkeypatch: pytest.MonkeyPatch, at_hand: Collection | None
) -> None:
    given(monkeypatch, TinyFilms(), at_hand)
    found = run_verdicts(store, "tiny-films", "tiny")["Nodule"]
    assert found.status == OTHER
    assert "not at hand" in found.reason
    given(monkeypatch, TinyFilms(), TinyFilms())
    write_lists(store, ("tiny-films",))
    given(monkeypatch, TinyFilms(), at_hand)
    assert run_verdicts(store, "tiny-films", "tiny")["Nodule"].status == "shown"


def test_a_run_on_a_part_of_the_films_says_so(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, TinyFilms(more=8), TinyFilms(more=8))
    found = run_verdicts(store, "tiny-films", "tiny")["Nodule"]
    assert found.status == OTHER
    assert "scored 12 of the 16 films" in found.reason
    plan = store.folder / "plan.toml"
    plan.write_text(plan.read_text() + "per_finding = 12\n")
    drawn = run_verdicts(store, "tiny-films", "tiny")["Nodule"]
    assert drawn.status == "shown"
    assert "12 films, drawn at random from those 16" in drawn.reason


def test_a_collection_that_grew_since_the_run_lends_it_no_verdict(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(monkeypatch, TinyFilms(), TinyFilms())
    write_lists(store, ("tiny-films",))
    given(monkeypatch, TinyFilms(more=8), TinyFilms(more=8))
    assert run_verdicts(store, "tiny-films", "tiny")["Nodule"].status == OTHER
