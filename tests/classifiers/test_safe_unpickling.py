"""Whole saved networks are read without running anything that their files ask for."""

import os
import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn

from classifiers.safe_unpickling import read_network_tensors
from classifiers.weights import WeightsError


class Shout:
    """Would make a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return os.system, (f"touch {self.target}",)


def _network() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Sequential(nn.ReLU(), nn.Flatten()))
        network[1].running_mean.normal_()
    network.register_buffer("fleeting", torch.ones(3), persistent=False)
    network.register_parameter("nothing", None)
    network[0].weight.data = network[0].weight.data.transpose(2, 3)
    return network


@pytest.fixture(params=["zip", "stream"])
def save(request, tmp_path):
    def write(thing: object) -> Path:
        path = tmp_path / "network.pt"
        torch.save(thing, path, _use_new_zipfile_serialization=request.param == "zip")
        return path

    return write


def _same(found, expected) -> bool:
    return list(found) == list(expected) and all(torch.equal(found[k], expected[k]) for k in expected)


def test_a_network_gives_its_state_dict(save):
    network = _network()
    assert _same(read_network_tensors(save(network)), network.state_dict())


def test_a_state_dict_gives_itself(save):
    state = _network().state_dict()
    assert _same(read_network_tensors(save(state)), state)


def test_half_precision_becomes_float32(save):
    found = read_network_tensors(save(_network().half()))
    assert found["0.weight"].dtype == torch.float32
    assert found["1.num_batches_tracked"].dtype == torch.int64


def test_nothing_in_the_file_is_run(save, tmp_path):
    trap = tmp_path / "ran"
    network = _network()
    network.surprise = Shout(trap)
    assert _same(read_network_tensors(save(network)), _network().state_dict())
    with pytest.raises(WeightsError):
        read_network_tensors(save(Shout(trap)))
    with pytest.raises(WeightsError):
        read_network_tensors(save([Shout(trap), network]))
    assert not trap.exists()


@pytest.mark.parametrize("share", [0.0, 0.2, 0.6, 0.98])
def test_a_truncated_file_is_refused(save, share):
    path = save(_network())
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(WeightsError, match=r"network\.pt"):
        read_network_tensors(path)


def test_a_tensor_larger_than_its_storage_is_refused(tmp_path, save):
    path = save({"a": torch.zeros(1).expand(10**6)})
    with pytest.raises(WeightsError, match="larger than its storage"):
        read_network_tensors(path)


def test_a_compressed_archive_is_refused(tmp_path):
    torch.save(_network(), tmp_path / "plain.pt")
    with zipfile.ZipFile(tmp_path / "plain.pt") as plain:
        with zipfile.ZipFile(tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as packed:
            for name in plain.namelist():
                packed.writestr(name, plain.read(name))
    with pytest.raises(WeightsError, match="laid out"):
        read_network_tensors(tmp_path / "bomb.pt")


def test_a_network_within_itself_is_refused(save):
    network = nn.Sequential(nn.ReLU())
    network._modules["0"] = network
    with pytest.raises(WeightsError):
        read_network_tensors(save(network))
