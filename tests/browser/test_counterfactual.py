"""The counterfactual page in a real browser: slider and animation move film, difference and figures at once."""

from __future__ import annotations

import pytest

from classifiers.registry import list_models

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        not any(entry.name == "nih14-localised" and entry.available for entry in list_models()),
        reason="needs the nih14-localised model's weights in assets/models",
    ),
]
ASKED = "film=known-truth/mass-04&model=nih14-localised&finding=Cardiomegaly&method=progressive-exaggeration"


@pytest.fixture(scope="module")
def player(page, address):
    """The page with a finished series."""
    page.goto(f"{address}/counterfactual?{ASKED}", wait_until="commit")
    # A link alone starts nothing that takes long.
    page.get_by_role("button", name="Compute", exact=True).click()
    page.locator(".player .row").first.wait_for()
    page.get_by_role("button", name="Report (HTML)").wait_for()
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    return page


def step(page) -> int:
    return int(page.locator(".player").first.get_attribute("data-step"))


def shown(page) -> list[str]:
    return page.locator(".player img").evaluate_all("all => all.map(image => image.src)")


def test_the_slider_moves_film_difference_and_probabilities(player):
    slider = player.get_by_role("slider", name="Cardiomegaly: from absent to present")
    slider.focus()
    player.keyboard.press("Home")
    first, bars = shown(player), player.locator(".player .value").all_inner_texts()
    assert step(player) == 0
    player.keyboard.press("End")
    last = shown(player)
    assert step(player) == 9
    assert first[0] == last[0]
    assert first[1] != last[1]
    assert first[2] != last[2]
    assert player.locator(".player .value").all_inner_texts() != bars
    assert "target " in slider.get_attribute("aria-valuetext")


def test_every_picture_arrives(player):
    sizes = player.locator(".player img").evaluate_all(
        "all => Promise.all(all.map(image => image.decode().then(() => image.naturalWidth)))"
    )
    assert sizes == [224, 224, 224]


def test_play_moves_by_itself_and_a_hand_on_the_slider_stops_it(player):
    player.get_by_role("slider", name="Cardiomegaly: from absent to present").focus()
    player.keyboard.press("Home")
    player.get_by_role("button", name="Play").click()
    player.locator(".player[data-step='2']").wait_for()
    player.get_by_role("slider", name="Cardiomegaly: from absent to present").focus()
    player.keyboard.press("End")
    player.get_by_role("button", name="Play").wait_for()
    assert step(player) == 9


def test_blink_alternates_the_generated_film_with_the_film_as_it_is(player):
    player.get_by_role("slider", name="Cardiomegaly: from absent to present").focus()
    player.keyboard.press("End")
    film, generated, _ = shown(player)
    player.get_by_role("button", name="Blink").click()
    for wanted in (film, generated):
        while shown(player)[1] != wanted:
            player.wait_for_timeout(50)
    player.get_by_role("button", name="Blink").click()
    assert shown(player)[1] == generated


def test_the_animation_can_be_taken_home(player):
    with player.expect_download() as download:
        player.get_by_role("button", name="Animation (GIF)").click()
    assert download.value.suggested_filename.endswith(".gif")
    with open(download.value.path(), "rb") as file:
        assert file.read(6) == b"GIF89a"
