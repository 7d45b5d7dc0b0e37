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
    assert FolderCollection(tmp_path).scan().refused == (
        ("valid.csv", "1 labels are uncertain (-1) and taken as not present"),
    )


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
        "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
        "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],\n"
        "a.png,Effusion|Mass,0,17,57,M,PA,2682,2749,0.143,0.143,\n"
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


def test_padchests_lists_are_taken_apart(tmp_path):
    film(tmp_path / "a.png", 1)
    (tmp_path / "padchest.csv").write_text("ImageID,Labels\na.png,\"['cardiomegaly', 'pleural effusion']\"\n")
    assert labels(tmp_path) == [("Cardiomegaly", "Effusion")]


def test_a_models_probabilities_are_no_labels(tmp_path):
    film(tmp_path / "a.png", 1)
    (tmp_path / "predictions.csv").write_text("image,Mass,Edema\na.png,1.0,0.73\n")
    assert labels(tmp_path) == [()]
    ((source, reason),) = FolderCollection(tmp_path).scan().refused
    assert (source, reason) == (
        "predictions.csv", "line 2: Edema: expected 1, 0, -1 (uncertain) or nothing, found '0.73'"
    )  # fmt: skip


def test_leading_zeros_do_not_make_another_patient(tmp_path):
    film(tmp_path / "patient00007/study1/view1_frontal.png", 1)
    (tmp_path / "train.csv").write_text("Path,Edema\npatient7/study01/view1_frontal.jpg,1\n")
    assert labels(tmp_path) == [("Edema",)]
