import numpy as np
import pytest
from PIL import Image

from radiographs.collection import Collection
from radiographs.collections.remembered import remember_folder
from radiographs.errors import CollectionError, FilmError
from radiographs.registry import collections, find_film, get_collection

OWN = [
    "known-truth",
    "shortcut-hunt",
    "paediatric-pneumonia",
    "adult-dicom",
    "nih-boxes",
    "chestx-det",
    "radiologist-masks",
]


@pytest.fixture(autouse=True)
def nowhere(monkeypatch, tmp_path):
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XAI_LIGHTBOX_DATA", raising=False)
    monkeypatch.delenv("XAI_LIGHTBOX_NIH", raising=False)


@pytest.fixture
def film(tmp_path):
    path = tmp_path / "films" / "a.png"
    path.parent.mkdir()
    Image.fromarray(np.arange(64 * 64, dtype=np.uint16).reshape(64, 64).astype(np.uint8)).save(path)
    return path


def test_the_shelf_is_in_order_and_under_each_collections_name():
    found = collections()
    assert list(found) == OWN
    assert all(isinstance(c, Collection) and c.name == name for name, c in found.items())


def test_remembered_folders_come_last(film):
    remember_folder(film.parent)
    assert list(collections()) == [*OWN, "folder-1"]
    assert len(get_collection("folder-1").entries()) == 1


def test_collections_stay_the_same_objects_so_that_their_lists_are_kept(film):
    remember_folder(film.parent)
    assert all(collections()[name] is get_collection(name) for name in [*OWN, "folder-1"])


def test_every_listed_film_id_is_safe_in_a_link_and_unique():
    for collection in collections().values():
        ids = [entry.film_id for entry in collection.entries()]
        assert len(ids) == len(set(ids))
        assert all(film_id.replace("-", "").replace("_", "").isalnum() for film_id in ids)


def test_a_misspelt_collection_is_guessed():
    with pytest.raises(CollectionError, match="no collection 'nih-boxs'; did you mean 'nih-boxes'"):
        get_collection("nih-boxs")
    with pytest.raises(CollectionError, match="there are: known-truth, shortcut-hunt, paediatric-pneumonia"):
        get_collection("zzz")


def test_a_film_of_a_collection_is_found():
    film, entry, collection = find_film("adult-dicom/RG1")
    assert film.shape == (1955, 1841)
    assert entry.film_id == "RG1"
    assert collection.name == "adult-dicom"


def test_a_path_is_found_and_wins(film, monkeypatch, tmp_path):
    assert find_film(str(film))[1:] == (None, None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "adult-dicom").mkdir()
    (tmp_path / "adult-dicom" / "RG1").write_bytes(film.read_bytes())
    radiograph, entry, collection = find_film("adult-dicom/RG1")
    assert radiograph.shape == (64, 64)
    assert entry is collection is None


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("", "neither a file nor a film"),
        ("nowhere.png", "neither a file nor a film"),
        ("nih-boxs/00013118_008", "did you mean 'nih-boxes'"),
        ("nih-boxes/00013118_008", "lightbox fetch nih-demo"),
        ("paediatric-pneumonia/person1_viruss_6", "has no film 'person1_viruss_6'; did you mean 'person1_virus_"),
        ("~nobody-of-this-name/film.png", "neither a file nor a film"),
        ("paediatric-pneumonia/", "neither a file nor a film"),
        ("x" * 5000, "neither a file nor a film"),
        ("a\0b", "neither a file nor a film"),
    ],
)
def test_what_is_not_there_is_said_in_a_sentence(reference, message):
    with pytest.raises(CollectionError) as error:
        find_film(reference)
    assert message in str(error.value)


def test_a_folder_is_not_a_film(film):
    with pytest.raises(CollectionError, match="is a folder; name one film in it"):
        find_film(str(film.parent))


def test_a_file_that_is_no_film(tmp_path):
    (tmp_path / "note.txt").write_text("hello")
    with pytest.raises(FilmError):
        find_film(str(tmp_path / "note.txt"))


def test_a_film_in_a_remembered_folder_is_known_with_its_outlines_by_its_path(film):
    assert find_film(str(film))[1:] == (None, None)
    (film.parent / "boxes.csv").write_text("image,finding,x,y,width,height\na.png,Mass,1,2,9,9\n")
    remember_folder(film.parent)
    read, entry, collection = find_film(str(film))
    assert collection is get_collection("folder-1")
    assert [a.finding for a in collection.annotations(entry.film_id)] == ["Mass"]
    assert read.shape == (64, 64)
