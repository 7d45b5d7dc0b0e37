"""Whole files of the home folder, for :mod:`tests.damage_seeds`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from classifiers import own_models
from classifiers.weights import WeightsError
from dashboard.classroom.rooms import Room, Rooms
from dashboard.settings import settings
from evaluation.runs.run_progress import RunProgress, read_progress, unfinished_words
from evaluation.validity.measured import FilmList, verdict_on
from radiographs.collections.remembered import remembered_folders
from radiographs.errors import CollectionError
from radiographs.places import asset, home_folder
from tests.damage_seeds_shared import Reader

MODEL, FILMS = "0" * 64, FilmList("nih-boxes", "f" * 16, "a" * 16, 141)


def jsoned(content: object) -> bytes:
    return json.dumps(content).encode()


OWN = {"mine": {"architecture": "resnet18", "findings": ["Mass"], "title": "M", "weights": "w.pt", "sha256": "0" * 64}}


def as_home(name: str, read: Callable[[], object]) -> Callable[[Path], object]:
    """Read a file that lies in the home folder."""

    def reader(path: Path) -> object:
        place = home_folder() / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(path.read_bytes())
        try:
            return read()
        finally:
            place.unlink(missing_ok=True)

    return reader


def own_cards_and_model() -> None:
    for card in own_models.own_cards():
        own_models.load_remembered(card.name)


def settings_said() -> None:
    found, words = settings.read()
    assert words or found


def folders_listed() -> None:
    for folder in remembered_folders():
        folder.missing()
        folder.entries()


def gate_asked() -> None:
    for finding in ("Mass", "Effusion"):
        verdict_on({}, MODEL, finding, FILMS)


def gate_figures() -> bytes:
    """What ``lightbox gate`` writes of a model and a collection."""
    card = json.loads(asset("models", "nih14-localised.json").read_bytes())
    found = card["figures"]["validity"]["nih-boxes"]
    return jsoned(
        {"model": MODEL, "collection": "nih-boxes", "findings": {name: found[name] for name in ("Mass", "Effusion")}}
    )


def rooms_opened() -> None:
    for room in Rooms(home_folder() / "rooms", now=lambda: 1.0).of("teacher"):
        room.of_step()
        ", ".join((room.lesson, *room.students.values()))  # as the page lists them: each has to be text


def progress_told(path: Path) -> None:
    said = read_progress(path)
    assert said is None or 0 <= said.share <= 1
    assert unfinished_words(said) or said is None or said.state == "done"


HOME: dict[str, Reader] = {
    "progress": (
        "status.json",
        lambda: jsoned(asdict(RunProgress("running", 24, 9, 3, 1, 60.5, 6.0, 150.0, 2, "", 1.7e9))),
        progress_told,
        (),
    ),
    "settings": (
        "s.json",
        lambda: jsoned({"reader": "A", "hide_outline": True}),
        as_home("settings.json", settings_said),
        (),
    ),
    "folders": (
        "f.json",
        lambda: jsoned({"folder-1": "/none"}),
        as_home("folders.json", folders_listed),
        CollectionError,
    ),
    "models": ("m.json", lambda: jsoned(OWN), as_home("models.json", own_cards_and_model), WeightsError),
    "gate": ("g.json", gate_figures, as_home(f"validity/{MODEL[:16]}-{FILMS.films}.json", gate_asked), ()),
    "room": (
        "r.json",
        lambda: jsoned(asdict(Room("ABCDEF", "teacher", "a-lesson", 1.0))),
        as_home("rooms/ABCDEF.json", rooms_opened),
        (),
    ),
}
