"""A file that cannot be made leaves a sentence for the page, and none of what it is about in the log."""

from __future__ import annotations

import re
import time

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.shared.file_button import _Making


def page() -> None:
    import streamlit as st

    from dashboard.shared.file_button import file_button

    st.session_state["failed_files"] = {"b.csv": "The disk is full."}
    file_button("Maps", lambda: "maps", "a.csv")
    file_button("Scores", lambda: "scores", "b.csv")


def test_what_failed_is_said_below_its_button():
    shown = AppTest.from_function(page).run(timeout=30)
    assert not shown.exception
    assert [error.value for error in shown.error] == ["Scores: the file could not be made. The disk is full."]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("the film has no pixels"), "The film has no pixels."),
        (TypeError("DOE^JOHN is no date"), "It stopped with an unforeseen error, number NUMBER in the program's log."),
        (KeyError("PatientName"), "It stopped with an unforeseen error, number NUMBER in the program's log."),
    ],
)
def test_a_failure_is_left_for_the_next_drawing(error, said, caplog):
    drawn, failed = [], {"other.csv": "No room."}

    def make() -> str:
        if not drawn:
            raise error
        return "made"

    making = _Making(make, "a.csv", failed, lambda: drawn.append(1))
    with pytest.raises(RuntimeError) as raised:
        making()
    number = re.search(r"error ([0-9A-F]{6}) ", caplog.text)[1]
    assert failed == {"a.csv": said.replace("NUMBER", number), "other.csv": "No room."}
    assert drawn == [], "a drawing that begins at once drops the answer to the button"
    until = time.monotonic() + 5
    while not drawn and time.monotonic() < until:
        time.sleep(0.01)
    assert drawn == [1]
    assert raised.value.__suppress_context__
    assert str(error.args[0]) not in f"{caplog.text} {raised.value}"
    assert type(error).__name__ in caplog.text
    assert making() == "made"
    assert failed == {"other.csv": "No room."}
    assert drawn == [1], "a drawing could take away the file that the browser is about to fetch"
