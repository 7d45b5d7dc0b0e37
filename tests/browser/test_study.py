"""One reader of a study in a real browser: by keyboard alone, through a reload, and never back."""

from __future__ import annotations

import pytest

from evaluation.reader_study.store import StudyStore
from evaluation.reader_study.study_file import parse_study
from tests.browser.conftest import idle, known_truth_model, served

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not known_truth_model(), reason="needs the known-truth model's weights in assets/models"),
]
STUDY = """
name = "Masses"
model = "known-truth"
finding = "Mass"
questions = ["present", "confidence", "place", "usefulness"]
arms = [{kind = "none"}, {method = "grad-cam"}]
cases = [{film = "known-truth/mass-01"}, {film = "known-truth/normal-01"}]
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study of two cases on a server of its own: its address, the store and a reader's code."""
    home = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XAI_LIGHTBOX_HOME", str(home))
        patched.setattr("evaluation.reader_study.material.FAITHFULNESS", ())
        store = StudyStore.create(parse_study(STUDY))
        code = store.add_readers(1)[1]
    with served(home) as url:
        yield url, store, code


def test_a_reader_answers_by_keyboard_reloads_and_cannot_go_back(page, study):
    url, store, code = study
    page.goto(url, wait_until="commit")
    page.get_by_role("link", name="Study").wait_for()
    page.goto(f"{url}/study?study={store.slug}", wait_until="commit")
    field = page.get_by_role("textbox", name="Your reader's code")
    field.wait_for()
    field.fill(code.lower())
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Begin", exact=True).wait_for()
    page.get_by_role("button", name="Begin", exact=True).focus()
    page.keyboard.press("Enter")
    page.locator(".viewer[data-ready=true]").wait_for()
    idle(page)
    assert "known-truth" not in page.locator("[data-testid=stMain]").inner_text()

    # The place: zoom and move with keys, then Space points at the middle of what is seen.
    page.locator(".viewer").focus()
    for key in ("+", "+", "ArrowRight", "Space"):
        page.keyboard.press(key)
    page.get_by_text("Your place is taken.").wait_for()
    idle(page)
    for question in page.get_by_role("radiogroup").all():
        question.get_by_role("radio").first.focus()
        page.keyboard.press("Space")
        idle(page)
    page.get_by_role("slider", name="How sure").focus()
    page.keyboard.press("End")
    idle(page)
    page.get_by_role("button", name="Answer and go on").focus()
    page.keyboard.press("Enter")
    page.get_by_text("1 of 2 answered").wait_for()
    first = store.answers(1)[1]
    assert first.given["present"] is True
    assert first.given["confidence"] == 100
    assert 0.5 < first.given["place"]["x"] < 0.8

    # A reload goes on at the second case without the code; there is no way back, and its time counts as interrupted.
    page.reload(wait_until="commit")
    page.get_by_text("1 of 2 answered").wait_for()
    page.locator(".viewer[data-ready=true]").wait_for()
    idle(page)
    assert page.get_by_role("button", name="Change the last answer").count() == 0
    here = page.url
    page.go_back(wait_until="commit")
    page.goto(here, wait_until="commit")
    page.get_by_text("1 of 2 answered").wait_for()
    page.locator(".viewer[data-ready=true]").wait_for()
    idle(page)
    page.get_by_role("radiogroup").first.get_by_role("radio").last.focus()
    page.keyboard.press("Space")
    idle(page)
    for question in page.get_by_role("radiogroup").all()[1:]:
        question.get_by_role("radio").first.focus()
        page.keyboard.press("Space")
        idle(page)
    page.locator(".viewer").focus()
    page.keyboard.press("Control+Enter")
    page.get_by_text("You have read all cases").wait_for()
    answers = store.answers(1)
    assert answers[1] == first
    assert answers[2].given["present"] is False
    assert answers[2].interrupted
    assert page.locator("[data-testid=stException]").count() == 0
