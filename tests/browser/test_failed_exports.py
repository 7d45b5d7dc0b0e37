"""In a real browser: an export that fails says why, below its button, and the page stays as it was."""

from __future__ import annotations

import pytest

from tests.browser.conftest import idle, served

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]
PAGE = """
import streamlit as st
from dashboard.shared.file_button import file_button
from dashboard.shared.fragments import fragment

def wrong():
    raise ValueError("the original has no pixels; give another file")

def once():
    st_state["tries"] += 1
    if st_state["tries"] == 1:
        raise TypeError("DOE^JOHN")
    return "made"

def draw():
    with st.popover("Export"):
        file_button("DICOM", wrong, "maps.zip")
        file_button("Table", once, "table.csv")

st_state = st.session_state.setdefault("state", {"tries": 0})
st.slider("Opacity", 0, 10, 3)
fragment(draw)()
"""


@pytest.fixture(scope="module")
def failing(tmp_path_factory):
    home = tmp_path_factory.mktemp("failing")
    script = home / "page.py"
    script.write_text(PAGE)
    with served(home, script) as url:
        yield url, home / "log"


def test_a_failing_export_says_why_until_it_is_made(page, failing):
    address, log = failing
    page.goto(address, wait_until="commit")
    page.get_by_role("slider").press("ArrowRight")
    page.get_by_role("button", name="Export").click()
    page.get_by_role("button", name="DICOM").click()
    page.get_by_text("The original has no pixels; give another file.").wait_for()
    page.get_by_role("button", name="Table").click()
    unforeseen = page.get_by_text("It stopped with an unforeseen error, number ")
    unforeseen.wait_for()
    assert page.get_by_role("slider").input_value() == "4"
    idle(page)
    with page.expect_download() as waited:
        page.get_by_role("button", name="Table").click()
    assert waited.value.suggested_filename == "table.csv"
    page.get_by_role("slider").press("ArrowRight")
    unforeseen.wait_for(state="detached")
    assert page.get_by_text("The original has no pixels; give another file.").is_visible()
    assert "DOE" not in log.read_text()
