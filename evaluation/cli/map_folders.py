"""The command ``lightbox score`` over folders of maps, and its results as CSV, Parquet or JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from evaluation.cli.statuses import DONE, WITH_REMARKS
from evaluation.csv_table import write_csv
from evaluation.one_film.external_maps import NoMapError, film_names, map_files, open_maps, place_map
from evaluation.one_film.map_files import MapError, read_map_file, read_mask
from radiographs.arrays import plain
from radiographs.files import replacing, write_text
from radiographs.film_readers.mask_images import MASK_SUFFIXES
from radiographs.findings import canonical

TABLES = (".csv", ".parquet", ".json")
_MASKS = {*MASK_SUFFIXES, ".npy", ".npz"}


def score_folder(args: argparse.Namespace) -> int:
    """Score every map of a folder; 1 where a map could not be used or a film has none, each said on stderr.

    Raises:
        MapError: the folder holds no map that can be scored. CollectionError: the films are not there.
    """
    if args.films is None and not args.mask.is_dir():
        raise MapError(f"{args.map.name} is a folder: give the folder of masks by --mask, or a collection by --films")
    problems: list[str] = []
    found = _of_masks(args, problems) if args.films is None else _of_collection(args, problems)
    rows = [row for scores in found for row in scores]
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    if not rows:
        raise MapError(f"none of the maps in {args.map.name} could be scored")
    table = pd.DataFrame(rows)
    pairs = len(table[["film", "finding"]].drop_duplicates())
    if args.out is not None:
        write_table(args.out, table)
    elif args.json:
        sys.stdout.write(_json(table))
    else:
        means = table.groupby("metric", sort=False).value.agg(["mean", "count"])
        for name, row in means.iterrows():
            sys.stdout.write(f"{name:<26}{row['mean']:>10.4f}  (n {row['count']:.0f})\n")
    sys.stderr.write(f"{pairs} maps scored, {len(problems)} left out.\n")
    return WITH_REMARKS if problems else DONE


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table by the path's suffix, .csv, .parquet or .json, whole or not at all.

    Raises:
        ValueError: the suffix is another. OSError: the file cannot be written.
    """
    check_out(path)
    if path.suffix.lower() == ".csv":
        write_csv(path, table)
    elif path.suffix.lower() == ".json":
        write_text(path, _json(table))
    else:
        with replacing(path) as fresh:
            table.to_parquet(fresh, index=False)


def check_out(path: Path) -> None:
    """Refuse a file name that does not say which of the tables it is to be.

    Raises:
        ValueError: the suffix is none of ``TABLES``.
    """
    if path.suffix.lower() not in TABLES:
        raise ValueError(f"--out: {path.name} does not end in {', '.join(TABLES[:-1])} or {TABLES[-1]}")


def _json(table: pd.DataFrame) -> str:
    return json.dumps(plain(table.to_dict("records")), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _of_masks(args: argparse.Namespace, problems: list[str]) -> Iterator[list[dict[str, Any]]]:
    """Scores of each map against the mask of the same name."""
    from evaluation.scores import score_map

    masks = {_stem(path, args.mask): path for path in args.mask.rglob("*") if path.suffix.lower() in _MASKS}
    for path in map_files(args.map):
        name = _stem(path, args.map)
        mask_path = masks.pop(name, None)
        if mask_path is None:
            problems.append(f"{name}: there is no mask of this name")
            continue
        try:
            mask = read_mask(mask_path)
            yield _rows(name, "", score_map(read_map_file(path, mask.shape), mask, polarity=args.polarity))
        except MapError as error:
            problems.append(str(error))
    problems += [f"{name}: there is no map of this name" for name in masks]


def _stem(path: Path, folder: Path) -> str:
    return path.relative_to(folder).with_suffix("").as_posix()


def _of_collection(args: argparse.Namespace, problems: list[str]) -> Iterator[list[dict[str, Any]]]:
    """Scores of each map against what was outlined on the films of a collection."""
    from classifiers.registry import load_classifier
    from evaluation.scores import score_map
    from radiographs.annotation import union_mask
    from radiographs.registry import get_collection

    collection = get_collection(args.films)
    maps = open_maps(args.map, film_names(collection))
    classifier = None if args.model is None else load_classifier(args.model)
    problems += [f"{name}: this fits no film of {collection.name}" for name in maps.unmatched]
    of_maps = {finding for _, finding in maps.maps}
    for entry in collection.entries():
        for finding in (one for one in entry.annotated if canonical(one) in of_maps):
            try:
                place = maps.find(entry.film_id, finding)
                film = collection.read(entry.film_id)
                mask = union_mask(collection.annotations(entry.film_id), finding)
                if mask is None:
                    continue
                on_film = place_map(place, finding, film, classifier).on_film
                yield _rows(entry.film_id, finding, score_map(on_film, mask, polarity=args.polarity))
            except (NoMapError, ValueError) as error:
                problems.append(f"{entry.film_id}: {error}")


def _rows(film: str, finding: str, scores: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "film": film, "finding": finding, "metric": name, "value": one.value, "chance": one.chance,
            "direction": one.direction,
        }
        for name, one in scores.items()
    ]  # fmt: skip
