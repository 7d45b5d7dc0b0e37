"""BibTeX of what the program cites, from one file: ``assets/references.bib``.

Methods, scores, models and collections name what they cite by DOI or arXiv id in a plain text; the id finds the entry.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from radiographs.places import asset

_ID = re.compile(r"(?:arXiv|doi)[: ]+(\d{4}\.\d{4,5}|10\.\d{4,}/[^\s,;]+)", re.IGNORECASE)
_FIELD = re.compile(r"\b(doi|eprint|package) = \{([^}]*)\}")
_OWN = ("", "This project", "None")
_LONGEST_KEY = 24


@dataclass(frozen=True)
class Reference:
    """An entry of the bibliography: its key, its BibTeX, its DOI and arXiv id, and the package that it is of."""

    key: str
    text: str
    ids: tuple[str, ...]
    package: str = ""


@cache
def bibliography() -> tuple[Reference, ...]:
    """All entries, in the order of the file."""
    lines = asset("references.bib").read_text(encoding="utf-8").splitlines()
    return tuple(_reference(line) for line in lines if line.startswith("@"))


def _reference(line: str) -> Reference:
    fields = dict(_FIELD.findall(line))
    ids = tuple(fields[name].lower() for name in ("doi", "eprint") if name in fields)
    text = re.sub(r"(, )(?=\w+ = \{)", ",\n  ", line)
    return Reference(line[line.index("{") + 1 : line.index(",")], text, ids, fields.get("package", ""))


def ids_in(text: str) -> list[str]:
    """The DOIs and arXiv ids that a text names, in lower case."""
    return [found.rstrip(".").lower() for found in _ID.findall(text)]


def references_of(text: str) -> tuple[Reference, ...]:
    """What a text cites; of one without a known DOI or arXiv id an entry is made that quotes it.

    Args:
        text: such as ``Method.reference``, ``Metric.source``, ``ModelCard.citation``.
    """
    ids = ids_in(text)
    found = [one for one in bibliography() if set(one.ids) & set(ids)]
    unknown = [one for one in ids if not any(one in ref.ids for ref in found)]
    if (not ids and text not in _OWN and not text.startswith("levels as documented")) or unknown:
        quoted = re.sub(r"([&%$#_])", r"\\\1", text)
        key = re.sub(r"[^a-z0-9]", "", text.lower())[:_LONGEST_KEY] or "cited"
        found.append(Reference(key, f"@misc{{{key},\n  note = {{{quoted}}}}}", tuple(unknown)))
    return tuple(dict.fromkeys(found))


def references_of_packages(names: Iterable[str]) -> tuple[Reference, ...]:
    """The entries of packages, as far as they have one."""
    wanted = {name for name in names if name}
    return tuple(one for one in bibliography() if one.package in wanted)


def by_key(*keys: str) -> tuple[Reference, ...]:
    """The entries with these keys.

    Raises:
        LookupError: there is none of a key.
    """
    known = {one.key: one for one in bibliography()}
    missing = [key for key in keys if key not in known]
    if missing:
        raise LookupError(f"the bibliography has no entry {missing[0]!r}")
    return tuple(known[key] for key in keys)


def cite(references: Iterable[Reference]) -> str:
    r"""``\cite{...}`` of the references, after a tie; "" for none."""
    keys = ",".join(one.key for one in references)
    return rf"~\cite{{{keys}}}" if keys else ""


def bibtex(references: Iterable[Reference]) -> str:
    """The references as a BibTeX file, each once, sorted by their keys."""
    return "\n\n".join(text for _, text in sorted({(one.key, one.text) for one in references})) + "\n"
