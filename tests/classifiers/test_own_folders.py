"""Folders of Hugging Face and timm: labels and normalisation come from them, code does not."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from classifiers import own_folders
from classifiers.own_models import forget_model, read_model, remember_model
from classifiers.registry import load_classifier
from classifiers.weights import WeightsError
from radiographs import Radiograph

FILM = Radiograph(np.random.default_rng(0).random((40, 32), dtype=np.float32))
SIDE = 32


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny ViT of ``transformers`` with two labels, as its own library saves it."""
    transformers = pytest.importorskip("transformers", reason="the optional extra transformers is not installed")
    place = tmp_path_factory.mktemp("hub") / "vit"
    config = transformers.ViTConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, image_size=SIDE, patch_size=8,
        id2label={0: "Mass", 1: "Nodule"}, label2id={"Mass": 0, "Nodule": 1}, problem_type="multi_label_classification",
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = transformers.ViTForImageClassification(config)
    model.save_pretrained(place)
    preparation = {"image_mean": [0.5] * 3, "image_std": [0.25] * 3, "size": {"height": SIDE, "width": SIDE}}
    (place / "preprocessor_config.json").write_text(json.dumps(preparation))
    return place


def _copied(folder, place, **changes):
    place.mkdir()
    for path in folder.iterdir():
        (place / path.name).write_bytes(path.read_bytes())
    config = json.loads((place / "config.json").read_text())
    (place / "config.json").write_text(json.dumps(config | changes))
    return place


def test_labels_normalisation_and_cells_come_from_the_folder(folder):
    import transformers

    classifier = read_model(folder)
    assert (classifier.findings, classifier.side) == (("Mass", "Nodule"), SIDE)
    model = transformers.ViTForImageClassification.from_pretrained(folder).eval()
    film = (classifier.prepare(FILM).repeat(1, 3, 1, 1) - 0.5) / 0.25
    with torch.no_grad():
        assert classifier.logits(FILM) == pytest.approx(model(film).logits[0].numpy(), abs=1e-5)
    assert (classifier.cam_layout.grid, classifier.cam_layout.first) == ((4, 4), 1)


def test_labels_that_exclude_each_other_become_each_against_the_others(folder, tmp_path):
    either = read_model(_copied(folder, tmp_path / "one", problem_type="single_label_classification"))
    both = read_model(folder)
    expected = torch.softmax(torch.tensor(both.logits(FILM)), dim=0)
    assert list(either.probabilities(FILM).values()) == pytest.approx(expected.tolist(), rel=1e-4)


@pytest.mark.parametrize(
    ("stated", "black", "white"),
    [
        ({"image_mean": [0.5] * 3, "image_std": [0.25] * 3}, -2, 2),
        ({"image_mean": 0.5, "image_std": 0.25, "do_rescale": False}, -2, 1018),
        ({"image_mean": [0.0] * 3, "image_std": [1.0] * 3, "rescale_factor": 1 / 127.5, "rescale_offset": True}, -1, 1),
        ({"do_normalize": False, "rescale_factor": 1 / 127.5, "rescale_offset": True}, -1, 1),
        ({"do_rescale": False}, 0, 255),
        ({}, 0, 1),
    ],
)
def test_films_enter_as_the_folder_says(folder, tmp_path, stated, black, white):
    place = _copied(folder, tmp_path / "copy")
    (place / "preprocessor_config.json").write_text(json.dumps(stated))
    classifier = read_model(place)
    ends = torch.stack([classifier.prepare(Radiograph(np.full((SIDE, SIDE), grey)))[0] for grey in (0.0, 1.0)])
    entered = classifier.network.colours(ends)[:, 0, 0, 0]
    assert entered.tolist() == pytest.approx([black, white], abs=1e-4)
    assert ("not said" in classifier.card.trained_on) == (not stated)
    (place / "preprocessor_config.json").write_text(json.dumps({"image_mean": "grey", "image_std": [1]}))
    with pytest.raises(WeightsError, match="in numbers"):
        read_model(place)


def test_it_is_remembered_and_found_again(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path / "home"))
    first = remember_model("hub", folder)
    again = load_classifier("hub", device="cpu")
    assert (again.digest, again.cam_layout) == (first.digest, first.cam_layout)
    forget_model("hub")
    assert not list((tmp_path / "home" / "weights" / "own").iterdir())


def test_what_cannot_be_used_is_refused_with_the_reason(folder, tmp_path):
    def refused(place, match):
        with pytest.raises(WeightsError, match=match):
            read_model(place)

    refused(_copied(folder, tmp_path / "code", auto_map={"AutoModel": "code.Net"}), "needs code")
    bare = _copied(folder, tmp_path / "bare")
    from safetensors.torch import load_file

    save_file({k: v for k, v in load_file(bare / "model.safetensors").items() if "classifier" not in k},
              bare / "model.safetensors", {"format": "pt"})  # fmt: skip
    refused(bare, "no whole classifier")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", "holds no config.json")
    (tmp_path / "empty" / "config.json").write_text("{}")
    refused(tmp_path / "empty", "no model.safetensors")


def test_a_folder_of_timm_needs_no_further_library(tmp_path):
    import timm

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = timm.create_model("test_vit", num_classes=2)
    save_file(network.state_dict(), tmp_path / "model.safetensors")
    stated = {"input_size": [3, 160, 160], "mean": [0.5] * 3, "std": [0.5] * 3, "label_names": ["Mass", "Nodule"]}
    (tmp_path / "config.json").write_text(json.dumps({"architecture": "test_vit", "pretrained_cfg": stated}))
    classifier = read_model(tmp_path)
    assert (classifier.findings, classifier.side) == (("Mass", "Nodule"), 160)
    assert classifier.cam_layout.grid == (10, 10)


def test_what_is_said_of_black_and_white_counts_more_than_the_folder(tmp_path, monkeypatch):
    stated = {"mean": [0.5] * 3, "std": [0.5] * 3}
    (tmp_path / "config.json").write_text(json.dumps({"architecture": "test_vit", "pretrained_cfg": stated}))
    (tmp_path / "model.safetensors").touch()
    monkeypatch.setattr(own_folders, "load_own", lambda path, architecture, names, **options: options)
    assert read_model(tmp_path)["mean"] == [0.5] * 3
    said = read_model(tmp_path, low=0.0, high=1.0)
    assert (said["low"], said["high"], "mean" in said, "std" in said) == (0.0, 1.0, False, False)
