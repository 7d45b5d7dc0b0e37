"""The tools of the viewer in a real browser, on a page of their own: layouts, turning, measuring, drawing, touch."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from tests.browser.conftest import served

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]
PAGE = Path(__file__).with_name("viewer_page.py")
LIVE = "[...window.lightboxStores.values()].at(-1)"


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with served(tmp_path_factory.mktemp("home"), PAGE) as url:
        yield url


@pytest.fixture(scope="module")
def viewer_at(page, url):
    """Opens the viewer's page anew, with or without a known pixel spacing; returns the browser's page."""

    def opened(query: str = ""):
        page.goto(f"{url}/?{query}", wait_until="commit")
        page.locator(".viewer[data-ready]").wait_for()
        page.locator("figure.panel[data-map]").nth(2).wait_for()
        page.locator(".viewer").evaluate("viewer => viewer.focus({preventScroll: true})")
        return page

    return opened


@pytest.fixture
def media(page):
    """Answers requests for films and maps as a test says, until it ends."""
    yield lambda answer: page.route("**/media/**", answer)
    page.unroute("**/media/**")


def store(page, what: str):
    return page.evaluate(f"() => {LIVE}.{what}")


def press(page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def at(page, x: float, y: float, number: int = 0) -> tuple[float, float]:
    """A place on the screen, in shares of a panel's picture."""
    box = page.locator(".stage canvas >> visible=true").nth(number).bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def drag(page, *path: tuple[float, float]) -> None:
    page.mouse.move(*at(page, *path[0]))
    page.mouse.down()
    for place in path[1:]:
        page.mouse.move(*at(page, *place), steps=4)
    page.mouse.up()
    press(page)


def grey(page, x: float, y: float, number: int = 0) -> int:
    """Red of the pixel at shares (x, y) of a panel's canvas."""
    return (
        page.locator(".stage canvas")
        .nth(number)
        .evaluate(
            "(c, [x, y]) => c.getContext('2d').getImageData(x * c.width, y * c.height, 1, 1).data[0]",
            [x, y],
        )
    )


def marks(page, name: str) -> str:
    return page.locator(f".mark.{name} >> visible=true").first.inner_text()


def told(page, words: str) -> None:
    page.get_by_text(re.compile(f"told: .*{words}")).wait_for()


def test_panels_are_enlarged_laid_out_and_turned(viewer_at):
    page = viewer_at()
    shown = page.locator("figure.panel >> visible=true")
    assert shown.count() == 4
    small = page.locator(".stage").first.bounding_box()["width"]
    page.mouse.dblclick(*at(page, 0.5, 0.3, 1))
    press(page)
    assert shown.locator(".title").all_inner_texts() == ["Strong"]
    assert page.locator(".stage >> visible=true").bounding_box()["width"] > 1.3 * small
    press(page, "PageDown")
    assert shown.locator(".title").all_inner_texts() == ["Weak"]
    press(page, "Escape")
    for layout, count in (("1x1", 1), ("1x2", 2), ("2x2", 4), ("2x3", 4), ("auto", 4)):
        page.get_by_label("Layout").select_option(layout)
        press(page)
        assert shown.count() == count
    press(page, "f")
    page.wait_for_function("() => document.fullscreenElement")
    press(page)
    grid = page.locator(".viewer .grid").bounding_box()
    assert grid["y"] + grid["height"] <= page.evaluate("() => innerHeight"), "all panels are on one screen"
    page.locator(".viewer").evaluate("viewer => viewer.focus({preventScroll: true})")
    press(page, "f")
    page.wait_for_function("() => !document.fullscreenElement")
    page.get_by_label("Layout").select_option("1x2")
    page.get_by_role("button", name="Panels ›").click()
    press(page)
    assert shown.locator(".title").all_inner_texts() == ["Weak", "Other"]
    page.get_by_label("Layout").select_option("auto")
    page.locator(".viewer").evaluate("viewer => viewer.focus({preventScroll: true})")

    white = grey(page, 0.1, 0.1)
    assert white > 240
    assert (marks(page, "right"), page.locator(".mark.right").first.get_attribute("data-edge")) == ("R", "left")
    press(page, "h")
    assert grey(page, 0.9, 0.1) == white
    assert page.locator(".mark.right").first.get_attribute("data-edge") == "right"
    assert marks(page, "turned") == "flipped: display only"
    press(page, "h", ">")
    assert grey(page, 0.9, 0.1) == white, "turned clockwise, the left upper corner is at the right"
    assert page.locator(".mark.right").first.get_attribute("data-edge") == "top"
    assert marks(page, "turned") == "rotated 90°: display only"
    press(page, "+")
    x, y = at(page, 0.5, 0.5)
    was = store(page, "place")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y, steps=3)
    page.mouse.up()
    now = store(page, "place")
    assert now["y"] > was["y"], "to the right on the screen is up on a film turned clockwise"
    assert now["x"] == pytest.approx(was["x"], abs=1e-6)
    press(page, "0")
    assert store(page, "turn") == 0
    assert re.fullmatch(r"W 0\.\d\d L 0\.\d\d · 100 %|W 1\.00 L 0\.50 · 100 %", marks(page, "values"))
    page.keyboard.press("n")
    told(page, "step 1")
    page.keyboard.press("p")
    told(page, "step -1")


