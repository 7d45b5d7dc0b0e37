"""The validity gate is measured by a button where these films lack it, and what it found is used at once."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.compare import gate
from dashboard.jobs import Status
from evaluation.validity.gate import Verdict
from evaluation.validity.measured import films_digest, measured_here
from tests.evaluation.looking import Spots, looker


def script():
    from types import SimpleNamespace

    import streamlit as st

    from dashboard.compare import gate
    from evaluation.validity.gate import Verdict
    from tests.evaluation.looking import Spots, looker

    request = SimpleNamespace(film=SimpleNamespace(collection=Spots()), classifier=looker())
    jobs = SimpleNamespace(
        status=lambda key: st.session_state.get("status"),
        submit=lambda key, work, owner, urgency: st.session_state.update(submitted=key),
    )
    verdict = Verdict(st.session_state.get("verdict", "not measured"), "why")
    gate.draw_gate(request, SimpleNamespace(mask=True, finding="Spot", verdict=verdict), jobs)


@pytest.mark.parametrize(
    ("verdict", "buttons"), [("not measured", 1), ("measured on other films", 1), ("shown", 0), ("not shown", 0)]
)
def test_the_button_stands_where_these_films_were_not_measured(verdict, buttons):
    page = AppTest.from_function(script)
    page.session_state["verdict"] = verdict
    assert len(page.run().button) == buttons
    assert not page.exception


def test_what_was_measured_is_read_anew_once_and_failures_are_said():
    page = AppTest.from_function(script)
    page.session_state["status"] = Status("done", 1.0, 1.0, "path", "", 0, None)
    assert "none of which allows a verdict" in page.run().caption[0].value
    page.session_state["status"] = Status("failed", 0.0, 1.0, None, "No film to measure on.", 0, None)
    assert "No film to measure on." in page.run().error[0].value


def test_that_it_is_measured_is_seen_by_all_who_look_at_these_films_without_reading_their_list(monkeypatch):
    page = AppTest.from_function(script).run()
    page.button[0].click().run()
    assert not page.exception
    model, films = looker(), Spots()
    assert page.session_state["submitted"] == ("validity", model.digest, films_digest(films))
    running = Status("running", 0.3, 1.0, None, "", 0, None)
    jobs = SimpleNamespace(status={page.session_state["submitted"]: running}.get)
    monkeypatch.setattr(Spots, "entries", lambda films: pytest.fail("the list was read"))
    here = SimpleNamespace(film=SimpleNamespace(collection=films), classifier=model)
    assert gate.pending(here, jobs)
    assert not gate.pending(SimpleNamespace(film=here.film, classifier=SimpleNamespace(digest="other")), jobs)
    assert not gate.pending(SimpleNamespace(film=SimpleNamespace(collection=None), classifier=model), jobs)


def test_the_work_measures_and_stores(tmp_path, monkeypatch):
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path))
    request = SimpleNamespace(film=SimpleNamespace(collection=Spots()), classifier=looker())
    gate._work(request)(lambda share: None, lambda: False)
    assert measured_here(request.classifier.digest, Spots())["Spot"]["positives"] == 12
    assert Verdict("shown", "").status not in gate.UNMEASURED
