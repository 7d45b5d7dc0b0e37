"""What is whose: regions on disk by person, uploads in memory by session, and what is gone once sessions ended."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard.people import belongings, identity
from radiographs import Annotation
from tests.dashboard.made import tiny_film


@pytest.fixture
def be(tmp_path, monkeypatch):
    """Returns a function that makes the test the person and session of these names."""
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path))
    monkeypatch.setenv(belongings.GRACE_VARIABLE, "0")
    for held in (belongings._visits, belongings._uploads, belongings._drawn):
        held.clear()

    def become(person: str, session: str) -> None:
        monkeypatch.setattr(identity, "name", lambda: person)
        monkeypatch.setattr(identity, "session", lambda: session)
        belongings.visited()

    yield become
    for held in (belongings._visits, belongings._uploads, belongings._drawn):
        held.clear()


def test_regions_are_their_persons_and_outlive_the_server(be, tmp_path):
    film, mask = tiny_film()
    be("b1", "s1")
    belongings.set_regions(film, [Annotation("Nodule", mask, "polygon", "Dr. Ö"), Annotation("Mass", ~mask, "box", "")])
    be("b2", "s2")
    assert belongings.regions(film) == []
    belongings._drawn.clear()
    be("b1", "s3")
    found = belongings.regions(film)
    assert [(a.finding, a.kind, a.reader) for a in found] == [("Nodule", "polygon", "Dr. Ö"), ("Mass", "box", "")]
    assert np.array_equal(found[0].mask, mask)
    belongings.set_regions(film, [])
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_damaged_or_misfit_regions_are_left_out(be, tmp_path):
    film, mask = tiny_film()
    be("b1", "s1")
    belongings.set_regions(film, [Annotation("Nodule", mask[:-1], "mask", "x")])
    belongings._drawn.clear()
    assert belongings.regions(film) == []
    (path,) = tmp_path.rglob("*.npz")
    path.write_bytes(b"PK")
    belongings._drawn.clear()
    assert belongings.regions(film) == []


def test_an_upload_goes_with_the_last_session_that_held_it(be):
    film = tiny_film()[0]
    be("b1", "s1")
    belongings.hold_upload(film, "short")
    be("b2", "s2")
    assert belongings.upload_of("short") is None
    be("b1", "s3")
    assert belongings.upload_of() is film
    assert belongings.end_sessions({"s2", "s3"}.__contains__) == (["s1"], [], [])
    assert belongings.upload_of("short") is film
    ended, people, films = belongings.end_sessions({"s2"}.__contains__)
    assert (ended, people, films) == (["s3"], ["b1"], [film.digest])
    assert belongings.upload_of("short") is None


def test_a_film_that_another_person_holds_too_is_not_told_as_gone(be):
    film = tiny_film()[0]
    for person, session in (("b1", "s1"), ("b2", "s2")):
        be(person, session)
        belongings.hold_upload(film, "short")
    assert belongings.end_sessions({"s2"}.__contains__) == (["s1"], ["b1"], [])


def test_a_page_that_comes_back_in_time_loses_nothing(be, monkeypatch):
    monkeypatch.setenv(belongings.GRACE_VARIABLE, "60")
    be("b1", "s1")
    belongings.hold_upload(tiny_film()[0], "short")
    assert belongings.end_sessions(lambda session: False) == ([], [], [])
    assert belongings.present("b1")
    assert belongings.upload_of("short") is not None
