"""How a benchmark run scales on this machine: films an hour by workers, memory over films, what handing out work costs.

``python -m benchmarks.scale`` runs the real engine on generated films (noise with an outlined square, 512 pixels wide;
256 where only memory counts), with the shipped ``known-truth`` model and Grad-CAM, the cheapest main method: what is
not the maps' own cost shows most. Where only memory counts, a very small random model stands in, for there are many.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from distributed import get_task_stream
from PIL import Image
from safetensors.torch import save_file

from benchmarks.__main__ import machine
from classifiers.own_models import remember_model
from classifiers.torchvision_guard import ensure_torchvision
from evaluation.runs.cluster import worker_pool
from evaluation.runs.engine import run
from evaluation.runs.plan import Plan, parse_plan
from evaluation.runs.run_progress import RunProgress
from evaluation.runs.selection import WorkItem, open_plan, work_items
from evaluation.runs.store import Store
from evaluation.runs.worker import Outcome, run_work_item
from radiographs.collections.remembered import remember_folder
from radiographs.places import HOME_VARIABLE

PLAN = """
collections = ["{collection}"]
classifiers = ["{model}"]
findings = ["Nodule"]
baselines = ["uniform", "centre-prior"]
[[methods]]
name = "grad-cam"
"""
ARCHIVE = 112_120
"""Films of ChestX-ray14."""
MARKS = (50, 500)
"""Films after which the memory of the worker is read."""


def make_films(folder: Path, number: int, side: int = 512) -> None:
    """Write noise with a bright outlined square, one film a patient."""
    (folder / "masks").mkdir(parents=True)
    rng = np.random.default_rng(0)
    lines = ["image,labels,patient"]
    for i in range(number):
        mask = np.zeros((side, side), dtype=bool)
        row, column = rng.integers(side // 8, side // 2, 2)
        mask[row : row + side // 8, column : column + side // 8] = True
        pixels = np.clip(100 + 60 * mask + 20 * rng.standard_normal((side, side)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"film{i}.png", compress_level=1)
        Image.fromarray((255 * mask).astype(np.uint8)).save(folder / "masks" / f"film{i}_Nodule.png")
        lines.append(f"film{i}.png,Nodule,p{i}")
    (folder / "films.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def small_model(folder: Path) -> str:
    """Put a very small model with random weights in the registry; returns its name."""
    ensure_torchvision()
    import timm

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        save_file(timm.create_model("test_resnet", in_chans=1, num_classes=2).state_dict(), folder / "net.safetensors")
    name = "small"
    remember_model(name, folder / "net.safetensors", "timm:test_resnet", ["Nodule", "Effusion"], side=64)
    return name


@contextmanager
def world(number: int, side: int = 512, small: bool = False) -> Iterator[tuple[Path, Plan]]:
    """Generated films in the registry of a home of their own, and the plan for them, perhaps with the small model."""
    before = os.environ.get(HOME_VARIABLE)
    with tempfile.TemporaryDirectory(prefix="lightbox-scale-") as place:
        os.environ[HOME_VARIABLE] = str(Path(place) / "home")
        try:
            make_films(Path(place) / "films", number, side)
            name = remember_folder(Path(place) / "films").name
            model = small_model(Path(place)) if small else "known-truth"
            yield Path(place), parse_plan(PLAN.format(collection=name, model=model))
        finally:
            if before is None:
                del os.environ[HOME_VARIABLE]
            else:
                os.environ[HOME_VARIABLE] = before


def resident() -> float:
    """Memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def first_part(plan: Plan, number: int) -> list[WorkItem]:
    """The first pieces of a plan."""
    return list(work_items(plan, open_plan(plan)))[:number]


def speed(place: Path, plan: Plan, workers: int) -> tuple[float, float]:
    """Films an hour of a whole run, and the share of that time in which workers were at work on films.

    From the first film handed out to the last written; models are loaded before. The share says what the engine costs,
    also on a machine that has other work to do.
    """
    with worker_pool(workers=workers) as pool:
        pool.client.wait_for_workers(workers, timeout=120)
        warm = first_part(plan, 2 * workers)
        pool.client.gather([pool.client.submit(run_work_item, item, 1, pure=False) for item in warm])
        with get_task_stream(pool.client) as tasks:
            ended = run(plan, Store(place / f"speed-{workers}"), scheduler=pool.client.scheduler.address)
    spans = [(span["start"], span["stop"]) for task in tasks.data for span in task["startstops"]]
    spans = [(start, stop) for start, stop in spans if stop > start]
    first, last = min(start for start, _ in spans), max(stop for _, stop in spans)
    return 60 * ended.per_minute, sum(stop - start for start, stop in spans) / workers / (last - first)


def memory(place: Path, plan: Plan, marks: Sequence[int] = MARKS) -> list[tuple[int, float, float]]:
    """Films done, MB of the one worker and MB of the run itself, at each mark."""
    found: list[tuple[int, float, float]] = []
    with worker_pool(workers=1) as pool:

        def look(said: RunProgress) -> None:
            if len(found) < len(marks) and said.done >= marks[len(found)]:
                (worker,) = pool.client.run(resident).values()
                found.append((said.done, worker, resident()))

        run(plan, Store(place / "memory"), scheduler=pool.client.scheduler.address, progress=look)
    return found


def handing_out(plan: Plan, number: int = 400) -> tuple[float, float]:
    """Seconds that a task costs beside its work, and median seconds of the work: a film's rows, ready made."""
    made = [run_work_item(item, 1) for item in first_part(plan, 8)]
    with worker_pool(workers=1) as pool:
        _stream(pool.client.submit, pool.client.gather, made, 20)
        started = time.perf_counter()
        _stream(pool.client.submit, pool.client.gather, made, number)
        took = time.perf_counter() - started
    return took / number, float(np.median([outcome.seconds for outcome in made[2:]]))


def _stream(submit: Callable[..., object], gather: Callable[..., object], made: list[Outcome], number: int) -> None:
    for start in range(0, number, 4):
        gather([submit(_rows, made[(start + i) % len(made)].scores, pure=False) for i in range(4)])


def _rows(scores: pa.Table) -> Outcome:
    return Outcome(scores, [])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and write what was found; returns 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--part", choices=("speed", "memory", "tasks"), action="append", help="all by default")
    parser.add_argument("--films", type=int, default=120, help="of the runs that are timed (default 120)")
    given = parser.parse_args(arguments)
    if given.films < 8:
        parser.error(f"--films: expected 8 or more, got {given.films}")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    parts = given.part or ["speed", "memory", "tasks"]
    out = sys.stdout
    out.write(f"{machine()}.\n")
    if "speed" in parts:
        with world(given.films) as (place, plan):
            (one, alone), (two, both) = (speed(place, plan, workers) for workers in (1, 2))
        out.write(f"{one:.0f} films an hour with 1 worker, {two:.0f} with 2: efficiency {two / one / 2:.2f}.\n")
        out.write(f"The workers were at work for {100 * alone:.1f} and {100 * both:.1f} % of the time.\n")
        out.write(f"{ARCHIVE} films with 2 workers: {ARCHIVE / two:.1f} h.\n")
    if "memory" in parts:
        with world(MARKS[-1] + 8, 256, small=True) as (place, plan):
            for done, worker, own in memory(place, plan):
                out.write(f"After {done} films: worker {worker:.0f} MB, the run itself {own:.0f} MB.\n")
    if "tasks" in parts:
        with world(16) as (_, plan):
            cost, work = handing_out(plan)
        out.write(
            f"A task costs {1000 * cost:.1f} ms beside {1000 * work:.0f} ms of work: {100 * cost / work:.1f} %.\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
