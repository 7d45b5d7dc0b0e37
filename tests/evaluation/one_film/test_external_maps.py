"""Maps of other code: how they are named, how they lie, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluation.one_film.external_maps import NoMapError, maps_digest, open_maps, place_map
from evaluation.one_film.map_files import MapError, read_raw_map
from evaluation.one_film.map_writing import map_name, write_map
from radiographs import Radiograph
from radiographs.annotation_readers.geometry import Runs
from radiographs.film_readers.orientation import StoredFrame, Turn
from radiographs.findings import FURTHER_FINDINGS, NIH_FINDINGS, canonical
from tests.evaluation.cases import explanation_of
from tests.xai_methods.linear_classifier import linear_classifier

FILMS = {"patient01/study1/view1_frontal": "a1", "patient02/study1/view1_frontal": "b2", "a1": "a1", "b2": "b2"}
PREDICTED = {"patient01_study1_view1_frontal": {"Pleural Effusion": {"size": [2, 3], "counts": [1, 2, 3]}}}


@pytest.mark.parametrize("finding", [*NIH_FINDINGS, *FURTHER_FINDINGS])
def test_the_name_of_a_map_says_its_film_and_finding(tmp_path: Path, finding: str) -> None:
    (tmp_path / map_name("b2", finding, "npy")).touch()
    assert list(open_maps(tmp_path, FILMS).maps) == [("b2", canonical(finding))]


@pytest.mark.parametrize(
    "name", ["patient02_study1_view1_frontal_Edema.npy", "patient02/study1/view1_frontal_edema.npy", "b2_EDEMA.npy"]
)
def test_a_film_goes_by_its_path_joined_its_folders_or_its_id(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).touch()
    (tmp_path / "nobody_Edema.npy").touch()
    found = open_maps(tmp_path, FILMS)
    assert list(found.maps) == [("b2", "Edema")]
    assert found.unmatched == ("nobody_Edema.npy",)
    with pytest.raises(NoMapError, match="no map of mass"):
        found.find("b2", "Mass")


def test_two_maps_of_one_film_and_finding_are_refused(tmp_path: Path) -> None:
    for name in ("a1_Mass.npy", "a1_Mass.png"):
        (tmp_path / name).touch()
    with pytest.raises(MapError, match=r"a1_Mass.npy and a1_Mass.png are maps of one film"):
        open_maps(tmp_path, FILMS)


def test_a_table_names_files_and_other_files_give_another_digest(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.ones((4, 4)))
    table = tmp_path / "maps.csv"
    table.write_text("image,finding,map\npatient02/study1/view1_frontal.jpg,Edema,x.npy\nc3,Edema,x.npy\n")
    found = open_maps(table, FILMS)
    assert found.maps == {("b2", "Edema"): tmp_path / "x.npy"}
    before = maps_digest(table)
    np.save(tmp_path / "x.npy", np.zeros((5, 4)))
    assert maps_digest(table) != before
    (tmp_path / "x.npy").unlink()
    with pytest.raises(MapError, match="cannot be read: No such file"):
        maps_digest(table)


def test_predicted_segmentations_of_chexlocalize_are_maps(tmp_path: Path) -> None:
    path = tmp_path / "gradcam_segmentations.json"
    path.write_text(json.dumps(PREDICTED))
    place = open_maps(path, FILMS).find("a1", "Effusion")
    assert isinstance(place, Runs)
    placed = place_map(place, "Effusion", Radiograph(np.zeros((2, 3))))
    assert placed.on_film.tolist() == [[0, 1, 0], [1, 0, 0]]
    path.write_text('{"a1": 3}')
    with pytest.raises(MapError, match="expected findings"):
        open_maps(path, FILMS)


def test_a_map_lies_as_the_file_does_and_one_of_ours_as_the_film_hangs(tmp_path: Path) -> None:
    values = np.arange(6.0).reshape(2, 3)
    film = replace(Radiograph(np.zeros((3, 2))), stored=StoredFrame((2, 3), Turn(transposed=True)))
    np.save(tmp_path / "m.npy", values)
    assert place_map(tmp_path / "m.npy", "Mass", film).on_film.tolist() == values.T.tolist()
    mirrored = replace(Radiograph(np.zeros((2, 3))), stored=StoredFrame((2, 3), Turn(mirrored=True)))
    assert place_map(tmp_path / "m.npy", "Mass", mirrored).on_film.tolist() == values[:, ::-1].tolist()
    meta = np.array(json.dumps({"film": mirrored.digest}))
    np.savez(tmp_path / "m.npz", values=values, meta=meta)
    assert place_map(tmp_path / "m.npz", "Mass", mirrored).on_film.tolist() == values.tolist()


def test_a_map_of_another_film_finding_or_model_is_refused(tmp_path: Path) -> None:
    classifier, film = linear_classifier(8), Radiograph(np.linspace(0, 1, 80).reshape(8, 10))
    explanation = explanation_of(classifier, film, np.eye(8))
    path = tmp_path / "map.png"
    write_map(path, explanation, classifier, film)
    finding = classifier.findings[0]
    assert place_map(path, finding, film, classifier).on_film.shape == (8, 10)
    with pytest.raises(MapError, match=r"map.png says that it was made of another film"):
        place_map(path, finding, Radiograph(np.zeros((8, 10))), classifier)
    with pytest.raises(MapError, match=r"map.png says that it is of"):
        place_map(path, "Hernia", film, classifier)
    with pytest.raises(MapError, match="explains another model"):
        place_map(path, finding, film, linear_classifier(10))
    np.save(tmp_path / "map.npy", np.ones((9, 10)))
    with pytest.raises(MapError, match=r"map.npy has 9 x 10 pixels .* \(8 x 10\) or .* input grid \(8 x 8\)"):
        place_map(tmp_path / "map.npy", finding, film, classifier)


@pytest.mark.parametrize("values", [np.eye(8) - 0.25, np.eye(8) / 1e6, -np.ones((8, 8)), np.zeros((8, 8))])
def test_grey_levels_become_raw_units_again(tmp_path: Path, values: np.ndarray) -> None:
    classifier, film = linear_classifier(8), Radiograph(np.linspace(0, 1, 64).reshape(8, 8))
    explanation = explanation_of(classifier, film, values)
    for name in ("map.png", "map.npz"):
        write_map(tmp_path / name, explanation, classifier, film, "input")
        found = read_raw_map(tmp_path / name)
        assert np.allclose(found.values, values, atol=np.abs(values).max() / 1000)
        assert ((found.values == 0) == (values == 0)).all()
        assert found.facts["grid"] == "input"
