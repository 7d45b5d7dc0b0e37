"""Explanations kept on disk: found again as they were, never an error, never another question's answer."""

from __future__ import annotations

import io
import json
import os
from dataclasses import fields, replace

import numpy as np
import pytest

from dashboard.compare.request import CompareRequest
from dashboard.jobs import JobManager, explanation_cache
from dashboard.jobs.explanation_cache import ExplanationCache, address_of
from dashboard.shared.film_context import FilmContext
from tests.dashboard.jobs.test_jobs import wait
from tests.dashboard.made import TinyCollection, tiny_classifier, tiny_film
from xai_methods import Explanation, get_method


def explanation(seed: int = 0, side: int = 16) -> Explanation:
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((side, side)).astype(np.float32)
    regions = rng.integers(0, 5, (side, side), dtype=np.int32)
    return Explanation(
        values, True, "lime", {"samples": 150, "alpha": 0.5}, seed, "Nodule", -1.25, "f" * 64, "c" * 64, 0.5, 151,
        (4, 4), regions, {"local_r2": 0.75},
    )  # fmt: skip


def address(made: Explanation) -> str:
    return address_of(made.film, made.classifier, made.method, made.parameters, made.finding, made.seed)


@pytest.fixture
def store(tmp_path) -> ExplanationCache:
    return ExplanationCache(tmp_path / "explanations", 2**20)


def test_what_was_kept_is_found_as_it_was(store):
    made = explanation()
    store.put(made)
    found = ExplanationCache(store.folder, 2**20).get(address(made))
    assert found is not None
    for field in fields(Explanation):
        given, got = getattr(made, field.name), getattr(found, field.name)
        assert np.array_equal(given, got) if isinstance(given, np.ndarray) else given == got
    assert not found.values.flags.writeable
    assert store.get("0" * 64) is None


@pytest.mark.parametrize(
    "other",
    [{"film": "e" * 64}, {"classifier": "d" * 64}, {"method": "rise"}, {"parameters": {}}, {"finding": "Mass"},
     {"seed": 5}],
)  # fmt: skip
def test_each_part_of_the_question_is_part_of_the_address(other):
    assert address(explanation()) != address(replace(explanation(), **other))


def test_a_map_as_it_stands_never_has_the_address_of_the_finished_one():
    made = explanation()
    early = [replace(made, diagnostics=made.diagnostics | {"films_so_far": films}) for films in (80.0, 120.0)]
    assert len({explanation_cache.address(one) for one in (made, *early)}) == 3


def test_other_code_is_another_address(monkeypatch):
    before = address(explanation())
    monkeypatch.setattr(explanation_cache, "_edition", lambda: "other code")
    assert address(explanation()) != before


