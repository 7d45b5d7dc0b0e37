from __future__ import annotations

import csv
import gzip
import math

import numpy as np
import pytest

from classifiers.anatomy import segment
from evaluation.baselines.location_prior import (
    average_mask,
    box_coverage,
    collection_average,
    coverage,
    nih_average,
    write_nih_table,
)
from evaluation.baselines.model_independent import (
    baseline_maps,
    baseline_titles,
    other_reader,
)
from evaluation.scores import headline_metrics, score_map
from radiographs import Annotation, Radiograph
from radiographs.annotation_readers.bundled import bundled_table
from radiographs.collection import FilmEntry
from radiographs.places import asset
from radiographs.registry import find_film
from tests.evaluation.looking import SIDE, Effusions, Spots


@pytest.fixture
def film() -> Radiograph:
    pixels = np.full((60, 80), 0.2, dtype=np.float32)
    pixels[:, 40:] = 0.8
    return Radiograph(pixels)


def test_all_baselines_have_the_films_shape_and_no_negatives(film):
    maps = baseline_maps(film, "Cardiomegaly")
    assert list(maps) == [name for name in baseline_titles() if name not in ("organ-prior", "other-reader")]
    for values in maps.values():
        assert values.shape == film.shape
        assert np.isfinite(values).all()
        assert values.min() >= 0


def test_a_finding_nobody_outlined_has_no_average(film):
    assert "average-mask" not in baseline_maps(film, "Hernia")
    assert nih_average("Hernia") is None


def test_the_uniform_map_scores_chance(film):
    mask = np.zeros(film.shape, dtype=bool)
    mask[10:30, 5:25] = True
    scores = score_map(baseline_maps(film, "Hernia")["uniform"], mask)
    assert all(scores[name].defined for name in headline_metrics())
    for name, score in scores.items():
        if not score.defined or math.isnan(score.chance):
            continue
        assert score.value == pytest.approx(score.chance, abs=2e-3), name


def test_the_centre_prior_peaks_at_the_centre_and_is_symmetric():
    prior = baseline_maps(Radiograph(np.zeros((41, 31))), "Hernia")["centre-prior"]
    assert np.unravel_index(prior.argmax(), prior.shape) == (20, 15)
    assert np.allclose(prior, prior[::-1, ::-1])


def test_the_edge_map_finds_the_edge(film):
    edges = baseline_maps(film, "Hernia")["edge-map"]
    assert set(np.flatnonzero(edges.max(axis=0) > 0.1)) == {39, 40}
    assert np.allclose(edges[:, :30], 0, atol=1e-6)


def test_a_box_covers_its_share_of_each_cell():
    cells = box_coverage(0, 0, 1.5 / 64, 1 / 128)
    assert cells[0, :3] == pytest.approx([0.5, 0.25, 0])
    assert cells[1:].sum() == 0
    mask = np.zeros((128, 256), dtype=bool)
    mask[:2, :8] = True
    assert np.allclose(coverage(mask), box_coverage(0, 0, 2 / 64, 1 / 64))


def test_every_enlarged_heart_shares_a_point():
    assert nih_average("Cardiomegaly").shares.max() == pytest.approx(1)


def test_leaving_a_patient_out_is_exact():
    with gzip.open(bundled_table("nih-boxes"), "rt", newline="") as file:
        rows = [row for row in list(csv.reader(file))[1:] if row[1] == "Mass"]
    patient = rows[0][0][:8]
    by_film: dict[str, np.ndarray] = {}
    for row in rows:
        if row[0].startswith(patient):
            continue
        x, y, w, h = (float(n) / 1024 for n in row[2:6])
        by_film[row[0]] = np.minimum(by_film.get(row[0], 0) + box_coverage(x, y, x + w, y + h), 1)
    left = nih_average("Mass", int(patient))
    assert left.films == len(by_film)
    assert np.allclose(left.shares, np.mean(list(by_film.values()), axis=0), atol=1e-6)
    assert average_mask("Mass", entry=FilmEntry("x", patient=f"nih-{int(patient)}")).films == left.films


def test_the_shipped_table_is_what_the_script_writes(tmp_path):
    assert write_nih_table(tmp_path / "table.npz") == 984
    with np.load(tmp_path / "table.npz", allow_pickle=False) as made, np.load(asset("priors", "nih_boxes.npz")) as kept:
        assert len(np.unique(kept["film"])) == 880
        for name in made.files:
            assert np.array_equal(made[name], kept[name])


def test_a_collection_averages_its_own_other_patients():
    spots = Spots()
    entry = spots.entries()[0]
    average = collection_average(spots, "Spot", entry.patient)
    others = [e for e in spots.entries() if e.annotated and e.patient != entry.patient]
    masks = [spots.annotations(e.film_id)[0].mask for e in others]
    assert average.films == len(others) == 10
    assert average.shares.mean() == pytest.approx(np.mean(masks), rel=0.05)
    assert average_mask("Spot", spots, entry).films == 10
    on_film = average.on((SIDE, SIDE))
    assert on_film[:, SIDE // 2 :].max() == pytest.approx(0, abs=1e-6)


def test_an_average_takes_outlines_under_any_name():
    entry = Spots().entries()[0]
    named = collection_average(Effusions(), "Effusion", entry.patient)
    np.testing.assert_array_equal(named.shares, collection_average(Spots(), "Spot", entry.patient).shares)
    np.testing.assert_array_equal(nih_average("Pleural Effusion").shares, nih_average("Effusion").shares)


def test_too_few_other_patients_give_no_average():
    class Few(Spots):
        films = 12

    assert collection_average(Few(), "Spot", "p0-0") is None


def test_the_organ_prior_is_the_lungs_where_they_are_found():
    film = find_film("known-truth/mass-01")[0]
    maps = baseline_maps(film, "Mass")
    lungs = segment(film).lungs
    np.testing.assert_array_equal(maps["organ-prior"] > 0, lungs)
    assert "organ-prior" not in baseline_maps(film, "Hernia")


def readers() -> list[Annotation]:
    first, second = np.zeros((20, 20), dtype=bool), np.zeros((20, 20), dtype=bool)
    first[:, :10] = True
    second[:10, :10] = True
    return [Annotation("Effusion", first, "mask", "A"), Annotation("Pleural Effusion", second, "mask", "B")]


def test_another_reader_by_hand():
    scores = other_reader(readers(), "Effusion")
    assert scores["relevance_mass_accuracy"].value == pytest.approx((0.5 + 1) / 2)
    assert scores["pointing_game"].value == pytest.approx((0.5 + 1) / 2)


def test_one_reader_alone_is_no_baseline():
    assert other_reader(readers()[:1], "Effusion") == {}
    assert other_reader(readers(), "Mass") == {}
