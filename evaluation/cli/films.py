"""Commands about films: what the reader made of one, and folders of one's own."""

from __future__ import annotations

import argparse
import dataclasses
import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from radiographs import Radiograph
from radiographs.files import write_bytes

FULL = 65535


def add_commands(added: Any) -> None:
    """Add ``show`` and ``add-folder`` to the commands of ``lightbox``."""
    about = "Say what the reader made of one film: size, view, spacing, digest, and all that it did or doubts."
    command = added.add_parser("show", help="say what the reader made of a film", description=about)
    command.add_argument("--film", required=True, metavar="FILM", help="a file, or collection/film-id")
    command.add_argument("--png", type=Path, metavar="OUT.PNG", help="also write the film as it hangs, grey, 16 bits")
    command.add_argument("--json", action="store_true", help="as a JSON object")
    command.set_defaults(run=show)
    about = "Remember a folder of films, with the masks and tables that lie in it, as a collection."
    command = added.add_parser("add-folder", help="remember a folder of films", description=about)
    command.add_argument("folder", type=Path, metavar="FOLDER", help="the folder that holds the films")
    command.add_argument("--title", default="", help="what to call the collection; folder-1, folder-2 ... without one")
    command.set_defaults(run=add_folder)


def show(args: argparse.Namespace) -> int:
    """Say what the reader made of one film, and write it as a picture where that is wanted."""
    from radiographs.registry import find_film

    if args.png is not None and not args.png.absolute().parent.is_dir():
        raise ValueError(f"--png: there is no folder for {args.png.name}; make it first")
    film = find_film(args.film)[0]
    if args.png is not None:
        write_bytes(args.png, film_png(film))
    facts = film_facts(film)
    if args.json:
        sys.stdout.write(json.dumps(facts, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in _lines(facts))
    return 0


def film_facts(film: Radiograph) -> dict[str, Any]:
    """What is known of a film, for JSON: numbers in pixels and mm, notes with code, words and whether they doubt."""
    return {
        "width": film.shape[1],
        "height": film.shape[0],
        "bits": film.bits,
        "view": film.view,
        "pixel_spacing_mm": None if film.pixel_spacing_mm is None else list(film.pixel_spacing_mm),
        "window": None if film.window is None else list(film.window),
        "digest": film.digest,
        "notes": [dataclasses.asdict(note) for note in film.notes],
    }


def film_png(film: Radiograph) -> bytes:
    """The film as it hangs, as a grey PNG of 16 bits: 0 black, 65535 white, no window applied."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.rint(film.pixels * FULL).astype(np.uint16)).save(buffer, "PNG")
    return buffer.getvalue()


def _lines(facts: dict[str, Any]) -> list[str]:
    spacing, window = facts["pixel_spacing_mm"], facts["window"]
    lines = [
        f"size     {facts['width']} x {facts['height']} pixels, {facts['bits']} bits",
        f"view     {facts['view'] or 'not said'}",
        f"spacing  {f'{spacing[0]:g} x {spacing[1]:g} mm' if spacing else 'not said'}",
        f"window   {f'{window[0]:.4f} to {window[1]:.4f}' if window else 'none'}",
        f"digest   {facts['digest']}",
    ]
    return [*lines, *(f"{'doubt' if note['doubt'] else 'note':<9}{note['words']}" for note in facts["notes"])]


def add_folder(args: argparse.Namespace) -> int:
    """Remember a folder; say its name, how many films it has, and what was refused."""
    from radiographs.collections.remembered import remember_folder
    from radiographs.registry import collections

    collection = remember_folder(args.folder, args.title, taken=collections())
    scan = collection.scan()
    outlined = sum(1 for entry in collection.entries() if entry.annotated)
    sys.stdout.write(f"{collection.name}: {len(scan.read)} films, {outlined} with outlines\n")
    for name, reason in scan.refused:
        sys.stderr.write(f"{name}: {reason}\n")
    return 0
