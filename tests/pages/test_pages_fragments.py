"""Fragments of a page: each keeps its place, and none stands in another."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.shared import caches, fragments

ROOT = Path(__file__).resolve().parents[2]


def _nested() -> None:
    import streamlit as st

    from dashboard.shared.fragments import fragment

    def inner() -> None:
        st.write("inside")

    def outer() -> None:
        try:
            fragment(inner)()
        except RuntimeError as error:
            st.error(str(error))

    fragment(outer)()


def _in_turn() -> None:
    import streamlit as st

    from dashboard.shared.fragments import fragment

    def part(name: str) -> None:
        st.button(name)

    fragment(part)("first")
    fragment(part)("second")


def test_a_part_inside_a_part_is_refused():
    page = AppTest.from_function(_nested).run()
    assert "call it plainly" in page.error[0].value


def test_each_part_has_a_container_of_the_page():
    page = AppTest.from_function(_in_turn).run()
    assert not page.exception
    places = list(page.main.children.values())
    assert len(places) == 2
    assert [place.button[0].label for place in places] == ["first", "second"]
    assert all(len(place.children) == 1 for place in places), "the container holds the part, which holds the button"


class _Crowd:
    """Stands in for the job manager: how many people wait, look after look; the last number stays."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = list(numbers)

    def pending_people(self) -> set[str]:
        number = self.numbers.pop(0) if len(self.numbers) > 1 else self.numbers[0]
        return {str(person) for person in range(number)}


@pytest.mark.parametrize(("people", "seconds"), [(0, 1.0), (3, 1.0), (6, 2.0), (500, 4.0)])
def test_pages_look_less_often_where_many_wait(monkeypatch, people, seconds):
    monkeypatch.setattr(caches, "manager", lambda: _Crowd(people))
    assert fragments.tick_seconds() == seconds


def _waiting() -> None:
    import streamlit as st

    from dashboard.shared.fragments import fragment

    st.session_state["runs"] = st.session_state.get("runs", 0) + 1
    fragment(lambda: st.write("waiting"), ticking=True)()


@pytest.mark.parametrize(("crowd", "runs"), [((1, 2), 1), ((1, 9), 2), ((9, 1), 2)])
def test_a_page_that_waits_changes_how_often_it_looks_as_people_come_and_go(monkeypatch, crowd, runs):
    waiting = _Crowd(*crowd)
    monkeypatch.setattr(caches, "manager", lambda: waiting)
    page = AppTest.from_function(_waiting).run()
    assert page.session_state["runs"] == runs
    assert page.markdown[0].value == "waiting"


def test_no_fragment_is_made_elsewhere():
    made = []
    for path in [*ROOT.glob("pages/*.py"), *ROOT.glob("dashboard/**/*.py"), ROOT / "app.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr == "fragment":
                made.append(path.name)
    assert made == ["fragments.py"]
