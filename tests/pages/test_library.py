"""The library page: cards, a folder looked into and added, downloads that run, stop, fail and go again."""

from __future__ import annotations

import csv
import hashlib
import http.server
import json
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from dashboard.library import downloads as library_jobs
from dashboard.library import store as library_store
from radiographs.fetching import chest_det_files
from radiographs.fetching import fetch as films
from radiographs.fetching.fetch import nih_downloads
from tests.pages.conftest import APP


@pytest.fixture
def home(tmp_path, monkeypatch):
    place = tmp_path / "home"
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(place))
    monkeypatch.delenv("XAI_LIGHTBOX_DATA", raising=False)
    monkeypatch.delenv("XAI_LIGHTBOX_NIH", raising=False)
    return place


@pytest.fixture
def library(home, registries):
    """Opens the library at one of its parts."""
    made: list[AppTest] = []

    def opened(part: str = "films") -> AppTest:
        page = AppTest.from_file(APP, default_timeout=60).run()
        page.switch_page("pages/library.py")
        page.query_params["part"] = part
        made.append(page.run())
        return page

    yield opened
    if made:
        library_jobs.downloads().close()


@pytest.fixture
def real_collections(monkeypatch):
    """The program's own collections in place of the tiny one: what is available depends on the home folder alone."""
    import radiographs.registry
    from dashboard.shared import caches, choosing
    from radiographs.collections.chestx_det import ChestXDet
    from radiographs.collections.nih_boxes import NihBoxes
    from radiographs.collections.remembered import remembered_folders
    from tests.dashboard.made import TinyCollection

    own = TinyCollection(), NihBoxes(), ChestXDet()

    def found():
        folders = [] if radiographs.registry.damaged_folders() else remembered_folders()
        return {c.name: c for c in (*own, *folders)}

    for place in (radiographs.registry, choosing):
        monkeypatch.setattr(place, "collections", found)
    monkeypatch.setattr(caches, "get_collection", lambda name: found()[name])


@pytest.fixture
def server(monkeypatch, tmp_path):
    """NIH's films as sixteen tiny files behind a local server that can be held up or shut."""
    names = [f"{film}.jpg" for film in films.NIH_DEMO_FILMS]
    content = {name: _jpeg(number) for number, name in enumerate(names)}
    gate = threading.Event()
    gate.set()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            gate.wait(20)
            data = content[self.path.rsplit("/", 1)[-1]]
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    manifest = tmp_path / "manifest.csv"
    with manifest.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "bytes", "sha256"])
        table.writerows((n, len(data), hashlib.sha256(data).hexdigest()) for n, data in content.items())
    serving = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    monkeypatch.setattr(films, "NIH_BOXES_URL", f"http://127.0.0.1:{serving.server_address[1]}")
    monkeypatch.setattr(films, "asset", lambda *parts: manifest)
    yield SimpleNamespace(gate=gate, serving=serving, size=sum(map(len, content.values())), content=content)
    gate.set()
    serving.shutdown()
    serving.server_close()


