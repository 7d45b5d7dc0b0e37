"""The readers' page: the code, a case at a time, nothing told of the arms, nothing lost."""

from __future__ import annotations

import errno
import os

import pytest
from streamlit.testing.v1 import AppTest

from evaluation.reader_study.store import StudyStore
from tests.evaluation.reader_study.made import made_study, tiny_world  # noqa: F401
from tests.pages.conftest import APP


@pytest.fixture
def store(registries, tiny_world) -> StudyStore:  # noqa: F811
    return StudyStore.create(made_study(6))


def opened() -> AppTest:
    page = AppTest.from_file(APP, default_timeout=60).run()
    return page.switch_page("pages/study.py").run()


def said(page: AppTest) -> str:
    elements = (*page.warning, *page.info, *page.error, *page.caption, *page.markdown, *page.success)
    return "\n".join(str(e.value) for e in elements)


def entered(store: StudyStore) -> AppTest:
    code = store.add_readers(1)[1]
    page = opened()
    page.text_input(key="reader_code").set_value(code)
    next(button for button in page.button if "Begin, or go on" in button.label).click()
    return page.run().button(key="study_begin").click().run()


def answer(page: AppTest, *, present: bool = False) -> AppTest:
    for radio in page.radio:
        radio.set_value(3 if radio.key.endswith("usefulness") else present)
    return page.button(key="study_answer").click().run()


def test_without_a_study_the_page_says_how_to_open_one(registries, tiny_world):  # noqa: F811
    page = opened()
    assert not page.exception
    assert "lightbox study open" in said(page)


def test_a_wrong_code_is_a_sentence(store):
    page = opened()
    page.text_input(key="reader_code").set_value("AAAABBBB")
    next(button for button in page.button if "Begin, or go on" in button.label).click()
    page.run()
    assert "No reader of this study has that code" in said(page)
    assert not page.radio


def test_a_reader_reads_from_practice_to_the_end_and_is_told_no_arm(store):
    page, seen = entered(store), []
    assert "A practice case" in said(page)
    for place in range(8):
        assert not page.exception, page.exception
        seen.append(said(page) + " ".join(radio.label for radio in page.radio))
        page = answer(page)
        if place == 0:
            assert "This was practice" in said(page)
            page = page.button(key="study_go_on").click().run()
    assert "You have read all cases" in said(page)
    told = "\n".join(seen).lower()
    assert "map a" in told
    assert "map b" in told
    assert not any(word in told for word in ("grad", "random", "film-0"))
    assert store.turn(1).trial is None
    assert all(one.given["present"] is False for one in store.answers(1).values())


def test_what_is_missing_is_said_and_nothing_is_stored(store):
    page = entered(store)
    page = page.button(key="study_answer").click().run()
    assert "Please say whether the finding is there" in said(page)
    for radio in page.radio:
        radio.set_value(3 if radio.key.endswith("usefulness") else True)
    page = page.button(key="study_answer").click().run()
    assert "Please say where it is" in said(page)
    assert store.answers(1) == {}


def test_a_full_disk_keeps_the_answer_on_the_page(store, monkeypatch):
    page = entered(store)

    def full(number: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        page = answer(page)
    assert "Your answer is not stored yet: the disk is full" in said(page)
    assert page.radio[0].value is False
    page = page.button(key="study_answer").click().run()
    assert "This was practice" in said(page)
    assert len(store.answers(1)) == 1


def test_answers_may_be_changed_only_where_the_study_lets_them(registries, tiny_world):  # noqa: F811
    store = StudyStore.create(made_study(6, further='back = true\nquestions = ["present"]'))
    page = answer(entered(store))
    page = page.button(key="study_go_on").click().run()
    page = answer(page)
    page = page.button(key="study_back").click().run()
    page = answer(page, present=True)
    assert store.answers(1)[2].given["present"] is True
    assert store.turn(1).done == 2


def test_time_runs_out_and_the_study_closes_over_an_open_page(registries, tiny_world, monkeypatch):  # noqa: F811
    store = StudyStore.create(made_study(6, further='seconds_per_case = 5\nquestions = ["present"]'))
    page = entered(store)
    assert "seconds left for this film" in said(page)
    page.session_state["study began"] = page.session_state["study began"] - 60
    assert "The time for this film is over" in said(page.run())
    store.close()
    page = answer(page)
    assert not page.exception
    assert store.answers(1) == {}
