"""The viewer in a real browser: linked panels, window and level, overlay, keys, drawing; nothing asks the server."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import idle, known_truth_model

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not known_truth_model(), reason="needs the known-truth model's weights in assets/models"),
]
ASKED = "film=known-truth/mass-01&model=known-truth&method=grad-cam&method=jacobian&run=1"


@pytest.fixture(scope="module")
def viewer(page, address):
    """A viewer with the film, Grad-CAM and the Jacobian."""
    page.goto(f"{address}/?{ASKED}", wait_until="commit")
    page.locator("canvas[aria-label^='Jacobian sensitivity map']").wait_for()
    page.locator("canvas[aria-label^='Grad-CAM map']").wait_for()
    page.locator("[data-testid=stDataFrame]").filter(has_text="Uniform map").first.wait_for()
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    page.wait_for_timeout(1500)
    return page


@pytest.fixture(autouse=True)
def fresh(viewer):
    """Each test begins with the whole film, in its own window."""
    viewer.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    viewer.mouse.move(5, 5)
    viewer.locator(".viewer").focus()
    for key in ("Escape", "0"):
        viewer.keyboard.press(key)
    settle(viewer)


def settle(page) -> None:
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def pictures(page) -> list[str]:
    settle(page)
    return page.locator(".viewer .stage canvas").evaluate_all("all => all.map(canvas => canvas.toDataURL())")


def store(page, what: str):
    return page.evaluate(f"() => [...window.lightboxStores.values()].at(-1).{what}")


def centre(page, number: int, x: float = 0.5, y: float = 0.5) -> tuple[float, float]:
    box = page.locator(".viewer .stage canvas").nth(number).bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def test_the_wheel_zooms_all_panels_at_the_cursor_and_a_key_resets(viewer):
    before = pictures(viewer)
    viewer.mouse.move(*centre(viewer, 1, 0.25, 0.75))
    viewer.mouse.wheel(0, -600)
    after = pictures(viewer)
    assert len(before) == 3
    assert all(a != b for a, b in zip(before, after))
    place = store(viewer, "place")
    assert place["zoom"] > 2
    assert (0.25 - place["x"]) * place["zoom"] + 0.5 == pytest.approx(0.25, abs=0.01)
    viewer.keyboard.press("0")
    settle(viewer)
    assert store(viewer, "place.zoom") == 1


def test_dragging_moves_the_film_under_the_hand(viewer):
    viewer.keyboard.press("+")
    viewer.keyboard.press("+")
    x, y = centre(viewer, 0)
    was = store(viewer, "place")
    viewer.mouse.move(x, y)
    viewer.mouse.down()
    viewer.mouse.move(x - 25, y - 10, steps=4)
    viewer.mouse.up()
    now = store(viewer, "place")
    width = viewer.locator(".viewer .stage canvas").first.bounding_box()["width"]
    assert (now["x"] - was["x"]) * now["zoom"] * width == pytest.approx(25, abs=1)
    assert now["y"] > was["y"]


def test_a_right_drag_changes_window_and_level_of_the_film_only(viewer):
    viewer.keyboard.press("m")
    viewer.keyboard.press("m")
    film, cam, _ = pictures(viewer)
    was = store(viewer, "window")
    x, y = centre(viewer, 0)
    viewer.mouse.move(x, y)
    viewer.mouse.down(button="right")
    viewer.mouse.move(x + 60, y, steps=4)
    viewer.mouse.up(button="right")
    viewer.mouse.move(5, 5)
    low, high = store(viewer, "window")
    assert high - low > was[1] - was[0]
    now = pictures(viewer)
    assert now[0] != film
    assert now[1] == cam, "a map shown alone does not depend on the film's window"
    viewer.keyboard.press("m")


def test_keys_invert_and_choose_windows(viewer):
    was = store(viewer, "window")
    viewer.keyboard.press("2")
    assert store(viewer, "window") != was
    viewer.keyboard.press("4")
    assert store(viewer, "window") == [0, 1]
    normal = pictures(viewer)[0]
    viewer.keyboard.press("i")
    assert pictures(viewer)[0] != normal


def test_the_readout_names_film_map_and_the_experts_label(viewer):
    viewer.mouse.move(*centre(viewer, 1, 0.3, 0.6))
    settle(viewer)
    words = viewer.locator(".viewer .readout").all_inner_texts()
    assert all(re.match(r"row \d+, column \d+ · film 0\.\d{3} of 1", line) for line in words)
    assert "map" in words[1]
    assert "map" not in words[0]


LOOK = """
async root => {
  const frame = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  const pictures = () => [...root.querySelectorAll(".stage canvas")].map(canvas => canvas.toDataURL());
  let runs = 0;
  const app = document.querySelector("[data-testid=stApp]");
  new MutationObserver(() => runs++).observe(app, { attributeFilter: ["data-test-script-state"] });
  const seen = [pictures()];
  for (const mode of ["map", "contour"]) {
    root.querySelector(`button[data-mode=${mode}]`).click();
    await frame();
    seen.push(pictures());
  }
  root.querySelector("button[data-mode=overlay]").click();
  return { seen, runs };
}
"""


def test_looking_differently_changes_the_maps_without_a_run_of_the_page(viewer):
    found = viewer.locator(".viewer").evaluate(LOOK)
    first, second, third = found["seen"]
    assert len({first[1], second[1], third[1]}) == 3
    assert first[0] == second[0] == third[0]
    assert found["runs"] == 0
    viewer.wait_for_timeout(2500)
    assert "show=" not in viewer.url


def test_a_drawn_box_arrives_as_a_region(viewer):
    before = centre(viewer, 0)[1]
    viewer.get_by_role("button", name="Box").click()
    x, y = centre(viewer, 0, 0.3, 0.3)
    viewer.mouse.move(x, y)
    viewer.mouse.down()
    viewer.mouse.move(x + 60, y + 80, steps=5)
    viewer.mouse.up()
    viewer.get_by_text("Your regions (1)").wait_for()
    assert store(viewer, "tool") == "pan"
    viewer.get_by_text("Dashed yellow: mass, you").first.wait_for()
    assert abs(centre(viewer, 0)[1] - before) < 2, "a region pushes nothing down"
    viewer.reload(wait_until="commit")
    viewer.get_by_text("Your regions (1)").wait_for()
    viewer.locator("canvas[aria-label^='Jacobian sensitivity map']").wait_for()
    idle(viewer)
    viewer.locator(".viewer").focus()
    viewer.keyboard.press("Control+z")
    viewer.get_by_text("Your regions (0)").wait_for()


def test_help_opens_and_closes(viewer):
    viewer.keyboard.press("?")
    viewer.get_by_role("dialog", name="Keys and mouse").wait_for()
    viewer.keyboard.press("Escape")
    viewer.get_by_role("dialog", name="Keys and mouse").wait_for(state="hidden")
