"""What the dashboard's commands share: the film and the model they are about."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from classifiers import ModelCard
    from dashboard.shared.film_context import FilmContext


def add_film_and_model(command: argparse.ArgumentParser) -> None:
    """Add the options that name the film and the model."""
    command.add_argument("--film", required=True, metavar="FILM", help="a file, or collection/film-id")
    command.add_argument("--model", required=True, metavar="MODEL", help="a model of lightbox models")


def film_context(reference: str, card: ModelCard) -> FilmContext:
    """The film of ``reference``, a file or ``collection/film-id``, with what is known of it; a file's name is left out.

    What is doubtful of the film, or of showing it to the model of ``card``, is said on the terminal.

    Raises:
        LookupError: there is no such film. FilmError: it cannot be read.
    """
    from dashboard.shared.film_context import FilmContext
    from evaluation.cli.check import checked_aloud
    from radiographs.registry import find_film

    radiograph, entry, collection = find_film(reference)
    annotations = () if collection is None or entry is None else tuple(collection.annotations(entry.film_id))
    radiograph = checked_aloud(radiograph, card, entry, annotations)
    if collection is None or entry is None:
        return FilmContext("from a file", radiograph)
    return FilmContext(f"{collection.name}/{entry.film_id}", radiograph, annotations, entry, collection)
