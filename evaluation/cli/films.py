"""Commands about films: what the reader made of one, and folders of one's own."""

from __future__ import annotations

import argparse
import dataclasses
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.cli.outputs import check_file
from radiographs import Annotation, Radiograph
from radiographs.annotation import union_mask
from radiographs.files import write_bytes
from radiographs.nearness import near

FULL = 65535


def add_commands(added: Any) -> None:
    """Add ``show`` and ``add-folder``, the older name of ``films add``, to the commands of ``lightbox``."""
    about = "Say what the reader made of one film: size, view, spacing, digest, and all that it did or doubts."
    command = added.add_parser("show", help="say what the reader made of a film", description=about)
    command.add_argument("--film", required=True, metavar="FILM", help="a file, or collection/film-id")
    command.add_argument("--png", type=Path, metavar="OUT.PNG", help="also write the film as it hangs, grey, 16 bits")
    command.add_argument(
        "--mask", type=Path, metavar="OUT.PNG", help="also write what experts outlined of --finding, white on black"
    )
    command.add_argument("--finding", metavar="FINDING", help="the finding whose outline --mask writes")
    command.add_argument("--json", action="store_true", help="as a JSON object")
    command.set_defaults(run=show)
    _add_folder(added, "add-folder", "--title")


def add_folder_commands(films: argparse.ArgumentParser) -> None:
    """Add what can be done to folders of one's own below ``lightbox films``."""
    added = films.add_subparsers(title="folders of one's own", metavar="COMMAND")
    _add_folder(added, "add", "--name")
    command = added.add_parser("remove", help="forget a folder of yours", description="Forget a folder of yours.")
    command.add_argument("name", metavar="NAME", help="a collection of lightbox films")
    command.set_defaults(run=remove_folder)


def _add_folder(added: Any, command: str, option: str) -> None:
    about = "Remember a folder of films, with the masks and tables that lie in it, as a collection."
    parser = added.add_parser(command, help="remember a folder of films", description=about)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the folder that holds the films")
    words = "what to call the collection; folder-1, folder-2 ... without one"
    parser.add_argument(option, dest="title", default="", metavar="NAME", help=words)
    parser.set_defaults(run=add_folder)


def show(args: argparse.Namespace) -> int:
    """Say what the reader made of one film, and write it as a picture where that is wanted."""
    from radiographs.registry import find_film

    for option, path in (("--png", args.png), ("--mask", args.mask)):
        if path is not None:
            check_file(path, ".png", option=option)
    if (args.mask is None) != (args.finding is None):
        raise ValueError("--mask and --finding belong together: the file, and whose outline it is to hold")
    film, entry, collection = find_film(args.film)
    if args.png is not None:
        write_bytes(args.png, _png(film.pixels))
    if args.mask is not None:
        drawn = [] if collection is None or entry is None else collection.annotations(entry.film_id)
        write_bytes(args.mask, _png(_outlined(drawn, args.finding)))
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


def _outlined(drawn: Sequence[Annotation], finding: str) -> np.ndarray:
    """What was outlined for ``finding``, by whoever did: (H, W) bool."""
    mask = union_mask(list(drawn), finding)
    if mask is None:
        names = dict.fromkeys(one.finding for one in drawn)
        raise LookupError(f"nobody outlined {finding!r} on this film; {near(finding, names, 'outlined are')}")
    return mask


def _png(pixels: np.ndarray) -> bytes:
    """(H, W) greys in [0, 1] as a PNG of 16 bits: 0 black, 65535 white, no window applied."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.rint(pixels * FULL).astype(np.uint16)).save(buffer, "PNG")
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
    from evaluation.validity.outline_fit import fit_of
    from radiographs.collections.remembered import remember_folder
    from radiographs.registry import collections

    collection = remember_folder(args.folder, args.title, taken=collections())
    scan = collection.scan()
    outlined = sum(1 for entry in collection.entries() if entry.annotated)
    sys.stdout.write(f"{collection.name}: {len(scan.read)} films, {outlined} with outlines\n")
    doubt = fit_of(collection).doubt
    if doubt is not None:
        sys.stderr.write(f"doubt: {doubt.words}\n")
    for name, reason in scan.refused:
        sys.stderr.write(f"{name}: {reason}\n")
    return 0


def remove_folder(args: argparse.Namespace) -> int:
    """Forget a folder of one's own; nothing in it is touched."""
    from radiographs.collections.remembered import forget_folder

    forget_folder(args.name)
    sys.stdout.write(f"{args.name} is forgotten; the films stay where they are.\n")
    return 0
