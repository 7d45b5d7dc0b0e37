"""The stability page in a real browser: the study runs, and the slider moves film and probabilities."""

from __future__ import annotations

import pytest

from tests.browser.conftest import PATIENCE, known_truth_model

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]


def picture_of(page, words: str) -> bytes:
    image = page.locator(f"img[alt^='{words}']").first
    image.wait_for()
    return page.request.get(image.evaluate("image => image.src")).body()


@pytest.mark.skipif(not known_truth_model(), reason="needs the known-truth model's weights in assets/models")
def test_the_slider_moves_the_film_and_the_probabilities(page, address):
    page.goto(address, wait_until="commit")
    page.get_by_role("link", name="Stability").wait_for()
    page.goto(f"{address}/stability?film=known-truth/mass-03&model=known-truth", wait_until="commit")
    # A link alone starts nothing that takes long.
    page.get_by_role("button", name="Compute", exact=True).click()
    page.get_by_text("Everyday changes of a film").first.wait_for(timeout=2 * PATIENCE * 1000)
    page.get_by_text("known-truth/mass-03").first.wait_for()
    before = picture_of(page, "Film at +0.0 grey levels")
    thumb = page.get_by_role("slider").first
    thumb.focus()
    for _ in range(5):
        thumb.press("ArrowRight")
    after = picture_of(page, "Film at +1.0 grey levels")
    assert before != after
    page.get_by_text("The mathematics").first.click()
    page.locator("[data-testid=stVegaLiteChart]").nth(5).wait_for()
    assert page.locator("[data-testid=stException]").count() == 0
    page.get_by_role("button", name="Report (HTML)").wait_for()
