"""The widgets by which a person chooses a film, on every page that has them."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import APP

PAGES = ["pages/compare.py", "pages/stability.py", "pages/counterfactual.py"]


@pytest.mark.parametrize("name", PAGES)
def test_the_filters_leave_the_films_that_fit_all_of_them(page: AppTest, name: str) -> None:
    page.run()
    page.switch_page(name).run()
    assert len(page.selectbox("film_id").options) == 3
    page.selectbox("only_finding").select("Nodule").run()
    assert not page.exception
    assert [words.split(" ")[0] for words in page.selectbox("film_id").options] == ["film-0", "film-1"]
    page.toggle("only_outlined").set_value(True)
    page.toggle("only_held_out").set_value(True).run()
    assert not page.exception
    assert [words.split(" ")[0] for words in page.selectbox("film_id").options] == ["film-0"]


def test_the_gallery_shows_findings_and_outlines_and_turns_its_pages(registries, monkeypatch):
    from dashboard.shared import caches, gallery

    monkeypatch.setattr(gallery, "PAGE", 2)
    page = AppTest.from_file(APP, default_timeout=60).run()
    next(b for b in page.button if b.label == "Browse films").click().run()
    assert not page.exception
    assert [b.key for b in page.button if str(b.key).startswith("take ")] == ["take film-0", "take film-1"]
    assert "Nodule · outlined: nodule" in [c.value for c in page.caption]
    assert page.button(key="gallery_previous").disabled
    page.button(key="gallery_next").click().run()
    next(b for b in page.button if b.label == "Browse films").click().run()
    assert [b.key for b in page.button if str(b.key).startswith("take ")] == ["take film-2"]
    page.button(key="take film-2").click().run()
    page.run()
    assert page.selectbox(key="film_id").value == "film-2"
    drawn, bare = (caches.small_picture("tiny-films/film-0", outlined) for outlined in (True, False))
    assert drawn.shape == bare.shape == (caches.THUMBNAIL, caches.THUMBNAIL, 3)
    assert (drawn == (64, 255, 176)).all(axis=-1).any()
    assert (bare[..., 0] == bare[..., 1]).all(), "an outline that is hidden is not on the picture"
