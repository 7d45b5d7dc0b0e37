"""A share shows what is its owner's for as long as they let it, and nobody without its word sees anything."""

from __future__ import annotations

import pytest

from dashboard.people import identity
from dashboard.shared import belongings, shares
from radiographs import Annotation
from tests.dashboard.made import tiny_film


@pytest.fixture
def be(tmp_path, monkeypatch):
    """Returns a function that makes the test the person and session of these names."""
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path))
    monkeypatch.setenv(belongings.GRACE_VARIABLE, "0")

    def become(person: str, session: str) -> None:
        monkeypatch.setattr(identity, "name", lambda: person)
        monkeypatch.setattr(identity, "session", lambda: session)
        belongings.visited()

    yield become
    for held in (belongings._visits, belongings._uploads, belongings._read):
        held.clear()


@pytest.fixture
def shared(be):
    """A film with a region that b1 uploaded, drew on and shared; yields the film and the word, as b2."""
    shares._shares.clear()
    film, mask = tiny_film()
    be("b1", "s1")
    belongings.hold_upload(film)
    belongings.set_regions(film, [Annotation("Nodule", mask, "box", "Dr. Ö")])
    word = shares.begin(film, upload=True, regions=True)
    assert shares.begin(film, upload=True, regions=True) == word
    assert list(shares.mine(film)) == [word]
    be("b2", "s2")
    yield film, word
    shares._shares.clear()


def test_only_who_has_the_word_sees_what_is_shared(shared):
    film, word = shared
    assert len(word) >= 32
    assert shares.shared_upload(word) is film
    assert [region.finding for region in shares.shared_regions(word, film)] == ["Nodule"]
    assert shares.shared_upload("") is shares.shared_upload(word[:-1]) is None
    assert shares.shared_regions(word, tiny_film(1)[0]) == []
    assert belongings.uploaded(film.digest[:12]) is None
    assert belongings.regions(film) == []
    assert shares.mine(film) == {}


def test_its_owner_ends_it_and_nobody_else(shared, be):
    film, word = shared
    shares.end(word)
    assert shares.shared_upload(word) is film
    be("b1", "s1")
    shares.end(word)
    assert shares.shared_upload(word) is None
    assert shares.shared_regions(word, film) == []


def test_it_ends_with_the_owners_session_and_shows_no_removed_region(shared, be):
    film, word = shared
    be("b1", "s1")
    belongings.set_regions(film, [])
    assert shares.shared_regions(word, film) == []
    belongings.end_sessions({"s2"}.__contains__)
    assert shares.shared_upload(word) is None


def test_who_has_no_name_cannot_share(be):
    be("", "s1")
    with pytest.raises(ValueError, match="cookies"):
        shares.begin(tiny_film()[0], upload=True, regions=False)
