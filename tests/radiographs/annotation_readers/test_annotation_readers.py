"""Boxes, run lengths and tables: NIH, any CSV, VinDr-CXR, RSNA, SIIM, and the tables in torchxrayvision's wheel."""

from __future__ import annotations

import gzip
import sys
import zipfile

import numpy as np
import pytest

from radiographs.annotation_readers import (
    AnnotationTable,
    bundled_table,
    film_key,
    read_box_csv,
    read_nih_boxes,
    read_rsna,
    read_siim_rle,
    read_vindr,
)
from radiographs.errors import AnnotationError
from tests.radiographs.annotation_readers.tables import box_of, count, write

NIH = "Image Index,Finding Label,Bbox [x,y,w,h],,,\n"


def test_film_key_drops_folders_and_image_suffixes_only():
    assert film_key("images/a.b.PNG") == "a.b"
    assert film_key("1.2.276.0.850819") == "1.2.276.0.850819"
    assert film_key("c:\\films\\x.dcm") == "x"


def test_nih_boxes_are_scaled_from_1024(tmp_path):
    path = write(tmp_path, "b.csv", NIH + "00000032_037.png,Infiltrate,100,200,50,300,,,\n")
    table = read_nih_boxes(path)
    assert isinstance(table, AnnotationTable)
    assert table.images() == ("00000032_037",)
    assert "00000032_037.jpg" in table
    [full] = table.annotations("00000032_037.jpg", (1024, 1024))
    assert (full.finding, full.kind, full.reader, full.exact) == ("Infiltration", "box", "radiologist (NIH)", False)
    assert box_of(full.mask) == (100, 200, 150, 500)
    assert full.mask.sum() == 50 * 300
    [half] = table.annotations("00000032_037.png", (512, 512))
    assert box_of(half.mask) == (50, 100, 75, 250)
    assert table.annotations("another.png", (512, 512)) == []


def test_a_pixel_is_inside_when_its_centre_is(tmp_path):
    rows = "a,Mass,10.4,10.6,2.2,2.0\nb,Mass,10.6,10.4,0.1,0.1\n"
    table = read_box_csv(write(tmp_path, "b.csv", "image,finding,x,y,width,height\n" + rows))
    [wide] = table.annotations("a", (32, 32))
    assert box_of(wide.mask) == (10, 11, 13, 13)
    [tiny] = table.annotations("b", (32, 32))
    assert np.argwhere(tiny.mask).tolist() == [[10, 10]]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a.png,Mass,1,2,0,5", "line 3: the box is empty"),
        ("a.png,Mass,1,2,nan,5", "line 3: w should be a number"),
        ("a.png,Mass,one,2,3,5", "line 3: x should be a number, found 'one'"),
        ("a.png,Mass,2000,2,3,5", "line 3: the box lies outside"),
        ("a.png,,1,2,3,5", "line 3: the column Finding Label is empty"),
        ("a.png,Mass,1", "line 3: y should be a number"),
    ],
)
def test_a_bad_line_costs_its_outline_alone_and_is_named(tmp_path, line, reason):
    path = write(tmp_path, "boxes.csv", NIH + f"b.png,Mass,1,2,3,4\n{line}\n")
    table = read_nih_boxes(path)
    assert count(table) == 1
    [problem] = table.problems
    assert problem.startswith(f"boxes.csv, {reason}")
    with pytest.raises(AnnotationError, match=r"^alone\.csv, "):
        read_nih_boxes(write(tmp_path, "alone.csv", NIH + f"{line}\n"))


def test_boxes_over_the_edge_are_clipped(tmp_path):
    table = read_nih_boxes(write(tmp_path, "b.csv", NIH + "a.png,Mass,-10,1000,30,100\n"))
    [drawn] = table.annotations("a", (1024, 1024))
    assert box_of(drawn.mask) == (0, 1000, 20, 1024)


