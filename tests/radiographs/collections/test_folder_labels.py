"""Labels of a folder's films come from the data set's own table, and never from another patient's line."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from radiographs.collections.folder import FolderCollection


def film(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (48, 64)).astype(np.uint8)).save(path)


def labels(folder):
    return sorted(entry.labels for entry in FolderCollection(folder).entries())


def test_chexperts_table_names_what_is_certain(tmp_path):
    film(tmp_path / "valid/patient64541/study1/view1_frontal.png", 1)
    film(tmp_path / "valid/patient64542/study1/view1_frontal.png", 2)
    (tmp_path / "valid.csv").write_text(
        "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Cardiomegaly,Pleural Effusion,Edema\n"
        "CheXpert-v1.0-small/valid/patient64541/study1/view1_frontal.jpg,Male,61,Frontal,AP,0.0,1.0,1.0,-1.0\n"
        "CheXpert-v1.0-small/valid/patient64542/study1/view1_frontal.jpg,Male,61,Frontal,AP,1.0,,,\n"
    )
    assert labels(tmp_path) == [(), ("Cardiomegaly", "Effusion")]
    assert FolderCollection(tmp_path).scan().refused == ()


@pytest.mark.parametrize("other", ["patient7/study1", "patient64541/study2"])
def test_a_line_of_another_patient_or_study_is_nobodys(tmp_path, other):
    film(tmp_path / "patient64541/study1/view1_frontal.png", 1)
    (tmp_path / "train.csv").write_text(f"Path,Edema\ntrain/{other}/view1_frontal.jpg,1.0\n")
    assert labels(tmp_path) == [()]
    ((source, reason),) = FolderCollection(tmp_path).scan().refused
    assert source == "train.csv"
    assert "none of the films" in reason


def test_vindrs_and_nihs_tables_are_known(tmp_path):
    film(tmp_path / "a.png", 1)
    (tmp_path / "image_labels_test.csv").write_text("image_id,Aortic enlargement,Nodule/Mass,Edema\na,1,1,0\n")
    assert labels(tmp_path) == [("Aortic enlargement", "Nodule/Mass")]
    (tmp_path / "image_labels_test.csv").unlink()
    (tmp_path / "Data_Entry_2017.csv").write_text(
        "Image Index,Finding Labels,Follow-up #,Patient ID\na.png,Effusion|Mass,0,17\nb.png,No Finding,0,18\n"
    )
    assert labels(tmp_path) == [("Effusion", "Mass")]
    (entry,) = FolderCollection(tmp_path).entries()
    assert entry.patient.startswith("patient-")


def test_films_csv_goes_before_another_table(tmp_path):
    film(tmp_path / "a.png", 1)
    (tmp_path / "films.csv").write_text("image,labels\na.png,Mass\n")
    (tmp_path / "labels.csv").write_text("image,Edema\na.png,1\n")
    assert labels(tmp_path) == [("Mass",)]


def test_boxes_with_a_column_of_labels_stay_boxes(tmp_path):
    film(tmp_path / "a.png", 1)
    (tmp_path / "boxes.csv").write_text("image,label,x,y,width,height\na.png,Nodule,8,4,10,6\n")
    (entry,) = FolderCollection(tmp_path).entries()
    assert (entry.labels, entry.annotated) == ((), ("Nodule",))
