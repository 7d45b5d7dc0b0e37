"""Library, method cards, settings and the tour in a real browser."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.browser.conftest import known_truth_model

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not known_truth_model(), reason="needs the known-truth model's weights in assets/models"),
]


@pytest.fixture(scope="module", autouse=True)
def started(page, address):
    """The dashboard has been opened once."""
    page.goto(f"{address}/?seed=1", wait_until="commit")
    page.get_by_role("link", name="About").first.wait_for()


def settle(page) -> None:
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    page.wait_for_timeout(500)


def no_failure(page) -> None:
    assert page.locator("[data-testid=stException]").count() == 0


def test_the_tour_is_offered_once_and_never_on_a_link(page, address):
    page.goto(f"{address}/?film=known-truth/mass-01", wait_until="commit")
    page.get_by_text("known-truth/mass-01").first.wait_for()
    assert page.get_by_text("Step 1 of 5").count() == 0
    page.goto(f"{address}/no-such-page", wait_until="commit")
    page.get_by_text("Page not found").first.wait_for()
    settle(page)
    assert page.get_by_text("Step 1 of 5").count() == 0
    page.goto(address, wait_until="commit")
    for number in range(1, 5):
        page.get_by_text(f"Step {number} of 5").wait_for()
        page.get_by_role("button", name="Next").click()
    page.get_by_text("Step 5 of 5").wait_for()
    page.get_by_role("button", name="Begin").click()
    page.get_by_text("Step 5 of 5").wait_for(state="detached")
    page.goto(address, wait_until="commit")
    page.get_by_role("button", name="Run").wait_for()
    settle(page)
    assert page.get_by_role("dialog").count() == 0
    page.goto(f"{address}/about", wait_until="commit")
    page.get_by_role("button", name="Take the tour").click()
    page.get_by_text("Step 1 of 5").wait_for()
    page.keyboard.press("Escape")
    page.get_by_text("Step 1 of 5").wait_for(state="detached")
    no_failure(page)


def test_a_card_links_to_its_page_with_a_live_example_and_on_to_compare(page, address):
    page.goto(f"{address}/methods", wait_until="commit")
    page.get_by_role("link", name="HiResCAM").click()
    page.get_by_text("When it misleads").wait_for()
    page.wait_for_url("**method=hires-cam**")
    page.locator("img[alt^='HiResCAM map']").wait_for()
    page.get_by_role("link", name="All methods").click()
    page.get_by_text("Perturb the film").wait_for()
    page.go_back()
    page.get_by_role("button", name="Compare it with others").click()
    page.get_by_role("heading", name="Compare explanations").wait_for()
    page.locator("[data-testid=stSidebar]").get_by_text("HiResCAM").first.wait_for()
    no_failure(page)


def test_settings_hold_for_the_next_visit(page, address):
    page.goto(f"{address}/settings", wait_until="commit")
    page.get_by_role("textbox", name="Your name as a reader").fill("Reader A")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved.").wait_for()
    page.goto(f"{address}/settings", wait_until="commit")
    page.get_by_role("textbox", name="Your name as a reader").wait_for()
    assert page.get_by_role("textbox", name="Your name as a reader").input_value() == "Reader A"
    page.get_by_role("button", name="Back to the usual settings").click()
    page.get_by_text("The usual settings hold again.").wait_for()
    assert page.get_by_role("textbox", name="Your name as a reader").input_value() == ""


def test_a_folder_is_added_opened_and_taken_off(page, address, tmp_path):
    rng = np.random.default_rng(0)
    for name in ("one", "two"):
        Image.fromarray(rng.integers(0, 255, (96, 80), dtype=np.uint8)).save(tmp_path / f"{name}.png")
    (tmp_path / "broken.dcm").write_bytes(b"no film")
    page.goto(f"{address}/library?part=folder", wait_until="commit")
    page.get_by_label("Folder on this computer").fill(str(tmp_path))
    page.get_by_role("button", name="Scan folder").click()
    page.get_by_text("2 films read").wait_for()
    page.get_by_role("button", name="Add to the library").click()
    page.get_by_text("The folder was added as folder-1").wait_for()
    settle(page)
    page.get_by_role("radio", name="Films").or_(page.get_by_role("button", name="Films")).first.click()
    page.get_by_text("2 films, 0 outlined").wait_for()
    page.get_by_role("button", name="Take off the list").click()
    page.get_by_role("button", name="Remove", exact=True).click()
    page.get_by_text("2 films, 0 outlined").wait_for(state="detached")
    assert (tmp_path / "one.png").is_file()
    no_failure(page)
