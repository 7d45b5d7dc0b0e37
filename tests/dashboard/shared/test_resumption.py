"""Views whose work the server's end broke off are offered to their people, once."""

from __future__ import annotations

import types

import pytest

from dashboard.people import identity
from dashboard.shared import caches, resumption


@pytest.fixture
def be(tmp_path, monkeypatch):
    """Returns a function that makes the test the person and session of these names."""
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path))
    monkeypatch.setattr(caches, "manager", lambda: types.SimpleNamespace(pending_people=lambda: {"b1", "c9"}))
    monkeypatch.setattr(resumption, "_views", {})
    context = types.SimpleNamespace(url="http://127.0.0.1:8501/stability?film=x")
    monkeypatch.setattr(resumption, "st", types.SimpleNamespace(context=context))

    def become(person: str, session: str) -> None:
        monkeypatch.setattr(identity, "name", lambda: person)
        monkeypatch.setattr(identity, "session", lambda: session)

    return become


def test_only_people_whose_work_was_unfinished_are_offered_their_views(be):
    for person, session, film in (("b1", "s1", "a"), ("b1", "s1", "b"), ("b1", "s2", "c"), ("b2", "s3", "d")):
        be(person, session)
        resumption.note_view({"film": [film], "run": ["1"]})
    be("", "s4")
    resumption.note_view({"film": ["e"]})
    resumption.mark_unfinished()
    found = resumption._taken("b1")
    assert [view["address"] for view in found] == [{"film": ["b"], "run": ["1"]}, {"film": ["c"], "run": ["1"]}]
    assert {view["page"] for view in found} == {"/stability"}
    assert resumption._taken("b1") == []
    assert resumption._taken("b2") == resumption._taken("") == []


def test_a_damaged_note_offers_nothing(be):
    place = identity.folder("b1") / "unfinished.json"
    place.parent.mkdir(parents=True)
    for content in ("{", '{"film": 1}', "[1, null]", '[{"film": ["a"]}]'):
        place.write_text(content)
        assert resumption._taken("b1") == []
