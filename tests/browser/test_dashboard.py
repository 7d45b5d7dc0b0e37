"""The real dashboard in a real browser: pick a film, a model and a finding, run all five methods, read the scores."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
METHODS = ("LIME", "SHAP", "Grad-CAM", "LRP", "Jacobian sensitivity")
PATIENCE = 120
FLAGS = [
    "--no-sandbox",
    "--headless=new",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Start the dashboard on a free port with an empty home; yields its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = tmp_path_factory.mktemp("home")
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    log = (home / "log").open("w")
    environment = {**os.environ, "XAI_LIGHTBOX_HOME": str(home)}
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                urllib.request.urlopen(f"{url}/_stcore/health", timeout=5).read()
                break
            except (urllib.error.URLError, OSError):
                assert server.poll() is None, (home / "log").read_text()
                assert time.monotonic() < until, "the dashboard did not start"
                time.sleep(0.3)
        yield url
    finally:
        server.terminate()
        server.wait(30)
        log.close()


@pytest.fixture(scope="module")
def page(address):
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the playwright package")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        opened = browser.new_page(viewport={"width": 1280, "height": 900})
        opened.set_default_timeout(PATIENCE * 1000)
        yield opened
        browser.close()


def known_truth_model() -> str | None:
    from classifiers.shelf import shelf

    return next((entry.name for entry in shelf() if entry.name == "known-truth" and entry.available), None)


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


@pytest.mark.skipif(known_truth_model() is None, reason="needs the known-truth model's weights in assets/models")
def test_five_methods_side_by_side_and_a_filled_score_table(page, address):
    quick = "&".join(
        f"set={method}.{name}" for method in ("lime", "kernel-shap") for name in ("samples:150", "n_superpixels:30")
    )
    page.goto(f"{address}/?model=nih14&{quick}", wait_until="commit")
    page.get_by_role("button", name="Run").wait_for()
    choose(page, "Film", "mass-", "known-truth/mass-")
    choose(page, "Model", "Known", "detects findings planted")
    page.get_by_text("Mass (outlined)").first.wait_for()
    page.get_by_role("button", name="Run").click()
    for title in METHODS:
        page.locator(f"img[alt^='{title} map for Mass']").wait_for()
    page.locator("[data-testid=stDataFrame]").last.wait_for()
    pictures = set()
    for title in METHODS:
        picture = page.locator(f"img[alt^='{title} map for Mass']").first
        box = picture.bounding_box()
        assert box is not None
        assert box["width"] >= 250
        content = page.request.get(picture.evaluate("image => image.src")).body()
        assert content[:4] in (b"\x89PNG", b"\xff\xd8\xff\xe0")
        pictures.add(hashlib.sha256(content).hexdigest())
    assert len(pictures) == len(METHODS), "two methods show the same map"
    cells = page.locator("[data-testid=stDataFrame]").last.evaluate("table => table.textContent")
    for title in (*METHODS, "Chance"):
        assert title in cells
    assert "run=1" in page.url
    assert page.get_by_role("button", name="Report (HTML)").is_visible()
    assert page.locator("[data-testid=stException]").count() == 0
