"""Whether a film is a frontal chest film that hangs as it should, and one of those that a model was made for.

A small network looks at the film; what the file or the collection says of age and projection goes before what it sees.
How good the picture is, is measured (:mod:`classifiers.picture_quality`).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from classifiers.chest_classifier import ModelCard, Scope
from classifiers.film_check_network import HANGS, QUESTIONS, SIDE, FilmCheckNetwork, hung, look_from_all_sides
from classifiers.picture_quality import CODES as QUALITY_CODES
from classifiers.picture_quality import PictureQuality, measure_quality
from classifiers.weights import load_into, read_shipped_card, shipped_weights
from radiographs import Radiograph
from radiographs.collection import FilmEntry
from radiographs.corrections import Correction
from radiographs.film_readers.orientation import Turn
from radiographs.places import asset
from radiographs.radiograph import Note

CODES = (
    "rotated", "mirrored", "inverted", "lateral", "cropped", "not-a-chest-film", "age", "projection", "unlike-training",
    *QUALITY_CODES,
)  # fmt: skip
"""What can be doubted of a film."""
ADULT = 16
"""A model whose youngest patients are at least as old is one for adults; one whose oldest are younger, for children."""
_READERS_CODES = {"body-part": "not-a-chest-film", "view": "projection"}
"""Codes of the film's own notes that mean the same as one of ``CODES``."""
NEARER = 0.6
"""A film that looks like a child's is called so where it lies this many times as far from children's films as from the
model's own, or nearer: films of another hospital than the adults' look a little like children's, too."""
_SEEN = 512
_FRONTAL = ("PA", "AP")


@dataclass(frozen=True, eq=False)
class Look:
    """What the network makes of one film, and how good its picture is.

    Attributes:
        hangs: probability of each of the ``HANGS``, the first of which is as it should be.
        answers: probability by question (``QUESTIONS``).
        features: (64,) float32, from which distances between films are measured. quality: of the picture.
    """

    hangs: np.ndarray
    answers: dict[str, float]
    features: np.ndarray
    quality: PictureQuality

    @property
    def no_film(self) -> float:
        """One minus the probability of a chest film whose turn is certain: of other pictures no turn is."""
        return 1 - self.answers["chest"] * float(self.hangs.reshape(-1, 2).sum(1).max())


@dataclass(frozen=True, eq=False)
class FilmCheck:
    """The network with what its numbers mean.

    Attributes:
        network: in evaluation mode. limits: by code, the probability above which the film is doubted; "child" and
            "adult" are the two sides of ``age``, "no-film" is that of :attr:`Look.no_film`.
        populations: by collection, the training films' features: mean (64,), precision (64, 64), and the distance
            beyond which a film is unlike them.
    """

    network: FilmCheckNetwork
    limits: dict[str, float]
    populations: dict[str, tuple[np.ndarray, np.ndarray, float]]


_seen: OrderedDict[str, Look] = OrderedDict()
_lock = threading.Lock()


@cache
def shipped_check() -> FilmCheck:
    """The shipped network, read when the first film is checked."""
    return load_check()


def check_card(folder: Path | None = None) -> dict[str, Any]:
    """The shipped network's card: title, summary, films, limits, measured figures, thresholds, sum of its weights.

    Raises:
        WeightsError: the card is missing or damaged.
    """
    return read_shipped_card((folder or asset("film_check")) / "film_check.json")


def load_check(folder: Path | None = None) -> FilmCheck:
    """Read the shipped network with its thresholds and the training films' features.

    Raises:
        WeightsError: weights or card are missing or damaged, or the weights are not those the card names.
    """
    folder = folder or asset("film_check")
    card = check_card(folder)
    path = shipped_weights(folder, card["network"])
    state = {k: v.float() if v.is_floating_point() else v for k, v in load_file(path).items()}
    measured = {k: state.pop(k).numpy() for k in [k for k in state if k.startswith(("mean.", "precision."))]}
    with torch.random.fork_rng(devices=[]):
        network = FilmCheckNetwork()
    load_into(network, state, path.name)
    network.eval().requires_grad_(False)
    populations = {
        name: (measured[f"mean.{kind}"], measured[f"precision.{kind}"], card["populations"][kind]["limit"])
        for kind, said in card["populations"].items()
        for name in said["collections"]
    }
    return FilmCheck(network, card["thresholds"], populations)


