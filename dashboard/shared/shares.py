"""Views that a person shares on purpose: by a secret word in the link, until they end it or what they shared is gone.

A share holds nothing itself: it says whose upload or regions may be seen, and these are looked up anew each time.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass

from dashboard.people import identity
from dashboard.shared import belongings
from radiographs import Annotation, Radiograph

MOST = 1000
"""Shares at once; the oldest go."""
_lock = threading.Lock()
_shares: OrderedDict[str, SharedView] = OrderedDict()


@dataclass(frozen=True)
class SharedView:
    """What a link shows of another person's.

    Attributes:
        owner: their name. film: digest of the film. regions: whether what they drew on it is shown.
        upload: whether the film is one that they uploaded.
    """

    owner: str
    film: str
    regions: bool
    upload: bool


def begin(film: Radiograph, *, upload: bool, regions: bool) -> str:
    """Share a film's view; returns the secret word for the link.

    Raises:
        ValueError: this person's browser holds no name, so nobody could end the share.
    """
    owner = identity.name()
    if not owner:
        raise ValueError("your browser holds no name for you, so nothing can be shared; allow this site its cookies")
    with _lock:
        wanted = SharedView(owner, film.digest, regions, upload)
        word = next((word for word, share in _shares.items() if share == wanted), secrets.token_urlsafe(24))
        _shares[word] = wanted
        while len(_shares) > MOST:
            _shares.popitem(last=False)
        return word


def mine(film: Radiograph) -> dict[str, SharedView]:
    """The person's own shares of a film, by their words."""
    owner = identity.name()
    with _lock:
        return {word: share for word, share in _shares.items() if (share.owner, share.film) == (owner, film.digest)}


def end(word: str) -> None:
    """End a share of this person's; another's stays."""
    with _lock:
        if word in _shares and _shares[word].owner == identity.name():
            del _shares[word]


def shared_upload(word: str) -> Radiograph | None:
    """The uploaded film that a word shares; None where it was ended, or the film is gone."""
    share = _share(word)
    return belongings.upload_held_by(share.owner, share.film) if share is not None and share.upload else None


def shared_regions(word: str, film: Radiograph) -> list[Annotation]:
    """The regions on the film that a word shares."""
    share = _share(word)
    if share is None or not share.regions or share.film != film.digest:
        return []
    return belongings.regions(film, share.owner)


def _share(word: str) -> SharedView | None:
    with _lock:
        return _shares.get(word)