def test_lengths_and_the_cardiothoracic_ratio_with_and_without_spacing(viewer_at):
    for query, length in (("", "80 px"), ("spacing=1", "64.0 mm")):
        page = viewer_at(query)
        press(page, "r")
        drag(page, (0.2, 0.5), (0.4, 0.5))
        one = store(page, "measures[0]")
        assert (one["to"]["x"] - one["from"]["x"]) * 400 == pytest.approx(80, abs=1)
        hint = page.locator(".status .hint")
        assert ("No pixel spacing known" in hint.inner_text()) == (query == "")
        assert ("Not corrected for magnification" in hint.inner_text()) == (query != "")
        press(page, "c")
        drag(page, (0.3, 0.6), (0.6, 0.63))
        drag(page, (0.1, 0.7), (0.85, 0.7))
        assert re.search(r"Cardiothoracic ratio, by hand: 0\.40", hint.inner_text())
        heart = store(page, "measures[1]")
        assert heart["from"]["y"] == pytest.approx(heart["to"]["y"])
        drag(page, (0.85, 0.7), (0.7, 0.7))
        assert re.search(r"by hand: 0\.50", hint.inner_text()), "an end is moved"
        words = page.locator("figure.panel").first.evaluate(WORDS_ON_CANVAS)
        assert any(length in line for line in words)
        page.get_by_role("button", name="Clear measurements").click()
        assert store(page, "measures.length") == 0
        press(page, "Escape")


WORDS_ON_CANVAS = """
async () => {
  const seen = [];
  const was = CanvasRenderingContext2D.prototype.fillText;
  CanvasRenderingContext2D.prototype.fillText = function (words, ...rest) {
    seen.push(words);
    was.call(this, words, ...rest);
  };
  [...window.lightboxStores.values()].at(-1).changed();
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  CanvasRenderingContext2D.prototype.fillText = was;
  return seen;
}
"""


def test_a_region_is_drawn_edited_undone_rubbed_out_and_finished(viewer_at):
    page = viewer_at()
    page.get_by_role("button", name="Polygon").click()
    page.locator(".status .hint", has_text="Enter ends it, Esc drops it").first.wait_for()
    for place in ((0.2, 0.2), (0.6, 0.2), (0.6, 0.6), (0.3, 0.9)):
        page.mouse.click(*at(page, *place))
    drag(page, (0.3, 0.9), (0.2, 0.6))
    press(page, "Control+z", "Control+z", "Control+y", "Control+y", "Enter")
    told(page, "polygon")
    page.get_by_text(re.compile(r"area: 30[67]\d\d")).wait_for()  # 0.4 x 400 by 0.4 x 480 pixels
    page.get_by_role("button", name="Brush").click()
    press(page, "}", "}", "}")
    drag(page, (0.3, 0.5), (0.7, 0.5))
    page.get_by_role("button", name="Eraser").click()
    drag(page, (0.3, 0.5), (0.5, 0.5))
    page.get_by_role("button", name="Finish").click()
    told(page, "brush")
    rubbed = int(re.search(r"area: (\d+)", page.get_by_text("told:").inner_text())[1])
    radius = store(page, "brush") * 400
    assert rubbed == pytest.approx(2 * radius * 0.2 * 400, rel=0.2)
    press(page, "y")
    page.mouse.click(*at(page, 0.5, 0.5))
    press(page, "Escape", "Enter", "Escape", "Control+z")
    told(page, "undo")
    press(page, "Control+y")
    told(page, "redo")