def look_at(radiograph: Radiograph, check: FilmCheck | None = None) -> Look:
    """What the network makes of a film; the shipped network's answers are remembered by the film's digest.

    Raises:
        WeightsError: see :func:`load_check`.
    """
    if check is not None:
        return _look(radiograph.pixels, check.network)
    with _lock:
        if radiograph.digest in _seen:
            _seen.move_to_end(radiograph.digest)
            return _seen[radiograph.digest]
    look = _look(radiograph.pixels, shipped_check().network)
    with _lock:
        _seen[radiograph.digest] = look
        while len(_seen) > _SEEN:
            _seen.popitem(last=False)
    return look


def _look(pixels: np.ndarray, network: FilmCheckNetwork) -> Look:
    with torch.inference_mode():
        film = torch.tensor(pixels)[None, None]
        small = F.interpolate(film, (SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False).clamp(0, 1)
        logits, features = look_from_all_sides(network, small[0, 0])
        hangs, answers = logits[:HANGS].softmax(0).numpy(), logits[HANGS:].sigmoid().tolist()
    return Look(hangs, dict(zip(QUESTIONS, answers)), features.numpy(), measure_quality(pixels))


def distance(look: Look, population: tuple[np.ndarray, np.ndarray, float]) -> float:
    """Mahalanobis distance of a film's features from those of the films a model was trained on (arXiv 1807.03888)."""
    away = look.features - population[0]
    return float(np.sqrt(max(0.0, away @ population[1] @ away)))


def doubts_of(
    radiograph: Radiograph,
    card: ModelCard | None = None,
    entry: FilmEntry | None = None,
    check: FilmCheck | None = None,
) -> tuple[Note, ...]:
    """What is odd about a film, and about showing it to a model; empty where nothing is.

    Args:
        radiograph: the film. card: of the model; without one only the film itself is judged.
        entry: the collection's line for the film, whose age and view go before the file's and the network's.
        check: another network than the shipped one.

    Raises:
        WeightsError: see :func:`load_check`.
    """
    look, limits = look_at(radiograph, check), (check or shipped_check()).limits
    part = look.answers["cropped"] > limits["cropped"]
    if 1 - look.answers["chest"] > limits["not-a-chest-film"] or (look.no_film > limits["no-film"] and not part):
        return (_doubt("not-a-chest-film", "This does not look like a frontal chest film."),)
    found = _of_the_picture(look, limits, {note.code for note in radiograph.doubts}) + look.quality.doubts
    if card is None or card.scope is None:
        return found
    looks_odd = bool(found)
    populations = (check or shipped_check()).populations
    young = _lies_with_others(look, card.scope, populations)
    found += _of_the_patient(look, limits, card, young, radiograph, entry)
    known = [populations[name] for name in card.scope.collections if name in populations]
    if known and not looks_odd and all(distance(look, population) > population[2] for population in known):
        words = f"This film is unlike those that {card.title} was made for."
        found += (_doubt("unlike-training", words),)
    return found


def _of_the_picture(look: Look, limits: dict[str, float], said: set[str]) -> tuple[Note, ...]:
    """How the film hangs, its greys, its borders, from which side it was taken; ``said``: codes of earlier doubts."""
    found = []
    if "lateral" in said:
        return ()
    if look.answers["lateral"] > limits["lateral"]:
        return (_doubt("lateral", "The film looks as if it was taken from the side; models are for frontal films."),)
    way = int(look.hangs.argmax())
    upright = float(look.hangs[:2].sum())
    if 1 - upright > limits["rotated"]:
        words = "It looks as if the film lies on its side." if way // 2 % 2 else "The film looks upside down."
        found.append(_doubt("rotated", words[:-1] + (", and is mirrored." if way % 2 else ".")))
    elif float(look.hangs[1]) / upright > limits["mirrored"]:
        found.append(_doubt("mirrored", "The film looks mirrored: the heart lies on the right side of the patient."))
    if look.answers["inverted"] > limits["inverted"]:
        found.append(_doubt("inverted", "The film looks inverted: bone is dark and air is bright."))
    if look.answers["cropped"] > limits["cropped"]:
        found.append(_doubt("cropped", "The film looks cropped: it does not show the whole of both lungs."))
    return tuple(found)


def _lies_with_others(look: Look, scope: Scope, populations: dict[str, tuple[np.ndarray, np.ndarray, float]]) -> bool:
    """Whether a film lies much nearer to films of other collections than of the model's; True where unknown."""
    own = [distance(look, population) for name, population in populations.items() if name in scope.collections]
    others = [distance(look, population) for name, population in populations.items() if name not in scope.collections]
    return not own or not others or min(others) < NEARER * min(own)


def _of_the_patient(
    look: Look,
    limits: dict[str, float],
    card: ModelCard,
    lies_with_others: bool,
    radiograph: Radiograph,
    entry: FilmEntry | None,
) -> tuple[Note, ...]:
    """Age and projection against those of a model."""
    found, scope = [], card.scope
    if scope is None:
        return ()
    youngest, oldest = scope.ages
    made_for = f"{card.title} was made for patients of {youngest} to {oldest} years"
    age = entry.age if entry is not None and entry.age is not None else radiograph.age
    child = look.answers["child"]
    if age is not None:
        if not youngest <= age <= oldest:
            found.append(_doubt("age", f"The patient is {age} years old; {made_for}."))
    elif youngest >= ADULT and child > limits["child"] and lies_with_others:
        found.append(_doubt("age", f"The film looks like a child's; {made_for}."))
    elif oldest < ADULT and 1 - child > limits["adult"]:
        found.append(_doubt("age", f"The film looks like an adult's; {made_for}."))
    view = entry.view if entry is not None and entry.view is not None else radiograph.view
    named = " or ".join(scope.projections)
    if view in _FRONTAL:
        if view not in scope.projections:
            found.append(_doubt("projection", f"The film is a {view} view; {card.title} was made for {named} views."))
    elif view is None and len(scope.projections) == 1 and not found and child < 0.5:
        other = next(name for name in _FRONTAL if name not in scope.projections)
        if (look.answers["ap"] if other == "AP" else 1 - look.answers["ap"]) > limits["projection"]:
            found.append(
                _doubt("projection", f"The film looks like a {other} view; {card.title} was made for {named}.")
            )
    return tuple(found)


def _doubt(code: str, words: str) -> Note:
    return Note(code, words, True)


def checked(radiograph: Radiograph, *cards: ModelCard, entry: FilmEntry | None = None) -> Radiograph:
    """The film with what is odd about it among its notes, so that all that shows or writes doubts says it.

    Args:
        cards: of the models that are to look at it. entry: see :func:`doubts_of`.

    Raises:
        WeightsError: see :func:`load_check`.
    """
    known = [note for note in radiograph.notes if not note.doubt or note.code not in CODES or note.code == "lateral"]
    new = dict.fromkeys(note for card in cards or (None,) for note in doubts_of(radiograph, card, entry))
    notes = (*known, *(note for note in new if note not in known))
    return radiograph if notes == radiograph.notes else radiograph.with_notes(notes)


def report(radiograph: Radiograph) -> dict[str, Any]:
    """Doubts of a film for JSON: whether all is well, and a code and words for each doubt, the reader's among them."""
    doubts = [{"code": _READERS_CODES.get(n.code, n.code), "words": n.words} for n in radiograph.doubts]
    return {"ok": not doubts, "doubts": doubts}


@cache
def _righted() -> tuple[Turn, ...]:
    """For each of the ``HANGS``, the turn that brings a film back to how it should hang."""
    places = torch.arange(6).reshape(2, 3)
    options = [Turn(a, b, c) for a in (False, True) for b in (False, True) for c in (False, True)]
    return tuple(
        next(t for t in options if np.array_equal(t.apply(hung(places, way).numpy()), places)) for way in range(HANGS)
    )


def correction_of(radiograph: Radiograph) -> Correction | None:
    """What would cure the film's doubts: a turn, a mirroring, an inversion, or several; None where nothing does."""
    codes = {note.code for note in radiograph.doubts}
    turn = Turn()
    if "rotated" in codes:
        turn = _righted()[int(look_at(radiograph).hangs.argmax())]
    elif "mirrored" in codes:
        turn = Turn(mirrored=True)
    return Correction(turn, "inverted" in codes) if turn or "inverted" in codes else None
