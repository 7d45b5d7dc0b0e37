"""A folder of the user's own."""

import hashlib
import json

import numpy as np
import pytest
from PIL import Image

from radiographs.collections.folder import FolderCollection, _Look
from radiographs.collections.folder_tables import FilmFrame
from radiographs.collections.remembered import forget_folder, remember_folder, remembered_folders
from radiographs.errors import CollectionError
from tests.radiographs.film_readers.dicom_films import film, save


def write_film(path, seed, size=(48, 64)):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, size, dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def write_mask(path, rows, columns, size=(48, 64)):
    path.parent.mkdir(parents=True, exist_ok=True)
    mask = np.zeros(size, np.uint8)
    mask[rows, columns] = 255
    Image.fromarray(mask).save(path)


@pytest.fixture
def folder(tmp_path):
    """Three films, one in a subfolder, with a mask, a box, a COCO outline, labels and patients."""
    top = tmp_path / "ward 7"
    ids = {
        "smith": write_film(top / "smith_john.png", 1),
        "jones": write_film(top / "2024" / "jones.png", 2),
        "miller": write_film(top / "miller.jpg", 3),
    }
    write_mask(top / "masks" / "smith_john_pleural_effusion.png", slice(10, 20), slice(5, 15))
    (top / "boxes.csv").write_text("image,finding,x,y,width,height\njones.png,Nodule,8,4,10,6\n")
    (top / "annotations.json").write_text(
        json.dumps(
            {
                "images": [{"id": 1, "file_name": "miller.jpg", "width": 64, "height": 48}],
                "categories": [{"id": 7, "name": "Mass"}],
                "annotations": [
                    {"id": 1, "image_id": 1, "category_id": 7, "segmentation": [[10, 10, 30, 10, 30, 20, 10, 20]]}
                ],
            }
        )
    )
    (top / "films.csv").write_text(
        "Image,Labels,Patient\nsmith_john.png,Pleural Effusion|Mass,Smith\n"
        "jones.png,No Finding,Jones\nmiller.jpg,,Smith\n"
    )
    return top, ids


def test_films_masks_boxes_and_outlines_are_found(folder):
    top, ids = folder
    collection = FolderCollection(top)
    assert {e.film_id for e in collection.entries()} == set(ids.values())
    (effusion,) = collection.annotations(ids["smith"])
    assert (effusion.finding, effusion.kind, int(effusion.mask.sum())) == ("Effusion", "mask", 100)
    (nodule,) = collection.annotations(ids["jones"])
    assert (nodule.finding, nodule.kind, int(nodule.mask.sum())) == ("Nodule", "box", 60)
    assert nodule.mask[4:10, 8:18].all()
    (mass,) = collection.annotations(ids["miller"])
    assert (mass.finding, mass.kind, int(mass.mask.sum())) == ("Mass", "polygon", 200)


def test_labels_and_patients_come_from_the_table(folder):
    top, ids = folder
    collection = FolderCollection(top)
    smith, jones, miller = (collection.entry(ids[name]) for name in ("smith", "jones", "miller"))
    assert smith.labels == ("Effusion", "Mass")
    assert jones.labels == miller.labels == ()
    assert smith.annotated == ("Effusion",)
    assert smith.patient == miller.patient != jones.patient


def test_nothing_but_the_screen_name_tells_a_file_or_a_patient(folder):
    top, ids = folder
    collection = FolderCollection(top)
    told = repr(collection.entries()).lower() + repr(collection.annotations(ids["smith"])).lower() + collection.name
    assert not any(secret in told for secret in ("smith", "jones", "miller", "ward", "2024"))
    assert collection.display_name(ids["jones"]) == "2024/jones.png"
    assert collection.card.title == "ward 7"


def test_the_film_has_its_own_pixels(folder):
    top, ids = folder
    film = FolderCollection(top).read(ids["smith"])
    stored = np.asarray(Image.open(top / "smith_john.png"))
    assert film.pixels == pytest.approx(stored / 255, abs=1e-6)


