"""Settings out of their bounds on the compare page: the parameter and its bounds are said, all else goes on."""

from __future__ import annotations

from tests.pages.test_compare import FAST, finish, open_with, said, viewer_data


def test_a_link_with_one_superpixel_is_refused_with_the_bounds_and_the_rest_is_kept(registries):
    page = open_with(FAST | {"method": ["lime", "grad-cam"], "set": ["lime.n_superpixels:1"]})
    assert not page.exception
    assert "n_superpixels" in said(page)
    assert "2 to 300" in said(page)
    assert [panel["state"] for panel in viewer_data(page)["panels"]].count("failed") == 0


def test_a_link_with_an_unknown_finding_says_so(registries):
    page = open_with(FAST | {"model": ["tiny"], "finding": ["Hiccups"]})
    assert not page.exception
    assert "Hiccups" in said(page)


def test_more_superpixels_than_the_input_holds_are_refused_in_the_panel_and_the_others_go_on(registries, monkeypatch):
    monkeypatch.setattr("xai_methods.perturbation.superpixels.SMALLEST_AREA", 1000)
    page = open_with({"method": ["lime", "grad-cam"], "set": ["lime.n_superpixels:60"], "run": ["1"]})
    words = [panel["words"] for panel in viewer_data(finish(page))["panels"]]
    assert words.count("Press Run to see this map.") == 1, "a link alone starts nothing slow"
    page.button(key="run").click().run()
    finish(page)
    assert not page.exception
    panels = viewer_data(page)["panels"]
    failed = [panel["words"] for panel in panels if panel["state"] == "failed"]
    assert len(failed) == 1
    assert "superpixels: expected 2 to" in failed[0]
    assert any(panel["state"] not in ("failed", "queued") for panel in panels)
