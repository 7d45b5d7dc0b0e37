import io
import json

import numpy as np
import pytest

from radiographs import arrays as module
from radiographs.arrays import ArraySizeError, check_size, plain, read_arrays, write_arrays


def test_arrays_and_facts_come_back_as_they_were(tmp_path):
    arrays = {"film": np.arange(6, dtype=np.uint16).reshape(2, 3), "names": np.array(["a", "b"])}
    for target in (tmp_path / "new" / "a.npz", io.BytesIO()):
        write_arrays(target, arrays, {"spread": float("nan"), "cells": (7, 7)})
        if isinstance(target, io.BytesIO):
            target.seek(0)
        found, meta = read_arrays(target)
        assert found.keys() == arrays.keys()
        assert all(found[name].dtype == arrays[name].dtype for name in arrays)
        assert all(np.array_equal(found[name], arrays[name]) for name in arrays)
        assert meta == {"spread": None, "cells": [7, 7]}
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.npz"]


def test_without_facts_there_is_no_meta(tmp_path):
    write_arrays(tmp_path / "a.npz", {"film": np.zeros(3)})
    with np.load(tmp_path / "a.npz") as file:
        assert file.files == ["film"]
    assert read_arrays(tmp_path / "a.npz")[1] is None


def test_python_objects_are_neither_written_nor_read(tmp_path):
    with pytest.raises(ValueError, match="allow_pickle"):
        write_arrays(tmp_path / "a.npz", {"things": np.array([{}], dtype=object)})
    assert list(tmp_path.iterdir()) == []
    np.savez(tmp_path / "b.npz", things=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        read_arrays(tmp_path / "b.npz")


def test_plain_values_are_strict_json():
    value = plain({1: np.float32(0.5), "b": (np.int64(2), float("inf")), "c": [np.bool_(True), None, "x"]})
    assert json.loads(json.dumps(value, allow_nan=False)) == {"1": 0.5, "b": [2, None], "c": [True, None, "x"]}


def test_an_archive_is_bounded_before_it_is_unpacked(tmp_path, monkeypatch):
    write_arrays(tmp_path / "a.npz", {"values": np.zeros(100_000)})
    np.save(tmp_path / "a.npy", np.zeros(1000))
    check_size(tmp_path / "a.npz")
    monkeypatch.setattr(module, "_MOST_BYTES", 5000)
    monkeypatch.setattr(np, "load", lambda *_, **__: pytest.fail("it was read"))
    assert (tmp_path / "a.npz").stat().st_size < 5000
    for name in ("a.npz", "a.npy"):
        with pytest.raises(ArraySizeError, match="MB"):
            read_arrays(tmp_path / name)
