"""What is explained where nothing was chosen."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from dashboard.shared.choosing import default_findings, first_model
from dashboard.shared.film_context import FilmContext
from tests.dashboard.made import TinyCollection, tiny_film


def test_default_findings_are_the_outlined_else_the_likeliest():
    film = FilmContext("tiny-films/film-0", tiny_film()[0], tuple(TinyCollection().annotations("film-0")))
    assert default_findings(film, {"Effusion": 0.9, "Nodule": 0.1}) == ("Nodule",)
    assert default_findings(FilmContext("x/y", film.radiograph), {"Effusion": 0.9, "Nodule": 0.1}) == ("Effusion",)


def model_page() -> None:
    import streamlit as st

    from classifiers.registry import list_models
    from dashboard.shared.choosing import choose_model

    st.session_state.setdefault("model", "known-truth")
    choose_model([entry for entry in list_models() if entry.origin == "shipped"], "nih-boxes/any")


def test_a_model_that_fits_the_collection_is_offered():
    shown = AppTest.from_function(model_page).run(timeout=30)
    assert not shown.exception
    assert "was made for films of another kind" in "".join(c.value for c in shown.caption)
    shown.button(key="use_fitting_model").click().run()
    assert shown.selectbox(key="model").value == "nih14-localised"
    assert not [button for button in shown.button if button.key == "use_fitting_model"]


def test_the_first_model_fits_the_first_film():
    names = ["nih14", "known-truth"]
    assert first_model(names, "paediatric-pneumonia/any") == "known-truth"
    assert first_model(names, "nih-boxes/any") == "nih14"
    assert first_model(names, "upload/abc") == "nih14"
