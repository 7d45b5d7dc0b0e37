"""What each command of ``lightbox`` does; the words are parsed in ``evaluation.cli.parser``."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from evaluation.cli.check import checked_aloud
from evaluation.cli.outputs import check_file
from evaluation.cli.progress import ProgressLine
from evaluation.one_film.map_files import read_map_file, read_mask
from radiographs.arrays import plain
from radiographs.nearness import near


def _say_json(content: Any) -> None:
    sys.stdout.write(json.dumps(plain(content), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _say_list(rows: Sequence[dict[str, Any]], as_json: bool, line: Callable[[dict[str, Any]], tuple[str, str]]) -> int:
    if as_json:
        _say_json(list(rows))
        return 0
    lines = [line(row) for row in rows]
    width = max((len(name) for name, _ in lines), default=0)
    sys.stdout.writelines(f"{name:<{width}}  {text}".rstrip() + "\n" for name, text in lines)
    return 0


def films(args: argparse.Namespace) -> int:
    """List the available films; collections without films say on stderr how to have them."""
    from radiographs.registry import collections, get_collection

    chosen = [get_collection(args.collection)] if args.collection else list(collections().values())
    rows = []
    for collection in chosen:
        missing = collection.missing()
        if missing:
            sys.stderr.write(f"{collection.name}: {missing}\n")
            continue
        for entry in collection.entries():
            row = {"name": f"{collection.name}/{entry.film_id}", "collection": collection.name}
            rows.append(row | {k: v for k, v in dataclasses.asdict(entry).items() if k != "patient"})
    return _say_list(rows, args.json, lambda row: (row["name"], _known_of(row)))


def _known_of(row: Mapping[str, Any]) -> str:
    """What is known of a film: the findings that it is labelled with, and further ones that are outlined on it."""
    others = [name for name in row["annotated"] if name not in row["labels"]]
    parts = [", ".join(row["labels"]), f"outlined: {', '.join(others)}" if others else ""]
    return "; ".join(filter(None, parts)) or "no finding known"


def models(args: argparse.Namespace) -> int:
    """List the models; those without weights say how to have them."""
    from classifiers.registry import list_models

    rows = [
        {
            "name": entry.name,
            "title": entry.title,
            "available": entry.available,
            "missing": entry.missing,
            "origin": entry.origin,
            "summary": entry.card.summary,
            "licence": entry.card.licence,
            "scope": None if entry.card.scope is None else dataclasses.asdict(entry.card.scope),
            "figures": entry.card.figures,
        }
        for entry in list_models()
    ]
    return _say_list(rows, args.json, lambda row: (row["name"], row["title"] if row["available"] else row["missing"]))


def methods(args: argparse.Namespace) -> int:
    """List the explanation methods with their parameters."""
    from xai_methods import methods as all_methods

    rows = [
        {
            "name": method.name,
            "title": method.title,
            "family": method.family,
            "question": method.question,
            "signed": method.signed,
            "speed": method.speed,
            "reference": method.reference,
            "parameters": [
                {"name": name, "default": value, **dataclasses.asdict(bounds)}
                for name, bounds, value in method.parameters().described()
            ],
        }
        for method in all_methods().values()
    ]
    return _say_list(rows, args.json, lambda row: (row["name"], row["question"]))


def metrics(args: argparse.Namespace) -> int:
    """List the scores: what each means, which way is better, its formula and its source."""
    from evaluation import scores

    shown = (
        "name", "title", "meaning", "formula", "unit", "direction", "element", "source", "caveat", "low", "high",
        "headline",
    )  # fmt: skip
    rows = [
        {name: getattr(one, name) for name in shown} | {"needs": sorted(one.needs)} for one in scores.metrics().values()
    ]
    return _say_list(rows, args.json, lambda row: (row["name"], row["meaning"]))


def score(args: argparse.Namespace) -> int:
    """Score a map against a mask, or the maps of a folder."""
    import pandas as pd

    from evaluation import scores
    from evaluation.cli.map_folders import check_out, score_folder, write_table

    if args.out is not None:
        check_out(args.out)
    if args.films is not None or args.map.is_dir():
        return score_folder(args)
    mask = read_mask(args.mask)
    given = scores.score_map(read_map_file(args.map, mask.shape), mask, polarity=args.polarity)
    if args.out is not None:
        rows = [{"metric": n, "value": s.value, "chance": s.chance, "direction": s.direction} for n, s in given.items()]
        write_table(args.out, pd.DataFrame(rows))
        return 0
    if args.json:
        _say_json({name: {"value": found.value, "chance": found.chance} for name, found in given.items()})
        return 0
    if not mask.any():
        sys.stderr.write("the mask is empty: there is nothing to score against\n")
    for name, found in given.items():
        number = f"{found.value:.4f}" if found.defined else "undefined"
        chance = "" if math.isnan(found.chance) else f"(chance {found.chance:.4f})"
        sys.stdout.write(f"{name:<26}{number:>10}  {chance}".rstrip() + "\n")
    return 0


def explain(args: argparse.Namespace) -> int:
    """Explain one finding on one film and save the map, or the films of a collection."""
    from classifiers.registry import load_classifier
    from evaluation.cli.bulk_maps import write_maps
    from radiographs.registry import find_film
    from xai_methods import get_method

    if args.collection is not None or args.maps is not None:
        if args.collection is None or args.maps is None or args.film is not None or args.out is not None:
            raise ValueError("give --film and --out for one map, or --collection and --maps for those of many films")
        return write_maps(args, parse_settings(args.set))
    if args.film is None or args.out is None or len(args.finding or []) != 1:
        raise ValueError("give --film, one --finding and --out; or --collection and --maps for many films")
    (finding,) = args.finding
    check_file(args.out, ".npz")
    method = get_method(args.method)
    parameters = method.parameters.parse(parse_settings(args.set))
    radiograph, entry, _ = find_film(args.film)
    classifier = load_classifier(args.model)
    radiograph = checked_aloud(radiograph, classifier.card, entry)
    progress = partial(ProgressLine().share, method.title)
    explanation = method.explain(
        classifier, radiograph, finding, parameters=parameters, seed=args.seed, progress=progress
    )
    on_film = classifier.to_film(explanation, radiograph)
    explanation.save(args.out, on_film=on_film, model=classifier.name, doubts=radiograph.doubt_codes)
    if explanation.empty:
        sys.stderr.write(f"nothing on this film speaks for {finding}, as {method.title} sees it\n")
    return 0


def parse_settings(texts: Sequence[str]) -> dict[str, str]:
    """Turn texts such as ``samples=500`` into names and values.

    Raises:
        ValueError: a text has no ``=``, or a name is given twice.
    """
    settings: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise ValueError(f"--set: expected NAME=VALUE, got {text!r}")
        if name in settings:
            raise ValueError(f"--set: {name} is given twice")
        settings[name] = value
    return settings


def fetch(args: argparse.Namespace) -> int:
    """Download films, or the weights of a model or of the autoencoder of torchxrayvision."""
    from classifiers.xrv import XRV_NAMES, fetch_xrv
    from radiographs.fetching.fetch import FILM_SETS
    from radiographs.fetching.fetch import fetch as fetch_films
    from xai_methods.counterfactual.xrv_autoencoder import WEIGHTS, fetch_xrv_autoencoder

    if args.name in XRV_NAMES:
        where = fetch_xrv(args.name, progress=ProgressLine().bytes)
    elif args.name == WEIGHTS:
        where = fetch_xrv_autoencoder(ProgressLine().bytes)
    elif args.name in FILM_SETS:
        where = fetch_films(args.name, progress=ProgressLine().bytes)
    else:
        meant = near(args.name, (*FILM_SETS, *XRV_NAMES, WEIGHTS))
        raise LookupError(f"there is nothing to fetch under the name {args.name!r}; {meant}")
    sys.stdout.write(f"{where}\n")
    return 0
