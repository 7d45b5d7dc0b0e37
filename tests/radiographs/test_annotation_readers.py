import gzip
import json
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from radiographs.annotation_readers import (
    AnnotationTable,
    bundled_table,
    film_key,
    read_box_csv,
    read_chexlocalize,
    read_chexpert_labels,
    read_coco,
    read_mask_folder,
    read_nih_boxes,
    read_rsna,
    read_siim_rle,
    read_vindr,
)
from radiographs.errors import AnnotationError

NIH = "Image Index,Finding Label,Bbox [x,y,w,h],,,\n"


def write(folder, name, text):
    path = folder / name
    path.write_text(text)
    return path


def count(table):
    return sum(len(table.of(image)) for image in table.images())


def box_of(mask):
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


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
def test_a_bad_line_is_named(tmp_path, line, reason):
    path = write(tmp_path, "boxes.csv", NIH + f"b.png,Mass,1,2,3,4\n{line}\n")
    with pytest.raises(AnnotationError, match=f"^boxes.csv, {reason}"):
        read_nih_boxes(path)


def test_boxes_over_the_edge_are_clipped(tmp_path):
    table = read_nih_boxes(write(tmp_path, "b.csv", NIH + "a.png,Mass,-10,1000,30,100\n"))
    [drawn] = table.annotations("a", (1024, 1024))
    assert box_of(drawn.mask) == (0, 1000, 20, 1024)


def test_other_proportions_are_refused(tmp_path):
    table = read_nih_boxes(write(tmp_path, "b.csv", NIH + "a.png,Mass,1,1,30,100\n"))
    with pytest.raises(AnnotationError, match=r"b.csv, line 2.*1024 x 1024.*2000 x 1500"):
        table.annotations("a", (1500, 2000))


def test_box_csv_tolerates_headers_and_names_readers(tmp_path):
    text = "\ufeffFinding; Image ;X;Y;Width;HEIGHT;Reader\n"
    text += "pleural effusion;f.one.png;1;2;3;4;Dr A\nMass;f.one.png;1;2;3;4;\n"
    table = read_box_csv(write(tmp_path, "b.csv", text), reader="somebody")
    drawn = table.annotations("f.one.jpg", (40, 40))
    assert [(each.finding, each.reader) for each in drawn] == [("Effusion", "Dr A"), ("Mass", "somebody")]
    assert table.findings("f.one") == ("Effusion", "Mass")
    scaled = read_box_csv(write(tmp_path, "c.csv", text), frame=(40, 40)).annotations("f.one", (80, 80))
    assert box_of(scaled[0].mask) == (2, 4, 8, 12)


def test_a_box_outside_the_film_is_refused_when_drawn(tmp_path):
    table = read_box_csv(write(tmp_path, "b.csv", "image,finding,x,y,width,height\na,Mass,90,2,3,4\n"))
    with pytest.raises(AnnotationError, match="line 2: the box lies outside the film"):
        table.annotations("a", (40, 40))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"image,finding\n", "no column 'x'"),
        (b"", "no column 'image'"),
        (b"\xff\xfe\x00", "not UTF-8"),
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
    with pytest.raises(AnnotationError, match="Target should be 0 or 1"):
        read_rsna(write(tmp_path, "m.csv", text.replace(",1\n", ",2\n")))


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


COUNTS = [5, 3, 2, 900, 1, 40, 1000, 49]


def compress(counts):
    """COCO's own encoder (``rleToString``), written out."""
    text = ""
    for at, number in enumerate(counts):
        left = number - counts[at - 2] if at > 2 else number
        more = True
        while more:
            bits, left = left & 0x1F, left >> 5
            more = left != (-1 if bits & 0x10 else 0)
            text += chr((bits | (0x20 if more else 0)) + 48)
    return text


def column_major(counts, height, width):
    flat = np.repeat(np.arange(len(counts)) % 2, counts)
    return flat.reshape(width, height).T.astype(bool)


