"""The command ``lightbox check``: is a film one that a model can be shown, and what is odd about it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from evaluation.cli.statuses import DONE, WITH_REMARKS
from radiographs import Annotation, Radiograph
from radiographs.collection import FilmEntry


def add_commands(added: Any) -> None:
    """Add ``check`` to the commands of ``lightbox``."""
    about = (
        "Say whether a film is a frontal chest film that hangs as it should, neither mirrored, inverted nor cropped, "
        "whether its picture is good enough (grey levels, contrast, clipping, sharpness, noise, JPEG), and with "
        "--model whether age and projection are those the model was made for. Exit status: 0 nothing is odd, 1 "
        "something is, 2 the film cannot be read or the model is unknown."
    )
    command = added.add_parser("check", help="say what is odd about a film", description=about)
    command.add_argument("--film", required=True, metavar="FILM", help="a file, or collection/film-id")
    command.add_argument("--model", metavar="MODEL", help="a model of lightbox models that is to look at the film")
    command.add_argument("--json", action="store_true", help='as JSON: {"ok": ..., "doubts": [{"code", "words"}, ...]}')
    command.set_defaults(run=check)


def check(args: argparse.Namespace) -> int:
    """Say what is odd about one film; 1 where something is."""
    from classifiers.film_check import checked, report
    from classifiers.registry import card_of
    from evaluation.validity.outline_fit import with_outline_doubts
    from radiographs.registry import find_film

    cards = [card_of(args.model)] if args.model else []
    film, entry, collection = find_film(args.film)
    annotations = [] if collection is None or entry is None else collection.annotations(entry.film_id)
    said = report(with_outline_doubts(checked(film, *cards, entry=entry), annotations))
    if args.json:
        sys.stdout.write(json.dumps(said, indent=2, ensure_ascii=False) + "\n")
    elif said["ok"]:
        sys.stdout.write("Nothing is odd about this film.\n")
    else:
        sys.stdout.writelines(f"{doubt['words']}\n" for doubt in said["doubts"])
    return DONE if said["ok"] else WITH_REMARKS


def checked_aloud(
    film: Radiograph, card: Any, entry: FilmEntry | None = None, annotations: Sequence[Annotation] = ()
) -> Radiograph:
    """The film with its doubts under a model's card, each of which is said on stderr before anything is said of it.

    Args:
        film, card, entry: see :func:`classifiers.film_check.checked`. annotations: what was outlined on the film.
    """
    from classifiers.film_check import checked
    from evaluation.validity.outline_fit import with_outline_doubts

    seen = with_outline_doubts(checked(film, card, entry=entry), annotations)
    for note in seen.doubts:
        sys.stderr.write(f"doubt: {note.words}\n")
    return seen
