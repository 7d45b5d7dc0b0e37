import io
import time
import zipfile

import pytest
import torch
from safetensors.torch import save_file

from classifiers.safe_unpickling import read_network_tensors
from classifiers.weights import WeightsError, read_state_dict


@pytest.mark.parametrize("read", [read_state_dict, read_network_tensors])
def test_a_bit_that_flipped_in_a_weight_is_noticed(tmp_path, read):
    path = tmp_path / "network.pt"
    torch.save({"weight": torch.arange(3000.0)}, path)
    assert torch.equal(read(path)["weight"], torch.arange(3000.0))
    whole = bytearray(path.read_bytes())
    whole[whole.index(torch.arange(1000.0, 1010.0).numpy().tobytes()) + 2] ^= 16
    path.write_bytes(whole)
    assert not torch.equal(torch.load(path, weights_only=True)["weight"], torch.arange(3000.0))
    with pytest.raises(WeightsError, match="do not fit their checksums"):
        read(path)


def test_weights_that_unpack_to_more_than_the_file_are_refused(tmp_path):
    torch.save({"weight": torch.zeros(100_000)}, tmp_path / "plain.pt")
    with (
        zipfile.ZipFile(tmp_path / "plain.pt") as plain,
        zipfile.ZipFile(tmp_path / "packed.pt", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))
    with pytest.raises(WeightsError, match="packed otherwise"):
        read_state_dict(tmp_path / "packed.pt")


ODD = {
    "sparse": lambda: torch.eye(3).to_sparse(),
    "compressed": lambda: torch.eye(3).to_sparse_csr(),
    "without values": lambda: torch.empty(3, device="meta"),
    "nested": lambda: torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
    "expanded": lambda: torch.ones(1).expand(10**12),
}


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support", "ignore:The PyTorch API of nested tensors")
@pytest.mark.parametrize("kind", ODD)
def test_tensors_that_do_not_hold_their_numbers_are_refused(tmp_path, kind):
    torch.save({"weight": ODD[kind]()}, tmp_path / "network.pt")
    with pytest.raises(WeightsError, match=r"sparse, quantised|larger than what is stored|damaged or not"):
        read_state_dict(tmp_path / "network.pt")


def test_a_name_of_great_length_costs_no_time(tmp_path):
    stream = io.BytesIO()
    torch.save({"weight": torch.ones(3)}, stream, _use_new_zipfile_serialization=False)
    data = stream.getvalue()
    at = data.index(b"collections")
    (tmp_path / "network.pt").write_bytes(data[:at] + b"a." * 50_000 + data[at:])
    began = time.monotonic()
    with pytest.raises(WeightsError, match="damaged or not a PyTorch file"):
        read_state_dict(tmp_path / "network.pt")
    assert time.monotonic() - began < 5


def test_an_archive_that_says_that_it_is_a_part_of_one_is_damaged(tmp_path):
    path = tmp_path / "network.pt"
    torch.save({"weight": torch.ones(3)}, path)
    data = bytearray(path.read_bytes())
    locator = data.rindex(b"PK\x06\x07")
    data[locator + 16 : locator + 20] = (9).to_bytes(4, "little")
    path.write_bytes(data)
    for read in (read_state_dict, read_network_tensors):
        with pytest.raises(WeightsError, match="damaged"):
            read(path)


def test_prefixes_are_taken_off_however_many_there_are(tmp_path):
    save_file({"model." * 3000 + "weight": torch.ones(3)}, tmp_path / "network.safetensors")
    assert list(read_state_dict(tmp_path / "network.safetensors")) == ["weight"]
    torch.save({"weight": torch.ones(4), "bias": torch.ones(4)[:2]}, tmp_path / "shared.pt")
    assert set(read_state_dict(tmp_path / "shared.pt")) == {"weight", "bias"}