def test_compressed_counts_worked_out_by_hand_and_round_trip():
    from radiographs.annotation_readers.run_lengths import decode_counts

    assert decode_counts("").size == 0
    assert decode_counts("13").tolist() == [1, 3]
    assert decode_counts("P1PT2").tolist() == [32, 2176]
    assert decode_counts("123O").tolist() == [1, 2, 3, 1]
    assert decode_counts(compress(COUNTS)).tolist() == COUNTS
    rng = np.random.default_rng(3)
    long = rng.integers(0, 50000, 501).tolist()
    assert decode_counts(compress(long)).tolist() == long


def chexlocalize(folder, drawn):
    return read_chexlocalize(write(folder, "gt.json", json.dumps(drawn)))


def test_chexlocalize_masks(tmp_path):
    film = "patient64541_study1_view1_frontal"
    some = {"size": [40, 50], "counts": compress(COUNTS)}
    none = {"size": [40, 50], "counts": compress([2000])}
    table = chexlocalize(tmp_path, {film: {"Pleural Effusion": some, "Edema": none}, "other": {"Edema": none}})
    assert table.images() == (film, "other")
    [drawn] = table.annotations(f"{film}.jpg", (40, 50))
    assert (drawn.finding, drawn.kind) == ("Effusion", "mask")
    np.testing.assert_array_equal(drawn.mask, column_major(COUNTS, 40, 50))
    [doubled] = table.annotations(film, (80, 100))
    np.testing.assert_array_equal(doubled.mask, np.kron(drawn.mask, np.ones((2, 2), bool)))


def test_chexlocalize_polygons(tmp_path):
    square = [[[10, 5], [20, 5], [20, 15], [10, 15]]]
    table = chexlocalize(tmp_path, {"f": {"img_size": [40, 50], "Airspace Opacity": square, "Edema": []}})
    [drawn] = table.annotations("f", (40, 50))
    assert (drawn.finding, drawn.kind) == ("Lung Opacity", "polygon")
    assert box_of(drawn.mask) == (10, 5, 20, 15)
    assert drawn.mask.sum() == 100


@pytest.mark.parametrize(
    "drawn",
    [
        {"f": {"Edema": {"size": [40, 50], "counts": "~~~"}}},
        {"f": {"Edema": {"size": [40, 50], "counts": "P"}}},
        {"f": {"Edema": {"size": [4, 5], "counts": compress([1, 30])}}},
        {"f": {"Edema": {"size": [99999, 50], "counts": "0"}}},
        {"f": {"Edema": {"counts": "0"}}},
        {"f": {"Edema": [[[1, 2], [3, 4]]]}},
        {"f": {"img_size": [0, 5], "Edema": []}},
        {"f": 3},
    ],
)
def test_bad_chexlocalize_keys_are_named(tmp_path, drawn):
    with pytest.raises(AnnotationError, match=r"^gt.json, f"):
        chexlocalize(tmp_path, drawn)


def test_chexpert_labels_with_and_without_the_blinded_columns(tmp_path):
    full = (
        "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Edema,Pleural Effusion\n"
        "CheXpert-v1.0-small/train/patient00001/study1/view1_frontal.jpg,Female,68,Frontal,AP,,-1.0,1.0\n"
        "CheXpert-v1.0-small/train/patient00001/study1/view2_lateral.jpg,Female,68,Lateral,,1.0,,\n"
    )
    frontal, lateral = read_chexpert_labels(write(tmp_path, "train.csv", full))
    assert (frontal.patient, frontal.view, frontal.sex, frontal.age) == ("patient00001", "AP", "Female", 68)
    assert frontal.labels == {"Edema": -1.0, "Pleural Effusion": 1.0}
    assert lateral.view == "LL"
    blinded = "Path,Edema,Lung Opacity\ntest/patient64741/study1/view1_frontal.jpg,0,1\n"
    [film] = read_chexpert_labels(write(tmp_path, "test.csv", blinded))
    assert film.image == "patient64741_study1_view1_frontal"
    assert (film.view, film.sex, film.age) == (None, None, None)
    assert film.labels == {"Edema": 0.0, "Lung Opacity": 1.0}
    [bare] = read_chexpert_labels(write(tmp_path, "bare.csv", "Path\ntest/patient64741/study1/view2_lateral.jpg\n"))
    assert (bare.labels, bare.view) == ({}, "LL")


