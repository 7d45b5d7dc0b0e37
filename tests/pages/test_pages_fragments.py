"""Fragments of a page: each keeps its place, and none stands in another."""

from __future__ import annotations

import ast
from pathlib import Path

from streamlit.testing.v1 import AppTest

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


def test_no_fragment_is_made_elsewhere():
    made = []
    for path in [*ROOT.glob("pages/*.py"), *ROOT.glob("dashboard/**/*.py"), ROOT / "app.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr == "fragment":
                made.append(path.name)
    assert made == ["fragments.py"]
