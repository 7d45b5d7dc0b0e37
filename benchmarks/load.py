"""Many people on one server: ``python -m benchmarks.load``. It prints a Markdown table.

Ten people run the five main methods at once, each on a film and seed of their own; 25 browse films; then all leave;
then a few run again and again; then one looks through large films. The visitors speak Streamlit's protocol without a
browser: what is timed is the server.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.start import memory
from benchmarks.viewer import ROOT, free_port, until_up
from benchmarks.visitor import Visitor
from xai_methods import main_methods

FILMS = [f"known-truth/{kind}-{number:02}" for kind in ("mass", "nodule") for number in range(1, 6)]
WARM, ALONE = "known-truth/effusion-01", "known-truth/effusion-02"
"""Films of the first runs, and of the one that the ten are set against: new to the server, as each of theirs is."""
GRACE, SWEEP = 10, 10
"""Seconds after which what people left behind is gone, and in which it is looked for."""
LARGE = 3000, 2500
"""Rows and columns of a large film."""
STARTED = 10
"""Seconds after the first page in which the process that makes maps is started."""


def run_methods(visitor: Visitor, film: str, seed: int, samples: int = 0) -> list[float]:
    """Run the main methods; seconds from the press to each map on the screen."""
    smaller = (f"samples:{samples}", f"n_superpixels:{samples // 5}")
    fewer = [f"{method}.{what}" for method in ("lime", "kernel-shap") for what in smaller] if samples else []
    visitor.open(film=film, model="known-truth", finding="Mass", seed=str(seed), set=fewer)
    start = time.perf_counter()
    visitor.press("Run")
    return visitor.wait_for_maps(len(main_methods()), start)


def browse(visitor: Visitor, seed: int, steps: int, pause: float) -> list[float]:
    """Look at film after film; seconds of each answer."""
    order = random.Random(seed).sample(FILMS, k=len(FILMS))
    seconds = []
    for step in range(steps):
        seconds.append(visitor.open(film=order[step % len(order)], model="known-truth"))
        time.sleep(pause)
    return seconds


def together(count: int, act: Callable[[int], Any]) -> list[Any]:
    """What ``act`` returns for each of so many people at once.

    Raises:
        RuntimeError: one of them failed.
    """
    found: dict[int, Any] = {}
    threads = [threading.Thread(target=lambda place=place: found.update({place: act(place)})) for place in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(found) < count:
        raise RuntimeError(f"{count - len(found)} of {count} people met an error; see above")
    return [found[place] for place in range(count)]


def settle(process: int) -> None:
    """Wait until the process that makes maps is up: it starts after the first page, and holds the models once more."""
    time.sleep(STARTED)
    held = [memory(process)]
    while len(held) < 30:
        time.sleep(2)
        held.append(memory(process))
        if abs(held[-1] - held[-2]) < 0.01 * held[-1]:
            return


def measured(
    address: str, process: int, people: int, browsers: int, minutes: float, samples: int
) -> Iterator[tuple[str, str, str]]:
    """All figures, as they come: what, how much, and what it should be."""
    Visitor(address).open()
    first_of_all = Visitor(address)
    run_methods(first_of_all, WARM, 1, samples)
    settle(process)
    run_methods(first_of_all, WARM, 3, samples)
    alone = run_methods(first_of_all, ALONE, 2, samples)
    first_of_all.leave()
    time.sleep(GRACE + SWEEP)
    yield "one person: first map, all maps", f"{alone[0]:.1f} s, {alone[-1]:.1f} s", ""
    quiet = memory(process)
    visitors = [Visitor(address) for _ in range(people)]
    ran = together(people, lambda place: run_methods(visitors[place], FILMS[place % len(FILMS)], 100 + place, samples))
    first, last = max(maps[0] for maps in ran), max(maps[-1] for maps in ran)
    yield f"{people} people: first map, the slowest", f"{first:.1f} s", "5 s"
    yield f"{people} people: all maps, the slowest", f"{last:.1f} s, {last / alone[-1]:.1f} x alone", "10 x"
    times = [pair for visitor in visitors for pair in visitor.told_and_took()]
    held = sum(took / 2 <= told <= 2 * took for told, took in times) / max(len(times), 1)
    yield f'"about N s", of {len(times)} told while they wait: within a factor of two', f"{held:.0%}", ""
    lookers = [Visitor(address) for _ in range(browsers)]
    looked = together(browsers, lambda place: browse(lookers[place], place, 4, 2.0))
    answers = sorted(seconds for one in looked for seconds in one)
    what = f"{browsers} browse: median, 95th percentile of {len(answers)} answers"
    yield what, f"{statistics.median(answers):.2f} s, {answers[int(0.95 * len(answers))]:.2f} s", "2 s"
    busy = memory(process)
    for visitor in (*visitors, *lookers):
        visitor.leave()
    time.sleep(GRACE + SWEEP)
    after = memory(process)
    held = f"{quiet:.0f}, {busy:.0f}, {after:.0f} MB ({after / quiet - 1:+.0%})"
    yield "memory before, with all, after all left", held, "+20 %"
    if minutes:
        yield _repeated(address, process, minutes, samples)


def _repeated(address: str, process: int, minutes: float, samples: int) -> tuple[str, str, str]:
    """How memory grows while two people run again and again: medians of the second and the last fifth."""
    start, held = time.perf_counter(), []
    while time.perf_counter() - start < 60 * minutes:
        visitors, film = [Visitor(address) for _ in range(2)], FILMS[len(held) % len(FILMS)]
        seeds = [1000 + 2 * len(held), 1001 + 2 * len(held)]
        together(2, lambda p, those=visitors, film=film, seeds=seeds: run_methods(those[p], film, seeds[p], samples))
        for visitor in visitors:
            visitor.leave()
        held.append(memory(process))
    fifth = max(1, len(held) // 5)
    begun, end = statistics.median(held[fifth : 2 * fifth] or held), statistics.median(held[-fifth:])
    what = f"{minutes:g} minutes, {2 * len(held)} runs of five methods"
    return what, f"{begun:.0f} to {end:.0f} MB ({end / begun - 1:+.0%})", "+10 %"


def _make_large(folder: Path, count: int) -> None:
    """Write noise on a bright disc as so many different films of ``LARGE`` pixels."""
    rng = np.random.default_rng(0)
    rows, columns = np.ogrid[: LARGE[0], : LARGE[1]]
    disc = 180.0 * (np.hypot(rows - LARGE[0] / 2, columns - LARGE[1] / 2) < 1000)
    folder.mkdir()
    for number in range(count):
        pixels = disc + rng.integers(0, 60, LARGE)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number}.png", compress_level=1)


def _added(folder: Path, count: int, environment: dict[str, str]) -> list[str]:
    """Names of so many large films in a folder that the dashboard is told of."""
    _make_large(folder, count)
    ask = [sys.executable, "-m", "dashboard.cli.main"]
    subprocess.run([*ask, "add-folder", str(folder)], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    listed = subprocess.run([*ask, "films"], cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    return [line.split()[0] for line in listed.stdout.splitlines() if line.startswith("folder-")]


def _large_films(address: str, process: int, films: list[str]) -> Iterator[tuple[str, str, str]]:
    """How memory grows while one person runs three methods on large films, one after the other."""
    visitor, held = Visitor(address), [memory(process)]
    for film in films:
        visitor.open(film=film, model="known-truth", finding="Mass", method=["grad-cam", "lrp", "jacobian"])
        start = time.perf_counter()
        visitor.press("Run")
        visitor.wait_for_maps(3, start)
        held.append(memory(process))
    visitor.leave()
    time.sleep(GRACE + SWEEP)
    third = len(films) // 3
    words = [f"{megabytes:.0f}" for megabytes in (held[0], held[third], held[-1], memory(process))]
    what = f"memory before, after {third} and {len(films)} films of {LARGE[0]} x {LARGE[1]}, and when left"
    yield what, f"{', '.join(words)} MB", ""


def main() -> int:
    """Serve the dashboard, let people at it, print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--people", type=int, default=10, help="who run all methods at once (default 10)")
    parser.add_argument("--browsers", type=int, default=25, help="who browse (default 25)")
    parser.add_argument("--minutes", type=float, default=30, help="of repeated runs (default 30; 0 for none)")
    parser.add_argument("--samples", type=int, default=0, help="of LIME and SHAP (default: their own)")
    parser.add_argument("--large", type=int, default=24, help="large films that one looks through (default 24)")
    given = parser.parse_args()
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "dashboard.cli.main", "run-dashboard", "--port", str(port)]
    with tempfile.TemporaryDirectory() as home:
        more = {"XAI_LIGHTBOX_HOME": home, "XAI_LIGHTBOX_GRACE_SECONDS": str(GRACE), "XAI_LIGHTBOX_KEEP_MB": "0"}
        films = _added(Path(home) / "large", given.large, {**os.environ, **more}) if given.large else []
        server = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **more}, stdout=subprocess.DEVNULL)
        load = os.getloadavg()[0]
        try:
            until_up(f"{address}/_stcore/health")
            sys.stdout.write("| what | measured | wanted |\n|---|---|---|\n")
            rows = measured(address, server.pid, given.people, given.browsers, given.minutes, given.samples)
            for row in chain(rows, _large_films(address, server.pid, films) if films else ()):
                sys.stdout.write(f"| {' | '.join(row)} |\n")
                sys.stdout.flush()
        finally:
            server.terminate()
            server.wait(20)
    sys.stdout.write(f"\n{os.cpu_count()} cores, load {load:.1f} before, {os.getloadavg()[0]:.1f} after\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
