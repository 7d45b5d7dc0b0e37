"""Which films of a run were read with a doubt (see ``Radiograph.doubts``)."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from evaluation.runs.store import Store
from radiographs import Radiograph


def doubt_rows(collection: str, film_id: str, film: Radiograph, further: Sequence[str] = ()) -> list[dict[str, str]]:
    """A film's rows of ``FILMS``: one a doubt of its reader and one each of ``further``; else one with an empty one."""
    codes = [*film.doubt_codes, *further] or [""]
    return [{"collection": collection, "film_id": film_id, "film": film.digest, "doubt": code} for code in codes]


def doubts_of(store: Store) -> pd.DataFrame:
    """The films of a run that have scores, one row a film and doubt; ``doubt`` is "" for none, null where unknown.

    Unknown is what a run scored before doubts were stored with it.

    Raises:
        StoreError: a file is damaged.
    """
    return store.query(
        "SELECT DISTINCT collection, film_id, film, doubt FROM (SELECT DISTINCT collection, film_id, film FROM scores) "
        "LEFT JOIN films USING (collection, film_id, film) ORDER BY ALL"
    )


def doubts_in_words(doubts: pd.DataFrame) -> str:
    """One sentence on :func:`doubts_of`: how many films were read with a doubt, and with which."""
    films = doubts[["collection", "film_id"]].drop_duplicates()
    unknown = int(doubts.doubt.isna().sum())
    told = doubts[doubts.doubt.fillna("") != ""]
    named = "; ".join(f"{code.replace('-', ' ')}: {count}" for code, count in told.doubt.value_counts().items())
    number = len(told[["collection", "film_id"]].drop_duplicates())
    if unknown == len(films):
        return "Whether films were read with a doubt is unknown: the run is older than such notes."
    words = f"{number or 'None'} of {len(films)} films {'was' if number == 1 else 'were'} read with a doubt"
    words += f" ({named})" if named else ""
    return f"{words}; of {unknown} it is unknown." if unknown else f"{words}."
