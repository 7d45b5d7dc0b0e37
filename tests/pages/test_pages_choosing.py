"""The widgets by which a person chooses a film, on every page that has them."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

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
