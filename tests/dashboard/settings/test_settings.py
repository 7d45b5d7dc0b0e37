"""Settings outlive the program, and a damaged file costs no more than itself."""

from __future__ import annotations

import json
import threading

import pytest

from dashboard.settings import settings
from dashboard.settings.settings import SettingsError, UserSettings


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_what_is_saved_is_read_again(home):
    kept = UserSettings("nih14", ("lime", "grad-cam"), True, "Dr. Ö", True)
    settings.save(kept)
    assert settings.read() == (kept, "")
    assert [path.name for path in home.iterdir()] == ["settings.json"]


def test_without_a_file_the_usual_settings_hold():
    assert settings.read() == (UserSettings(), "")


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b'"x"', b" " * 70_000, b"[" * 60_000])
def test_a_damaged_file_gives_the_usual_settings_and_a_word(home, content):
    home.mkdir()
    (home / "settings.json").write_bytes(content)
    found, words = settings.read()
    assert found == UserSettings()
    assert "settings.json" in words
    settings.save(UserSettings(reader="A"))
    assert settings.read() == (UserSettings(reader="A"), "")


def test_one_senseless_value_leaves_the_others(home):
    home.mkdir()
    content = {"hide_outline": "yes", "default_methods": ["lime", 3], "reader": "B", "of a later version": 1}
    (home / "settings.json").write_text(json.dumps(content))
    found, words = settings.read()
    assert found == UserSettings(reader="B")
    assert "hide outline" in words
    assert "default methods" in words


def test_a_name_is_one_short_line():
    settings.save(UserSettings(reader="  a\n b " + "x" * 100))
    assert settings.load().reader == ("a b " + "x" * 100)[: settings.LONGEST_NAME]


def test_a_place_that_cannot_be_written_says_so(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path / "file" / "below"))
    with pytest.raises(SettingsError, match="XAI_LIGHTBOX_HOME"):
        settings.save(UserSettings())


def test_many_writers_never_leave_half_a_file():
    seen = []

    def write(number: int) -> None:
        for _ in range(20):
            settings.save(UserSettings(reader=f"{number}" * settings.LONGEST_NAME))
            seen.append(settings.read()[1])

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(seen) == {""}
    assert len(set(settings.load().reader)) == 1
