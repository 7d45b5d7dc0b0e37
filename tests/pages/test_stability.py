"""The stability page in its normal, empty and hostile states."""

from __future__ import annotations

import time

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.shared import caches
from tests.pages.conftest import APP


def said(page: AppTest) -> str:
    elements = (*page.warning, *page.info, *page.error, *page.caption, *page.markdown, *page.success)
    return "\n".join(str(e.value) for e in elements)


def open_with(query: dict[str, str]) -> AppTest:
    page = AppTest.from_file(APP, default_timeout=60)
    for key, value in query.items():
        page.query_params[key] = value
    page.run()
    return page.switch_page("pages/stability.py").run()


def finish(page: AppTest, seconds: float = 60) -> AppTest:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        page.run()
        if not page.get("progress"):
            return page
        time.sleep(0.1)
    raise AssertionError("the study did not finish")


def test_a_first_visit_studies_the_film_and_says_what_came_out(registries):
    page = finish(open_with({}))
    assert not page.exception
    text = said(page)
    assert text.count("For research and teaching, not for diagnosis.") == 1
    assert "numerically available" in text
    assert "tiny-films/film-0" in text
    assert page.query_params["film"] in ("tiny-films/film-0", ["tiny-films/film-0"])
    table = next(d.value for d in page.dataframe if "distance" in d.value)
    assert [heading.value for heading in page.subheader][:2] == [
        "A change that the eye misses and the model does not",
        "Everyday changes of a film",
    ]
    assert [e.label for e in page.expander if "mathematics" in e.label], "it unfolds below"
    assert set(table["finding"]) == {"Nodule", "Pleural effusion"}
    assert table["distance"].notna().all()
    nearest = table["finding"].iloc[0].lower()
    assert [metric.label for metric in page.metric] == [
        "Largest response",
        "Forecast holds to",
        "Nearest threshold",
        "Perturbations that flip the decision",
    ]
    assert nearest in page.metric[2].help.lower()


def test_the_slider_asks_the_model_nothing(registries, monkeypatch):
    page = finish(open_with({}))
    (key,) = [key for key in caches.manager()._jobs if key[0] == "stability"]
    found = caches.manager().status(key).result
    monkeypatch.setattr(type(caches.classifier("tiny")), "forward", None)
    slider = page.select_slider[0]
    slider.set_value(len(found.strongest.steps) - 1).run()
    assert not page.exception
    assert page.select_slider[0].value == len(found.strongest.steps) - 1


def test_another_film_drops_the_study_nobody_looks_at(registries):
    page = finish(open_with({}))
    page.selectbox(key="film_id").select("film-1").run()
    finish(page)
    assert not page.exception
    assert "tiny-films/film-1" in said(page)
    assert len([key for key in caches.manager()._jobs if key[0] == "stability"]) == 2


def test_strength_and_finding_can_be_changed(registries):
    page = finish(open_with({}))
    page.segmented_control(key="strength").set_value(2).run()
    assert not page.exception
    (row,) = [box for box in page.selectbox if box.label == "Finding"]
    row.select(1).run()
    assert not page.exception


def test_a_study_that_fails_says_why_in_a_sentence(registries, monkeypatch):
    from dashboard.stability import page as stability

    def fail(*given, **named):
        raise ValueError("the card's operating point for Nodule must lie between 0 and 1, got 7; correct the card")

    monkeypatch.setattr(stability, "study", fail)
    page = finish(open_with({}))
    assert not page.exception
    assert [e.value for e in page.error] == [
        "The card's operating point for Nodule must lie between 0 and 1, got 7; correct the card."
    ]


@pytest.mark.parametrize("query", [{"film": "../../etc/passwd"}, {"model": "<script>", "film": "upload/0123456789ab"}])
def test_a_hostile_link_falls_back_with_words(registries, query):
    page = finish(open_with(query))
    assert not page.exception
    assert page.warning
    assert "script>" not in said(page)


def test_a_model_that_is_not_at_hand_says_how_to_have_it(registries):
    page = open_with({})
    page.selectbox(key="model").select("away").run()
    assert not page.exception
    assert "lightbox fetch away" in said(page)
    assert not page.get("progress")


def test_without_models_the_page_says_how_to_get_one(registries):
    registries()
    page = open_with({})
    assert not page.exception
    assert "no model" in said(page)


@pytest.mark.parametrize("content", [b"", b"not a film", b"\x89PNG\r\n\x1a\nbroken"])
def test_a_bad_upload_says_why(registries, content):
    page = open_with({})
    page.selectbox(key="collection").select("upload").run()
    page.file_uploader(key="upload").set_value([("secret-name.png", content, "image/png")]).run()
    assert not page.exception
    assert len(page.error) == 1
    assert "secret-name" not in said(page)


def test_the_film_chosen_on_the_compare_page_is_the_one_studied(registries):
    page = finish(open_with({"film": "tiny-films/film-1", "model": "tiny"}))
    assert page.selectbox(key="film_id").value == "film-1"
    assert "tiny-films/film-1" in said(page)
