"""Makes the pictures of README and docs anew: ``make pictures`` (needs chromium and playwright).

Pages are screenshots of the dashboard on films that come along; plots are the report's, of scores in ``docs/scores``.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from PIL import Image

from benchmarks.viewer import FLAGS, ROOT, free_port, until_up
from evaluation.runs.plots import means_figure, size_figure
from evaluation.runs.store import Store
from evaluation.runs.tables import ALL, Pair, leaderboard, map_titles, values

FOLDER, SCORES = ROOT / "docs" / "pictures", ROOT / "docs" / "scores"
RUNS = {"known-truth": Pair("known-truth", "known-truth"), "nih-boxes": Pair("nih-boxes", "nih14-localised")}
SCORE, WORDS = "area_matched_iou", "Area-matched IoU"
BESIDE = "average-mask"
COMPARE = {"film": "known-truth/mass-04", "model": "known-truth", "finding": "Mass", "run": "1"}
COUNTERFACTUAL = {"film": "adult-dicom/RG1", "model": "nih14-localised", "finding": "Cardiomegaly"}
PATIENCE, WIDTH = 240_000, 1280


def saved(png: bytes, path: Path) -> None:
    """Write a picture small: as JPEG, or, where ``path`` ends in ``.png``, with 64 colours, enough for a plot."""
    with Image.open(io.BytesIO(png)) as image:
        if path.suffix == ".png":
            image.convert("RGB").quantize(64, dither=Image.Dither.NONE).save(path, optimize=True)
        else:
            image.convert("RGB").save(path, quality=88, subsampling=0, optimize=True, progressive=True)


def plots() -> None:
    """Draw each run's means with intervals, and the score against the size of the outline."""
    for name, pair in RUNS.items():
        store = Store(SCORES / name)
        board = leaderboard(store, pair, [SCORE])
        table = values(store, SCORE, pair)
        titles = {key: title for key, title in map_titles(store).items() if _shown(key, table)}
        for kind, figure in (
            ("means", means_figure(board[board.scope == ALL], WORDS)),
            ("size", size_figure(table, titles, WORDS)),
        ):
            file = io.BytesIO()
            figure.savefig(file, format="png", dpi=110)
            saved(file.getvalue(), FOLDER / f"{kind}-{name}.png")


def _shown(key: str, table: Any) -> bool:
    return key.startswith(f"{BESIDE}/") or set(table[table["map"] == key].kind) == {"method"}


def pages(browser: Any, address: str) -> None:
    """Take the screenshots of Compare and Counterfactual."""
    page = browser.new_page(viewport={"width": WIDTH, "height": 1235})
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}/?{urlencode(COMPARE)}")
    # A link alone starts nothing that takes long.
    page.locator("figure.panel[data-map]").first.wait_for()
    page.get_by_role("button", name="Run", exact=True).click()
    page.locator("figure.panel[data-map]").nth(4).wait_for()
    _still(page)
    saved(page.screenshot(), FOLDER / "compare.jpg")
    page.goto(f"{address}/counterfactual?{urlencode(COUNTERFACTUAL)}")
    page.get_by_role("button", name="Compute", exact=True).click()
    slider = page.get_by_label("from absent to present").first
    slider.press("End")
    for _ in range(3):
        slider.press("ArrowLeft")
    slider.evaluate("slider => slider.blur()")
    _still(page)
    saved(page.screenshot(clip={"x": 0, "y": 0, "width": WIDTH, "height": 860}), FOLDER / "counterfactual.jpg")


def _still(page: Any) -> None:
    drawn = page.locator("[data-testid=stApp][data-test-script-state=notRunning]")
    for _ in range(3):
        drawn.wait_for()
        page.wait_for_timeout(1500)


def main() -> int:
    """Make all pictures."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.stderr.write("make pictures needs chromium: apt-get install chromium\n")
        return 2
    FOLDER.mkdir(exist_ok=True)
    plots()
    port = free_port()
    command = [sys.executable, "-m", "dashboard.cli.main", "run-dashboard", "--port", str(port)]
    with tempfile.TemporaryDirectory() as home, sync_playwright() as started:
        environment = {**os.environ, "XAI_LIGHTBOX_HOME": home}
        environment.pop("XAI_LIGHTBOX_DATA", None)
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        try:
            until_up(f"http://127.0.0.1:{port}/_stcore/health", PATIENCE / 1000)
            browser = started.chromium.launch(executable_path=chromium, args=FLAGS)
            pages(browser, f"http://127.0.0.1:{port}")
            browser.close()
        finally:
            server.terminate()
            server.wait(20)
    return 0


if __name__ == "__main__":
    sys.exit(main())
