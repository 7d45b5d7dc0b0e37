"""torchxrayvision's models behind the adaptor, on randomly initialised networks saved in its own format."""

import functools
import http.server
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from classifiers import xrv, xrv_weights
from classifiers.weights import WeightsError, sha256_of
from radiographs import Radiograph
from radiographs.fetching.fetch import FetchError

NIH = "xrv-densenet121-res224-nih"


def _random_densenet(name: str):
    library = xrv.import_torchxrayvision()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = library.models.DenseNet(num_classes=18)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.5, 2)
    network.targets = network.pathologies = library.models.model_urls[name.removeprefix("xrv-")]["labels"]
    return network.eval()


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("xrv") / "nih.pt"
    network = _random_densenet(NIH)
    torch.save(network, path, _use_new_zipfile_serialization=False)
    return path, network


@pytest.fixture(scope="module")
def classifier(saved):
    return xrv.load_xrv(NIH, saved[0])


@pytest.fixture
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path))
    return tmp_path


def test_logits_are_the_librarys_raw_ones(saved, classifier):
    films = torch.empty(2, 1, 224, 224).uniform_(-1024, 1024, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = saved[1](films)
        found = classifier(films)
    assert found.shape == (2, 14)
    assert torch.allclose(found, expected[:, :14], atol=1e-5, rtol=1e-5)
    assert (found.min() < 0) | (found.max() > 1)


def test_empty_slots_are_hidden(classifier):
    assert len(classifier.findings) == 14
    assert classifier.findings[0] == "Atelectasis"
    assert "" not in classifier.findings


def test_a_gap_between_the_labels_keeps_the_columns_right(saved):
    rsna = xrv.load_xrv("xrv-densenet121-res224-rsna", saved[0])
    assert rsna.findings == ("Pneumonia", "Lung Opacity")
    assert rsna.columns == (8, 16)
    films = torch.zeros(1, 1, 224, 224)
    with torch.no_grad():
        assert torch.allclose(rsna(films), saved[1](films)[:, [8, 16]], atol=1e-5)


def test_hooks_see_every_relu_and_nothing_works_in_place(classifier):
    relus = [m for m in classifier.modules() if isinstance(m, nn.ReLU)]
    assert relus
    assert not any(m.inplace for m in relus)
    seen = {}
    layer = classifier.cam_module
    handle = layer.register_forward_hook(lambda module, given, result: seen.update(map=result, copy=result.clone()))
    with torch.no_grad():
        classifier(torch.zeros(1, 1, 224, 224))
    handle.remove()
    assert seen["map"].shape == (1, 1024, 7, 7)
    assert (seen["map"] < 0).any()
    assert torch.equal(seen["map"], seen["copy"])


def test_films_are_cropped_into_the_librarys_range(classifier):
    film = classifier.prepare(Radiograph(np.ones((300, 400))))
    assert film.shape == (1, 1, 224, 224)
    assert torch.allclose(film, torch.full_like(film, 1024.0))
    assert classifier.prepare(Radiograph(np.zeros((30, 40)))).max() == -1024


def test_resnet_from_its_state_dict(tmp_path):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = xrv._grey_resnet50(18).eval()
    torch.save(network.state_dict(), tmp_path / "resnet.pt")
    found = xrv.load_xrv("xrv-resnet50-res512-all", tmp_path / "resnet.pt")
    assert found.side == 512
    assert len(found.findings) == 16
    films = torch.empty(1, 1, 96, 96).uniform_(-1024, 1024, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert torch.allclose(found(films), network(films)[:, list(found.columns)], atol=1e-5)


def test_another_network_is_refused(tmp_path):
    torch.save(nn.Linear(2, 2), tmp_path / "other.pt")
    with pytest.raises(WeightsError, match=r"does not fit.*missing.*unexpected"):
        xrv.load_xrv(NIH, tmp_path / "other.pt")


def test_missing_weights_say_the_command(home):
    assert xrv.missing_xrv(NIH).endswith(f"run: lightbox fetch {NIH}")
    with pytest.raises(WeightsError, match=f"lightbox fetch {NIH}"):
        xrv.load_xrv(NIH)


def test_weights_with_a_published_checksum_must_have_it(home, saved):
    path = xrv_weights.weights_path("xrv-densenet121-res224-all")
    path.parent.mkdir()
    path.write_bytes(saved[0].read_bytes())
    with pytest.raises(WeightsError, match="changed or are damaged"):
        xrv.load_xrv("xrv-densenet121-res224-all")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_first_download_is_recorded_and_later_changes_noticed(home, saved, served):
    folder, url = served
    (folder / "nih.pt").write_bytes(saved[0].read_bytes())
    reports: list[tuple[int, ...]] = []
    path = xrv.fetch_xrv(NIH, url=f"{url}/nih.pt", progress=lambda *report: reports.append(report))
    assert reports[-1] == (1, 1, path.stat().st_size, path.stat().st_size)
    assert xrv_weights.recorded_sums() == {NIH: sha256_of(path)}
    assert xrv.load_xrv(NIH).findings[0] == "Atelectasis"
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="changed or are damaged"):
        xrv.load_xrv(NIH)


def test_a_first_download_that_is_no_network_is_not_kept(home, served):
    folder, url = served
    (folder / "page.html").write_text("not found")
    with pytest.raises(WeightsError):
        xrv.fetch_xrv(NIH, url=f"{url}/page.html")
    assert not xrv_weights.weights_path(NIH).exists()
    assert not xrv_weights.recorded_sums()


def test_a_download_with_another_checksum_than_the_published_is_refused(home, served, monkeypatch):
    folder, url = served
    release = xrv_weights.Release("title", "films", "0" * 64, 100)
    monkeypatch.setitem(xrv_weights._RELEASES, "densenet121-res224-all", release)
    (folder / "all.pt").write_bytes(b"x" * 100)
    with pytest.raises(FetchError):
        xrv.fetch_xrv("xrv-densenet121-res224-all", url=f"{url}/all.pt")
    assert xrv.missing_xrv("xrv-densenet121-res224-all")


def test_every_model_is_in_the_librarys_table():
    table = xrv.import_torchxrayvision().models.model_urls
    for name in xrv.XRV_NAMES:
        entry = table[name.removeprefix("xrv-")]
        assert entry["weights_url"].startswith("https://github.com/mlmed/torchxrayvision/")
        assert len(entry["op_threshs"]) == len(entry["labels"]) == 18
        assert xrv.xrv_card(name).name == name


def test_an_unknown_model_lists_those_there_are():
    with pytest.raises(LookupError, match="xrv-densenet121-res224-all"):
        xrv.xrv_card("xrv-vgg")


def test_importing_the_library_leaves_the_warning_filters_alone():
    code = (
        "import classifiers.xrv as x, warnings; x.ensure_torchvision();"
        "import skimage, pandas, requests;"
        "before = list(warnings.filters); x.import_torchxrayvision();"
        "assert ('ignore', None, Warning, None, 0) not in warnings.filters, warnings.filters;"
        "assert warnings.filters == before"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-800:]
