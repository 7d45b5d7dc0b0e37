"""How long the first minute takes: ``python -m benchmarks.start`` (needs chromium, playwright and an idle machine).

It starts the dashboard as ``make run`` does, in an empty home folder, and opens its first page at once in a real
browser. It prints medians: from the start to the address printed; from there to the film painted; for a second visitor,
from opening the address to the film painted; and the server's memory once both see the film.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.viewer import FLAGS, ROOT, until_up

PATIENCE = 120
PAINTED = """
canvas => new Promise(done => {
  const look = () => {
    const small = new OffscreenCanvas(32, 32).getContext("2d");
    if (canvas.width) small.drawImage(canvas, 0, 0, 32, 32);
    const greys = small.getImageData(0, 0, 32, 32).data.filter((_, place) => place % 4 === 0);
    if (new Set(greys).size > 8) done(); else requestAnimationFrame(look);
  };
  look();
})
"""
"""Wait until a canvas shows a film: more than a few greys."""


def visit(browser: Any, address: str, picture: Path | None = None) -> float:
    """Seconds from opening ``address`` in a browser context of its own to the film painted."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    start = time.perf_counter()
    until_up(f"{address}/_stcore/health", PATIENCE, pause=0.02)
    page.goto(address, wait_until="commit")
    page.locator(".viewer[data-ready=true] figure.panel canvas").first.evaluate(PAINTED)
    taken = time.perf_counter() - start
    if picture is not None:
        page.screenshot(path=picture)
    context.close()
    return taken


def memory(process: int) -> float:
    """Memory of a process and all that it started, in MB, each shared page counted once (Linux)."""
    parents = {}
    for place in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(place.parent.name)] = int(place.read_text(encoding="utf-8").rpartition(")")[2].split()[1])
    family, size = [process], 0
    for member in family:
        family += [child for child, parent in parents.items() if parent == member]
        with contextlib.suppress(OSError):
            told = Path(f"/proc/{member}/smaps_rollup").read_text(encoding="utf-8")
            size += int(re.findall(r"^Pss: +(\d+) kB", told, re.M)[0])
    return size / 1024


def first_minute(browser: Any, picture: Path | None = None, wait: float = 0.0) -> dict[str, float]:
    """Start the dashboard once, visit it twice, stop it; what was measured, by its name.

    Args:
        browser: a browser that runs. picture: where to save how the first page looked when its film was painted.
        wait: seconds between the address printed and the first visit.
    """
    with tempfile.TemporaryDirectory() as home, contextlib.ExitStack() as at_end:
        start = time.perf_counter()
        server = subprocess.Popen(
            [sys.executable, "-m", "dashboard.cli.start"],
            cwd=ROOT,
            env={**os.environ, "XAI_LIGHTBOX_HOME": home},
            stdout=subprocess.PIPE,
            text=True,
        )
        at_end.callback(server.wait, 30)
        at_end.callback(server.terminate)
        assert server.stdout is not None
        address = next((found[0] for line in server.stdout if (found := re.search(r"http://[\d.:]+", line))), None)
        printed = time.perf_counter() - start
        if address is None:
            raise RuntimeError("the dashboard ended before it printed its address; start it by hand to see why")
        time.sleep(wait)
        return {
            "to the address": printed,
            "first page": visit(browser, address, picture),
            "second visitor": visit(browser, address),
            "memory": memory(server.pid),
        }


def main() -> int:
    """Measure and print medians."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(prog="python -m benchmarks.start", description=__doc__)
    parser.add_argument("--times", type=int, default=5, help="how often to start it (default 5)")
    parser.add_argument("--wait", type=float, default=0, help="seconds from the address to the visit (default 0)")
    parser.add_argument("--picture", type=Path, help="save how the first page looks when its film is painted")
    given = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.stderr.write("benchmarks.start needs chromium: apt-get install chromium\n")
        return 2
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=FLAGS)
        rounds = [first_minute(browser, given.picture, given.wait) for _ in range(given.times)]
        browser.close()
    for name in rounds[0]:
        taken = sorted(found[name] for found in rounds)
        unit = "MB" if name == "memory" else "s"
        spread = f"{taken[0]:.2f} to {taken[-1]:.2f}, {len(taken)} starts"
        sys.stdout.write(f"{name}: {statistics.median(taken):.2f} {unit} ({spread})\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