def test_maps_share_a_scale_and_blink_and_the_readout_has_units(viewer_at):
    page = viewer_at()
    ends = page.locator(".ends >> visible=true")
    own = ends.all_inner_texts()
    press(page, "k")
    strong, weak, other = ends.all_inner_texts()
    assert strong == own[0]
    assert weak == strong != own[1]
    assert other == own[2], "arbitrary units are not compared"
    press(page, "k")
    page.mouse.move(*at(page, 0.3, 200 / 480, 1))
    press(page)
    film, strong, weak, other = page.locator(".readout").all_inner_texts()
    assert re.match(r"row 20\d, column 12\d · film 0\.\d{3} of 1\nNodule \(expert\)", film)
    assert re.search(r"map 2 share of the logit · Nodule \(expert\)", strong)
    press(page, "o")
    assert "expert" not in page.locator(".readout").first.inner_text()
    page.mouse.move(*at(page, 0.75, 300 / 480, 1))
    press(page)
    assert "Nodule (you)" in page.locator(".readout").first.inner_text(), "what one drew oneself stays"
    press(page, "o")
    plain = pictures(page)
    press(page, "z")
    assert all(a != b for a, b in zip(plain, pictures(page))), "the magnifier is on every panel"
    press(page, "z")
    page.mouse.move(5, 5)
    page.locator("summary", has_text="Maps").click()
    blink = page.get_by_label("Blink")
    for kind in ("film", "strong"):
        blink.select_option(kind)
        page.wait_for_function(f"() => !{LIVE}.blinkOn")
        press(page)
        words = page.locator("figure.panel").nth(2).locator(".mark.turned").inner_text()
        assert words == {"film": "film alone", "strong": "Strong"}[kind]
    blink.select_option("")
    press(page, "Escape")


def pictures(page) -> list[str]:
    press(page)
    return page.locator(".stage canvas").evaluate_all("all => all.map(canvas => canvas.toDataURL())")


def test_every_control_has_a_name_and_help_lists_every_key(viewer_at):
    page = viewer_at()
    nameless = page.locator(".viewer :is(button, select, input, summary)").evaluate_all(
        "all => all.filter(e => !(e.getAttribute('aria-label') || e.textContent.trim())).map(e => e.outerHTML)"
    )
    assert nameless == []
    press(page, "?")
    keys = page.get_by_role("dialog", name="Keys and mouse").locator("dt").all_inner_texts()
    for key in "0 1 i z h j m s k o b l f p n x y u e r c v".split():
        assert any(re.search(rf"(^|[ ,]){key}([ ,]|$)", line) for line in keys), key
    press(page, "Escape")
    page.get_by_role("dialog", name="Keys and mouse").wait_for(state="hidden")
    for width in (820, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        press(page)
        cut = page.locator(".viewer :is(button, select, summary, .mark, .title, .hint)").evaluate_all(
            "all => all.filter(e => e.offsetWidth && e.scrollWidth > e.clientWidth + 1).map(e => e.outerHTML)"
        )
        assert cut == [], width
        assert page.locator(".stage").first.bounding_box()["width"] >= 210
    page.set_viewport_size({"width": 1280, "height": 900})


def test_a_film_that_did_not_arrive_is_asked_for_again(page, url, media):
    media(lambda route: route.fulfill(status=404))
    page.goto(url, wait_until="commit")
    words = page.get_by_text("The film did not arrive")
    words.wait_for()
    page.unroute("**/media/**")
    page.get_by_text("Solid outlines").click()
    words.wait_for(state="detached")
    page.locator("figure.panel[data-map]").nth(2).wait_for()
    assert page.locator(".viewer[data-error]").count() == 0
    film, *maps = pictures(page)
    assert film not in maps, "a map is not drawn"


def test_a_map_that_takes_long_is_said_to_be_loading(page, url, media):
    media(lambda route: None)
    page.goto(url, wait_until="commit")
    loading = page.get_by_text("Loading the map")
    loading.first.wait_for(state="attached")
    assert page.locator("figure.panel[data-map]").count() == 0
    page.unroute("**/media/**")  # lets those through that wait
    page.locator("figure.panel[data-map]").nth(2).wait_for()
    loading.first.wait_for(state="detached")
    assert page.get_by_text("did not arrive").count() == 0


def touch(devtools, steps: list[list[tuple[float, float]]]) -> None:
    """Fingers come down at the first of ``steps``, move along the others, and are lifted."""
    for number, places in enumerate(steps):
        points = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(places)]
        kind = "touchMove" if number else "touchStart"
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        time.sleep(0.02)
    devtools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_one_finger_scrolls_the_page_and_two_fingers_zoom(viewer_at):
    page = viewer_at()
    devtools = page.context.new_cdp_session(page)
    devtools.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 2})
    x, y = at(page, 0.5, 0.8)
    top = page.locator(".stage").first.bounding_box()["y"]
    touch(devtools, [[(x, y - 25 * step)] for step in range(11)])
    page.wait_for_timeout(300)
    assert page.locator(".stage").first.bounding_box()["y"] < top - 100
    assert store(page, "place.zoom") == 1
    x, y = at(page, 0.5, 0.6)
    touch(devtools, [[(x - d, y), (x + d, y)] for d in (30, 60, 90)])
    press(page)
    assert store(page, "place.zoom") == pytest.approx(3, rel=0.1)
    devtools.send("Emulation.setTouchEmulationEnabled", {"enabled": False})
