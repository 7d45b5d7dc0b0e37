"""The method cards: all methods have one, each has a page, and a strange link shows the index with a word."""

from __future__ import annotations

import time

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.methods import cards
from dashboard.methods import example as example_module
from dashboard.shared import caches
from dashboard.shared.families import FAMILIES
from tests.dashboard.made import TinyCollection, tiny_classifier
from tests.pages.conftest import APP
from xai_methods import get_method, methods

HEADINGS = ["What it asks the model", "How to read it", "When it misleads", "Published evidence on chest films"]


def opened(name: str | None = None) -> AppTest:
    page = AppTest.from_file(APP, default_timeout=60).run()
    page.switch_page("pages/methods.py")
    if name is not None:
        page.query_params["method"] = name
    return page.run()


def said(page: AppTest) -> str:
    return "\n".join(
        str(e.value) for e in (*page.header, *page.subheader, *page.caption, *page.markdown, *page.info, *page.error)
    )


@pytest.fixture
def example(registries, monkeypatch):
    """The example on the tiny film and model."""
    monkeypatch.setattr(example_module, "FILM", "tiny-films/film-0")
    monkeypatch.setattr(example_module, "MODEL", "tiny")
    monkeypatch.setattr(example_module, "FINDING", "Nodule")
    assert TinyCollection.name == "tiny-films"


@pytest.mark.parametrize("name", list(methods()))
def test_every_method_has_a_whole_card(name):
    written = cards.sections(name)
    assert list(written)[:4] == HEADINGS
    assert all(len(text) > 60 for heading, text in written.items() if heading != "Reference")
    assert "Reference" in written


@pytest.mark.parametrize("name", list(methods()))
def test_every_parameter_is_explained(name):
    table = cards.parameter_table(get_method(name))
    assert len(table) == len(get_method(name).parameters().described())
    assert table["What it does"].str.len().gt(10).all()
    assert not table["Allowed"].eq("any").any()


def test_the_index_names_every_method_once(registries):
    page = opened()
    assert not page.exception
    questions = [str(m.value) for m in page.markdown]
    for method in methods().values():
        assert questions.count(method.question) >= 1, method.name
    families = {method.family for method in methods().values()}
    assert families <= set(FAMILIES), "a family has no heading"


@pytest.mark.parametrize("name", ["grad-cam", "lime", "random"])
def test_a_methods_page_shows_card_settings_and_command(registries, name):
    page = opened(name)
    assert not page.exception
    for words in (get_method(name).title, *HEADINGS, "Settings", "Example"):
        assert words in said(page)
    assert f"--method {name}" in page.code[0].value
    assert "needs the model" in said(page), "the tiny registry has no known-truth model"


@pytest.mark.parametrize("name", ["magic", "../../etc/passwd", "<script>alert(1)</script>", "x" * 5000, "lime\0"])
def test_a_link_to_no_method_shows_all_with_a_word(registries, name):
    page = opened(name)
    assert not page.exception
    assert "a method that is not here" in page.warning[0].value
    assert "<" not in page.warning[0].value
    assert "Perturb the film" in said(page)


def pictures(page: AppTest) -> list:
    """What describes each picture of the page, in order."""
    return [getattr(e.proto, "imgs", [e.proto])[0] for e in page.get("image")]


def finish(page: AppTest) -> AppTest:
    until = time.monotonic() + 30
    while page.get("progress"):
        assert time.monotonic() < until, "the example did not end"
        time.sleep(0.1)
        page.run()
    return page


def test_a_fast_example_is_made_at_once(example):
    page = finish(opened("grad-cam"))
    assert not page.exception
    assert "The model finds it with probability" in said(page)
    assert len(pictures(page)) == 2
    assert pictures(page)[0].alt.startswith("Grad-CAM map")


def test_a_slow_example_waits_for_a_click(example):
    page = opened("occlusion")
    assert not page.exception
    assert len(pictures(page)) == 1
    assert page.button(key="make_example")
    page.button(key="make_example").click().run()
    finish(page)
    assert pictures(page)[0].alt.startswith("Occlusion map")


def test_a_failing_example_says_so(example, monkeypatch):
    def fail(request):
        raise RuntimeError("no gradient here")

    monkeypatch.setattr(get_method("jacobian"), "_explain", fail)
    page = finish(opened("jacobian"))
    assert not page.exception
    assert page.error[0].value == "No gradient here."


def test_compare_opens_with_the_method_beside_the_main_ones(example):
    page = opened("hires-cam")
    page.button(key="compare_it").click().run()
    assert not page.exception
    assert "hires-cam" in page.multiselect(key="more_methods").value
    assert "lime" in page.pills(key="methods").value


def test_a_method_that_cannot_serve_the_example_says_why(example, monkeypatch):
    monkeypatch.setattr(get_method("lrp"), "serves", lambda classifier, finding: "It cannot read this network.")
    page = opened("lrp")
    assert not page.exception
    assert "It cannot read this network." in said(page)
    assert caches.classifier("tiny").name == tiny_classifier().name