def _jpeg(seed: int) -> bytes:
    import io

    pixels = np.random.default_rng(seed).integers(0, 255, (64, 64), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG")
    return buffer.getvalue()


def said(page: AppTest) -> str:
    return "\n".join(str(e.value) for e in (*page.warning, *page.info, *page.error, *page.caption, *page.markdown,
                                            *page.success, *page.subheader))  # fmt: skip


def settled(page: AppTest, name: str, seconds: float = 20) -> AppTest:
    until = time.monotonic() + seconds
    while library_jobs.downloads().status(name) is not None and library_jobs.downloads().status(name).pending:
        assert time.monotonic() < until, "the work did not end"
        time.sleep(0.05)
    return page.run()


def test_each_collection_and_model_has_a_card(library):
    page = library()
    assert not page.exception
    for words in ("Tiny films", "Squares.", "3 films, 2 outlined", "CC0.", "Nobody & co.", "Planted."):
        assert words in said(page)
    page.segmented_control(key="library_part").set_value("models").run()
    assert not page.exception
    assert "Good for nothing." in said(page)
    assert "Torchxrayvision's autoencoder" in said(page)
    assert page.query_params["part"] == "models"


def test_a_hostile_part_shows_the_films(library):
    page = library("<script>")
    assert not page.exception
    assert "Tiny films" in said(page)


def test_a_collection_opens_in_compare(library):
    page = library()
    page.button(key="open tiny-films").click().run()
    assert not page.exception
    assert page.selectbox(key="film_id").value == "film-0"


def test_an_extension_that_was_left_out_is_said(library, monkeypatch):
    from radiographs import extensions

    monkeypatch.setattr(extensions, "_problems", ["the extension mine.py is left out (line 2): division by zero"])
    page = library()
    assert [w.value for w in page.warning] == ["The extension mine.py is left out (line 2): division by zero."]


def test_a_damaged_list_of_folders_says_what_to_do(library, real_collections, home):
    home.mkdir()
    (home / "folders.json").write_text("{")
    page = library()
    assert not page.exception
    assert "remove it and add them again" in said(page)


def test_films_are_fetched_kept_and_removed_again(library, real_collections, server, home):
    page = library()
    assert "Not on this computer yet" in said(page)
    page.button(key="fetch nih-demo").click().run()
    settled(page, "nih-demo")
    assert not page.exception
    assert "16 films, 16 outlined" in said(page)
    assert library_store.fetched("nih-boxes") == server.size
    mine = home / "nih-boxes" / "images" / "my own.jpg"
    mine.write_bytes(b"mine")
    page.button(key="remove nih-boxes").click().run()
    assert library_store.fetched("nih-boxes") == server.size, "nothing goes before it is confirmed"
    page.button(key="confirm_remove").click().run()
    assert library_store.fetched("nih-boxes") == 0
    assert mine.read_bytes() == b"mine"
    page.run()
    page.button(key="fetch nih-demo").click().run()
    settled(page, "nih-demo")
    assert library_store.fetched("nih-boxes") == server.size, "what was removed can be fetched anew"


def test_chestx_det_is_fetched_with_the_films_it_outlines(library, real_collections, server, home, monkeypatch):
    film = films.NIH_DEMO_FILMS[0]
    ring = [[100, 200], [300, 200], [300, 400], [100, 400]]
    tables = {
        "outlines": [{"file_name": "1.png", "syms": ["Mass"], "boxes": [], "polygons": [ring]}],
        "former": [{"file_name": f"{film}.png", "syms": ["Mass"], "boxes": [[1, 2, 3, 4]]}],
        "renamed": [{"file_name": "1.png", "syms": ["Mass"], "boxes": [[1, 2, 3, 4]]}],
    }
    parts = {f"{kind}-{part}.json": rows if part == "train" else [] for kind, rows in tables.items()
             for part in ("train", "test")}  # fmt: skip
    served = {name: json.dumps(rows).encode() for name, rows in parts.items()}
    known = {name: (name, len(data), hashlib.sha256(data).hexdigest()) for name, data in served.items()}
    server.content.update(served)
    monkeypatch.setattr(chest_det_files, "_FILES", known)
    monkeypatch.setattr(chest_det_files, "_RAW", films.NIH_BOXES_URL)
    page = library()
    assert "Fetch the outlines here" in said(page)
    page.button(key="fetch chestx-det").click().run()
    settled(page, "chestx-det")
    assert not page.exception
    assert "1 film, 1 outlined. Mass." in said(page)
    assert [path.stem for path in (home / "nih-boxes" / "images").iterdir()] == [film]
    assert "fetch chestx-det" not in [button.key for button in page.button]
    page.button(key="remove chestx-det").click().run()
    page.button(key="confirm_remove").click().run()
    page.run()
    assert "Fetch the outlines here" in said(page)
    assert [path.stem for path in (home / "nih-boxes" / "images").iterdir()] == [film], "NIH's films stay"
    page.button(key="fetch chestx-det").click().run()
    settled(page, "chestx-det")
    (home / "chestx-det" / "former-train.json").write_text("{")
    chest_det_files._fetched.cache_clear()
    page.run()
    assert not page.exception
    assert "former-train.json" in said(page)
    assert page.button(key="fetch chestx-det"), "what is damaged can be fetched anew"


def test_a_download_can_be_stopped_and_goes_on(library, real_collections, server):
    server.gate.clear()
    page = library()
    page.button(key="fetch nih-demo").click().run()
    assert "connecting" in page.get("progress")[0].proto.text
    page.button(key="stop nih-demo").click().run()
    server.gate.set()
    settled(page, "nih-demo")
    assert not page.exception
    assert "goes on from there" in said(page)
    page.button(key="fetch nih-demo").click().run()
    settled(page, "nih-demo")
    assert library_store.fetched("nih-boxes") == server.size


def test_offline_a_download_says_what_to_do(library, real_collections, server, monkeypatch):
    from radiographs.fetching import downloads

    monkeypatch.setattr(downloads, "_pause", lambda seconds, stopped: None)
    server.serving.shutdown()
    server.serving.server_close()
    page = library()
    page.button(key="fetch nih-demo").click().run()
    settled(page, "nih-demo")
    assert not page.exception
    assert "Check the network" in page.error[0].value
    assert page.button(key="fetch nih-demo")


def a_folder(place, damaged: bool = True):
    place.mkdir()
    Image.fromarray(np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)).save(place / "Jane Doe.png")
    Image.fromarray(np.full((64, 64), 7, np.uint8) + np.eye(64, dtype=np.uint8)).save(place / "b.png")
    (place / "masks").mkdir()
    mask = np.zeros((64, 64), np.uint8)
    mask[8:20, 8:20] = 255
    Image.fromarray(mask).save(place / "masks" / "b_Nodule.png")
    if damaged:
        (place / "broken.dcm").write_bytes(b"not a film")
    return place