def coco(folder, **changes):
    content = {
        "images": [
            {"id": 1, "file_name": "films/a.png", "width": 50, "height": 40},
            {"id": 2, "file_name": "b.png", "width": 50, "height": 40},
        ],
        "categories": [{"id": 7, "name": "nodule"}],
        "annotations": [
            {
                "id": 1,
                "image_id": 1,
                "category_id": 7,
                "segmentation": [[10, 5, 20, 5, 20, 15, 10, 15], [30, 5, 32, 5, 32, 9]],
            },
            {"id": 2, "image_id": 1, "category_id": 7, "segmentation": {"size": [40, 50], "counts": COUNTS}},
            {"id": 3, "image_id": 1, "category_id": 7, "segmentation": {"size": [40, 50], "counts": compress(COUNTS)}},
            {"id": 4, "image_id": 1, "category_id": 7, "bbox": [1, 2, 3, 4]},
        ],
    } | changes
    return read_coco(write(folder, "coco.json", json.dumps(content)))


def test_coco_polygons_runs_and_boxes(tmp_path):
    table = coco(tmp_path)
    assert table.images() == ("a", "b")
    assert table.of("b") == ()
    shapes = table.annotations("a.png", (40, 50))
    assert [each.kind for each in shapes] == ["polygon", "mask", "mask", "box"]
    assert {each.finding for each in shapes} == {"Nodule"}
    assert shapes[0].mask[5:15, 10:20].all()
    assert shapes[0].mask[:, 30:].any()
    np.testing.assert_array_equal(shapes[1].mask, column_major(COUNTS, 40, 50))
    np.testing.assert_array_equal(shapes[1].mask, shapes[2].mask)
    assert box_of(shapes[3].mask) == (1, 2, 4, 6)
    assert box_of(table.annotations("a.png", (80, 100))[3].mask) == (2, 4, 8, 12)


@pytest.mark.parametrize(
    "changes",
    [
        {"images": 3},
        {"images": [{"id": 1, "file_name": "x/a.png"}, {"id": 2, "file_name": "y/a.jpg"}]},
        {"annotations": [{"image_id": 9, "category_id": 7, "bbox": [1, 2, 3, 4]}]},
        {"annotations": [{"image_id": 1, "category_id": 9, "bbox": [1, 2, 3, 4]}]},
        {"annotations": [{"image_id": [1], "category_id": 7, "bbox": [1, 2, 3, 4]}]},
        {"annotations": [{"image_id": 1, "category_id": 7}]},
        {"annotations": [{"image_id": 1, "category_id": 7, "bbox": [1, 2, 0, 4]}]},
        {"annotations": [{"image_id": 1, "category_id": 7, "segmentation": [[1, 2, 3]]}]},
        {"categories": [{"id": 7}]},
    ],
)
def test_bad_coco_keys_are_refused(tmp_path, changes):
    with pytest.raises(AnnotationError, match=r"^coco.json"):
        coco(tmp_path, **changes)


def test_json_that_is_none_is_refused(tmp_path):
    for text, reason in (("{", "line 1: this is not JSON"), ("[]", "object"), ("[" * 100000, "not JSON")):
        with pytest.raises(AnnotationError, match=reason):
            read_coco(write(tmp_path, "coco.json", text))