def test_the_scan_says_what_was_refused_and_why(folder):
    top, _ = folder
    (top / "letter.pdf").write_bytes(b"%PDF-1.7 text")
    (top / "zz_copy.png").write_bytes((top / "smith_john.png").read_bytes())
    write_mask(top / "masks" / "nobody_Mass.png", slice(0, 5), slice(0, 5))
    (top / "boxes.csv").write_text("image,finding,x,y,width,height\nelse.png,Nodule,8,4,10,6\n")
    scan = FolderCollection(top).scan()
    assert len(scan.read) == 3
    refused = dict(scan.refused)
    assert "PDF" in refused["letter.pdf"]
    assert refused["zz_copy.png"] == "the same film as smith_john.png"
    assert refused["masks/nobody_Mass.png"] == "the mask belongs to no film of the folder"
    assert refused["boxes.csv"] == "else: the folder has no such film"


def test_a_broken_table_leaves_the_films(folder):
    top, ids = folder
    (top / "boxes.csv").write_text("image,finding\njones.png,Nodule\n")
    (top / "annotations.json").write_text("{not json")
    (top / "films.csv").write_text("name\nx\n")
    collection = FolderCollection(top)
    assert len(collection.entries()) == 3
    assert collection.annotations(ids["jones"]) == []
    assert {name for name, _ in collection.scan().refused} == {"boxes.csv", "annotations.json", "films.csv"}


def test_films_of_one_name_get_no_outlines(folder):
    top, ids = folder
    other = write_film(top / "2025" / "jones.png", 9)
    collection = FolderCollection(top)
    assert collection.annotations(ids["jones"]) == collection.annotations(other) == []
    assert collection.entry(other).annotated == ()
    assert any("more than one film has this name" in reason for _, reason in collection.scan().refused)


def test_changes_in_the_folder_are_seen(folder):
    top, _ = folder
    collection = FolderCollection(top)
    assert len(collection.entries()) == 3
    added = write_film(top / "new.png", 10)
    assert added in {e.film_id for e in collection.entries()}
    (top / "new.png").unlink()
    assert added not in {e.film_id for e in collection.entries()}
    with pytest.raises(CollectionError, match=f"has no film '{added}'"):
        collection.read(added)


def test_unchanged_files_are_not_read_again(folder, monkeypatch):
    top, _ = folder
    collection = FolderCollection(top)
    collection.entries()
    looked_at = []

    def look(stamp):
        looked_at.append(stamp.path.name)
        return _Look("x", FilmFrame((9, 9)))

    monkeypatch.setattr("radiographs.collections.folder._look_at_file", look)
    write_film(top / "new.png", 10)
    collection.entries()
    assert looked_at == ["new.png"]


def test_hidden_files_are_left_alone(folder):
    top, _ = folder
    write_film(top / ".trash" / "old.png", 11)
    (top / ".DS_Store").write_bytes(b"x")
    scan = FolderCollection(top).scan()
    assert len(scan.read) == 3
    assert scan.refused == ()


def test_an_empty_folder_has_no_films(tmp_path):
    collection = FolderCollection(tmp_path)
    assert collection.missing() is None
    assert collection.entries() == []


def test_a_folder_that_went_away(tmp_path):
    collection = FolderCollection(tmp_path / "gone")
    assert "is not there" in collection.missing()
    assert collection.entries() == []
    with pytest.raises(CollectionError, match="is not there"):
        collection.scan()


TABLES = {
    "vindr.csv": "image_id,class_name,rad_id,x_min,y_min,x_max,y_max\n"
    "smith_john,Mass,R1,8,4,18,10\njones,No finding,R1,,,,\n",
    "rsna.csv": "patientId,x,y,width,height,Target\nsmith_john,8,4,10,6,1\njones,,,,,0\n",
    "siim.csv": "ImageId,EncodedPixels\nsmith_john,100000 20\njones,-1\n",
    "nih.csv": "Image Index,Finding Label,Bbox [x,y,w,h],,,\nsmith_john.png,Mass,8,4,10,6,,,\n",
    "any name.csv": "image;finding;x;y;width;height\nsmith_john;Mass;8,5;4;10;6\n",
    "gt.json": json.dumps({"smith_john": {"img_size": [48, 64], "Mass": [[[8, 4], [18, 4], [18, 10]]]}}),
    "chest-det.json": json.dumps(
        [
            {
                "file_name": "smith_john.png",
                "syms": ["Mass"],
                "boxes": [],
                "polygons": [[[80, 40], [180, 40], [180, 100]]],
            }
        ]
    ),
}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("square", [True, False])
def test_published_tables_are_known_by_their_columns_whatever_their_name(tmp_path, name, square):
    size = (64, 64) if square else (48, 64)
    film = write_film(tmp_path / "smith_john.png", 1, size)
    other = write_film(tmp_path / "jones.png", 2, size)
    (tmp_path / name).write_text(TABLES[name])
    collection = FolderCollection(tmp_path)
    found, refused = collection.annotations(film), dict(collection.scan().refused)
    frames = dict.fromkeys(("rsna.csv", "siim.csv", "nih.csv", "chest-det.json"), (1024, 1024)) | {"gt.json": (64, 48)}
    frame = frames.get(name, size)
    if (frame[0] == frame[1]) != square:
        assert found == []
        assert f"{frame[0]} x {frame[1]} pixels; the film has 64 x {size[0]}" in refused[name]
    else:
        assert [a.mask.any() for a in found] == [True]
        assert refused == {}
        assert collection.entry(film).annotated == (found[0].finding,)
    assert collection.annotations(other) == []


