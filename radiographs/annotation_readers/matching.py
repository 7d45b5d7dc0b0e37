"""Which film of a folder a line of a table speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from radiographs.annotation_readers.table import film_key, path_key

_PATIENT = re.compile(r"(?<![a-z0-9])(?:(?:patient|subject)[-_ ]?\d+|p\d{8}(?=/))(?!\d)", re.IGNORECASE)
_STUDY = re.compile(r"(?<![a-z0-9])(?:study|session)[-_ ]?\d+|(?<![a-z0-9])s\d{8}(?=/)", re.IGNORECASE)


@dataclass(frozen=True)
class Matches:
    """How names in a table and films belong together.

    Attributes:
        names: film -> the table's name for it. unknown: names of which no film is there.
        ambiguous: names that could mean several films, or that share their film with another.
    """

    names: dict[str, str]
    unknown: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()


def match(names: Iterable[str], films: Iterable[str]) -> Matches:
    """Match a table's names with films, both with or without folders, by their last part and then by their folders.

    A film is also known by its path with underscores for slashes, as CheXlocalize names CheXpert's films.

    Args:
        names: as the table gives them, without suffix (see :func:`path_key`).
        films: paths of the films, relative to their folder, with or without suffix.
    """
    by_name = _by_name(films)
    found: dict[str, list[str]] = {}
    unknown: list[str] = []
    ambiguous: list[str] = []
    for name in names:
        candidates = [film for film in by_name.get(film_key(name), []) if not _of_others(name, film)]
        film = best_film(name.rpartition("/")[0], candidates)
        if film is not None:
            found.setdefault(film, []).append(name)
        else:
            (ambiguous if candidates else unknown).append(name)
    several = [name for shared in found.values() if len(shared) > 1 for name in shared]
    matched = {film: shared[0] for film, shared in found.items() if len(shared) == 1}
    return Matches(matched, tuple(unknown), (*ambiguous, *several))


def _by_name(films: Iterable[str]) -> dict[str, list[str]]:
    """Films by their name without folders and suffix, and by the ends of their paths joined by underscores."""
    found: dict[str, list[str]] = {}
    for film in films:
        parts = path_key(film).split("/")
        for start in range(len(parts)):
            found.setdefault("_".join(parts[start:]), []).append(film)
    return found


class FilmNames:
    """What files named ``<film>_<finding>`` belong to.

    Args:
        films: their names, with folders where names are shared, with or without suffix.
    """

    def __init__(self, films: Iterable[str]) -> None:
        self._films = _by_name(dict.fromkeys(path_key(name) for name in films))

    def __bool__(self) -> bool:
        return bool(self._films)

    def split(self, inside: str) -> tuple[str, str] | None:
        """The film (see :func:`path_key`) and the finding that a file's name speaks of; None where that is unclear.

        The longest film name that fits counts; where films in several folders share it, the file's own folders decide.

        Args:
            inside: path of the file, relative to the folder that is looked through.
        """
        folders, _, file = inside.rpartition("/")
        stem = file.rpartition(".")[0] or file
        for at in [place for place, sign in enumerate(stem) if sign == "_"][::-1]:
            if stem[:at] in self._films:
                film, finding = best_film(folders, self._films[stem[:at]]), stem[at + 1 :].strip("_ ")
                return (film, finding) if film is not None and finding else None
        return None


def best_film(folders: str, films: Sequence[str]) -> str | None:
    """Of films that share a name, the one whose folders agree best from their end; None where that is not one.

    Args:
        folders: those of the name that is looked for, "" where it has none. films: paths of the films.
    """
    if len(films) < 2:
        return films[0] if films else None
    scores = [_agreeing(folders, path_key(film).rpartition("/")[0]) for film in films]
    best = max(scores)
    return films[scores.index(best)] if scores.count(best) == 1 else None


def patient_in_path(path: str) -> str:
    """The part of a film's relative path that names its patient ("patient0123", "p10000032"); "" for none."""
    found = _PATIENT.search(path)
    return found[0].lower() if found else ""


def _of_others(name: str, film: str) -> bool:
    """Whether a name and a film's path name two patients or studies, as where each has a ``view1_frontal.jpg``."""
    for kind in (_PATIENT, _STUDY):
        one, other = kind.search(name), kind.search(film)
        if one and other and _number(one[0]) != _number(other[0]):
            return True
    return False


def _number(name: str) -> int:
    return int(re.sub(r"\D", "", name))


def _agreeing(one: str, other: str) -> float:
    """How many folders agree from the end; a little more where nothing is left over."""
    first, second = [part for part in one.split("/") if part], [part for part in other.split("/") if part]
    same = 0
    while same < min(len(first), len(second)) and first[-1 - same] == second[-1 - same]:
        same += 1
    return same + 0.5 * (first == second)