def damaged(content: bytes) -> list[bytes]:
    rng = np.random.default_rng(0)
    flipped = []
    for _ in range(60):
        copy = bytearray(content)
        for place in rng.integers(0, len(copy), 6):
            copy[place] ^= int(rng.integers(1, 256))
        flipped.append(bytes(copy))
    return [b"", b"PK", content[: len(content) // 2], b"x" * len(content), *flipped]


def test_a_damaged_file_is_computed_anew_never_an_error(store, caplog):
    made = explanation()
    store.put(made)
    path = next(store.folder.glob("*.npz"))
    content = path.read_bytes()
    for bad in damaged(content):
        path.write_bytes(bad)
        found = store.get(address(made))
        assert found is None or np.array_equal(found.values, made.values)
        assert found is not None or not path.exists()


def size(store: ExplanationCache) -> int:
    return sum(path.stat().st_size for path in store.folder.glob("*.npz"))


def test_a_file_under_anothers_name_is_not_taken(store):
    store.put(explanation())
    path = next(store.folder.glob("*.npz"))
    wanted = address(replace(explanation(), finding="Mass"))
    path.rename(path.with_name(f"{wanted}.npz"))
    assert store.get(wanted) is None
    assert size(store) == 0


@pytest.mark.parametrize("values", [np.zeros((4, 4)), np.full((4, 4), np.nan, np.float32), np.zeros(4, np.float32)])
def test_a_map_that_breaks_the_contract_is_not_taken(store, values):
    made = explanation()
    store.put(made)
    path = next(store.folder.glob("*.npz"))
    with np.load(path) as arrays:
        meta = arrays["meta"]
    np.savez(path, values=values, meta=meta)
    assert store.get(address(made)) is None


def test_the_longest_unused_go_first(tmp_path):
    store = ExplanationCache(tmp_path, 10**9)
    made = [explanation(seed) for seed in range(4)]
    for place, one in enumerate(made[:3]):
        store.put(one)
        os.utime(tmp_path / f"{address(one)}.npz", (1000 + place, 1000 + place))
    assert store.get(address(made[0])) is not None
    store.most_bytes = int(size(store) * 1.1)
    store.put(made[3])
    assert [store.get(address(one)) is not None for one in made] == [True, False, True, True]
    assert size(store) <= store.most_bytes


def test_half_written_files_are_cleared_away(store):
    store.folder.mkdir()
    for name, age in (("old.part", 10), ("new.part", 10**10)):
        (store.folder / name).write_bytes(b"x")
        os.utime(store.folder / name, (age, age))
    store.put(explanation())
    assert sorted(path.name for path in store.folder.glob("*.part")) == ["new.part"]


def test_a_disk_that_takes_nothing_is_no_error(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    store = ExplanationCache(tmp_path / "file" / "explanations", 2**20)
    store.put(explanation())
    assert store.get(address(explanation())) is None
    assert str(tmp_path) not in caplog.text


@pytest.mark.parametrize(("given", "size"), [("", 512), ("0", None), ("7", 7), ("many", 512), ("-1", 512)])
def test_the_size_is_a_setting(monkeypatch, tmp_path, given, size):
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path))
    monkeypatch.setenv(explanation_cache.SIZE_VARIABLE, given)
    found = explanation_cache.explanations()
    assert (found and found.most_bytes) == (size and size * 2**20)


@pytest.fixture
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path))
    monkeypatch.setenv(explanation_cache.SIZE_VARIABLE, "8")
    return tmp_path / "explanations"


def question(reference: str = "tiny-films/film-0") -> CompareRequest:
    film = FilmContext(reference, tiny_film()[0], tuple(TinyCollection().annotations("film-0")))
    return CompareRequest(film, tiny_classifier(), ("Nodule",), {"lime": get_method("lime").parameters(samples=100)}, 3)


def ask(asked: CompareRequest) -> Explanation:
    manager = JobManager(workers=1)
    try:
        manager.submit(asked.key("Nodule", "lime"), asked.work("Nodule", "lime"), owner="x")
        wait(manager, asked.key("Nodule", "lime"), seconds=30)
        return manager.status(asked.key("Nodule", "lime")).result
    finally:
        manager.close()


def test_a_server_started_again_finds_the_map_at_once(home, monkeypatch):
    first = ask(question())

    def forbidden(*given, **named):
        raise AssertionError("computed again")

    monkeypatch.setattr(type(get_method("lime")), "_explain", forbidden)
    manager = JobManager(workers=1)
    asked = question()
    manager.submit(asked.key("Nodule", "lime"), asked.work("Nodule", "lime"), owner="y")
    status = manager.status(asked.key("Nodule", "lime"))
    manager.close()
    assert status.state == "done"
    assert np.array_equal(status.result.values, first.values)
    assert status.result.diagnostics == first.diagnostics


def test_an_upload_leaves_nothing_on_disk_unless_asked(home, monkeypatch):
    ask(question("upload/0123"))
    assert not home.exists()
    monkeypatch.setenv(explanation_cache.UPLOADS_VARIABLE, "1")
    ask(question("upload/0123"))
    assert len(list(home.glob("*.npz"))) == 1


def test_no_film_and_no_name_is_on_disk(home):
    ask(question())
    content = next(home.glob("*.npz")).read_bytes()
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        assert set(arrays) <= {"values", "regions", "meta"}
        assert "film-0" not in json.dumps(json.loads(str(arrays["meta"])))
