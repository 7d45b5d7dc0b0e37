"""What a person chose outlives visits to other pages, and is the same on every page from its first drawing on."""

from __future__ import annotations

import pytest

from tests.pages.test_compare import open_with, viewer_data


@pytest.fixture
def chosen(registries):
    """The compare page after a person changed everything on it."""
    page = open_with({"method": ["grad-cam"]})
    page.toggle(key="only_outlined").set_value(True).run()
    page.selectbox(key="film_id").select("film-1").run()
    page.selectbox(key="second").select("other").run()
    page.multiselect(key="findings tiny tiny-films/film-1").set_value(["Effusion"]).run()
    page.pills(key="methods").set_value(["grad-cam", "lime"]).run()
    page.multiselect(key="more_methods").set_value(["occlusion"]).run()
    page.number_input(key="set lime samples").set_value(300).run()
    page.number_input(key="seed").set_value(7).run()
    assert not page.exception
    return page


@pytest.mark.parametrize("way", [["about"], ["stability"], ["methods", "stability", "library"], ["counterfactual"]])
def test_the_compare_page_is_as_it_was_left(chosen, way):
    before = {key: chosen.query_params[key] for key in ("film", "model", "beside", "finding", "method", "set", "seed")}
    for name in way:
        chosen.switch_page(f"pages/{name}.py").run()
        assert not chosen.exception
    chosen.switch_page("pages/compare.py").run()
    assert not chosen.exception
    assert {key: chosen.query_params[key] for key in before} == before
    assert chosen.toggle(key="only_outlined").value
    assert chosen.number_input(key="set lime samples").value == 300
    assert len(viewer_data(chosen)["panels"]) == 4


def test_the_next_page_opens_with_the_film_at_once(chosen):
    chosen.switch_page("pages/stability.py").run()
    assert chosen.query_params["film"] in ("tiny-films/film-1", ["tiny-films/film-1"])
    assert chosen.selectbox(key="film_id").value == "film-1"
    assert chosen.toggle(key="only_outlined").value


def test_a_film_chosen_on_another_page_keeps_the_methods_and_not_the_findings(chosen):
    chosen.switch_page("pages/stability.py").run()
    chosen.selectbox(key="film_id").select("film-0").run()
    chosen.switch_page("pages/compare.py").run()
    assert not chosen.exception
    assert chosen.multiselect(key="findings tiny tiny-films/film-0").value == ["Nodule"]
    assert chosen.pills(key="methods").value == ["grad-cam", "lime"]
