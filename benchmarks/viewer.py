"""Frames a second of the viewer in a real browser: ``python -m benchmarks.viewer`` (needs chromium and playwright)."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FLAGS = ["--no-sandbox", "--headless=new", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
FRAMES = """
async ([kind, count]) => {
  const store = [...window.lightboxStores.values()].at(-1);
  const next = () => new Promise(done => requestAnimationFrame(done));
  await next();
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    if (kind === "zoom") store.zoomAt(0.4, 0.6, i % 40 < 20 ? 1.08 : 1 / 1.08);
    else if (kind === "pan") store.setPlace({ zoom: 3, x: 0.5 + 0.2 * Math.sin(i / 9), y: 0.5 });
    else store.setWindow(0.1 + 0.001 * (i % 50), 0.8 - 0.002 * (i % 50));
    await next();
  }
  return 1000 * count / (performance.now() - start);
}
"""
"""Each change waits for the frame in which the viewer draws it."""


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> int:
    """Serve the viewer, drive it, print frames a second for zoom, pan, and window and level."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.stderr.write("benchmarks.viewer needs chromium: apt-get install chromium\n")
        return 2
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "benchmarks" / "viewer_app.py")]
    server = subprocess.Popen([*command, "--server.port", str(port), "--server.headless", "true"], cwd=ROOT)
    try:
        until_up(f"http://127.0.0.1:{port}/_stcore/health")
        with sync_playwright() as started:
            browser = started.chromium.launch(executable_path=chromium, args=FLAGS)
            page = browser.new_page(viewport={"width": 1920, "height": 1080})
            page.goto(f"http://127.0.0.1:{port}", wait_until="commit")
            page.locator(".viewer[data-ready=true]").wait_for(timeout=120_000)
            page.wait_for_timeout(5000)
            for kind, count in (("zoom", 120), ("pan", 120), ("window and level", 60)):
                rate = page.evaluate(FRAMES, [kind, count])
                sys.stdout.write(f"{kind}: {rate:.0f} frames a second\n")
            browser.close()
    finally:
        server.terminate()
        server.wait(20)
    return 0


def until_up(url: str, seconds: float = 60, pause: float = 0.3) -> None:
    """Wait until a server answers at ``url``; raises what it met where it does not within ``seconds``."""
    until = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).read()
            return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > until:
                raise
            time.sleep(pause)


if __name__ == "__main__":
    sys.exit(main())
