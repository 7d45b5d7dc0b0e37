"""Regions outlive sessions under the person's name, uploads are held for a while, and nobody finds another's."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard.people import identity
from dashboard.shared import belongings
from radiographs import Annotation
from tests.dashboard.made import tiny_film

FILM, MASK = tiny_film()
REGION = Annotation("Nodule", MASK, "polygon", "Reader A")


@pytest.fixture(autouse=True)
def people(monkeypatch, tmp_path):
    """Puts another person at the page: call it with a name."""
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path))

    monkeypatch.setenv(belongings.GRACE_VARIABLE, "0")

    def come(name: str, session: str = "s") -> None:
        monkeypatch.setattr(belongings, "person", lambda: name)
        monkeypatch.setattr(identity, "session", lambda: session)
        belongings._read.clear()

    come("a" * 32)
    yield come
    for held in (belongings._uploads, belongings._read, belongings._visits, belongings._gone):
        held.clear()


def test_regions_are_found_again_by_their_person_alone_and_name_no_film(people, tmp_path):
    belongings.set_regions(FILM, [REGION])
    people("b" * 32)
    assert belongings.regions(FILM) == []
    people("a" * 32)
    (found,) = belongings.regions(FILM)
    assert (found.finding, found.kind, found.reader) == ("Nodule", "polygon", "Reader A")
    np.testing.assert_array_equal(found.mask, MASK)
    assert belongings.regions(tiny_film(1)[0]) == []
    belongings.set_regions(FILM, [])
    people("a" * 32)
    assert belongings.regions(FILM) == []
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_damaged_file_holds_nothing_and_too_many_regions_are_refused(people, tmp_path):
    belongings.set_regions(FILM, [REGION])
    next(path for path in tmp_path.rglob("*.npz")).write_bytes(b"PK not an archive")
    people("a" * 32)
    assert belongings.regions(FILM) == []
    with pytest.raises(ValueError, match="remove some"):
        belongings.set_regions(FILM, [REGION] * (belongings.MOST_REGIONS + 1))


def test_an_upload_is_held_for_its_person_until_it_is_dropped(people):
    short = belongings.hold_upload(FILM)
    assert belongings.uploaded(short) is FILM
    people("b" * 32)
    assert belongings.uploaded(short) is None
    people("a" * 32)
    belongings.shown_as(short, "turned")
    belongings.drop_upload(short)
    assert belongings.uploaded(short) is None
    assert belongings.end_sessions(lambda session: True)[2] == sorted([FILM.digest, "turned"])
    assert belongings.end_sessions(lambda session: True)[2] == []


def test_the_films_looked_at_last_are_held():
    first = belongings.hold_upload(FILM)
    for seed in range(1, belongings.MOST_UPLOADS):
        belongings.hold_upload(tiny_film(seed)[0])
    assert belongings.uploaded(first) is FILM
    belongings.hold_upload(tiny_film(99)[0])
    assert belongings.uploaded(first) is FILM
    assert len(belongings._uploads) == belongings.MOST_UPLOADS


def test_large_films_are_held_up_to_so_many_bytes_and_the_last_in_any_case(monkeypatch):
    monkeypatch.setattr(belongings, "MOST_UPLOADED", int(2.5 * FILM.pixels.nbytes))
    films = [tiny_film(seed)[0] for seed in (1, 2, 3)]
    shorts = [belongings.hold_upload(film) for film in films]
    assert [belongings.uploaded(short) for short in shorts] == [None, films[1], films[2]]
    monkeypatch.setattr(belongings, "MOST_UPLOADED", 1)
    last = belongings.hold_upload(FILM)
    assert belongings.uploaded(last) is FILM
    assert belongings.uploaded(shorts[2]) is None


def test_an_upload_goes_with_the_last_session_that_looked_at_it(people):
    for session in ("s1", "s3"):
        people("a", session)
        belongings.visited()
        short = belongings.hold_upload(FILM)
    people("b", "s2")
    belongings.visited()
    assert belongings.end_sessions({"s2", "s3"}.__contains__) == (["s1"], [], [])
    assert belongings.upload_held_by("a", FILM.digest) is FILM
    assert belongings.end_sessions({"s2"}.__contains__) == (["s3"], ["a"], [FILM.digest])
    people("a", "s4")
    assert belongings.uploaded(short) is None


def test_a_film_that_another_person_holds_too_is_not_told_as_gone(people):
    for person, session in (("a", "s1"), ("b", "s2")):
        people(person, session)
        belongings.visited()
        belongings.hold_upload(FILM)
    assert belongings.end_sessions({"s2"}.__contains__) == (["s1"], ["a"], [])


def test_a_page_that_comes_back_in_time_loses_nothing(people, monkeypatch):
    monkeypatch.setenv(belongings.GRACE_VARIABLE, "60")
    belongings.visited()
    short = belongings.hold_upload(FILM)
    assert belongings.end_sessions(lambda session: False) == ([], [], [])
    assert belongings.present("a" * 32)
    assert belongings.uploaded(short) is FILM
