"""ChestX-Det's outlines: joined to NIH's names, beside the boxes of the same films."""

import hashlib
import json

import numpy as np
import pytest
from PIL import Image

from radiographs.annotation_readers import joined_names, read_chest_det
from radiographs.collections.chestx_det import ChestXDet
from radiographs.collections.nih_boxes import NihBoxes
from radiographs.errors import AnnotationError, CollectionError
from radiographs.fetching import chest_det_files, nih_release
from radiographs.fetching.fetch import fetch
from tests.radiographs.fetching.test_fetch import server  # noqa: F401

FILM, OTHER = "00000072_000", "00000344_003"
RING = [[100, 200], [300, 200], [300, 400], [100, 400]]
FORMER = [{"file_name": f"{FILM}.png", "syms": ["Mass"], "boxes": [[1, 2, 3, 4]]}]
FORMER.append({"file_name": f"{OTHER}.png", "syms": [], "boxes": []})
RENAMED = [dict(row, file_name=name) for row, name in zip(FORMER, ("36200.png", "36201.png"), strict=True)]
OUTLINES = [{"file_name": "36200.png", "syms": ["Mass", "Diffuse Nodule"], "boxes": [], "polygons": [RING, RING]}]
OUTLINES += [
    {"file_name": "36201.png", "syms": [], "boxes": [], "polygons": []},
    {"file_name": "99.png", "syms": ["Mass"], "polygons": [RING]},
]
EMPTY: list = []


@pytest.fixture
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XAI_LIGHTBOX_DATA", raising=False)
    monkeypatch.delenv("XAI_LIGHTBOX_NIH", raising=False)
    return tmp_path / "home"


def fill(home):
    tables = {"outlines": OUTLINES, "former": FORMER, "renamed": RENAMED}
    (home / "chestx-det").mkdir(parents=True)
    for kind, rows in tables.items():
        (home / "chestx-det" / f"{kind}-train.json").write_text(json.dumps(rows))
        (home / "chestx-det" / f"{kind}-test.json").write_text("[]")
    (home / "nih-boxes" / "images").mkdir(parents=True)
    for name in (FILM, OTHER):
        pixels = np.random.default_rng(len(name)).integers(0, 255, (512, 512), dtype=np.uint8)
        Image.fromarray(pixels).save(home / "nih-boxes" / "images" / f"{name}.jpg")


def test_names_are_joined_by_the_order_of_two_versions(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(FORMER))
    (tmp_path / "b.json").write_text(json.dumps(RENAMED))
    assert joined_names(tmp_path / "a.json", tmp_path / "b.json") == {
        "36200.png": f"{FILM}.png",
        "36201.png": f"{OTHER}.png",
    }
    for broken in (RENAMED[:1], [dict(RENAMED[0], boxes=[[9, 9, 9, 9]]), RENAMED[1]]):
        (tmp_path / "b.json").write_text(json.dumps(broken))
        with pytest.raises(AnnotationError, match="do not list the same films"):
            joined_names(tmp_path / "a.json", tmp_path / "b.json")


def test_a_bad_polygon_costs_its_film_alone(tmp_path):
    rows = [OUTLINES[0], {"file_name": "x.png", "syms": ["Mass"], "polygons": []}, {"syms": []}]
    (tmp_path / "det.json").write_text(json.dumps(rows))
    table = read_chest_det(tmp_path / "det.json")
    assert table.findings("36200") == ("Mass", "Diffuse Nodule")
    assert len(table.problems) == 2


def test_the_collection_has_polygons_and_the_boxes_are_another_reading(home):
    assert "lightbox fetch chestx-det" in ChestXDet().missing()
    fill(home)
    collection, boxes = ChestXDet(), NihBoxes()
    assert collection.missing() is None
    assert [entry.film_id for entry in collection.entries()] == [FILM, OTHER]
    first, second = collection.entries()
    assert first.annotated == first.labels == ("Diffuse Nodule", "Mass")
    assert second.annotated == ()
    assert first.patient == boxes.entry(FILM).patient
    nodule, mass = sorted(collection.annotations(FILM), key=lambda a: a.finding)
    assert (mass.kind, mass.reader) == ("polygon", "radiologists (ChestX-Det)")
    assert nodule.mask.sum() == 100 * 100
    assert mass.mask[100:200, 50:150].all()
    assert {a.reader for a in collection.further_readings(FILM)} == {"radiologist (NIH)"}
    assert {a.reader for a in boxes.annotations(FILM)} == {"radiologist (NIH)"}
    assert {a.reader for a in boxes.further_readings(FILM)} == {"radiologists (ChestX-Det)"}
    assert collection.read(FILM).shape == (512, 512)
    with pytest.raises(CollectionError, match="has no film"):
        collection.read("36200")


def test_fetching_brings_the_outlines_and_the_shared_films(home, server, monkeypatch, tmp_path):  # noqa: F811
    served = {"outlines": OUTLINES, "former": FORMER, "renamed": RENAMED}
    files = {}
    for kind, rows in served.items():
        for part in ("train", "test"):
            data = json.dumps(rows if part == "train" else EMPTY).encode()
            name = f"{kind}-{part}.json"
            server.files[name] = data
            files[name] = (name, len(data), hashlib.sha256(data).hexdigest())
    monkeypatch.setattr(chest_det_files, "_FILES", files)
    manifest = ["image,bytes,sha256"]
    for name in (f"{FILM}.jpg", f"{OTHER}.jpg", "00000003_000.jpg"):
        server.files[name] = np.random.default_rng(1).bytes(999)
        manifest.append(f"{name},999,{hashlib.sha256(server.files[name]).hexdigest()}")
    (tmp_path / "manifest.csv").write_text("\n".join(manifest))
    folder = fetch("chestx-det", base_url=server.url, manifest=tmp_path / "manifest.csv")
    assert sorted(path.name for path in folder.iterdir()) == [f"{FILM}.jpg", f"{OTHER}.jpg"]


@pytest.mark.real_data
def test_the_real_outlines_beside_the_real_boxes():
    collection = ChestXDet()
    if collection.missing() is not None:
        pytest.skip("no films: set XAI_LIGHTBOX_DATA to a data folder to run this")
    entries = collection.entries()
    assert len(entries) > 1000
    boxed = {entry.film_id for entry in NihBoxes().entries()}
    shared = [entry for entry in entries if entry.film_id in boxed]
    assert len(shared) == 37
    assert nih_release.find_film(shared[0].film_id, nih_release.film_folders()) is not None
    drawn = collection.annotations(shared[0].film_id)
    assert all(a.mask.shape == collection.read(shared[0].film_id).shape for a in drawn)
    overlaps = []
    for entry in shared:
        boxes = {a.finding: a.mask for a in collection.further_readings(entry.film_id)}
        for a in collection.annotations(entry.film_id):
            if a.finding == "Cardiomegaly" and a.finding in boxes:
                overlaps.append((a.mask & boxes[a.finding]).sum() / (a.mask | boxes[a.finding]).sum())
    assert overlaps
    assert np.mean(overlaps) > 0.3
