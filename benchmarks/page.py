"""How fast the compare page answers in a real browser: ``python -m benchmarks.page`` (needs chromium and playwright).

It prints, in seconds: the median of reruns after widgets that need no map to be computed, from the click or key to the
frame after the page has been drawn; and the time from Run to the first map on screen, beside the bare method's.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from benchmarks.viewer import FLAGS, ROOT, free_port, until_up

MODEL, FINDING = "known-truth", "Mass"
FILMS = ("mass-01", "mass-02", "mass-03")
FIRST = ("grad-cam", "lrp", "jacobian", "integrated-gradients")
SHOWN = ("grad-cam", "lrp", "jacobian", "hires-cam", "layer-cam")
PATIENCE = 240_000
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"
QUIET, LONGEST = 400, 30_000
"""Milliseconds without a message from the server after which a rerun is over; and after which waiting ends."""
LISTEN = """
() => {
  window.drawn = { heard: 0, last: 0 };
  window.WebSocket = class extends WebSocket {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", () => {
        requestAnimationFrame(() => requestAnimationFrame(() => { drawn.last = performance.now(); }));
        drawn.heard = performance.now();
      });
    }
  };
}
"""
"""A rerun may be over before the page's own sign of it changes, so it is told by the server's messages."""
ANSWER = """
([quiet, longest]) => {
  window.answered = new Promise((done, fail) => {
    const begin = () => {
      const start = performance.now();
      const look = () => {
        const now = performance.now();
        if (drawn.last > drawn.heard && drawn.heard > start && now - drawn.last > quiet) done(drawn.last - start);
        else if (now - start > longest) fail(new Error("the server did not answer"));
        else setTimeout(look, 20);
      };
      look();
    };
    for (const kind of ["click", "keydown"]) addEventListener(kind, begin, { capture: true, once: true });
  });
}
"""
FIRST_MAP = """
viewer => {
  window.answered = new Promise(done => {
    addEventListener("click", () => {
      const start = performance.now();
      const look = () => viewer.querySelector("figure.panel[data-map]")
        ? done(performance.now() - start) : requestAnimationFrame(look);
      look();
    }, { capture: true, once: true });
  });
}
"""


def bare() -> dict[str, float]:
    """Median seconds of each method of ``FIRST`` by itself, on the films on which the page is timed."""
    from classifiers.registry import load_classifier
    from radiographs.registry import get_collection
    from xai_methods import get_method

    model, collection = load_classifier(MODEL), get_collection("known-truth")
    films = [collection.read(film) for film in FILMS]
    found = {}
    for name in FIRST:
        get_method(name).explain(model, films[0], FINDING)
        taken = []
        for film in films:
            start = time.perf_counter()
            get_method(name).explain(model, film, FINDING)
            taken.append(time.perf_counter() - start)
        found[name] = statistics.median(taken)
    return found


def idle(page: Any) -> None:
    """Wait until the page has been drawn and stays so."""
    page.locator(IDLE).wait_for()
    page.wait_for_timeout(700)
    page.locator(IDLE).wait_for()


def timed(page: Any, watch: Callable[[], object], act: Callable[[], None]) -> float:
    """Seconds that ``watch`` tells of what ``act`` sets off."""
    watch()
    act()
    return float(page.evaluate("() => window.answered")) / 1000


def widgets(page: Any, address: str, reruns: int) -> dict[str, list[float]]:
    """Seconds of each rerun, by widget."""
    asked = "&".join(f"method={name}" for name in SHOWN)
    page.goto(f"{address}/?film=known-truth/{FILMS[0]}&model={MODEL}&finding={FINDING}&{asked}&run=1")
    page.locator("figure.panel[data-map]").nth(len(SHOWN) - 1).wait_for()
    idle(page)
    sidebar = page.locator("[data-testid=stSidebar]")
    page.get_by_text("How far the maps agree").first.click()
    measures = ("Rank correlation", "Overlap of the top 10 % of pixels")
    pill = sidebar.get_by_role("button", name="LRP", exact=True)
    findings = sidebar.locator("[data-testid=stMultiSelect]").first.locator("input")
    acts: dict[str, Callable[[int], None]] = {
        "agreement": lambda turn: page.get_by_text(measures[turn % 2], exact=True).first.click(),
        "method": lambda turn: pill.click(),
        "finding": lambda turn: findings.press("Backspace" if turn % 2 else "Enter"),
    }
    found: dict[str, list[float]] = {name: [] for name in acts}

    def answer() -> object:
        return page.evaluate(ANSWER, [QUIET, LONGEST])

    for name, act in acts.items():
        for turn in range(reruns):
            idle(page)
            if name == "finding" and turn % 2 == 0:
                findings.fill("Nodule")
            found[name].append(timed(page, answer, lambda act=act, turn=turn: act(turn)))
    return found


def first_maps(page: Any, address: str) -> dict[str, list[float]]:
    """Seconds from Run to the first map on screen, by method, one for each film."""
    found: dict[str, list[float]] = {name: [] for name in FIRST}
    for name in FIRST:
        for film in FILMS:
            page.goto(f"{address}/?film=known-truth/{film}&model={MODEL}&finding={FINDING}&method={name}&seed=1")
            viewer = page.locator(".viewer[data-ready=true]").first
            viewer.wait_for()
            idle(page)
            run = page.get_by_role("button", name="Run", exact=True)
            found[name].append(timed(page, lambda viewer=viewer: viewer.evaluate(FIRST_MAP), run.click))
    return found


def main() -> int:
    """Serve the dashboard, drive it, print medians."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    parser.add_argument("--reruns", type=int, default=12, help="of each widget (default 12)")
    given = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.stderr.write("benchmarks.page needs chromium: apt-get install chromium\n")
        return 2
    alone = bare()
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "dashboard.cli.main", "run-dashboard", "--port", str(port)]
    with tempfile.TemporaryDirectory() as home, sync_playwright() as started:
        environment = {**os.environ, "XAI_LIGHTBOX_HOME": home}
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        try:
            until_up(f"{address}/_stcore/health")
            browser = started.chromium.launch(executable_path=chromium, args=FLAGS)
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.set_default_timeout(PATIENCE)
            page.add_init_script(f"({LISTEN})()")
            for name, taken in widgets(page, address, given.reruns).items():
                sys.stdout.write(f"{name}: {statistics.median(taken):.2f} s (median of {len(taken)} reruns)\n")
            for name, taken in first_maps(page, address).items():
                seen = statistics.median(taken)
                ratio = f"{seen / alone[name]:.1f} x the bare method's {alone[name]:.2f} s"
                sys.stdout.write(f"first map, {name}: {seen:.2f} s, {ratio}\n")
            browser.close()
        finally:
            server.terminate()
            server.wait(20)
    return 0


if __name__ == "__main__":
    sys.exit(main())
