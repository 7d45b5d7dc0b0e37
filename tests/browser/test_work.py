"""In a real browser: work goes on through a reload, maps outlive the server, regions are scored, links reproduce."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import PATIENCE, idle, known_truth_model, served

FILM = "film=known-truth/mass-02&model=known-truth"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.skipif(not known_truth_model(), reason="needs the known-truth model's weights in assets/models"),
]


def drawn(page, count: int) -> None:
    """Wait until this many maps are on the screen and the page rests."""
    page.locator("figure.panel[data-map]").nth(count - 1).wait_for(timeout=2 * PATIENCE * 1000)
    idle(page)
    assert page.locator("figure.panel[data-map]").count() == count


def notes(page) -> list[str]:
    return page.locator("figure.panel[data-map] .note").all_inner_texts()


def canvases(page) -> list[str]:
    page.mouse.move(5, 5)
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return page.locator("figure.panel .stage canvas").evaluate_all("all => all.map(canvas => canvas.toDataURL())")


def test_running_work_goes_on_through_a_reload_and_ends(page, address):
    page.goto(f"{address}/?{FILM}&finding=Mass&method=rise&set=rise.masks:800", wait_until="commit")
    page.get_by_role("button", name="Run", exact=True).click()
    running = page.get_by_text(re.compile(r"\d+ ?% · \d+ s")).first
    running.wait_for()
    page.wait_for_timeout(3000)
    page.reload(wait_until="commit")
    page.locator("figure.panel[data-map]").first.wait_for(timeout=2 * PATIENCE * 1000)
    seconds = re.match(r"([\d.]+) s", notes(page)[0])
    assert float(seconds[1]) > 3, "the map was begun anew after the reload"


def test_cancel_stops_what_runs_and_what_waits(page, address):
    slow = "method=rise&set=rise.masks:20000&method=occlusion&method=lime&set=lime.samples:5000&seed=4"
    page.goto(f"{address}/?{FILM}&finding=Mass&{slow}", wait_until="commit")
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_text(re.compile(r"\d+ ?% · \d+ s")).first.wait_for()
    page.get_by_role("button", name="Stop here").click()
    words = page.get_by_text("Cancelled. Press Run to start it again.")
    words.first.wait_for()
    page.locator("figure.panel .veil progress").first.wait_for(state="detached")
    idle(page)
    assert page.locator("figure.panel .veil progress").count() == 0
    assert words.count() >= 2
    page.get_by_role("button", name="Stop here", disabled=True).wait_for()


def test_maps_are_there_at_once_after_the_server_was_started_again(page, tmp_path):
    asked = f"{FILM}&finding=Mass&method=grad-cam&method=lime&set=lime.samples:100&set=lime.n_superpixels:20"
    with served(tmp_path, XAI_LIGHTBOX_KEEP_MB="64") as first:
        page.goto(f"{first}/?{asked}", wait_until="commit")
        page.get_by_role("button", name="Run", exact=True).click()
        drawn(page, 2)
        before, pictures = notes(page), canvases(page)
    with served(tmp_path, XAI_LIGHTBOX_KEEP_MB="64") as second:
        page.goto(f"{second}/?{asked}&run=1", wait_until="commit")
        drawn(page, 2)
        assert notes(page) == before, "a map was computed again"
        assert canvases(page) == pictures


def test_a_region_is_drawn_scored_against_and_undone(page, address):
    page.goto(f"{address}/?{FILM}&finding=Nodule&method=grad-cam&run=1", wait_until="commit")
    drawn(page, 1)
    page.get_by_text("No reference annotation for nodule on this film").wait_for()
    assert page.get_by_text("Agreement with the annotation").count() == 0
    page.get_by_role("button", name="Box", exact=True).click()
    box = page.locator("figure.panel .stage canvas").first.bounding_box()
    x, y = box["x"] + 0.3 * box["width"], box["y"] + 0.4 * box["height"]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 70, y + 60, steps=5)
    page.mouse.up()
    page.get_by_text("Your regions (1)").wait_for()
    page.get_by_text("Agreement with the annotation").first.wait_for()
    page.locator("[data-testid=stDataFrame]").filter(has_text="Uniform map").first.wait_for()
    page.get_by_text("Your regions (1)").click()
    page.get_by_role("button", name="DICOM SEG").wait_for()
    idle(page)
    page.get_by_role("button", name="Undo the last").click()
    page.get_by_text("Your regions (0)").wait_for()
    page.get_by_text("No reference annotation for nodule on this film").wait_for()


def test_a_link_shows_the_same_view_elsewhere(page, address):
    page.goto(f"{address}/?{FILM}&finding=Mass&method=grad-cam&method=jacobian&seed=3&run=1", wait_until="commit")
    drawn(page, 2)
    page.get_by_role("button", name="Positive and negative").click()
    page.wait_for_url("**part=signed**")
    idle(page)
    shown, link = canvases(page), page.url
    other = page.context.browser.new_page(viewport=page.viewport_size)
    other.set_default_timeout(PATIENCE * 1000)
    other.goto(link, wait_until="commit")
    drawn(other, 2)
    assert canvases(other) == shown
    assert other.get_by_role("spinbutton", name="Seed").input_value() == "3"
    other.close()