def test_other_proportions_are_refused(tmp_path):
    table = read_nih_boxes(write(tmp_path, "b.csv", NIH + "a.png,Mass,1,1,30,100\n"))
    drawn, [problem] = table.read_film("a", (1500, 2000))
    assert drawn == []
    assert problem == (
        "b.csv, line 2: the box was drawn on an image of 1024 x 1024 pixels; "
        "the film has 2000 x 1500, which are other proportions"
    )


def test_box_csv_tolerates_headers_and_names_readers(tmp_path):
    text = "\ufeffFinding; Image ;X;Y;Width;HEIGHT;Reader\n"
    text += "pleural effusion;f.one.png;1;2;3;4;Dr A\nMass;f.one.png;1;2;3;4;\n"
    table = read_box_csv(write(tmp_path, "b.csv", text), reader="somebody")
    drawn = table.annotations("f.one.jpg", (40, 40))
    assert [(each.finding, each.reader) for each in drawn] == [("Effusion", "Dr A"), ("Mass", "somebody")]
    assert table.findings("f.one") == ("Effusion", "Mass")
    scaled = read_box_csv(write(tmp_path, "c.csv", text), frame=(40, 40)).annotations("f.one", (80, 80))
    assert box_of(scaled[0].mask) == (2, 4, 8, 12)


def test_a_box_outside_the_film_costs_itself_alone(tmp_path):
    table = read_box_csv(
        write(tmp_path, "b.csv", "image,finding,x,y,width,height\na,Mass,90,2,3,4\na,Nodule,1,2,3,4\n")
    )
    [nodule], [problem] = table.read_film("a", (40, 40))
    assert nodule.finding == "Nodule"
    assert problem == "b.csv, line 2: the box lies outside the film of 40 x 40 pixels"


def test_lines_without_a_box_say_that_readers_looked(tmp_path):
    lines = "a,No finding,,,,\nb,Pneumonia,nan,nan,nan,nan\nc,no_finding,0,0,1,1\nd,Mass,1,,3,4\n"
    table = read_box_csv(write(tmp_path, "b.csv", "image,finding,x,y,width,height\n" + lines))
    assert table.images() == ("a", "b", "c")
    assert count(table) == 0
    assert table.problems == ("b.csv, line 5: y should be a number, found ''",)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_tables_as_spreadsheets_write_them(tmp_path, encoding):
    text = "image;finding;x;y;width;height;reader\nfilm;Mass;1,5;2;3,5;4;Dr Müller\n"
    (tmp_path / "b.csv").write_bytes(text.encode(encoding))
    [drawn] = read_box_csv(tmp_path / "b.csv").annotations("film", (40, 40))
    assert drawn.reader == "Dr Müller"
    assert box_of(drawn.mask) == (1, 2, 5, 6)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"image,finding\n", "no column 'x'"),
        (b"", "no column 'image'"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"\x89PNG\r\n\x1a\n\x01", "not UTF-8"),
        (b"\x1f\x8b\x00", "damaged"),
        (b"PK\x03\x04", "damaged"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, content, reason):
    (tmp_path / "boxes.csv").write_bytes(content)
    with pytest.raises(AnnotationError, match=reason):
        read_box_csv(tmp_path / "boxes.csv")
    with pytest.raises(AnnotationError, match=r"no file none\.csv"):
        read_box_csv(tmp_path / "none.csv")


def test_gzip_and_zip_are_read_in_place(tmp_path):
    text = NIH + "a.png,Mass,1,2,3,4\n"
    with gzip.open(tmp_path / "a.csv.gz", "wt") as packed:
        packed.write(text)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", text)
    assert count(read_nih_boxes(tmp_path / "a.csv.gz")) == count(read_nih_boxes(tmp_path / "a.zip")) == 1


