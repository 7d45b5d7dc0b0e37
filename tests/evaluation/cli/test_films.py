"""The commands about films: show and add-folder, and outlines of every kind for a film."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evaluation.cli.parser import main
from evaluation.one_film.map_files import MapError, read_outline
from radiographs.errors import AnnotationError
from radiographs.reading import read_radiograph
from radiographs.registry import collections
from tests.radiographs.film_readers.dicom_films import film, save
from tests.radiographs.film_readers.test_stored_values import SMOOTH


@pytest.fixture
def turned(tmp_path):
    path = tmp_path / "IM000001"
    path.write_bytes(save(film(SMOOTH, PatientOrientation=["R", "F"], BodyPartExamined="SKULL", ViewPosition="PA")))
    return path


def test_show_says_what_was_done_and_what_is_doubted(turned, capsys):
    assert main(["show", "--film", str(turned)]) == 0
    said = capsys.readouterr().out
    assert "size     80 x 96 pixels, 12 bits" in said
    assert "view     PA" in said
    assert "note     The film was mirrored left to right" in said
    assert "doubt    The file says that it shows the skull" in said


def test_show_as_json_and_as_a_picture_of_16_bits(turned, tmp_path, capsys):
    out = tmp_path / "out.png"
    assert main(["show", "--film", str(turned), "--png", str(out), "--json"]) == 0
    said = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    read = read_radiograph(turned)
    assert said["digest"] == read.digest
    assert (said["width"], said["height"], said["bits"], said["pixel_spacing_mm"]) == (80, 96, 12, None)
    assert [(note["code"], note["doubt"]) for note in said["notes"]] == [("body-part", True), ("turned", False)]
    picture = np.asarray(Image.open(out))
    np.testing.assert_array_equal(picture, np.rint(read.pixels * 65535))


def test_a_refusal_ends_with_2_and_one_sentence(tmp_path, capsys):
    (tmp_path / "ct.dcm").write_bytes(save(film(SMOOTH, Modality="CT")))
    assert main(["show", "--film", str(tmp_path / "ct.dcm")]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "lightbox: the DICOM file is a CT image; only chest films (CR, DX) can be read\n"
    assert main(["show", "--film", str(tmp_path / "ct.dcm"), "--png", str(tmp_path / "none" / "x.png")]) == 2


def test_a_folder_is_remembered_from_the_command_line(turned, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path / "home"))
    (tmp_path / "train.csv").write_text(
        "image_id,class_name,x_min,y_min,x_max,y_max\nIM000001,Mass,1,2,9,9\nelse,Mass,1,2,3,4"
    )
    assert main(["add-folder", str(tmp_path)]) == 0
    said = capsys.readouterr()
    assert said.out == "folder-1: 1 films, 1 with outlines\n"
    assert said.err == "train.csv: else: the folder has no such film\n"
    [entry] = collections()["folder-1"].entries()
    assert entry.annotated == ("Mass",)
    assert main(["show", "--film", f"folder-1/{entry.film_id}"]) == 0
    mask = tmp_path.with_name(f"{tmp_path.name}-mask.png")  # a mask in the folder would be one of its films
    words = ["show", "--film", f"folder-1/{entry.film_id}", "--mask", str(mask), "--finding"]
    assert main([*words, "Mass"]) == 0
    drawn = np.asarray(Image.open(mask))
    np.testing.assert_array_equal(drawn > 0, collections()["folder-1"].annotations(entry.film_id)[0].mask)
    capsys.readouterr()
    assert main([*words, "Mas"]) == 2
    assert "nobody outlined 'Mas' on this film; did you mean 'Mass'?" in capsys.readouterr().err
    assert main(["films", "remove", "folder-2"]) == 2
    assert "did you mean 'folder-1'?" in capsys.readouterr().err
    assert main(["films", "remove", "folder-1"]) == 0
    assert "folder-1" not in collections()
    assert main(["films", "add", str(tmp_path), "--name", "My films"]) == 0
    assert capsys.readouterr().out.endswith("my-films: 1 films, 1 with outlines\n")


def test_misplaced_outlines_are_doubted_when_a_folder_is_added_and_on_each_film(
    misplaced_folder, tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path / "home"))
    assert main(["films", "add", str(misplaced_folder)]) == 0
    said = capsys.readouterr()
    assert said.out == "folder-1: 6 films, 6 with outlines\n"
    assert "doubt: On 6 films only" in said.err
    assert "At twice their coordinates it would be" in said.err
    statuses = [main(["check", "--film", f"folder-1/{e.film_id}"]) for e in collections()["folder-1"].entries()]
    assert 1 in statuses
    assert "lies outside the chest: it may be of another film, size or turn." in capsys.readouterr().out


def test_outlines_of_every_kind_are_turned_with_the_film(turned, tmp_path):
    read = read_radiograph(turned)
    mask = np.zeros(SMOOTH.shape, bool)
    mask[10:20, 5:15] = True
    Image.fromarray(mask).save(tmp_path / "m.bmp")
    Image.fromarray(mask.astype(np.uint8) * 255).save(tmp_path / "m.jpg", quality=95)
    np.save(tmp_path / "m.npy", mask)
    (tmp_path / "boxes.csv").write_text("image,finding,x,y,width,height\nIM000001,mass,5,10,10,10\n")
    for name in ("m.bmp", "m.jpg", "m.npy", "boxes.csv"):
        np.testing.assert_array_equal(read_outline(tmp_path / name, "Mass", read, "IM000001"), mask[:, ::-1])
    with pytest.raises(MapError, match=r"boxes\.csv has no outline of Nodule on this film"):
        read_outline(tmp_path / "boxes.csv", "Nodule", read, "IM000001")
    Image.new("L", (50, 96), 255).save(tmp_path / "other.tif")
    with pytest.raises(
        AnnotationError, match=r"other\.tif was drawn on an image of 50 x 96 pixels; the film has 80 x 96"
    ):
        read_outline(tmp_path / "other.tif", "Mass", read, "IM000001")
    (tmp_path / "m.nii").write_bytes(bytes(400))
    with pytest.raises(MapError, match=r"m\.nii is neither"):
        read_outline(tmp_path / "m.nii", "Mass", read, "IM000001")


def test_a_film_is_shown_without_loading_a_network_library(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no film")
    code = f"""
import sys
from dashboard.cli.main import main
status = main(["show", "--film", {str(tmp_path / "a.png")!r}])
sys.exit(status if "torch" not in sys.modules else 9)"""
    root = Path(__file__).resolve().parents[3]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 2
