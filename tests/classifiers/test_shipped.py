"""Shipped models: cards, weights, and what is said where they are wrong."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from classifiers import ModelCard, Preprocessing, Scope
from classifiers.cards import CardError, NetworkSpec, load_card, save_card
from classifiers.networks import chest_resnet18
from classifiers.shipped import load_shipped, models_folder, save_shipped, shipped_cards
from classifiers.weights import WeightsError
from radiographs import Radiograph

CARD = ModelCard("tiny", "Tiny", "s", "t", "l", "c", "limits", {"findings": {"Mass": {"auroc": 0.5}}}, "nih")
FINDINGS = ("Mass", "Nodule")


@pytest.fixture(scope="module")
def network():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return chest_resnet18(len(FINDINGS)).eval()


@pytest.fixture
def folder(tmp_path, network):
    save_shipped(network, FINDINGS, CARD, Preprocessing(64, "pad", -2.0, 2.0), folder=tmp_path)
    return tmp_path


def test_the_network_is_torchvisions_with_a_finer_last_stage(network):
    from torchvision.models import resnet18

    theirs = resnet18(num_classes=len(FINDINGS))
    theirs.conv1 = torch.nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
    theirs.layer4[0].conv1.stride = theirs.layer4[0].downsample[0].stride = (1, 1)
    theirs.load_state_dict(network.state_dict())
    films = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(network(films), theirs.eval()(films))
    assert [name for name, _ in network.named_modules()] == [name for name, _ in theirs.named_modules()]


def test_round_trip_in_half_precision(folder, network):
    classifier = load_shipped("tiny", folder)
    assert classifier.card == CARD
    assert classifier.findings == FINDINGS
    assert classifier.preprocessing == Preprocessing(64, "pad", -2.0, 2.0)
    assert classifier.cam_module is classifier.network.layer4
    assert all(p.dtype == torch.float32 for p in classifier.parameters())
    film = Radiograph(np.random.default_rng(0).random((80, 70)))
    with torch.no_grad():
        expected = network(classifier.prepare(film))[0].numpy()
    assert classifier.logits(film) == pytest.approx(expected, abs=2e-2)
    assert (folder / "tiny.safetensors").stat().st_size < 23e6


def test_the_scope_comes_back_and_every_shipped_card_has_one(tmp_path, network):
    card = replace(CARD, scope=Scope((18, 94), ("PA", "AP"), ("nih-boxes",)))
    save_shipped(network, FINDINGS, card, Preprocessing(64), folder=tmp_path)
    assert load_shipped("tiny", tmp_path).card.scope == card.scope
    scopes = {card.name: card.scope for card, _ in shipped_cards()}
    assert scopes["nih14-localised"].ages == (18, 94)
    assert "known-truth" in scopes["known-truth"].collections


@pytest.mark.parametrize(
    "scope",
    [
        "adults",
        {"ages": [18]},
        {"ages": [18], "projections": ["PA"]},
        {"ages": [90, 18], "projections": ["PA"]},
        {"ages": [18, 94], "projections": []},
        {"ages": ["18", 94], "projections": ["PA"]},
        {"ages": [18, 94], "projections": ["PA"], "sex": ["F"]},
        {"ages": [18, 94], "projections": "PA"},
    ],
)
def test_a_wrong_scope_is_said(folder, scope):
    path = folder / "tiny.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"scope": scope}))
    with pytest.raises(CardError, match=r"tiny\.json cannot be used"):
        load_card(path)


def test_changed_weights_are_refused(folder):
    path = folder / "tiny.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="SHA-256"):
        load_shipped("tiny", folder)


def test_missing_weights_are_said(folder):
    (folder / "tiny.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"missing.*tiny\.safetensors"):
        load_shipped("tiny", folder)


def test_a_card_for_more_findings_than_the_weights_is_refused(folder):
    card, spec = load_card(folder / "tiny.json")
    save_card(folder, card, replace(spec, findings=("Mass", "Nodule", "Hernia")))
    with pytest.raises(WeightsError, match=r"fc\.weight is \(2, 512\) instead of \(3, 512\)"):
        load_shipped("tiny", folder)


def test_an_unknown_architecture_is_refused(folder):
    card, spec = load_card(folder / "tiny.json")
    save_card(folder, card, replace(spec, architecture="lenet"))
    with pytest.raises(CardError, match="lenet"):
        load_shipped("tiny", folder)


def test_weights_beyond_half_precision_are_refused(tmp_path):
    with torch.random.fork_rng(devices=[]):
        large = chest_resnet18(2)
    large.bn1.running_var.fill_(1e6)
    with pytest.raises(WeightsError, match=r"bn1\.running_var"):
        save_shipped(large, FINDINGS, CARD, Preprocessing(64), folder=tmp_path)


def _spec(**changes) -> NetworkSpec:
    fields = {
        **{"architecture": "chest_resnet18", "findings": FINDINGS, "side": 64, "fit": "pad"},
        **{"low": 0.0, "high": 1.0, "cam_layer": "layer4", "weights": "a.safetensors", "sha256": "0" * 64},
    }
    return NetworkSpec(**{**fields, **changes})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("licence"), "lacks licence"),
        (lambda c: c.update(colour="red"), "unknown fields: colour"),
        (lambda c: c.update(title=3), "title is text"),
        (lambda c: c.update(name="other"), "file and name agree"),
        (lambda c: c["network"].pop("side"), "network lacks side"),
        (lambda c: c["network"].update(side="224"), r"network\.side"),
        (lambda c: c["network"].update(side=True), r"network\.side"),
        (lambda c: c["network"].update(fit="stretch"), "pad or crop"),
        (lambda c: c["network"].update(low=1.0), "low lies below high"),
        (lambda c: c["network"].update(findings=["Mass", "Mass"]), "each named once"),
        (lambda c: c["network"].update(weights="../../etc/a.safetensors"), "beside the card"),
        (lambda c: c["network"].update(sha256="abc"), "64 hexadecimal"),
    ],
)
def test_a_wrong_card_is_refused_with_the_reason(tmp_path, change, message):
    path = save_card(tmp_path, CARD, _spec())
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(CardError, match=message) as error:
        load_card(path)
    assert "tiny.json" in str(error.value)


def test_a_card_holds_no_nan(tmp_path):
    with pytest.raises(CardError, match="tiny"):
        save_card(tmp_path, replace(CARD, figures={"auroc": float("nan")}), _spec())
    path = save_card(tmp_path, CARD, _spec())
    path.write_text(path.read_text().replace("0.5", "NaN"))
    with pytest.raises(CardError, match="NaN is not a number"):
        load_card(path)


def test_a_card_that_is_not_there_or_not_json_is_refused(tmp_path):
    with pytest.raises(CardError, match=r"none\.json"):
        load_card(tmp_path / "none.json")
    (tmp_path / "b.json").write_text("{")
    with pytest.raises(CardError, match=r"b\.json"):
        load_card(tmp_path / "b.json")


def test_all_shipped_models_load():
    for card, spec in shipped_cards():
        assert (models_folder() / spec.weights).stat().st_size <= 25e6
        classifier = load_shipped(card.name)
        assert classifier.findings == spec.findings
        film = Radiograph(np.random.default_rng(0).random((100, 90)))
        assert np.isfinite(classifier.logits(film)).all()
