"""The store: whole files or none, no second writer, failures that were mended are gone."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evaluation.one_film.map_files import read_map_file
from evaluation.runs import store as store_module
from evaluation.runs.plan import Plan
from evaluation.runs.selection import open_plan, work_items
from evaluation.runs.store import FAILURES, SCHEMA, Store, StoreError
from evaluation.runs.worker import run_work_item
from xai_methods import Explanation


def rows(question: str, *metrics: str) -> pa.Table:
    given = {"question": question, "film_id": "f", "patient": "p", "value": 0.5, "seed": 0}
    return pa.Table.from_pylist([{**given, "metric": metric, "method": "m"} for metric in metrics], schema=SCHEMA)


def failure(question: str, metric: str = "", reason: str = "why") -> dict[str, str]:
    return dict.fromkeys(FAILURES.names, "x") | {"question": question, "metric": metric, "reason": reason}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "run")
    store.make()
    return store


def test_an_empty_folder_has_nothing(store: Store) -> None:
    assert store.answered() == {}
    assert store.failed() == {}
    assert store.status() is None
    assert not store.busy


def test_what_is_written_is_there(store: Store) -> None:
    store.write([rows("a", "m1", "m2"), rows("b", "m1")], [failure("c")], {"a": b"map"})
    store.write([rows("d", "m1")], [], {})
    assert store.answered() == {
        "a": frozenset({"m1", "m2"}),
        "b": frozenset({"m1"}),
        "d": frozenset({"m1"}),
    }
    assert store.failed() == {"c": frozenset({""})}
    assert (store.folder / "maps" / "a.npz").read_bytes() == b"map"


def test_a_failure_that_was_mended_is_gone(store: Store) -> None:
    store.write([rows("b", "m1")], [failure("a"), failure("a"), failure("b", "m1"), failure("b", "m2")], {})
    assert store.failed() == {"a": frozenset({""}), "b": frozenset({"m2"})}
    store.write([rows("a", "m1"), rows("b", "m2")], [], {})
    assert store.failed() == {}


def test_a_full_disk_leaves_no_half_file(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write([rows("a", "m1")], [], {})
    before = sorted(path.name for path in store.folder.rglob("*"))

    def full(table: pa.Table, file, **named) -> None:
        Path(file).write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store_module.pq, "write_table", full)
    with pytest.raises(StoreError, match="the disk is full"):
        store.write([rows("b", "m1")], [], {})
    assert sorted(path.name for path in store.folder.rglob("*")) == before
    assert store.answered() == {"a": frozenset({"m1"})}


def _no_table(path: Path) -> None:
    path.write_bytes(b"PAR1 this is no table PAR1")


def _cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def _unreadable_inside(path: Path) -> None:
    """Rows that cannot be decompressed under a whole footer: only reading them tells."""
    whole = path.read_bytes()
    path.write_bytes(whole[:4] + bytes(2000) + whole[2004:])


def _other_columns(path: Path) -> None:
    pq.write_table(pa.table({"question": ["a"]}), path)


DAMAGES = [_no_table, _cut_short, _unreadable_inside, _other_columns]


@pytest.mark.parametrize("folder", ["scores", "failures"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_named_whenever_it_is_noticed(
    store: Store, damage: Callable[[Path], None], folder: str
) -> None:
    chance = np.random.default_rng(0)
    store.write([rows(f"{chance.integers(10**15)}", "m1") for _ in range(1000)], [], {})
    store.write([], [failure(f"{chance.integers(10**15)}") for _ in range(1000)], {})
    (path,) = (store.folder / folder).iterdir()
    damage(path)
    with pytest.raises(StoreError, match=f"{path.name} is damaged"):
        store.failed()


def test_an_error_that_no_file_explains_is_no_damage(store: Store) -> None:
    store.write([rows("a", "m1")], [], {})
    with pytest.raises(duckdb.Error):
        store.query("SELECT nothing FROM scores")


def test_half_written_files_are_not_read(store: Store) -> None:
    (store.scores_folder / ".part-0.parquet.12.new").write_bytes(b"half")
    store.write([rows("a", "m1")], [], {})
    assert set(store.answered()) == {"a"}


def test_two_runs_do_not_write_into_one_folder(store: Store) -> None:
    with store.held():
        assert store.busy
        with pytest.raises(StoreError, match="another run"), store.held():
            pass
    assert not store.busy


def test_a_film_that_cannot_be_read_is_a_recorded_failure(plan: Plan, store: Store) -> None:
    from dataclasses import replace

    (model,) = open_plan(plan)
    item = replace(next(work_items(plan, [model])), film_id="gone")
    outcome = run_work_item(item)
    assert outcome.scores.num_rows == 0
    store.write([outcome.scores], outcome.failures, outcome.maps)
    found = store.failures()
    assert set(found.question) == {question.key for question in item.requests}
    assert found.reason.str.contains("no film 'gone'").all()


def test_other_weights_are_refused(plan: Plan) -> None:
    from dataclasses import replace

    (model,) = open_plan(plan)
    outcome = run_work_item(replace(next(work_items(plan, [model])), classifier_digest="0" * 64))
    assert all("other weights" in row["reason"] for row in outcome.failures)


def test_maps_are_kept_as_float16_with_their_scale(plan: Plan, store: Store) -> None:
    from dataclasses import replace

    from classifiers.registry import load_classifier
    from radiographs.registry import get_collection
    from xai_methods import get_method

    (model,) = open_plan(plan)
    item = next(work_items(replace(plan, maps=True, methods=plan.methods[:1]), [model]))
    outcome = run_work_item(item)
    store.write([outcome.scores], outcome.failures, outcome.maps)
    film = get_collection("folder-1").read(item.film_id)
    wanted = get_method("grad-cam").explain(load_classifier("tiny-net"), film, "Nodule").values
    assert len(outcome.maps) == 2
    path = store.folder / "maps" / f"{item.requests[0].key}.npz"
    with np.load(path, allow_pickle=False) as stored:
        assert stored["values"].dtype == np.float16
    close = pytest.approx(wanted, abs=1e-3 * float(np.abs(wanted).max()))
    assert Explanation.load(path).values == close
    assert read_map_file(path, wanted.shape) == close


def test_a_score_that_fails_does_not_cost_the_others(plan: Plan, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from evaluation.scores import registry

    def broken(case):
        raise ArithmeticError("no such number")

    (model,) = open_plan(plan)
    known = registry.metrics()
    broken_too = known | {"entropy": replace(known["entropy"], compute=broken)}
    monkeypatch.setattr(registry, "_ordered", lambda: broken_too)
    larger = replace(plan, metrics=(*plan.metrics, "entropy"))
    item = next(work_items(larger, [model]))
    outcome = run_work_item(item)
    store.write([outcome.scores], outcome.failures, {})
    assert set(store.failures().metric) == {"entropy"}
    assert set(store.failures().reason) == {"no such number"}
    again = next(work_items(larger, [model], store.answered(), store.failed()))
    assert again.film_id != item.film_id


def test_parquet_is_read_by_others(store: Store) -> None:
    store.write([rows("a", "m1")], [], {})
    (path,) = store.scores_folder.glob("*.parquet")
    assert pq.read_table(path).column_names == SCHEMA.names
