"""The counterfactual page: nothing at hand, a series, a refusal, a failure."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from tests.dashboard.exaggeration import made_plane, made_series
from tests.dashboard.made import tiny_film
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


def player(page: AppTest) -> dict:
    """What the player of the page was given."""
    return json.loads(page.get("bidi_component")[0].proto.json)


def said(page: AppTest) -> str:
    return "\n".join(str(e.value) for e in (*page.warning, *page.info, *page.error, *page.caption, *page.markdown))


@pytest.fixture
def explained(registries, monkeypatch):
    """A page whose explainer gives the made series; returns a function that changes what it gives."""
    from dashboard.counterfactual import page as counterfactual
    from evaluation.counterfactuals import exaggerated

    def give(series):
        monkeypatch.setattr(exaggerated, "exaggerate", lambda *args, **kwargs: series() if callable(series) else series)

    monkeypatch.setattr(
        counterfactual, "served", lambda classifier: {"progressive-exaggeration": ["Nodule", "Effusion"]}
    )
    monkeypatch.setattr(exaggerated, "_measured", lambda film: (0.5, 0.3))
    monkeypatch.setattr(exaggerated, "exaggerate_two", lambda *args, **kwargs: made_plane())
    give(made_series())
    return give


def test_a_model_without_an_explainer_says_so(registries, monkeypatch):
    from dashboard.counterfactual import page as counterfactual

    monkeypatch.setattr(counterfactual, "served", lambda classifier: {})
    page = opened()
    assert not page.exception
    assert "No generator was trained for tiny" in said(page)


def test_a_series_shows_film_words_and_figures(explained):
    page = finished(opened({"finding": "Nodule"}))
    assert not page.exception
    assert "The decision flips" in said(page)
    assert player(page)["measures"][0]["values"] == [0.5] * len(LEVELS)
    assert page.query_params["finding"] in ("Nodule", ["Nodule"])


def test_the_player_holds_every_step_and_starts_where_the_film_is(explained):
    data = player(finished(opened()))
    assert data["axes"] == [{"label": "Nodule", "targets": pytest.approx(list(LEVELS)), "start": 4}]
    assert len(data["films"]) == len(data["changes"]) == len(data["missed"]) == len(LEVELS)
    assert data["probabilities"][9] == pytest.approx([0.95, 0.3])
    assert data["words"] == "The film as it is: nodule 45%"


def test_a_second_finding_gives_two_sliders_and_a_table_of_what_was_achieved(explained):
    page = finished(opened({"finding": "Nodule", "second": "Effusion"}))
    assert not page.exception
    data = player(page)
    assert [axis["label"] for axis in data["axes"]] == ["Nodule", "Pleural effusion"]
    assert len(data["films"]) == 25
    # The last axis runs fastest: the second step of the film is the second level of the second finding.
    assert data["probabilities"][1] == pytest.approx([0.1, 0.2])
    assert "goes from 10% to 90%" in said(page)
    assert page.query_params["second"] in ("Effusion", ["Effusion"])


def test_a_refused_plane_shows_its_reason(explained, monkeypatch):
    from evaluation.counterfactuals import exaggerated

    monkeypatch.setattr(exaggerated, "exaggerate_two", lambda *args, **kwargs: made_plane("It looks unlike the film."))
    page = finished(opened({"finding": "Nodule", "second": "Effusion"}))
    assert "Refused: It looks unlike the film." in said(page)
    assert not page.get("bidi_component")


def test_a_refusal_shows_its_reason_and_no_slider(explained):
    explained(made_series("The reconstruction looks unlike the film."))
    page = finished(opened())
    assert not page.exception
    assert "Refused: The reconstruction looks unlike the film." in said(page)
    assert not page.get("bidi_component")


def test_a_failure_is_said_in_words(explained):
    def fail():
        raise RuntimeError("no memory for it")

    explained(fail)
    page = finished(opened())
    assert not page.exception
    assert "No memory for it." in said(page)


def test_unsure_anatomy_is_a_dash(explained, monkeypatch):
    from evaluation.counterfactuals import exaggerated

    monkeypatch.setattr(exaggerated, "_measured", lambda film: (np.nan, np.nan))
    page = finished(opened())
    assert not page.exception
    assert [measure["values"] for measure in player(page)["measures"]] == [[None] * len(LEVELS)] * 2


def test_what_changes_outside_the_outline_is_said():
    from dashboard.counterfactual import page as counterfactual

    series = made_series()
    mask = np.zeros((60, 60), dtype=bool)
    mask[:30] = True
    film = SimpleNamespace(mask=lambda finding: mask, whose=lambda finding: "A")
    side = series.film.shape[0]
    region = SimpleNamespace(preprocessing=SimpleNamespace(prepare_mask=lambda m: np.ones((side, side)) * 0.5))
    request = SimpleNamespace(film=film, classifier=region, finding="Nodule")
    words = counterfactual.outside_words(request, SimpleNamespace(series=series))
    assert words.startswith("**50% of the change lies outside the outline** (A), which covers 50% of the film")
    bare = SimpleNamespace(film=SimpleNamespace(mask=lambda finding: None), classifier=region, finding="Nodule")
    assert counterfactual.outside_words(bare, SimpleNamespace(series=series)) == ""


def test_it_opens_on_the_finding_looked_at_or_the_films_label(explained):
    page = AppTest.from_file(APP, default_timeout=60).run()
    page.multiselect(key="findings tiny tiny-films/film-0").set_value(["Effusion"]).run()
    page.switch_page("pages/counterfactual.py").run()
    assert page.selectbox(key="exaggerated progressive-exaggeration tiny tiny-films/film-0").value == "Effusion"
    page = opened()
    assert page.selectbox(key="exaggerated progressive-exaggeration tiny tiny-films/film-0").value == "Nodule"


def test_a_label_that_is_hidden_opens_no_finding():
    from dashboard.counterfactual.page import _likely
    from dashboard.shared.film_context import FilmContext
    from radiographs.collection import FilmEntry

    film = FilmContext("x/a", tiny_film()[0], entry=FilmEntry("a", labels=("Nodule",)))
    assert _likely(film) == ["Nodule"]
    assert _likely(replace(film, reference_hidden=True)) == []


def test_probabilities_are_the_models_own(registries, monkeypatch):
    from evaluation.counterfactuals import exaggerated
    from tests.dashboard.made import tiny_classifier, tiny_film
    from xai_methods.counterfactual.calibration import BalancedPosterior

    balanced = BalancedPosterior(slope=2.0, intercept=3.0)
    monkeypatch.setattr(exaggerated, "exaggerate", lambda *args, **kwargs: made_series())
    monkeypatch.setattr(exaggerated, "posterior_of", lambda classifier, finding: balanced)
    monkeypatch.setattr(exaggerated, "_measured", lambda film: (0.5, 0.3))
    made = exaggerated.exaggerated_film(tiny_classifier(), tiny_film()[0], "Nodule", "any")
    logits = torch.logit(torch.tensor(made.targets))
    np.testing.assert_allclose(balanced.of(logits), LEVELS, rtol=1e-5)
    assert made.own == made.series.own_probabilities[0]
    assert made.threshold == pytest.approx(1 / (1 + np.exp(1.5)))
    assert made.own_ratio == 0.5
