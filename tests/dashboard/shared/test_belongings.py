"""Regions outlive sessions under the person's name, uploads are held for a while, and nobody finds another's."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard.shared import belongings
from radiographs import Annotation
from tests.dashboard.made import tiny_film

FILM, MASK = tiny_film()
REGION = Annotation("Nodule", MASK, "polygon", "Reader A")


@pytest.fixture(autouse=True)
def people(monkeypatch, tmp_path):
    """Puts another person at the page: call it with a name."""
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path))

    def come(name: str) -> None:
        monkeypatch.setattr(belongings, "person", lambda: name)
        belongings._read.clear()

    come("a" * 32)
    yield come
    belongings._uploads.clear()
    belongings._read.clear()


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


def test_an_upload_is_held_for_its_person_until_it_is_dropped_or_too_old(people, monkeypatch):
    short = belongings.hold_upload(FILM)
    assert belongings.uploaded(short) is FILM
    people("b" * 32)
    assert belongings.uploaded(short) is None
    people("a" * 32)
    belongings.drop_upload(short)
    assert belongings.uploaded(short) is None
    belongings.hold_upload(FILM)
    monkeypatch.setattr(belongings.time, "monotonic", lambda: 1e12)
    assert belongings.uploaded(short) is None


def test_the_films_looked_at_last_are_held():
    first = belongings.hold_upload(FILM)
    for seed in range(1, belongings.MOST_UPLOADS):
        belongings.hold_upload(tiny_film(seed)[0])
    assert belongings.uploaded(first) is FILM
    belongings.hold_upload(tiny_film(99)[0])
    assert belongings.uploaded(first) is FILM
    assert len(belongings._uploads) == belongings.MOST_UPLOADS
