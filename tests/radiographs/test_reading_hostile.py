"""Small files that ask for much, read as uploads, folders and the command line read them."""

import gzip
import json
import time
import tracemalloc

import numpy as np
import pytest

from radiographs.annotation_readers import read_chest_det, read_coco, read_table, rows, table
from radiographs.collections.folder import FolderCollection
from radiographs.decoding import pool
from radiographs.decoding.pool import SECONDS, read_film
from radiographs.errors import AnnotationError, FilmError
from radiographs.film_readers.mask_images import mask_bytes
from radiographs.reading import read_radiograph
from radiographs.registry import find_film
from tests.radiographs import hostile

SIZE = "do not have the size that it announces"
REFUSED = {
    "a decoy before a JPEG 2000 picture": (lambda: hostile.jpeg2000_decoy(20000), SIZE),
    "the same behind padding": (lambda: hostile.jpeg2000_decoy(20000, 600), SIZE),
    "a JPEG of thousands of scans": (lambda: hostile.many_scans(2000), "far more scans"),
    "the same in DICOM": (lambda: hostile.scans_in_dicom(2000), "far more scans"),
    "a JPEG of two frames": (hostile.two_frames, "several frames"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_film_is_refused_soon(name):
    make, words = REFUSED[name]
    data, began = make(), time.monotonic()
    with pytest.raises(FilmError, match=words):
        read_film(data)
    assert time.monotonic() - began < SECONDS


def test_no_table_of_offsets_leads_to_another_frame():
    assert (read_radiograph(hostile.offsets_elsewhere()).pixels == np.float32(hostile.TINY / 255)).all()


def test_a_film_of_many_tiny_elements_is_read_apart():
    assert read_film(hostile.tiny_elements(20_000)).shape == (64, 64)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: hostile.tiny_elements(400_000), "longer than 1 s"),
        (lambda: hostile.png(3000, 16, 6), "more memory than one picture may have"),
    ],
    ids=["tiny elements", "RGBA of 16 bits"],
)
def test_work_that_cannot_be_foreseen_ends_at_its_bounds(monkeypatch, make, words):
    monkeypatch.setattr(pool, "_pool", pool._Pool())
    monkeypatch.setattr(pool, "SECONDS", 1)
    monkeypatch.setattr(pool, "MEMORY", 500 * 2**20)
    with pytest.raises(FilmError, match=words):
        read_film(make())


def test_a_large_file_of_nothing_is_refused_before_it_is_read(tmp_path):
    path = hostile.sparse(tmp_path / "film.dcm", 3 * 2**30)
    began = time.monotonic()
    for read in (read_film, read_radiograph, lambda path: find_film(str(path))):
        with pytest.raises(FilmError, match="larger than 512 MB"):
            read(path)
    assert FolderCollection(tmp_path).scan().refused == (
        ("film.dcm", "the file is larger than 512 MB, too large for one film"),
    )
    with pytest.raises(AnnotationError, match="larger than 256 MB"):
        mask_bytes(path)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("path", ["a\0b.png", "\udc80.png", "x" * 5000])
def test_a_path_that_no_file_can_have_is_said(path):
    with pytest.raises(FilmError, match=r"name and permissions|no such file"):
        read_film(path)


def test_a_polygon_of_many_corners_is_drawn_soon_or_refused(tmp_path):
    path = tmp_path / "polygons.json"
    path.write_bytes(hostile.spiral(90_000))
    began = time.monotonic()
    (drawn,) = read_chest_det(path).annotations("film.png", (1024, 1024))
    assert 0.2 < drawn.mask.mean() < 0.8
    path.write_bytes(hostile.spiral(120_000))
    with pytest.raises(AnnotationError, match="more than 100,000 corners"):
        read_chest_det(path)
    ring = [[0, 0] if n % 2 else [9, 1024] for n in range(99_999)]
    path.write_text(json.dumps([{"file_name": "film.png", "syms": ["Mass"], "polygons": [ring]}]))
    assert read_chest_det(path).read_film("film.png", (1024, 1024))[1][0].endswith("give a mask instead")
    assert time.monotonic() - began < 20


def test_outlines_of_one_film_find_room_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "_MOST_MASK_PIXELS", 40 * 64 * 64)
    path = tmp_path / "boxes.csv"
    path.write_text("image,finding,x,y,width,height\n" + "film.png,Mass,1,1,5,5\n" * 2000)
    drawn, problems = read_table(path).read_film("film.png", (64, 64))
    assert len(drawn) == 40
    assert problems == ("boxes.csv, film.png: only the first 40 of 2,000 outlines are read",)


FAR = "1" + "0" * 308
LONG = "9" * 5000
COCO = '{"images": [{"id": 1, "file_name": "f.png"}], "categories": [{"id": 1, "name": "Mass"}], "annotations": [%s]}'


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("boxes.csv", f"image,finding,x,y,width,height\nf.png,Mass,{FAR},1,{FAR},{FAR}\n", "should be a number"),
        ("boxes.csv", f"image,finding,x,y,width,height\nf.png,Mass,{LONG},1,1,1\n", "should be a number"),
        ("boxes.csv", "image,finding,x,y,width,height\n" + "\n".join([""] * 1_000_001), "more than 1,000,000 lines"),
        ("boxes.csv", "image,finding,x,y,width,height," + "," * 2**21, "not a line of a CSV"),
        ("a.json", COCO % '{"image_id": 1, "category_id": 1, "bbox": [1e308, 1e308, 1e308, 1e308]}', "outside any"),
        ("a.json", COCO % f'{{"image_id": 1, "category_id": 1, "bbox": [{FAR}1, 1, 1, 1]}}', "expected a seg"),
        ("a.json", COCO % f'{{"image_id": 1, "category_id": 1, "segmentation": [[1, 1, 5, 1, 5, {FAR}]]}}', "outside"),
        ("a.json", COCO % f'{{"image_id": 1, "category_id": 1, "segmentation": [[1, 1, 5, 1, 5, {FAR}0]]}}', "polygon"),
        ("a.json", f'{{"images": {LONG}}}', "not JSON"),
        ("a.json", "[" * 100_000, "not JSON"),
        ("a.json", "[" + "1," * 20_000_001 + "1]", "more than 20,000,000 values"),
    ],
)
def test_numbers_and_tables_out_of_bounds_are_said(tmp_path, name, text, words):
    (tmp_path / name).write_text(text)
    with pytest.raises(AnnotationError, match=words):
        (read_coco if name == "a.json" else read_table)(tmp_path / name)


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: hostile.zipped("boxes.csv", data)], ids=["gzip", "zip"])
def test_a_packed_table_is_unpacked_to_its_bound_alone(tmp_path, monkeypatch, pack):
    (tmp_path / "boxes.csv.gz").write_bytes(pack(bytes(2_000_000)))
    monkeypatch.setattr(rows, "_MAX_BYTES", 2**20)
    tracemalloc.start()
    with pytest.raises(AnnotationError, match="larger than 1 MB"):
        read_table(tmp_path / "boxes.csv.gz")
    assert tracemalloc.get_traced_memory()[1] < 8_000_000
    tracemalloc.stop()
