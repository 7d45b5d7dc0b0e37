"""The benchmark page: empty, with a finished run, and with what a person may do wrong."""

from __future__ import annotations

import errno
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.benchmark import page as benchmark
from dashboard.benchmark import results as benchmark_results
from radiographs.places import HOME_VARIABLE
from tests.evaluation.runs.made import FILMS, made_store
from tests.pages.conftest import APP


@pytest.fixture
def home(registries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from tests.dashboard.made import TinyCollection, tiny_models

    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    monkeypatch.setattr(benchmark, "collections", lambda: {"tiny-films": TinyCollection()})
    monkeypatch.setattr(benchmark.model_registry, "list_models", tiny_models)
    return tmp_path


def opened() -> AppTest:
    page = AppTest.from_file(APP, default_timeout=120)
    page.run()
    return page.switch_page("pages/benchmark.py").run()


def said(page: AppTest) -> str:
    elements = (*page.warning, *page.info, *page.error, *page.caption, *page.markdown, *page.success)
    return "\n".join(str(e.value) for e in elements)


def test_without_runs_there_is_the_form(home: Path) -> None:
    page = opened()
    assert not page.exception
    assert said(page).count("For research and teaching, not for diagnosis.") == 1
    assert 'collections = ["tiny-films"]' in page.code[0].value


def test_the_form_opens_on_a_model_that_was_made_for_the_films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    page = opened()
    assert 'collections = ["known-truth"]' in page.code[0].value
    assert 'classifiers = ["known-truth"]' in page.code[0].value


def test_start_launches_a_program_of_its_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    launched = []
    monkeypatch.setattr(benchmark, "launch", launched.append)
    page = opened()
    page.button(key="start chosen").click().run()
    assert not page.exception
    (folder,) = launched
    assert folder == home / "benchmarks" / "benchmark"
    assert "tiny-films" in (folder / "plan.toml").read_text(encoding="utf-8")


def test_on_a_full_disk_no_empty_run_is_left(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened()

    def full(path: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_bytes", full)
    page.button(key="start chosen").click().run()
    assert not page.exception
    assert "The run cannot be started: the disk is full" in said(page)
    assert not list(home.glob("benchmarks/*"))


def test_a_wrong_plan_is_named(home: Path) -> None:
    page = opened()
    page.text_area(key="plan text").set_value("colections = []").run()
    page.button(key="start text").click().run()
    assert not page.exception
    assert "did you mean 'collections'" in said(page)
    assert not list(home.glob("benchmarks/*"))


def test_a_finished_run_is_read(home: Path) -> None:
    made_store(home / "benchmarks" / "made")
    page = opened()
    assert not page.exception
    assert f"Done: {FILMS} films." in said(page)
    assert list(page.dataframe[0].value["Map"])[:1] == ["Grad-CAM"]
    for view in benchmark_results.VIEWS[1:]:
        page.segmented_control(key="run view").set_value(view).run()
        assert not page.exception, view
    page.segmented_control(key="run view").set_value("Best and worst").run()
    assert f"-{FILMS - 1}](./?film=tiny-films" in said(page)


def test_a_run_that_broke_off_can_go_on(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = home / "benchmarks" / "made"
    made_store(folder)
    (folder / "status.json").write_text('{"state": "running", "films": 12, "done": 3}', encoding="utf-8")
    launched = []
    monkeypatch.setattr(benchmark, "launch", launched.append)
    page = opened()
    assert "The run broke off." in said(page)
    page.button(key="go on").click().run()
    assert launched == [folder]


def test_a_damaged_result_is_a_sentence(home: Path) -> None:
    folder = home / "benchmarks" / "made"
    made_store(folder)
    (folder / "scores" / "part-0.parquet").write_bytes(b"PAR1 nothing PAR1")
    page = opened()
    assert not page.exception
    assert "damaged" in said(page)


def test_links_name_film_model_finding_method_and_settings() -> None:
    row = {
        "collection": "c", "film_id": "f 1", "classifier": "m", "finding": "Mass", "method": "lime",
        "parameters": '{"samples": 100}',
    }  # fmt: skip
    query = parse_qs(urlsplit(benchmark_results.link(row)).query)
    assert query == {
        "film": ["c/f 1"],
        "model": ["m"],
        "finding": ["Mass"],
        "method": ["lime"],
        "set": ["lime.samples:100"],
        "run": ["1"],
    }
