"""A user's own weights, and what is said of those that cannot be used."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from classifiers.cam_layers import find_cam_layer
from classifiers.own_models import forget_model, read_model, remember_model, rename_model
from classifiers.own_weights import load_own
from classifiers.registry import UnknownModelError, list_models, load_classifier
from classifiers.weights import WeightsError
from classifiers.wrapping import GreyToColour
from radiographs import Radiograph

FINDINGS = ("Mass", "Nodule", "Hernia")
FILM = Radiograph(np.random.default_rng(0).random((70, 64)))


def _resnet(channels: int) -> nn.Module:
    from torchvision.models import resnet18

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = resnet18(weights=None, num_classes=3)
        network.conv1 = nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
    return network.eval()


@pytest.fixture(scope="module")
def grey():
    return _resnet(1)


@pytest.fixture(scope="module")
def colour():
    return _resnet(3)


def test_one_channel_and_its_normalisation(grey, tmp_path):
    save_file(grey.state_dict(), tmp_path / "w.safetensors")
    classifier = load_own(tmp_path / "w.safetensors", "resnet18", FINDINGS, side=64, mean=0.5, std=0.25)
    assert (classifier.preprocessing.low, classifier.preprocessing.high) == (-2, 2)
    assert classifier.cam_layer == "layer4"
    with torch.no_grad():
        assert classifier.logits(FILM) == pytest.approx(grey(classifier.prepare(FILM))[0].numpy(), abs=1e-5)


def test_three_channels_see_the_film_normalised_by_colour(colour, tmp_path):
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    torch.save({"state_dict": {f"module.model.{k}": v for k, v in colour.state_dict().items()}}, tmp_path / "w.pth")
    classifier = load_own(tmp_path / "w.pth", "resnet18", FINDINGS, side=64, mean=mean, std=std)
    film = classifier.prepare(FILM).repeat(1, 3, 1, 1)
    film = (film - torch.tensor(mean).view(1, 3, 1, 1)) / torch.tensor(std).view(1, 3, 1, 1)
    with torch.no_grad():
        assert classifier.logits(FILM) == pytest.approx(colour(film)[0].numpy(), abs=1e-4)
    assert classifier.cam_module is classifier.network.network.layer4


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("densenet121", "features"),
        ("mobilenet_v2", "features"),
        ("timm:tf_efficientnet_lite0", "bn2"),
        ("timm:resnet10t", "layer4"),
    ],
)
def test_the_cam_layer_of_known_families(name, layer):
    from classifiers.own_weights import _builders

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = GreyToColour(_builders(name)[0](3, None), (0.5,) * 3, (0.25,) * 3).eval()
    assert find_cam_layer(network, 64).name == f"network.{layer}"


def _refused(path, match, architecture="resnet18", findings=FINDINGS, **options):
    with pytest.raises(WeightsError, match=match):
        load_own(path, architecture, findings, side=64, **options)


def test_what_is_no_state_dict_is_refused_with_its_kind(grey, tmp_path):
    torch.jit.script(nn.Linear(2, 2)).save(tmp_path / "script.pt")
    _refused(tmp_path / "script.pt", "TorchScript")
    (tmp_path / "keras.pt").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    _refused(tmp_path / "keras.pt", "Keras")
    for name, kind in (("a.h5", "Keras"), ("a.onnx", "ONNX"), ("a.pkl", "pickle"), ("a.txt", "unknown kind")):
        (tmp_path / name).write_bytes(b"1234")
        _refused(tmp_path / name, kind)
    for name in ("a.safetensors", "a.pt"):
        (tmp_path / name).write_bytes(b"1234")
        _refused(tmp_path / name, "not")
    (tmp_path / "a.onnx").write_bytes(b"1234")
    with pytest.raises(WeightsError, match="ONNX"):
        read_model(tmp_path / "a.onnx", None, FINDINGS)
    torch.save({"epoch": 3, "lr": 0.1}, tmp_path / "settings.pt")
    _refused(tmp_path / "settings.pt", "more than named tensors")
    _refused(tmp_path, "a folder")
    with pytest.raises(WeightsError, match="name the architecture"):
        read_model(tmp_path / "settings.pt", None, FINDINGS)
    _refused(tmp_path / "none.pt", "not there")


def test_what_does_not_fit_is_refused_with_the_reason(grey, tmp_path):
    path = tmp_path / "w.safetensors"
    state = dict(grey.state_dict())
    save_file(state, path)
    _refused(path, "gives 3 outputs, but 2 findings", findings=("A", "B"))
    _refused(path, r"did you mean .*resnet18", architecture="resnet_18")
    _refused(path, "missing.*unexpected", architecture="torchvision:mobilenet_v2")
    _refused(path, "at least one finding", findings=("A", "A", "B"))
    _refused(path, "no layer 'layr4'.*layer4", cam_layer="layr4")
    _refused(path, "black lies below", low=1.0, high=0.0)
    _refused(path, "above 0", mean=0.5, std=0.0)
    save_file({k: v for k, v in state.items() if k != "fc.bias"}, path)
    _refused(path, r"1 missing \(fc\.bias\)")
    save_file({**state, "fc.bias": torch.tensor([0.0, float("nan"), 0.0])}, path)
    _refused(path, r"not finite numbers \(in fc\.bias\)")
    save_file({**state, "conv1.weight": torch.zeros(64, 4, 7, 7)}, path)
    _refused(path, "4 channels")


class Callback:
    """Something of a training program's own, which a checkpoint holds pickled."""


