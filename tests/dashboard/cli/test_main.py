"""``lightbox compare`` writes the report, or says in one line what was wrong."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from dashboard.cli.main import main
from tests.dashboard.made import tiny_classifier, tiny_film

pytestmark = pytest.mark.usefixtures("unchecked_films")

ASK = ["compare", "--model", "tiny", "--finding", "Nodule", "--method", "grad-cam", "--method", "jacobian"]


@pytest.fixture
def files(tmp_path, monkeypatch):
    import classifiers.registry

    monkeypatch.setattr(classifiers.registry, "load_classifier", tiny_classifier)
    film, mask = tiny_film()
    Image.fromarray(np.round(film.pixels * 255).astype(np.uint8)).save(tmp_path / "secret-name.png")
    Image.fromarray(mask.astype(np.uint8) * 255).save(tmp_path / "mask.png")
    return tmp_path


def test_compare_writes_a_report_without_the_files_name(files):
    out = files / "report.html"
    given = ["--film", str(files / "secret-name.png"), "--mask", str(files / "mask.png"), "--out", str(out)]
    assert main([*ASK, *given]) == 0
    html = out.read_text()
    assert "Grad-CAM" in html
    assert "Chance" in html
    assert "secret-name" not in html


def test_compare_writes_a_pdf_where_the_name_says_so(files):
    out = files / "report.pdf"
    given = ["--film", str(files / "secret-name.png"), "--mask", str(files / "mask.png"), "--out", str(out)]
    assert main([*ASK, *given]) == 0
    assert out.read_bytes().startswith(b"%PDF-")
    assert b"secret-name" not in out.read_bytes()


def test_compare_writes_what_the_page_exports_as_dicom(files):
    out = files / "dicom"
    given = [
        "--film",
        str(files / "secret-name.png"),
        "--mask",
        str(files / "mask.png"),
        "--out",
        str(files / "r.html"),
    ]
    assert main([*ASK, *given, "--dicom", str(out)]) == 0
    maps = {"map-nodule-grad-cam.dcm", "map-nodule-jacobian.dcm"}
    assert {path.name for path in out.iterdir()} == {
        "film.dcm",
        "scores.dcm",
        "regions-nodule.dcm",
        "README.txt",
        *maps,
    }
    assert not any(b"secret-name" in path.read_bytes() for path in out.iterdir())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (["--film", "nowhere/film"], "neither a file nor a film"),
        (["--finding", "Plague"], "does not know"),
        (["--method", "magic"], "no method"),
        (["--finding", "Effusion", "--mask", "mask.png"], "just one --finding"),
        (["--out", "missing-folder/report.html"], "no folder"),
        (["--dicom", "missing-folder/dicom"], "--dicom: there is no folder"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(files, capsys, monkeypatch, change, words):
    monkeypatch.chdir(files)
    given = ["--film", "secret-name.png", "--out", "report.html"]
    assert main([*ASK, *given, *change]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert not (files / "report.html").exists()
