"""What every collection of the program keeps to, and what each of them holds."""

import csv
import gzip
import sys

import numpy as np
import pytest
from PIL import Image

from radiographs import places
from radiographs.collections import nih_boxes as nih
from radiographs.collections.adult_dicom import AdultDicom
from radiographs.collections.nih_boxes import NihBoxes
from radiographs.collections.paediatric import PaediatricPneumonia, person_of
from radiographs.collections.radiologist_masks import RadiologistMasks
from radiographs.errors import CollectionError
from radiographs.fetching.fetch import NIH_DEMO, NIH_DEMO_FILMS

ALL = [PaediatricPneumonia, AdultDicom, NihBoxes, RadiologistMasks]


@pytest.fixture(autouse=True)
def nowhere(monkeypatch, tmp_path, request):
    """No data but what a test makes, unless the test is about the real films."""
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XAI_LIGHTBOX_NIH", raising=False)
    if "real_data" not in request.keywords:
        monkeypatch.delenv("XAI_LIGHTBOX_DATA", raising=False)


@pytest.fixture
def real_data():
    if places.data_folder() is None:
        pytest.skip("needs the films that XAI_LIGHTBOX_DATA points at")


def write_film(path, side, seed=0, height=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (height or side, side), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


@pytest.mark.parametrize("kind", ALL)
def test_an_unknown_film_is_refused_by_name(kind):
    collection = kind()
    if collection.missing() is not None:
        pytest.skip("no films without XAI_LIGHTBOX_DATA")
    for ask in (collection.read, collection.annotations, collection.entry):
        with pytest.raises(CollectionError, match=f"{collection.name} has no film 'nobody'"):
            ask("nobody")


@pytest.mark.parametrize("kind", [NihBoxes, RadiologistMasks])
def test_without_films_a_collection_says_how_to_have_them(kind):
    collection = kind()
    assert collection.entries() == []
    assert "XAI_LIGHTBOX" in collection.missing()


@pytest.mark.parametrize("kind", ALL)
def test_the_card_is_complete(kind):
    card = kind.card
    assert all((card.title, card.summary, card.annotators, card.licence, card.citation, card.url))


# Paediatric films


def test_paediatric_films_are_3166_with_299_lung_masks():
    entries = PaediatricPneumonia().entries()
    assert len(entries) == len({e.film_id for e in entries}) == 3166
    assert sum(e.labels == ("Pneumonia",) for e in entries) == 1268 + 315
    assert sum(bool(e.annotated) for e in entries) == 299
    assert not any(e.annotated and e.labels for e in entries)


def test_no_paediatric_person_is_on_two_sides():
    sides = {}
    for entry in PaediatricPneumonia().entries():
        sides.setdefault(entry.patient, set()).add(entry.part)
    assert all(len(parts) == 1 for parts in sides.values())
    assert {part for parts in sides.values() for part in parts} == {"train", "val", "test"}


def test_paediatric_pneumonia_of_the_published_test_side_is_train_where_the_person_is():
    entries = {e.film_id: e for e in PaediatricPneumonia().entries()}
    pneumonia = [e for e in entries.values() if e.labels]
    assert sum(e.part == "test" for e in pneumonia) == 315 - 168


@pytest.mark.parametrize(
    ("film_id", "person"),
    [
        ("person12_bacteria_46", "person12"),
        ("person1_virus_6", "person1"),
        ("IM-0011-0001-0002", "IM-0011"),
        ("NORMAL2-IM-0011-0001", "IM-0011"),
    ],
)
def test_the_person_of_a_published_name(film_id, person):
    assert person_of(film_id) == person


def test_paediatric_lungs_lie_on_their_sides_of_the_film():
    collection = PaediatricPneumonia()
    masked = [e.film_id for e in collection.entries() if e.annotated]
    for film_id in masked[::60]:
        lungs = {a.finding: a for a in collection.annotations(film_id)}
        assert set(lungs) == {"left_lung", "right_lung"} == set(collection.entry(film_id).annotated)
        columns = {name: np.nonzero(a.mask)[1].mean() for name, a in lungs.items()}
        assert columns["right_lung"] < 112 < columns["left_lung"]
        assert not (lungs["left_lung"].mask & lungs["right_lung"].mask).any()
        assert all(0.03 < a.mask.mean() < 0.4 and a.kind == "mask" and not a.exact for a in lungs.values())


def test_a_paediatric_film_without_masks_has_no_annotations():
    collection = PaediatricPneumonia()
    film_id = next(e.film_id for e in collection.entries() if e.labels)
    assert collection.annotations(film_id) == []
    assert collection.read(film_id).shape == (224, 224)


def test_the_packages_that_carry_films_are_not_imported():
    PaediatricPneumonia().entries()
    assert "sofiimg" not in sys.modules


# The adult DICOM


def test_the_adult_film_is_read_with_air_dark():
    film = AdultDicom().read("RG1")
    assert film.shape == (1955, 1841)
    assert film.view == "PA"
    lung, spine = film.pixels[700:900, 500:700].mean(), film.pixels[900:1400, 900:1000].mean()
    assert lung < spine


# NIH boxes


def test_boxes_are_scaled_to_the_film_at_hand(monkeypatch, tmp_path):
    write_film(tmp_path / "data/nih_boxes/images/00013118_008.jpg", 512)
    monkeypatch.setenv("XAI_LIGHTBOX_DATA", str(tmp_path / "data"))
    collection = NihBoxes()
    (entry,) = collection.entries()
    assert entry.film_id == "00013118_008"
    assert entry.annotated == ("Atelectasis",)
    assert entry.patient == "nih-13118"
    (box,) = collection.annotations("00013118_008")
    rows, columns = np.nonzero(box.mask)
    assert box.mask.shape == (512, 512)
    assert (columns.min(), rows.min()) == pytest.approx((225.08 / 2, 547.02 / 2), abs=1)
    assert (columns.max() + 1, rows.max() + 1) == pytest.approx(((225.08 + 86.78) / 2, (547.02 + 79.19) / 2), abs=1)


def test_films_come_from_the_data_folder_then_home_then_the_users_copy(monkeypatch, tmp_path):
    write_film(tmp_path / "release/images_001/images/00013118_008.png", 64)
    monkeypatch.setenv("XAI_LIGHTBOX_NIH", str(tmp_path / "release"))
    collection = NihBoxes()
    assert collection.read("00013118_008").shape == (64, 64)
    write_film(tmp_path / "home/nih-boxes/images/00013118_008.jpg", 96)
    assert collection.read("00013118_008").shape == (96, 96)
    write_film(tmp_path / "data/nih_boxes/images/00013118_008.jpg", 128)
    monkeypatch.setenv("XAI_LIGHTBOX_DATA", str(tmp_path / "data"))
    assert collection.read("00013118_008").shape == (128, 128)
    assert len(collection.entries()) == 1


@pytest.mark.parametrize("below", ["", "images", "images_002/images", "images_002"])
def test_a_users_copy_may_lie_flat_or_one_level_down(monkeypatch, tmp_path, below):
    write_film(tmp_path / "release" / below / "00013118_008.png", 64)
    monkeypatch.setenv("XAI_LIGHTBOX_NIH", str(tmp_path / "release"))
    assert [e.film_id for e in NihBoxes().entries()] == ["00013118_008"]


def test_a_film_that_was_fetched_meanwhile_is_listed(tmp_path):
    collection = NihBoxes()
    assert collection.missing() is not None
    write_film(tmp_path / "home/nih-boxes/images/00013118_008.jpg", 64)
    assert collection.missing() is None
    write_film(tmp_path / "home/nih-boxes/images/00014716_007.jpg", 64)
    assert len(collection.entries()) == 2


def test_a_listed_film_that_is_not_here_is_told_from_an_unknown_one(tmp_path):
    write_film(tmp_path / "home/nih-boxes/images/00013118_008.jpg", 64)
    with pytest.raises(CollectionError, match=r"00014716_007 of nih-boxes is not on this machine.*lightbox fetch"):
        NihBoxes().read("00014716_007")


def test_without_nihs_tables_the_reason_is_said(tmp_path, monkeypatch):
    write_film(tmp_path / "home/nih-boxes/images/00013118_008.jpg", 64)
    nih._published_lines.cache_clear()
    monkeypatch.setattr(nih, "_boxes", lambda: nih.table_path("no such table"))
    assert "NIH's tables are not available" in NihBoxes().missing()
    monkeypatch.undo()


def all_lines(tmp_path):
    folder = tmp_path / "home/nih-boxes/images"
    folder.mkdir(parents=True)
    for line in nih._published_lines():
        (folder / f"{line}.jpg").touch()
    return NihBoxes().entries()


def test_nih_lists_880_films_as_published(tmp_path):
    entries = {e.film_id: e for e in all_lines(tmp_path)}
    assert len(entries) == 880
    assert sum(len(nih._boxes().of(film_id)) for film_id in entries) == 984
    with gzip.open(nih.table_path("nih-films"), "rt") as file:
        header = next(file)
        lines = [line for line in file if line[:12] in entries]
    published = {row["Image Index"][:-4]: row for row in csv.DictReader([header, *lines])}
    for film_id in list(entries)[::40]:
        entry, row = entries[film_id], published[film_id]
        assert "|".join(entry.labels) == row["Finding Labels"].replace("No Finding", "")
        assert (entry.view, entry.sex, str(entry.age)) == (
            row["View Position"],
            row["Patient Gender"],
            row["Patient Age"],
        )


def test_nih_sides_are_the_recorded_ones_and_test_otherwise(tmp_path):
    with places.asset("splits", "nih.csv").open() as file:
        recorded = {f"nih-{r['patient_id']}": r["split"] for r in csv.DictReader(file) if r["part"] == "boxes"}
    entries = all_lines(tmp_path)
    assert all(e.part == recorded.get(e.patient, "test") for e in entries)
    assert {e.part for e in entries} >= {"train", "test"}
    assert any(e.patient not in recorded for e in entries)


def test_demo_films_are_of_patients_never_trained_on_and_boxed_for_their_finding(tmp_path):
    entries = {e.film_id: e for e in all_lines(tmp_path)}
    for finding, films in NIH_DEMO.items():
        for film in films:
            assert entries[film].annotated == (finding,)
            assert entries[film].part == "test"
    assert len({entries[film].patient for film in NIH_DEMO_FILMS}) == 16


@pytest.mark.real_data
def test_the_430_real_films(real_data):
    collection = NihBoxes()
    entries = collection.entries()
    assert len(entries) == 430
    assert sum(len(collection.annotations(e.film_id)) for e in entries) == 483


@pytest.mark.real_data
def test_real_boxes_agree_with_the_data_folders_own_table(real_data):
    collection = NihBoxes()
    with (places.data_folder() / "nih_boxes/boxes.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row in rows[::40]:
        boxes = [a for a in collection.annotations(row["image"][:-4]) if a.finding == row["finding"]]
        areas = [float(a.mask.sum()) for a in boxes]
        assert any(area == pytest.approx(float(row["width"]) * float(row["height"]), rel=0.05) for area in areas)


# Radiologists' masks


def make_masks(folder):
    write_film(folder / "images/c1.jpg", 80, height=60)
    write_film(folder / "images/c1_b.jpg", 64)
    (folder / "films.csv").write_text(
        "image,view,finding,sex,age,url,classes\n"
        "c1.jpg,PA,COVID-19,F,50,https://example.org/case,ggo\n"
        "c1_b.jpg,PA,COVID-19,,,https://example.org/case,left_lung\n"
        "gone.jpg,PA,,,,,\n"
    )
    mask = np.zeros((60, 80), np.uint8)
    mask[10:20, 30:50] = 255
    (folder / "masks").mkdir()
    Image.fromarray(mask).save(folder / "masks/c1_ggo.png")
    Image.fromarray(mask).save(folder / "masks/c1_pleural_effusion.png")
    Image.fromarray(np.full((64, 64), 1, np.uint8)).save(folder / "masks/c1_b_left_lung.png")


def test_masks_get_their_films_names_and_cases(monkeypatch, tmp_path):
    make_masks(tmp_path / "data/radiologist_masks")
    monkeypatch.setenv("XAI_LIGHTBOX_DATA", str(tmp_path / "data"))
    collection = RadiologistMasks()
    first, second = collection.entries()
    assert first.film_id == "c1"
    assert first.labels == first.annotated == ("Effusion", "Ground-glass opacity")
    assert (first.age, first.sex, second.age, second.sex) == (50, "F", None, None)
    assert second.labels == ()
    assert second.annotated == ("left_lung",)
    assert first.patient == second.patient
    masks = {a.finding: a.mask for a in collection.annotations("c1")}
    assert set(masks) == {"Effusion", "Ground-glass opacity"}
    assert masks["Effusion"].shape == (60, 80)
    assert masks["Effusion"].sum() == 200
    assert collection.annotations("c1_b")[0].mask.all()


@pytest.mark.real_data
def test_the_44_real_films_have_267_masks(real_data):
    collection = RadiologistMasks()
    entries = collection.entries()
    assert len(entries) == 44
    assert sum(len(e.annotated) for e in entries) == 267
    drawn = [a for e in entries[::6] for a in collection.annotations(e.film_id)]
    assert all(a.mask.any() for a in drawn)
