"""Every page under what strangers and broken disks give it: hostile links, damaged files, films and weights."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from classifiers.weights import WeightsError
from dashboard.shared import caches
from radiographs import FilmError
from tests.dashboard.made import TinyCollection
from tests.pages.conftest import APP

PAGES = (
    *("compare", "stability", "counterfactual", "benchmark", "study", "methods", "library", "settings", "about"),
    "glossary",
)
WITH_A_FILM = ("compare", "stability")
LINKS = {
    "unknown": {"film": "tiny-films/gone", "model": "gone", "finding": "gone", "method": "gone", "part": "gone"},
    "traversal": {"film": "../../etc/passwd", "model": "../x", "method": "../../etc/passwd", "part": "../x"},
    "script": dict.fromkeys(
        ("film", "model", "beside", "finding", "method", "part", "set", "study"), "<script>alert(1)</script>"
    ),
    "senseless": {"seed": "-1", "opacity": "nan", "set": "lime.samples:1e99", "show": "x", "run": "2", "outline": "x"},
    "endless": dict.fromkeys(("film", "model", "finding", "method", "seed", "set"), "x" * 5000),
}


@pytest.fixture
def home(tmp_path, monkeypatch):
    place = tmp_path / "home"
    place.mkdir()
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(place))
    return place


def opened(name: str, query: dict[str, str] | None = None) -> AppTest:
    page = AppTest.from_file(APP, default_timeout=60)
    for key, value in (query or {}).items():
        page.query_params[key] = value
    page.run()
    return page if name == "compare" else page.switch_page(f"pages/{name}.py").run()


def said(page: AppTest) -> str:
    elements = (*page.warning, *page.info, *page.error, *page.caption, *page.markdown, *page.success)
    return "\n".join(str(e.value) for e in elements)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("link", LINKS)
def test_a_hostile_link_breaks_no_page(registries, home, name, link):
    page = opened(name, LINKS[link])
    assert not page.exception
    assert "<script" not in said(page)
    assert "x" * 300 not in said(page)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("content", ["{", "[]", '{"folder-1": 7}', "\x00\x01"])
def test_damaged_files_of_ours_break_no_page(registries, home, name, content):
    for file in ("settings.json", "folders.json"):
        (home / file).write_text(content)
    page = opened(name)
    assert not page.exception
    if name in WITH_A_FILM:
        assert page.selectbox(key="film_id").value == "film-0"
        assert "remove it and add them again" in said(page)


@pytest.mark.parametrize("name", WITH_A_FILM)
def test_a_damaged_film_is_a_sentence(registries, home, monkeypatch, name):
    def refuse(self, film_id):
        raise FilmError("the film cannot be read; fetch it again")

    monkeypatch.setattr(TinyCollection, "read", refuse)
    page = opened(name)
    assert not page.exception
    assert [error.value for error in page.error] == ["The film cannot be read; fetch it again."]


@pytest.mark.parametrize("error", [WeightsError("the weights of tiny are damaged"), FileNotFoundError("no weights")])
@pytest.mark.parametrize("name", WITH_A_FILM)
def test_missing_or_damaged_weights_are_a_sentence(registries, home, monkeypatch, name, error):
    def refuse(name):
        raise error

    monkeypatch.setattr(caches, "load_classifier", refuse)
    page = opened(name, {"model": "tiny", "finding": "Nodule", "run": "1"})
    assert not page.exception
    assert len(page.error) == 1
    assert str(error).lower() in page.error[0].value.lower()