def _checkpoint(network):
    state = {f"model.{k}": v.half() for k, v in network.state_dict().items()}
    return {"state_dict": state, "hyper_parameters": {"callback": Callback()}, "epoch": 3}


PICKLED = {
    "a whole network": lambda network: network,
    "a whole network in a checkpoint": lambda network: {"model": network, "epoch": 3},
    "a parallel network": nn.DataParallel,
    "a checkpoint with code": _checkpoint,
}


@pytest.mark.parametrize("form", PICKLED)
def test_pickled_networks_are_read_and_not_run(form, grey, tmp_path):
    torch.save(PICKLED[form](grey), tmp_path / "w.pth.tar")
    classifier = load_own(tmp_path / "w.pth.tar", "resnet18", FINDINGS, side=64)
    assert "without running it" in classifier.card.trained_on
    with torch.no_grad():
        assert classifier.logits(FILM) == pytest.approx(grey(classifier.prepare(FILM))[0].numpy(), abs=2e-2)


def test_a_remembered_model_is_renamed(grey, tmp_path, monkeypatch):
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path / "home"))
    save_file(grey.state_dict(), tmp_path / "w.safetensors")
    for name in ("mine", "other"):
        remember_model(name, tmp_path / "w.safetensors", "resnet18", FINDINGS, side=64)
    with pytest.raises(WeightsError, match="called other already"):
        rename_model("mine", "other")
    with pytest.raises(WeightsError, match="small letters"):
        rename_model("mine", "../x")
    rename_model("mine", "better", "Better")
    found = {e.name: e.title for e in list_models() if e.origin == "yours"}
    assert found == {"better": "Better", "other": "other"}
    forget_model("other")
    assert load_classifier("better", device="cpu").cam_layer == "layer4"


def test_a_remembered_model_stands_on_the_shelf(grey, tmp_path, monkeypatch):
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path / "home"))
    source = tmp_path / "Jane Doe.safetensors"
    save_file(grey.state_dict(), source)
    first = remember_model("mine", source, "resnet18", FINDINGS, title="Mine", side=64, mean=0.5, std=0.25)
    source.unlink()
    entry = next(e for e in list_models() if e.name == "mine")
    assert (entry.title, entry.origin, entry.available) == ("Mine", "yours", True)
    again = load_classifier("mine", device="cpu")
    assert again.digest == first.digest
    assert not any("Jane" in p.read_text() for p in (tmp_path / "home").glob("*.json"))
    assert not any("Jane" in p.name for p in (tmp_path / "home").rglob("*"))
    with pytest.raises(UnknownModelError, match="mine"):
        load_classifier("mien")
    forget_model("mine")
    assert "mine" not in [e.name for e in list_models()]
    assert not list((tmp_path / "home" / "weights" / "own").iterdir())
    with pytest.raises(LookupError, match="mine"):
        forget_model("mine")
    with pytest.raises(WeightsError, match="small letters"):
        remember_model("../mine", source, "resnet18", FINDINGS)


def test_the_shelf_lists_what_is_not_at_hand(tmp_path, monkeypatch):
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path))
    entries = {e.name: e for e in list_models(tmp_path)}
    assert len(entries) == 8
    assert all(not e.available and f"lightbox fetch {e.name}" in (e.missing or "") for e in entries.values())