def test_polygon_agrees_with_a_point_in_polygon_test():
    from matplotlib.path import Path as Outline

    from radiographs.annotation_readers.geometry import Polygon

    rng = np.random.default_rng(5)
    angles = np.sort(rng.uniform(0, 2 * np.pi, 25))
    ring = np.stack([30 + rng.uniform(5, 28, 25) * np.cos(angles), 25 + rng.uniform(5, 23, 25) * np.sin(angles)], 1)
    rows, columns = np.mgrid[:50, :60] + 0.5
    inside = Outline(ring).contains_points(np.stack([columns.ravel(), rows.ravel()], 1)).reshape(50, 60)
    np.testing.assert_array_equal(Polygon((ring,)).mask((50, 60), None), inside)
    outside = Polygon((ring + 100,)).mask((50, 60), None)
    assert not outside.any()
    assert Polygon((ring / 100 + 7,)).mask((50, 60), None).sum() == 1


def masks(folder, names, side=40):
    folder.mkdir(parents=True)
    drawn = np.zeros((side, side), dtype=np.uint8)
    drawn[10:20, 5:25] = 255
    for name in names:
        Image.fromarray(drawn).save(folder / name)
    return drawn > 0


def test_mask_folder_matches_the_longest_film_name(tmp_path):
    drawn = masks(tmp_path / "masks", ["a_left_lung.png", "a_b_pleural_effusion.png", "stray.png"])
    table = read_mask_folder(tmp_path / "masks", ["a.jpg", "a_b.dcm", "c.png"])
    assert table.findings("a") == ("left_lung",)
    assert table.findings("a_b.dcm") == ("Effusion",)
    assert table.unmatched == ("stray.png",)
    [mask] = table.annotations("a", (40, 40))
    np.testing.assert_array_equal(mask.mask, drawn)
    [half] = table.annotations("a", (20, 20))
    np.testing.assert_array_equal(half.mask, drawn[1::2, 1::2])
    with pytest.raises(AnnotationError, match="proportions"):
        table.annotations("a", (40, 60))


def test_mask_folder_finds_films_beside_it(tmp_path):
    masks(tmp_path / "masks", ["film_one_mass.png"])
    masks(tmp_path / "images", ["film_one.png"])
    assert read_mask_folder(tmp_path / "masks").images() == ("film_one",)


def test_masks_of_every_png_kind_are_read_alike(tmp_path):
    drawn = masks(tmp_path / "masks", ["a_mass.png"])
    grey = Image.fromarray(drawn.astype(np.uint8) * 255)
    palette = Image.fromarray(drawn.astype(np.uint8), mode="L")
    palette.putpalette([0, 0, 0, 9, 9, 9])
    kinds = [grey.convert("1"), grey.convert("RGB"), grey.convert("RGBA"), grey.convert("LA"), palette]
    kinds.append(Image.fromarray(drawn.astype(np.uint16) * 900))
    for image in kinds:
        image.save(tmp_path / "masks" / "a_mass.png")
        [read] = read_mask_folder(tmp_path / "masks", ["a"]).annotations("a", (40, 40))
        np.testing.assert_array_equal(read.mask, drawn)


def test_bad_mask_folders_are_refused(tmp_path):
    with pytest.raises(AnnotationError, match="no folder"):
        read_mask_folder(tmp_path / "none", ["a"])
    masks(tmp_path / "masks", ["other_mass.png"])
    with pytest.raises(AnnotationError, match=r"such as other_mass.png"):
        read_mask_folder(tmp_path / "masks", ["a"])
    with pytest.raises(AnnotationError, match="no film is known"):
        read_mask_folder(tmp_path / "masks", [])
    (tmp_path / "masks" / "a_mass.png").write_bytes(b"not a png")
    (tmp_path / "masks" / "a_nodule.png").write_bytes((tmp_path / "masks" / "other_mass.png").read_bytes()[:60])
    table = read_mask_folder(tmp_path / "masks", ["a"])
    with pytest.raises(AnnotationError, match=r"a_mass.png"):
        table.annotations("a", (40, 40))


def test_an_undrawn_mask_gives_no_annotation(tmp_path):
    (tmp_path / "m").mkdir()
    Image.new("L", (40, 40)).save(tmp_path / "m" / "a_mass.png")
    assert read_mask_folder(tmp_path / "m", ["a"]).annotations("a", (40, 40)) == []


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
