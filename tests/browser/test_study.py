"""Readers of a study in a real browser: by keyboard alone, through a reload, never back; through a killed server."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.reader_study.regions import unpacked
from evaluation.reader_study.store import StudyStore
from tests.browser.conftest import SERVERS, idle, known_truth_model, opened_study, served

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


REGIONS = """
name = "Hearts"
model = "nih14-localised"
finding = "Cardiomegaly"
place = "region"
questions = ["present", "place", "usefulness"]
arms = [{kind = "none"}, {method = "grad-cam"}, {kind = "counterfactual"}]
cases = [
  {film = "known-truth/normal-01", present = false},
  {film = "known-truth/normal-04", present = false},
  {film = "known-truth/nodule-01", present = true},
]
"""
"""The truth of the last is made up: one case must ask where."""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study of two cases on a server of its own: its address, the store and a reader's code."""
    home = tmp_path_factory.mktemp("study")
    store, code = opened_study(home, STUDY)
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


def enter(page, url: str, store: StudyStore, code: str) -> None:
    page.goto(f"{url}/study?study={store.slug}", wait_until="commit")
    page.get_by_role("textbox", name="Your reader's code").fill(code)
    page.keyboard.press("Enter")


def read_case(page, done: int) -> tuple[str, int]:
    """Answer "present" with a box; returns what stood there, and how many generated films."""
    page.get_by_text(f"{done} of 3 answered").wait_for()
    idle(page)  # until then the viewer of the case before may stand beside this one's
    page.locator(".viewer[data-ready=true]").wait_for()
    idle(page)
    words = page.locator("[data-testid=stMain]").inner_text()
    generated = page.get_by_alt_text("A generated film").count()
    for question in page.get_by_role("radiogroup").all():
        question.get_by_role("radio").first.focus()
        page.keyboard.press("Space")
        idle(page)
    page.locator(".viewer").focus()
    page.keyboard.press("x")
    box = page.locator(".stage canvas >> visible=true").first.bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.8 * box["height"], steps=5)
    page.mouse.up()
    page.get_by_text("Your place is taken.").wait_for()
    idle(page)
    page.get_by_role("button", name="Answer and go on").click()
    return words, generated


def test_regions_and_generated_films_are_read_through_a_killed_server(page, tmp_path):
    store, code = opened_study(tmp_path, REGIONS)
    seen = []
    with served(tmp_path) as url:
        enter(page, url, store, code)
        page.get_by_role("button", name="Begin", exact=True).click()
        seen += [read_case(page, 0), read_case(page, 1)]
        page.get_by_text("2 of 3 answered").wait_for()
        SERVERS[url].kill()
        SERVERS[url].wait()
        before = store.answers(1)
        assert len(before) == 2
    with served(tmp_path, port=int(url.rpartition(":")[2])):
        page.reload(wait_until="commit")
        seen.append(read_case(page, 2))
        page.get_by_text("You have read all cases").wait_for()
    after = store.answers(1)
    assert {number: after[number] for number in before} == before
    assert len(after) == 3
    for one in after.values():
        drawn = unpacked(one.given["place"]["region"])
        rows, columns = np.nonzero(drawn)
        height, width = drawn.shape
        assert 0.25 < columns.min() / width < 0.35
        assert 0.65 < columns.max() / width < 0.75
        assert 0.45 < rows.min() / height < 0.55
    shown = sorted((generated, "map a" in words.lower() or "map b" in words.lower()) for words, generated in seen)
    assert shown == [(0, False), (0, True), (2, True)]
    told = " ".join(words for words, _ in seen).lower()
    assert not any(word in told for word in ("grad", "exaggeration", "normal-0"))
