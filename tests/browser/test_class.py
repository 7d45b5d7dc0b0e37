"""A teacher and five students in browsers of their own: join, answer, late join, reload, reveal, results."""

from __future__ import annotations

import re
import time

import pytest

from tests.browser.conftest import PATIENCE, known_truth_model, served

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.skipif(not known_truth_model(), reason="needs the known-truth model's weights in assets/models"),
]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def opened(browser, address: str, **options):
    page = browser.new_context(**options).new_page()
    page.set_default_timeout(PATIENCE * 1000)
    page.goto(address, wait_until="commit")
    return page


def join(browser, address: str, code: str, name: str):
    page = opened(browser, f"{address}/class?room={code}", **PHONE)
    page.get_by_role("textbox", name="Nickname").fill(name)
    page.get_by_role("button", name="Join").click()
    page.get_by_text(f"{name} in class {code}").wait_for()
    return page


def press(teacher, name: str) -> None:
    teacher.get_by_role("button", name=name, exact=False).first.click()


def test_a_class_from_joining_to_its_results(page, tmp_path):
    browser = page.context.browser
    with served(tmp_path) as address:
        teacher = opened(browser, f"{address}/class", viewport={"width": 1920, "height": 1080})
        teacher.locator(".st-key-teach-where-would-you-look button").click()
        teacher.get_by_role("button", name="Reveal").wait_for()
        code = re.search("room=([A-Z]{6})", teacher.url)[1]
        students = [join(browser, address, code, name) for name in ("Ada", "Bob", "Cleo", "Dan")]
        teacher.get_by_text("4 students").wait_for()

        press(teacher, "Next")
        for student in students:
            student.get_by_text("Where is the mass?").wait_for()
        late = join(browser, address, code, "Eve")
        late.get_by_text("Where is the mass?").wait_for()
        for number, student in enumerate([*students, late]):
            film = student.locator(".marking img")
            film.wait_for()
            box = film.bounding_box()
            student.touchscreen.tap(box["x"] + (0.25 + 0.1 * number) * box["width"], box["y"] + 0.4 * box["height"])
            student.get_by_text("Your answer has arrived").wait_for()
        teacher.get_by_text("5 of 5 have answered.").wait_for()
        assert "What the class marked" not in teacher.locator("body").inner_text()

        students[0].reload()
        students[0].get_by_text("Your answer has arrived").wait_for()
        students[0].locator(".marking svg .mark").first.wait_for(state="attached")

        teacher.keyboard.press("s")
        start = time.monotonic()
        for student in [*students, late]:
            student.get_by_text("What the class marked").wait_for()
        seconds = time.monotonic() - start
        assert "The class" not in students[1].locator("table").all_inner_texts()
        press(teacher, "Show all")
        for student in [*students, late]:
            student.get_by_text("Jacobian sensitivity").first.wait_for()
            student.get_by_text("Your mark lies").wait_for()
        teacher.get_by_text(re.compile(r"\d of 5 right")).wait_for()

        press(teacher, "End")
        teacher.get_by_role("button", name="End the class").click()
        students[2].get_by_text("The class has ended").wait_for()
        with teacher.expect_download() as download:
            teacher.get_by_role("button", name="Results (CSV)").click()
        lines = download.value.path().read_text().splitlines()
        assert lines[0] == "student,step,question,answer,right"
        assert [line.split(",")[0] for line in lines[1:]] == ["Ada", "Bob", "Cleo", "Dan", "Eve"]
        with teacher.expect_download() as download:
            teacher.get_by_role("button", name="One page (PDF)").click()
        assert download.value.path().read_bytes().startswith(b"%PDF")
        for one in (teacher, *students, late):
            one.context.close()
    assert seconds < 20, "each page follows by itself, also on a busy machine"
