"""Latent shift in torchxrayvision's autoencoder: random weights in its form stand in for the real file."""

from __future__ import annotations

import http.server
import threading
from functools import partial

import numpy as np
import pytest
import torch

from classifiers.weights import WeightsError
from classifiers.xrv import import_torchxrayvision
from xai_methods import get_method
from xai_methods.counterfactual import xrv_autoencoder as xrv
from xai_methods.counterfactual.series import LEVELS, Limits

LENIENT = Limits(100.0, -1.0)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def library(monkeypatch):
    """The library, its network of 101 layers cut to the fewest its form allows."""
    found = import_torchxrayvision().autoencoders
    shallow = partial(found._ResNetAE, found.Bottleneck, found.DeconvBottleneck, [1, 1, 1, 1], 1)
    monkeypatch.setattr(found, "ResNetAE101", shallow)
    return found


@pytest.fixture
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def saved(library, tmp_path):
    """A state dict in the form of the release."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = library.ResNetAE101()
    with torch.no_grad():
        # A random network hardly draws; films of the release have greys in the hundreds.
        network.eval().conv1_1.weight.mul_(300 / network(1000 * torch.ones(1, 1, 224, 224))["out"].std())
    (tmp_path / "web").mkdir()
    torch.save(network.state_dict(), tmp_path / "web" / "ae.pt")
    return network.eval(), tmp_path / "web" / "ae.pt"


@pytest.fixture
def fetched(home, saved):
    """The weights where ``lightbox fetch`` puts them, from a server on this machine."""
    handler = partial(_Quiet, directory=str(saved[1].parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        path = xrv.fetch_xrv_autoencoder(url=f"http://127.0.0.1:{server.server_port}/ae.pt")
        server.shutdown()
    return path


def test_codes_and_films_are_the_librarys(fetched, saved):
    films = torch.rand(2, 1, 224, 224, generator=torch.Generator().manual_seed(1))
    ours = xrv.load_xrv_autoencoder(torch.device("cpu"))
    theirs = saved[0](2048 * films - 1024)
    with torch.inference_mode():
        codes = ours.encode(films)
        drawn = ours.decode(codes)
    torch.testing.assert_close(codes, theirs["z"])
    torch.testing.assert_close(2048 * drawn - 1024, theirs["out"], rtol=1e-3, atol=1e-2)


def test_a_film_is_shifted_along_the_classifiers_gradient(fetched, classifier, film):
    series = xrv.shifted_by_xrv(classifier, film, "Large", limits=LENIENT)
    assert series.method == "latent-shift-xrv"
    assert series.films.shape == (len(LEVELS), *film.shape[-2:])
    assert (np.diff(series.reached) >= -1e-3).all()
    assert series.reached[0] < series.own < series.reached[-1]
    logits = classifier(torch.from_numpy(series.films)[:, None])
    np.testing.assert_allclose(series.reached, torch.sigmoid(logits[:, 0]).detach(), atol=1e-4)


def test_without_the_weights_the_command_is_said(home, classifier):
    assert "lightbox fetch xrv-resnetae-101-elastic" in get_method("latent-shift-xrv").serves(classifier, "Large")
    with pytest.raises(WeightsError, match="lightbox fetch"):
        xrv.load_xrv_autoencoder(torch.device("cpu"))


def test_weights_that_changed_after_the_first_download_are_refused(fetched):
    fetched.write_bytes(fetched.read_bytes() + b"x")
    with pytest.raises(WeightsError, match="changed"):
        xrv.load_xrv_autoencoder(torch.device("cpu"))


def test_a_file_that_is_no_such_network_is_not_kept(library, home, tmp_path):
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pt")
    handler = partial(_Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(WeightsError):
            xrv.fetch_xrv_autoencoder(url=f"http://127.0.0.1:{server.server_port}/other.pt")
        server.shutdown()
    assert xrv.missing() is not None
