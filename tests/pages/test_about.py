"""The about page, and the tour: offered once, on a first visit without a link, and gone for good once it is closed."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.settings import settings
from dashboard.settings.settings import UserSettings
from dashboard.shared import tour
from tests.pages.conftest import APP

ROOT = Path(APP).parent

pytestmark = pytest.mark.usefixtures("through_app")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path / "home"))


def opened(**query: str) -> AppTest:
    page = AppTest.from_file(APP, default_timeout=60)
    for key, value in query.items():
        page.query_params[key] = value
    return page.run()


def step(page: AppTest) -> int | None:
    found = [c.value for c in page.caption if c.value.startswith("Step ")]
    return int(found[0].split()[1]) if found else None


def test_the_about_page_says_what_it_is_for(registries):
    page = opened(seed="1").switch_page("pages/about.py").run()
    assert not page.exception
    words = "\n".join(str(m.value) for m in page.markdown)
    assert "not for diagnosis" in words
    assert "torch " in words


def test_the_about_page_leads_to_every_other_page():
    about = (ROOT / "pages" / "about.py").read_text(encoding="utf-8")
    assert [
        p.name for p in (ROOT / "pages").glob("*.py") if p.stem != "about" and f'"pages/{p.name}"' not in about
    ] == []


def test_a_first_visit_is_offered_the_tour_once(registries):
    page = opened()
    assert step(page) == 1
    for number in range(2, len(tour.STEPS) + 1):
        page.button(key="tour_next").click().run()
        assert step(page) == number
    page.button(key="tour_back").click().run()
    assert step(page) == len(tour.STEPS) - 1
    page.button(key="tour_next").click().run()
    assert not settings.load().tour_seen
    page.button(key="tour_done").click().run()
    assert not page.exception
    assert step(page) is None
    assert settings.load().tour_seen
    assert step(opened()) is None


def test_skipping_ends_it_for_good(registries):
    settings.save(UserSettings(reader="A"))
    page = opened()
    page.button(key="tour_skip").click().run()
    assert step(page) is None
    assert settings.load() == UserSettings(reader="A", tour_seen=True)


def test_a_link_is_never_in_the_way_of(registries):
    page = opened(film="tiny-films/film-1")
    assert step(page) is None
    page.switch_page("pages/about.py").run()
    assert step(page) is None
    assert not settings.load().tour_seen


def test_about_begins_the_tour_again(registries):
    settings.save(UserSettings(tour_seen=True))
    page = opened().switch_page("pages/about.py").run()
    assert step(page) is None
    page.button(key="begin_tour").click().run()
    assert not page.exception
    assert step(page) == 1


def test_where_nothing_can_be_written_the_tour_ends_all_the_same(registries, monkeypatch):
    def fail(wanted):
        raise settings.SettingsError("full")

    monkeypatch.setattr(tour.settings, "save", fail)
    page = opened()
    page.button(key="tour_skip").click().run()
    assert not page.exception
    assert step(page) is None


def test_the_tour_takes_less_than_a_minute():
    words = sum(len(f"{step.title} {step.text}".split()) for step in tour.STEPS)
    assert len(tour.STEPS) == 5
    assert words / 238 < 1, "238 words a minute: Brysbaert 2019, doi 10.1016/j.jml.2019.104047"
