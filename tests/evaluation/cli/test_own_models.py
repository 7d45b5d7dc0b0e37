"""``lightbox models add``, ``list``, ``rename``, ``remove``."""

import json

import pytest
import torch
from safetensors.torch import save_file

from evaluation.cli.parser import main


@pytest.fixture
def weights(tmp_path, monkeypatch):
    import timm

    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path / "home"))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = timm.create_model("test_vit", num_classes=2)
    save_file(network.state_dict(), tmp_path / "Jane.safetensors")
    return str(tmp_path / "Jane.safetensors")


def test_add_says_what_the_model_does_and_then_it_is_there(weights, capsys):
    given = ["models", "add", weights, "--architecture", "test_vit", "--findings", "Mass, Nodule", "--name", "mine"]
    assert main([*given, "--normalise", "ImageNet", "--dry-run"]) == 0
    said = capsys.readouterr().out
    for words in ("known-truth/", "probability", "blocks.5.norm1, 10 x 10 cells of 64 channels", "Nothing was added"):
        assert words in said
    assert "Not served: Guided backpropagation" in said
    assert main(["models", "remove", "mine"]) == 2
    assert main(["models", "add", weights, "--name", "mine", "--findings", "A,B"]) == 2
    assert "name the architecture" in capsys.readouterr().err

    assert main([*given, "--mean", "0.5", "--std", "0.25", "--title", "Mine"]) == 0
    assert main(["models", "rename", "mine", "better"]) == 0
    capsys.readouterr()
    assert main(["models", "list", "--json"]) == 0
    found = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert (found["better"]["title"], found["better"]["origin"]) == ("Mine", "yours")
    assert "Jane" not in str(found)
    assert main(["models", "remove", "better"]) == 0
    assert main(["models", "add", weights, "--name", "mine", "--mean", "a"]) == 2
