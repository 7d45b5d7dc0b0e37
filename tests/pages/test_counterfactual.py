"""The counterfactual page: nothing at hand, a series, a refusal, a failure."""

from __future__ import annotations

import time

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests.dashboard.exaggeration import made_series
from tests.pages.conftest import APP
from xai_methods.counterfactual import LEVELS


def opened(query: dict[str, str] | None = None) -> AppTest:
    page = AppTest.from_file(APP, default_timeout=60)
    page.switch_page("pages/counterfactual.py")
    for key, value in (query or {}).items():
        page.query_params[key] = value
    return page.run()


def finished(page: AppTest) -> AppTest:
    until = time.monotonic() + 30
    while page.get("progress"):
        assert time.monotonic() < until
        time.sleep(0.1)
        page.run()
    return page


def said(page: AppTest) -> str:
    return "\n".join(str(e.value) for e in (*page.warning, *page.info, *page.error, *page.caption, *page.markdown))


@pytest.fixture
def explained(shelves, monkeypatch):
    """A page whose explainer gives the made series; returns a function that changes what it gives."""
    from dashboard.counterfactual import page as counterfactual
    from evaluation import exaggerated

    def give(series):
        monkeypatch.setattr(exaggerated, "exaggerate", lambda *args, **kwargs: series() if callable(series) else series)

    monkeypatch.setattr(
        counterfactual, "served", lambda classifier: {"progressive-exaggeration": ["Nodule", "Effusion"]}
    )
    monkeypatch.setattr(exaggerated, "_measured", lambda film: (0.5, 0.3))
    give(made_series())
    return give


def test_a_model_without_an_explainer_says_so(shelves, monkeypatch):
    from dashboard.counterfactual import page as counterfactual

    monkeypatch.setattr(counterfactual, "served", lambda classifier: {})
    page = opened()
    assert not page.exception
    assert "No generator was trained for tiny" in said(page)


def test_a_series_shows_film_words_and_figures(explained):
    page = finished(opened({"finding": "Nodule"}))
    assert not page.exception
    assert "Its decision flips." in said(page)
    assert {metric.label: metric.value for metric in page.metric}["Heart to chest width"] == "0.500"
    assert page.query_params["finding"] in ("Nodule", ["Nodule"])


def test_the_slider_asks_the_model_nothing(explained):
    page = finished(opened())

    def fail():
        raise AssertionError("the slider asked for a new series")

    explained(fail)
    slider = page.select_slider[0]
    slider.set_value(len(LEVELS) - 1).run()
    assert not page.exception
    assert any("Redrawn: asked 95%" in caption.value for caption in page.caption)


def test_a_refusal_shows_its_reason_and_no_slider(explained):
    explained(made_series("The reconstruction looks unlike the film."))
    page = finished(opened())
    assert not page.exception
    assert "Refused: The reconstruction looks unlike the film." in said(page)
    assert not page.select_slider


def test_a_failure_is_said_in_words(explained):
    def fail():
        raise RuntimeError("no memory for it")

    explained(fail)
    page = finished(opened())
    assert not page.exception
    assert "No memory for it." in said(page)


def test_unsure_anatomy_is_a_dash(explained, monkeypatch):
    from evaluation import exaggerated

    monkeypatch.setattr(exaggerated, "_measured", lambda film: (np.nan, np.nan))
    page = finished(opened())
    assert not page.exception
    assert [metric.value for metric in page.metric] == ["–", "–"]