def test_a_folder_is_looked_into_added_and_taken_off_again(library, real_collections, tmp_path):
    folder = a_folder(tmp_path / "films")
    page = library("folder")
    page.text_input(key="folder_path").set_value(f'"{folder}"')
    page.button(key="FormSubmitter:folder-Scan folder").click().run()
    settled(page, _scan())
    assert not page.exception
    assert "**2 films read**, 1 with outlines; 1 refused." in said(page)
    assert "Nodule" in said(page)
    assert page.dataframe[0].value.iloc[0]["File"] == "broken.dcm"
    captions = [image.captions[0] for image in page.get("image")]
    assert captions == ["b.png · nodule", "Jane Doe.png"], "films with outlines stand first"
    page.text_input(key="folder_title").set_value("  Ward 7:  nodules ").run()
    page.button(key="add_folder").click().run()
    assert "added as ward-7-nodules" in said(page)
    page.segmented_control(key="library_part").set_value("films").run()
    assert not page.exception
    assert "2 films, 1 outlined" in said(page)
    assert "Ward 7: nodules" in [heading.value for heading in page.subheader]
    page.button(key="remove ward-7-nodules").click().run()
    page.button(key="confirm_remove").click().run()
    page.run()
    assert "2 films, 1 outlined" not in said(page)
    assert (folder / "Jane Doe.png").is_file()


def test_outlines_of_films_of_another_size_are_doubted_before_the_folder_is_added(library, misplaced_folder):
    page = library("folder")
    page.text_input(key="folder_path").set_value(str(misplaced_folder))
    page.button(key="FormSubmitter:folder-Scan folder").click().run()
    settled(page, _scan())
    assert not page.exception
    (warning,) = page.warning
    assert "the outlines may be of other films, or of another size or turn of these" in warning.value
    assert "At twice their coordinates it would be" in warning.value
    assert page.button(key="add_folder"), "it is a doubt, no refusal"


def _scan() -> str:
    return next(name for name in library_jobs.downloads()._times if str(name).startswith("folder "))


@pytest.mark.parametrize(
    "path", ["", "   ", "/no/such/folder", "nul\0l", "~nobody-here/x", "x" * 5000, "../../../etc/passwd"]
)
def test_a_path_that_is_no_folder_is_refused_in_words(library, path):
    page = library("folder")
    page.text_input(key="folder_path").set_value(path)
    page.button(key="FormSubmitter:folder-Scan folder").click().run()
    settled(page, _scan())
    assert not page.exception
    assert "folder" in page.error[0].value


def test_a_folder_far_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(library_store, "MOST_FILES", 3)
    with pytest.raises(LookupError, match="more than 3 files"):
        library_store.look_into(str(a_folder(tmp_path / "films")))


def test_a_folder_without_films_has_nothing_to_add(library, tmp_path):
    page = library("folder")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("no film")
    page.text_input(key="folder_path").set_value(str(tmp_path / "empty"))
    page.button(key="FormSubmitter:folder-Scan folder").click().run()
    settled(page, _scan())
    assert not page.exception
    assert "nothing to add" in said(page)
    assert not [b for b in page.button if b.key == "add_folder"]


def test_a_dashboard_served_to_others_opens_no_folders(library, monkeypatch):
    from dashboard.people import identity

    monkeypatch.setattr(identity, "is_local", lambda: False)
    monkeypatch.setenv(identity.OPEN_VARIABLE, "1")
    page = library("folder")
    assert not page.exception
    assert "added by a keeper" in said(page)
    assert not page.text_input


def test_what_was_looked_into_is_not_read_again_when_it_is_added(home, tmp_path, monkeypatch):
    from radiographs.collections import folder as reader

    found = library_store.look_into(str(a_folder(tmp_path / "films")))
    read = []
    monkeypatch.setattr(reader, "read_film", read.append)
    name = library_store.add_folder(found)
    from radiographs.collections.remembered import remembered_folders

    kept = next(c for c in remembered_folders() if c.name == name)
    assert len(kept.entries()) == 2
    assert read == []