def test_a_bad_outline_costs_itself_and_neither_the_file_nor_the_film(folder):
    top, ids = folder
    lines = ["image,finding,x,y,width,height", "jones.png,Nodule,8,4,10,6", "jones.png,Mass,1500,1800,300,200"]
    lines += ["jones.png,Mass,1,2,x,5", "smith_john.png,Mass,nan,nan,nan,nan"]
    (top / "boxes.csv").write_text("\n".join(lines))
    (top / "masks" / "miller_Mass.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"rest")
    Image.new("L", (30, 60), 255).save(top / "masks" / "miller_Nodule.bmp")
    (top / "masks" / "miller_Edema.nii.gz").write_bytes(b"\x1f\x8b")
    collection = FolderCollection(top)
    [nodule] = collection.annotations(ids["jones"])
    assert nodule.finding == "Nodule"
    assert [a.kind for a in collection.annotations(ids["miller"])] == ["polygon"]
    refused = collection.scan().refused
    assert ("boxes.csv", "2024/jones.png, line 3: the box lies outside the film of 64 x 48 pixels") in refused
    assert ("boxes.csv", "line 4: width should be a number, found 'x'") in refused
    assert ("masks", "miller_Edema.nii.gz: not a mask; masks are PNG, JPEG, BMP or TIFF images") in [
        (name, reason.removeprefix("masks/")) for name, reason in refused
    ]
    said = " ".join(reason for _, reason in refused)
    assert "miller_Mass.png" in said
    assert "30 x 60 pixels; the film has 64 x 48" in said
    assert len(refused) == 5


def test_films_of_one_name_are_told_apart_by_the_folders_that_tables_name(folder):
    top, ids = folder
    other = write_film(top / "2025" / "jones.png", 9)
    header = "image,finding,x,y,width,height\n"
    (top / "boxes.csv").write_text(f"{header}2024/jones.png,Nodule,8,4,10,6\nx/2025/jones.png,Mass,1,1,5,5\n")
    (top / "films.csv").write_text("image,labels,patient\n2025/jones.png,Edema,J\n")
    write_mask(top / "masks" / "2025" / "jones_Effusion.png", slice(0, 5), slice(0, 5))
    collection = FolderCollection(top)
    assert collection.entry(ids["jones"]).annotated == ("Nodule",)
    assert collection.entry(other).annotated == ("Effusion", "Mass")
    assert (collection.entry(ids["jones"]).labels, collection.entry(other).labels) == ((), ("Edema",))


def test_a_long_table_of_other_films_is_summed_up(folder):
    top, _ = folder
    lines = [f"film{n},Mass,1,2,3,4" for n in range(500)]
    (top / "boxes.csv").write_text("image,finding,x,y,width,height\n" + "\n".join(lines))
    reasons = [reason for name, reason in FolderCollection(top).scan().refused if name == "boxes.csv"]
    assert len(reasons) == 21
    assert reasons[-1] == "480 more lines of this kind"


def test_a_turned_film_takes_its_outlines_with_it(tmp_path):
    stored = np.random.default_rng(4).integers(0, 4096, (48, 64)).astype(np.uint16)
    (tmp_path / "IM000001").write_bytes(save(film(stored, PatientOrientation=["R", "F"])))
    (tmp_path / "wide.ima").write_bytes(save(film(stored, PixelSpacing=[0.1, 0.2], Modality="DX")))
    (tmp_path / "DICOMDIR").write_bytes(save(film(stored)))
    header = "image,finding,x,y,width,height\n"
    (tmp_path / "boxes.csv").write_text(f"{header}IM000001,Mass,4,10,6,8\nwide.ima,Mass,4,10,6,8\n")
    write_mask(tmp_path / "masks" / "IM000001_Nodule.png", slice(10, 18), slice(4, 10))
    collection = FolderCollection(tmp_path)
    assert collection.scan().refused == ()
    by_name = {collection.display_name(e.film_id): collection.annotations(e.film_id) for e in collection.entries()}
    nodule, mass = by_name["IM000001"]
    np.testing.assert_array_equal(nodule.mask, mass.mask)
    assert mass.mask[10:18, 54:60].all()
    assert mass.mask.sum() == 48
    [wide] = by_name["wide.ima"]
    assert wide.mask.shape == (48, 128)
    assert wide.mask[10:18, 8:20].all()
    assert wide.mask.sum() == 96


@pytest.fixture
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_folders_are_remembered_and_forgotten(home, folder, tmp_path):
    top, _ = folder
    assert remembered_folders() == []
    first = remember_folder(top)
    second = remember_folder(str(tmp_path))
    assert (first.name, second.name) == ("folder-1", "folder-2")
    assert remember_folder(top).name == "folder-1"
    assert [c.name for c in remembered_folders()] == ["folder-1", "folder-2"]
    assert len(remembered_folders()[0].entries()) == 3
    forget_folder("folder-1")
    assert [c.name for c in remembered_folders()] == ["folder-2"]
    assert remember_folder(top).name == "folder-1"
    assert (top / "smith_john.png").exists()


def test_what_cannot_be_remembered_is_said(home, tmp_path):
    with pytest.raises(CollectionError, match="is not a folder; give the folder that holds the films"):
        remember_folder(tmp_path / "nothing")
    with pytest.raises(CollectionError, match="under the name 'folder-9'; there are: none"):
        forget_folder("folder-9")


@pytest.mark.parametrize("content", ["{", "[1]", '{"a": 1}', b"\xff\xfe"])
def test_a_damaged_list_is_said(home, content):
    home.mkdir()
    (home / "folders.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(CollectionError, match=r"folders\.json.*remove it and add them again"):
        remembered_folders()


def save_dicom(path, seed, patient):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 4096, (40, 40), dtype=np.uint16)
    path.write_bytes(save(film(pixels, PatientID=patient)))


def test_patients_are_known_from_dicom_files_and_paths_and_never_by_name(tmp_path):
    for number, patient in enumerate(["MRN-77001", "MRN-77001", "ANON88002", "", "ANONYMOUS", "Anonymous^01"]):
        save_dicom(tmp_path / f"{number}.dcm", number, patient)
    for number, name in enumerate(
        ["patient00012/study1/a", "patient00012/study2/b", "Patient7_left", "x/patients/c"], 6
    ):
        write_film(tmp_path / f"{name}.png", number)
    (tmp_path / "films.csv").write_text("image,labels,patient\n5.dcm,,Z\nc.png,,Z\n")
    films = FolderCollection(tmp_path)
    of = {films.display_name(entry.film_id): entry for entry in films.entries()}
    groups = {}
    for name, entry in of.items():
        groups.setdefault(entry.patient, set()).add(name)
    assert {frozenset(names) for names in groups.values()} == {
        frozenset({"0.dcm", "1.dcm"}),
        frozenset({"2.dcm"}),
        frozenset({"3.dcm"}),
        frozenset({"4.dcm"}),
        frozenset({"patient00012/study1/a.png", "patient00012/study2/b.png"}),
        frozenset({"Patient7_left.png"}),
        frozenset({"5.dcm", "x/patients/c.png"}),
    }
    unknown = {name for name, entry in of.items() if entry.patient == entry.film_id}
    assert unknown == {"3.dcm", "4.dcm"}
    assert not any(word in repr([*of.values(), films._looked_at.values()]) for word in ("77001", "88002"))
