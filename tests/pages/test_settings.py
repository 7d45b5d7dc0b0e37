"""The settings page: what is saved is there again, and a damaged file or a full disk is said in words."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.settings import settings
from dashboard.settings.settings import SettingsError, UserSettings
from tests.pages.conftest import APP


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def opened() -> AppTest:
    page = AppTest.from_file(APP, default_timeout=60).run()
    return page.switch_page("pages/settings.py").run()


def save(page: AppTest) -> AppTest:
    return next(b for b in page.button if b.label == "Save").click().run()


def test_what_is_saved_holds_in_another_session(registries):
    page = opened()
    assert not page.exception
    page.selectbox(key="set_model").select("tiny")
    page.multiselect(key="set_methods").set_value(["grad-cam", "rise"])
    page.toggle(key="set_hide").set_value(True)
    page.text_input(key="set_reader").set_value("Reader A")
    save(page)
    assert not page.exception
    assert "Saved." in page.success[0].value
    assert settings.load() == UserSettings("tiny", ("grad-cam", "rise"), True, "Reader A", False)
    other = opened()
    assert other.selectbox(key="set_model").value == "tiny"
    assert other.multiselect(key="set_methods").value == ["grad-cam", "rise"]
    assert other.toggle(key="set_hide").value
    assert other.text_input(key="set_reader").value == "Reader A"


def test_the_usual_methods_are_left_to_the_page(registries):
    save(opened())
    assert settings.load().default_methods == ()


def test_back_to_the_usual_keeps_that_the_tour_was_seen(registries):
    settings.save(UserSettings("tiny", ("rise",), True, "A", True))
    page = opened()
    page.button(key="reset_settings").click().run()
    assert not page.exception
    assert settings.load() == UserSettings(tour_seen=True)
    assert not page.toggle(key="set_hide'").value
    assert page.text_input(key="set_reader'").value == ""


def test_names_of_what_is_gone_are_left_out(registries):
    settings.save(UserSettings("gone", ("gone", "lime")))
    page = opened()
    assert not page.exception
    assert page.selectbox(key="set_model").value == ""
    assert page.multiselect(key="set_methods").value == ["lime"]


def test_a_damaged_file_is_said_and_mended_by_saving(registries, home):
    home.mkdir()
    (home / "settings.json").write_text("{")
    page = opened()
    assert not page.exception
    assert "cannot be read" in page.warning[0].value
    save(page)
    page.run()
    assert not page.warning


def test_where_nothing_can_be_written_it_says_so(registries, monkeypatch):
    def fail(wanted):
        raise SettingsError("the disk is full; make room")

    page = opened()
    monkeypatch.setattr(settings, "save", fail)
    save(page)
    assert not page.exception
    assert page.error[0].value == "The disk is full; make room."
