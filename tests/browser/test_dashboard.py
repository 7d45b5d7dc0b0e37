"""The real dashboard in a real browser: pick a film, a model and a finding, run all five methods, read the scores."""

from __future__ import annotations

import hashlib

import pytest

from tests.browser.conftest import idle, known_truth_model

METHODS = ("LIME", "SHAP", "Grad-CAM", "LRP", "Jacobian sensitivity")
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]


def choose(page, label: str, words: str, expected: str) -> None:
    """Pick the option that holds ``words`` in the select box called ``label``; again where a redraw closed the list."""
    box = page.locator("[data-testid=stSelectbox]").filter(has=page.get_by_text(label, exact=True)).locator("input")
    for _ in range(4):
        page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
        box.click()
        page.get_by_role("option").filter(has_text=words).first.click()
        try:
            page.get_by_text(expected).first.wait_for(timeout=20_000)
        except Exception as error:
            if type(error).__name__ != "TimeoutError":
                raise
            continue
        return
    raise AssertionError(f"{label} does not take {words}: {page.locator('[data-testid=stSidebar]').inner_text()}")


@pytest.mark.skipif(not known_truth_model(), reason="needs the known-truth model's weights in assets/models")
def test_five_methods_side_by_side_and_a_filled_score_table(page, address):
    quick = "&".join(
        f"set={method}.{name}" for method in ("lime", "kernel-shap") for name in ("samples:150", "n_superpixels:30")
    )
    page.goto(f"{address}/?film=known-truth/nodule-01&model=nih14&{quick}", wait_until="commit")
    page.get_by_role("button", name="Run").wait_for()
    choose(page, "Film", "mass-", "known-truth/mass-")
    choose(page, "Model", "ResNet-18", "ResNet-18 that detects findings planted")
    page.get_by_text("Mass (outlined)").first.wait_for()
    page.get_by_role("button", name="Run").click()
    maps = {title: page.locator(f"canvas[aria-label^='{title} map for Mass']").first for title in METHODS}
    for drawn in maps.values():
        drawn.wait_for()
    page.locator(".viewer[data-ready=true]").wait_for()
    table = page.locator("[data-testid=stDataFrame]").filter(has_text="Uniform map").first
    table.wait_for()
    # An early map of LIME or SHAP is shown before it is scored.
    for title in METHODS:
        table.filter(has_text=title).wait_for()
    page.wait_for_timeout(1500)
    pictures = set()
    for drawn in maps.values():
        box = drawn.bounding_box()
        assert box is not None
        assert box["width"] >= 240
        pictures.add(hashlib.sha256(drawn.evaluate("canvas => canvas.toDataURL()").encode()).hexdigest())
    assert len(pictures) == len(METHODS), "two methods show the same map"
    cells = table.evaluate("table => table.textContent")
    for title in (*METHODS, "Chance"):
        assert title in cells
    assert "run=1" in page.url
    idle(page)
    page.get_by_role("button", name="Export").click()
    page.get_by_role("button", name="Report (HTML)").wait_for()
    assert page.locator("[data-testid=stException]").count() == 0
