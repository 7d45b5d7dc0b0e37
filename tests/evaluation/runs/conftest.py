"""A small collection and a tiny random model that worker processes find as they find a user's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from distributed import Client
from PIL import Image
from safetensors.torch import save_file

from classifiers.own_models import remember_model
from classifiers.torchvision_guard import ensure_torchvision
from evaluation.runs.plan import Plan, parse_plan
from evaluation.runs.selection import open_plan, work_items
from evaluation.runs.store import Store
from evaluation.runs.worker import run_work_item
from radiographs.collections.remembered import remember_folder
from radiographs.places import DATA_VARIABLE, HOME_VARIABLE, import_root

FILMS = 11
OUTLINED = FILMS - 1
SECONDS = 150
PLAN = """
collections = ["folder-1"]
classifiers = ["tiny-net"]
findings = ["Nodule"]
metrics = ["pointing_game", "pixel_auprc", "area_matched_iou", "gini_sparseness", "peak_distance_mm"]
seeds = [0, 1]
baselines = ["uniform", "average-mask", "edge-map", "other-reader"]
[[methods]]
name = "grad-cam"
[[methods]]
name = "rise"
sweep = { masks = [100, 120] }
"""


def make_films(folder: Path, number: int = FILMS) -> None:
    """Noise with a bright square that is outlined as a nodule; two films a patient; the last has no outline."""
    rng = np.random.default_rng(5)
    (folder / "masks").mkdir(parents=True)
    lines = ["image,labels,patient"]
    for i in range(number):
        mask = np.zeros((96, 96), dtype=bool)
        row, column = rng.integers(10, 60, 2)
        mask[row : row + 20, column : column + 16] = True
        pixels = np.clip(90 + 80 * mask + 12 * rng.standard_normal(mask.shape), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"film{i}.png")
        if i < number - 1:
            Image.fromarray((255 * mask).astype(np.uint8)).save(folder / "masks" / f"film{i}_Nodule.png")
        lines.append(f"film{i}.png,Nodule,p{i // 2}")
    (folder / "films.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def make_weights(path: Path) -> None:
    ensure_torchvision()
    import timm

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        save_file(timm.create_model("test_resnet", pretrained=False, in_chans=1, num_classes=2).state_dict(), path)


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home folder with the collection ``folder-1`` and the model ``tiny-net`` on their shelves."""
    place = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(HOME_VARIABLE, str(place / "home"))
        patched.delenv(DATA_VARIABLE, raising=False)
        make_films(place / "films")
        make_weights(place / "net.safetensors")
        remember_folder(place / "films")
        remember_model("tiny-net", place / "net.safetensors", "timm:test_resnet", ["Nodule", "Effusion"], side=64)
        yield place


@pytest.fixture(scope="package")
def scheduler(world: Path) -> Iterator[str]:
    """A scheduler and two workers, each a program of its own, over TCP."""
    python = [sys.executable, "-m"]
    # One thread each: two workers with two threads each wait for one another on a machine with two cores.
    environment = {**os.environ, "PYTHONPATH": str(import_root()), "OMP_NUM_THREADS": "1"}
    given = {"env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    file = world / "scheduler.json"
    command = [*python, "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    started = [subprocess.Popen([*command, "--scheduler-file", str(file)], **given)]
    until = time.monotonic() + SECONDS
    while not file.is_file() or not file.read_text():
        assert time.monotonic() < until
        time.sleep(0.2)
    address = json.loads(file.read_text())["address"]
    for number in range(2):
        worker = [*python, "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-dashboard", "--no-nanny"]
        worker += ["--death-timeout", "60", "--local-directory", str(world / f"worker{number}")]
        started.append(subprocess.Popen(worker, **given))
    with Client(address, set_as_default=False, timeout=SECONDS) as client:
        client.wait_for_workers(2, timeout=SECONDS)
    yield address
    for process in started[::-1]:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="package")
def undisturbed(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """All scores of the plan, worked out here one film after the other, without workers."""
    store = Store(tmp_path_factory.mktemp("undisturbed"))
    store.make()
    outcomes = [run_work_item(item, threads=1) for item in work_items(plan, open_plan(plan))]
    assert len(outcomes) == OUTLINED
    assert not [row for outcome in outcomes for row in outcome.failures]
    store.write([outcome.scores for outcome in outcomes], [], {})
    return store


@pytest.fixture(scope="package")
def plan(world: Path) -> Plan:
    return parse_plan(PLAN)
