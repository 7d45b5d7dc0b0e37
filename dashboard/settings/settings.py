"""What a person has set once and for all: a small JSON file in the home folder, never in a link or a result.

Each person has a file of their own; what they did not set is as in the house's ``settings.json``. A person whom the
next session would not know again sets what holds for the house.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from dashboard.people import identity
from radiographs.files import read_json, write_text
from radiographs.places import home_folder

LONGEST_NAME = 40
_LARGEST_FILE = 64 * 1024


class SettingsError(RuntimeError):
    """The settings cannot be saved. The message says why and what to do."""


@dataclass(frozen=True)
class UserSettings:
    """What holds from one start to the next.

    Attributes:
        default_model: registered name of the model a first visit opens with; "" leaves it to the page.
        default_methods: names of the methods shown where nobody chose; empty leaves it to the page. Names that are no
            longer registered may be among them.
        hide_outline: whether what an expert outlined stays hidden until a person shows it.
        reader: the name under which regions are drawn, at most ``LONGEST_NAME`` characters; "" for none.
        tour_seen: whether the tour for first-time users was shown.
        go_on: whether work goes on when no page of this person is open any more.
    """

    default_model: str = ""
    default_methods: tuple[str, ...] = ()
    hide_outline: bool = False
    reader: str = ""
    tour_seen: bool = False
    go_on: bool = False


def house_path() -> Path:
    """Where the house's settings lie: what holds for everybody, with what only its keepers set by hand."""
    return home_folder() / "settings.json"


def path(person: str | None = None) -> Path:
    """Where the settings of a person lie, of the one whose page is drawn where ``person`` is left out."""
    name = identity.name() if person is None else person
    return identity.folder(name) / "settings.json" if name else house_path()


def load(person: str | None = None) -> UserSettings:
    """The settings of a person, see :func:`path`; the house's where they saved none or the file is damaged."""
    return read(person)[0]


def read(person: str | None = None) -> tuple[UserSettings, str]:
    """The settings, and a sentence on what of the file could not be used, "" where nothing is wrong."""
    place = path(person)
    try:
        content = contents(place)
    except FileNotFoundError:
        return (UserSettings(), "") if place == house_path() else read("")
    except (OSError, ValueError):
        return UserSettings(), f"{place.name} cannot be read, so the usual settings hold. Save your settings again."
    given = {f.name: content[f.name] for f in fields(UserSettings) if f.name in content}
    usable = {name: _fitting(name, value) for name, value in given.items()}
    wrong = sorted(name.replace("_", " ") for name, value in usable.items() if value is None)
    settings = UserSettings(**{name: value for name, value in usable.items() if value is not None})
    if wrong:
        return settings, f"{place.name} holds values that make no sense ({', '.join(wrong)}); the usual ones hold."
    return settings, ""


def contents(place: Path) -> dict[str, Any]:
    """What a settings file holds, unchecked.

    Raises:
        OSError, ValueError: it cannot be read, or is none.
    """
    if place.stat().st_size > _LARGEST_FILE:
        raise ValueError("too large")
    content = read_json(place)
    if not isinstance(content, dict):
        raise ValueError("not an object")
    return content


def _fitting(name: str, value: Any) -> Any:
    """The value as the field takes it, or None where it does not fit."""
    usual = getattr(UserSettings(), name)
    if isinstance(usual, tuple):
        whole = isinstance(value, list) and all(isinstance(v, str) and 0 < len(v) <= 100 for v in value)
        return tuple(dict.fromkeys(value)) if whole else None
    if isinstance(usual, str):
        return value[:1000] if isinstance(value, str) and value.isprintable() else None
    return value if isinstance(value, bool) else None


def save(settings: UserSettings) -> None:
    """Save the settings; whoever reads meanwhile finds the old file or the new one, never half of one.

    Raises:
        SettingsError: the file cannot be written, or is the house's and this person sits elsewhere.
    """
    if path() == house_path() and not identity.is_local():
        raise SettingsError("your browser holds no name for you, so nothing can be saved; allow this site its cookies")
    checked = replace(settings, reader=" ".join(settings.reader.split())[:LONGEST_NAME])
    place = path()
    try:
        others = {} if place != house_path() else _others(place)
        write_text(place, json.dumps(asdict(checked) | others, indent=1, ensure_ascii=False))
    except OSError as error:
        raise SettingsError(
            f"the settings cannot be written to {place.parent}: {error.strerror}; make room there, or set "
            "XAI_LIGHTBOX_HOME to a folder that can be written"
        ) from error


def _others(place: Path) -> dict[str, Any]:
    """What a settings file holds besides a person's settings."""
    try:
        return {key: value for key, value in contents(place).items() if key not in asdict(UserSettings())}
    except (OSError, ValueError):
        return {}
