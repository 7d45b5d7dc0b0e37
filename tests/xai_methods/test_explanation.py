import io
import json
import math
from dataclasses import fields, replace

import numpy as np
import pytest

from xai_methods import Explanation, ExplanationFileError


def explanation(**changed) -> Explanation:
    rng = np.random.default_rng(0)
    made = Explanation(
        values=rng.normal(size=(8, 8)).astype(np.float32),
        signed=True,
        method="lime",
        parameters={"samples": 100, "precision": "float32"},
        seed=3,
        finding="Mass",
        logit=-1.25,
        film="f" * 64,
        classifier="c" * 64,
        seconds=0.5,
        evaluations=101,
        cells=(2, 4),
        regions=np.arange(64, dtype=np.int32).reshape(8, 8),
        diagnostics={"local_r2": 0.75, "seed_spread": math.nan},
    )
    return replace(made, **changed)


def assert_same(found: Explanation, expected: Explanation) -> None:
    for field in fields(Explanation):
        np.testing.assert_equal(getattr(found, field.name), getattr(expected, field.name), err_msg=field.name)


@pytest.mark.parametrize("changed", [{}, {"cells": None, "regions": None, "diagnostics": {}}])
def test_a_saved_explanation_is_loaded_as_it_was(tmp_path, changed):
    made = explanation(**changed)
    made.save(tmp_path / "map.npz", model="nih14", on_film=np.zeros((20, 10), np.float32))
    found = Explanation.load(str(tmp_path / "map.npz"))
    assert_same(found, made)
    assert found.values.dtype == np.float32
    assert not found.values.flags.writeable


def test_an_open_file_serves_as_well():
    file = io.BytesIO()
    explanation().save(file)
    file.seek(0)
    assert_same(Explanation.load(file), explanation())


@pytest.mark.parametrize("factor", [0, 1e-9, 1, 1e9])
def test_half_precision_keeps_raw_units_of_any_size(tmp_path, factor):
    made = explanation(values=np.float32(factor) * explanation().values)
    made.save(tmp_path / "map.npz", half=True)
    found = Explanation.load(tmp_path / "map.npz")
    assert found.values.dtype == np.float32
    np.testing.assert_allclose(found.values, made.values, rtol=0, atol=5e-4 * np.abs(made.values).max())


def test_the_facts_are_strict_json_for_other_programs(tmp_path):
    explanation().save(tmp_path / "map.npz", model="nih14", on_film=np.zeros((20, 10), np.float32))
    with np.load(tmp_path / "map.npz", allow_pickle=False) as file:
        assert set(file.files) == {"values", "regions", "on_film", "meta"}
        meta = json.loads(str(file["meta"]), parse_constant=pytest.fail)
    assert (meta["model"], meta["finding"], meta["no_positive_evidence"]) == ("nih14", "Mass", False)
    assert meta["diagnostics"] == {"local_r2": 0.75, "seed_spread": None}


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short", b"words"])
def test_a_damaged_file_is_named(tmp_path, content):
    (tmp_path / "map.npz").write_bytes(content)
    with pytest.raises(ExplanationFileError, match=r"map.npz is damaged"):
        Explanation.load(tmp_path / "map.npz")


@pytest.mark.parametrize(
    "arrays",
    [
        {"values": np.zeros((4, 4))},
        {"values": np.full((4, 4), np.nan, np.float32)},
        {"values": np.zeros(4, np.float32)},
        {"meta": np.array("{}")},
        {"meta": np.array("3")},
    ],
)
def test_a_file_that_breaks_the_contract_is_refused(tmp_path, arrays):
    explanation().save(tmp_path / "map.npz")
    with np.load(tmp_path / "map.npz") as file:
        held = dict(file) | arrays
    np.savez(tmp_path / "map.npz", **held)
    with pytest.raises(ExplanationFileError):
        Explanation.load(tmp_path / "map.npz")


def test_a_missing_file_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        Explanation.load(tmp_path / "map.npz")