def test_vindr_in_its_three_forms(tmp_path):
    kaggle = "image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max\n"
    rows = "f1,No finding,14,R11,,,,\nf2,Pleural effusion,10,R10,10,20,40,60\nf2,Nodule/Mass,8,R9,1.0,2.0,5.0,9.0\n"
    table = read_vindr(write(tmp_path, "train.csv", kaggle + rows))
    assert table.of("f1") == ()
    assert "f1" in table
    drawn = table.annotations("f2.dicom", (100, 100))
    assert [(each.finding, each.reader) for each in drawn] == [
        ("Effusion", "radiologist R10 (VinDr)"),
        ("Nodule/Mass", "radiologist R9 (VinDr)"),
    ]
    assert box_of(drawn[0].mask) == (10, 20, 40, 60)
    consensus = "image_id,class_name,x_min,y_min,x_max,y_max\nf2,Mass,10,20,40,60\n"
    [agreed] = read_vindr(write(tmp_path, "test.csv", consensus)).annotations("f2", (100, 100))
    assert agreed.reader == "consensus (VinDr)"
    [resized] = read_vindr(tmp_path / "test.csv", {"f2.png": (200, 100)}).annotations("f2", (100, 50))
    assert box_of(resized.mask) == (5, 10, 20, 30)


def test_rsna_boxes_and_films_without(tmp_path):
    text = "patientId,x,y,width,height,Target\nf1,,,,,0\nf2,264.0,152.0,213.0,379.0,1\n"
    table = read_rsna(write(tmp_path, "l.csv", text))
    assert table.images() == ("f1", "f2")
    assert table.of("f1") == ()
    [drawn] = table.annotations("f2.dcm", (1024, 1024))
    assert drawn.finding == "Pneumonia"
    assert box_of(drawn.mask) == (264, 152, 477, 531)
    [problem] = read_rsna(write(tmp_path, "m.csv", text.replace(",1\n", ",2\n"))).problems
    assert problem == "m.csv, line 3: Target should be 0 or 1, found '2'"


def test_siim_runs_are_relative_and_go_down_the_columns(tmp_path):
    text = "ImageId, EncodedPixels\n1.2.3.4, -1\n1.2.3.5, 1027 2 1022 3\n1.2.3.5,0 1\n"
    table = read_siim_rle(write(tmp_path, "rle.csv", text))
    assert table.of("1.2.3.4") == ()
    first, second = table.annotations("1.2.3.5.dcm", (1024, 1024))
    expected = [[3, 1], [3, 2], [4, 1], [4, 2], [5, 2]]
    assert np.argwhere(first.mask).tolist() == expected
    assert np.argwhere(second.mask).tolist() == [[0, 0]]
    assert (first.finding, first.kind) == ("Pneumothorax", "mask")


@pytest.mark.parametrize("encoded", ["1 2 3", "1 x", "1048570 9", "5 -3", "7 0"])
def test_bad_siim_runs_are_refused_with_their_line(tmp_path, encoded):
    with pytest.raises(AnnotationError, match=r"^rle.csv, line 2: "):
        read_siim_rle(write(tmp_path, "rle.csv", f"ImageId,EncodedPixels\na,{encoded}\n"))


def test_the_tables_in_torchxrayvisions_wheel():
    nih = read_nih_boxes(bundled_table("nih-boxes"))
    assert (len(nih), count(nih)) == (880, 984)
    assert len({finding for image in nih.images() for finding in nih.findings(image)}) == 8
    for image in nih.images()[:40]:
        assert len(nih.annotations(image, (512, 512))) == len(nih.of(image))
    with pytest.raises(AnnotationError, match="there is no table 'other'"):
        bundled_table("other")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "reader", "films", "with_outlines", "outlines"),
    [
        ("vindr", read_vindr, 15000, 4394, 36096),
        ("rsna", read_rsna, 26684, 6012, 9555),
        ("siim", read_siim_rle, 12047, 2669, 3576),
    ],
)
def test_the_large_tables_in_torchxrayvisions_wheel(name, reader, films, with_outlines, outlines):
    table = reader(bundled_table(name))
    assert len(table) == films
    assert sum(1 for image in table.images() if table.of(image)) == with_outlines
    assert count(table) == outlines


def test_tables_are_found_without_importing_torchxrayvision():
    import subprocess

    program = (
        "import sys; from radiographs.annotation_readers import bundled_table, read_nih_boxes;"
        "read_nih_boxes(bundled_table('nih-boxes')); sys.exit('torchxrayvision' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