def test_only_what_was_fetched_is_removed(home):
    folder = home / "nih-boxes" / "images"
    folder.mkdir(parents=True)
    known = nih_downloads(folder)[0].path
    for path in (known, known.with_name(known.name + ".part"), folder / "other.jpg", home / "settings.json"):
        path.write_bytes(b"1234")
    assert library_store.disk_use() == 16
    assert library_store.remove_fetched("nih-boxes") == 8
    assert sorted(p.name for p in home.rglob("*") if p.is_file()) == ["other.jpg", "settings.json"]
    assert library_store.remove_fetched("../settings.json") == 0


@pytest.mark.parametrize("name", ["xrv-densenet121-res224-all", "xrv-resnetae-101-elastic"])
def test_a_models_weights_are_counted_and_removed(home, name):
    (home / "weights").mkdir(parents=True)
    (home / "weights" / f"{name}.pt").write_bytes(b"12")
    (home / "weights" / f"{name}.first.pt").write_bytes(b"3")
    (home / "weights" / "sums.json").write_text("{}")
    assert library_store.fetched(name) == 3
    assert library_store.remove_fetched(name) == 3
    assert (home / "weights" / "sums.json").is_file()


@pytest.mark.parametrize(
    ("size", "words"), [(0, "0 bytes"), (999, "999 bytes"), (2_345_678, "2.3 MB"), (119e6, "119 MB"), (1.5e9, "1.5 GB")]
)
def test_sizes_in_words(size, words):
    assert library_store.said_size(int(size)) == words


def test_the_autoencoder_is_fetched_from_its_card(library, home, monkeypatch):
    from xai_methods.counterfactual import xrv_autoencoder

    def fetch(progress, cancelled):
        progress(0, 1, 30, 0)
        xrv_autoencoder.weights_path().parent.mkdir(parents=True, exist_ok=True)
        xrv_autoencoder.weights_path().write_bytes(b"weights")

    monkeypatch.setattr(xrv_autoencoder, "fetch_xrv_autoencoder", fetch)
    page = library("models")
    page.button(key="fetch xrv-resnetae-101-elastic").click().run()
    page = settled(page, "xrv-resnetae-101-elastic")
    assert not page.exception
    assert "For counterfactuals · available" in said(page.run())
    assert [b.label for b in page.button if b.key == "remove xrv-resnetae-101-elastic"] == [
        "Remove the fetched weights of the autoencoder (7 bytes)"
    ]


def test_a_model_of_ones_own_is_tried_out_added_renamed_and_removed(library, home, tmp_path, monkeypatch):
    import timm
    import torch
    from safetensors.torch import save_file

    from classifiers.own_models import own_cards

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = timm.create_model("test_resnet", num_classes=2)
    save_file(network.state_dict(), tmp_path / "net.safetensors")
    page = library("model")
    assert not page.exception, page.exception
    for field, text in (("path", str(tmp_path / "net.safetensors")), ("name", "mine"), ("findings", "Mass")):
        page.text_input(key=f"model_{field}").set_value(text)
    page.text_input(key="model_architecture").set_value("test_resnet")
    page.number_input(key="model_side").set_value(64)

    def tried():
        page.button(key="FormSubmitter:own_model-Try it out").click().run()
        name = next(n for n in library_jobs.downloads()._times if str(n).startswith("model "))
        settled(page, name)
        assert not page.exception

    tried()
    assert "gives 2 outputs, but 1 findings" in page.error[0].value
    page.text_input(key="model_findings").set_value("Mass, Nodule")
    tried()
    assert "layer4, 2 x 2 cells" in said(page)
    assert "Explained by" in said(page)
    page.button(key="add_model").click().run()
    assert [card.name for card in own_cards()] == ["mine"]
    from classifiers import registry

    monkeypatch.setattr(registry, "list_models", lambda: [registry._entry(card, None, "yours") for card in own_cards()])
    page = library("models")
    page.button(key="rename mine").click().run()
    page.text_input(key="rename_model_name").set_value("other")
    page.button(key="rename_model").click().run()
    assert [card.name for card in own_cards()] == ["other"]
    page.button(key="remove other").click().run()
    page.button(key="confirm_remove").click().run()
    assert not page.exception
    assert own_cards() == []


def test_a_folder_of_a_model_says_itself_how_films_enter_unless_the_form_does():
    from dashboard.library.own_model import AS_STATED, OTHER, _options

    form = {
        "fit": AS_STATED,
        "normalise": AS_STATED,
        "side": 0,
        "cam_layer": " ",
        "softmax": False,
        "mean": "",
        "std": "1",
    }
    assert _options(form) == {}
    assert _options(form | {"fit": "crop", "normalise": "0 to 1"}) == {"fit": "crop", "low": 0.0, "high": 1.0}
    with pytest.raises(ValueError, match="mean is one number"):
        _options(form | {"normalise": OTHER})
