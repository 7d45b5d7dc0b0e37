"""What a person may have meant by a name that is not there."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def near(name: str, known: Iterable[str], otherwise: str = "there are", cutoff: float = 0.6) -> str:
    """Words that name up to three of ``known`` that are like ``name``, the likest first; else all of them.

    Args:
        name: what is not there. known: what is. cutoff: least likeness, 0 to 1, by ``difflib``; case does not count.
        otherwise: what leads the list of all where none is near; "" gives no words then, for lists too long to read.

    >>> near("grad-cm", ["lime", "grad-cam"])
    "did you mean 'grad-cam'?"
    >>> near("nodule", ["Mass", "Nodule"], "it knows")
    "did you mean 'Nodule'?"
    >>> near("magic", ["lime", "grad-cam"])
    'there are: lime, grad-cam'
    """
    names = list(known)
    folded = {one.casefold(): one for one in reversed(names)}
    found = [folded[one] for one in difflib.get_close_matches(name.casefold(), folded, n=3, cutoff=cutoff)]
    if found:
        return f"did you mean {' or '.join(map(repr, found))}?"
    return f"{otherwise}: {', '.join(names) or 'none'}" if otherwise else ""
