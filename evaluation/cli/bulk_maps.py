"""The command ``lightbox explain --collection NAME --maps FOLDER``: a map of every film and finding, as files."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping

from classifiers import ChestClassifier
from evaluation.cli.statuses import DONE, WITH_REMARKS
from radiographs.collection import Collection, FilmEntry
from radiographs.findings import is_named


def write_maps(args: argparse.Namespace, settings: Mapping[str, str]) -> int:
    """Explain the films of a collection and write the maps; 1 where some could not be had, each said on stderr.

    What lies there already, made with the same model, method, parameters and seed, is left as it is.

    Args:
        settings: parameters of the method, by name.

    Raises:
        LookupError, ValueError: the collection, model, method, parameters or a finding cannot be used.
        OSError: the folder cannot be written.
    """
    from classifiers.registry import load_classifier
    from evaluation.one_film.map_writing import is_written, map_name, write_map
    from radiographs.errors import CollectionError
    from radiographs.registry import get_collection
    from xai_methods import get_method

    method, collection = get_method(args.method), get_collection(args.collection)
    parameters = method.parameters.parse(dict(settings))
    missing = collection.missing()
    if missing:
        raise CollectionError(missing)
    classifier = load_classifier(args.model)
    wanted = list(_wanted(collection, classifier, args.finding or []))
    if not wanted:
        raise ValueError(f"{args.model} knows no finding that is outlined in {args.collection}; name one by --finding")
    written = there = failed = 0
    for number, (entry, findings) in enumerate(wanted, 1):
        film = None
        for finding in findings:
            path = args.maps / map_name(entry.film_id, finding, args.format)
            facts = {
                "classifier": classifier.digest, "method": method.name, "parameters": parameters.as_dict(),
                "seed": args.seed, "grid": args.grid,
            }  # fmt: skip
            if is_written(path, facts):
                there += 1
                continue
            try:
                film = collection.read(entry.film_id) if film is None else film
                explanation = method.explain(classifier, film, finding, parameters=parameters, seed=args.seed)
            except (ValueError, LookupError, RuntimeError) as error:
                sys.stderr.write(f"{entry.film_id}, {finding}: {' '.join(str(error).split())}\n")
                failed += 1
                continue
            write_map(path, explanation, classifier, film, args.grid)
            written += 1
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{number} of {len(wanted)} films" + ("\n" if number == len(wanted) else ""))
    before = f", {there} were there already" if there else ""
    sys.stdout.write(f"{written} maps written to {args.maps}{before}; {failed} could not be had.\n")
    return WITH_REMARKS if failed else DONE


def _wanted(
    collection: Collection, classifier: ChestClassifier, named: list[str]
) -> Iterator[tuple[FilmEntry, list[str]]]:
    """Each film with the findings to explain: those that are named, else those that somebody outlined on it."""
    for finding in named:
        classifier.column(finding)
    for entry in collection.entries():
        findings = named or [finding for finding in classifier.findings if is_named(finding, entry.annotated)]
        if findings:
            yield entry, findings
